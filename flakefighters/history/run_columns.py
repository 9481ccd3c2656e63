"""The columns of ``run``, once: what each is called, holds, and is good for.

From this table come the schema, the rows that are written and read, the content hash, what is
copied between histories, and the view ``runs``.  To add a column, add a row here and a field of
the same name to :class:`flakefighters.model.RunHead`; the rules are in ``schema.py``.
"""

from __future__ import annotations

import enum
from typing import Final

from flakefighters.records import NamedTuple

__all__ = ["COLUMNS", "HASHED", "NAMES", "OF_HEAD", "UUIDS", "Column", "Form", "Kind", "in_view"]


class Kind(enum.Enum):
    """A column's type, as ``schema.py`` describes them."""

    HASH = "hash"
    NUMBER = "number"
    COUNT = "count"
    SMALL = "small"
    TEXT = "text"
    JSON = "JSON"


class Form(enum.Enum):
    """How a field of the head becomes the value of a column, and a field of the content hash."""

    PLAIN = "a number or id, as it is"
    TEXT = "text, made storable"
    FLAG = "true or false, stored as 1 or 0"
    WORD = "a member of Completeness, by its value"
    MAPPING = "a mapping as JSON, NULL if it is empty; hashed as {} then"


class Column(NamedTuple):
    """One column of ``run``; everything but its key may be NULL unless it is ``required``."""

    name: str
    kind: Kind
    #: What it means, for the description of the schema.
    comment: str
    #: The field of the run's head that it holds; None for what ``write.py`` works out itself.
    field: str | None = None
    form: Form = Form.PLAIN
    required: bool = False
    #: The table whose ``id`` it names.
    refers_to: str | None = None
    #: Whether the content hash covers it as a field of its own, in the order of this table.
    hashed: bool = False
    #: Its group in the view ``runs``, in which groups ascend; 0: not shown, or shown otherwise.
    view: int = 0


def _text(name: str, comment: str, *, view: int = 0, field: str | None = None) -> Column:
    """A text that the head says and the hash covers."""
    return Column(name, Kind.TEXT, comment, field or name, Form.TEXT, hashed=True, view=view)


def _mapping(name: str, comment: str) -> Column:
    return Column(name, Kind.JSON, comment, name, Form.MAPPING, hashed=True)


#: In the order of the table.
COLUMNS: Final[tuple[Column, ...]] = (
    Column("id", Kind.HASH, "UUIDv7, made where the run started.", "id", required=True),
    Column(
        "version",
        Kind.COUNT,
        "Recipe of content_hash, see 'The content hash' below.",
        required=True,
    ),
    Column(
        "content_hash",
        Kind.TEXT,
        "SHA-256 of all that the run says, 64 hexadecimal digits.",
        required=True,
    ),
    Column("project", Kind.NUMBER, "The project.", required=True, refers_to="project"),
    Column(
        "started",
        Kind.NUMBER,
        "Start, by the machine's clock.",
        "started",
        required=True,
        hashed=True,
    ),
    Column("ended", Kind.NUMBER, "End; NULL if it was killed.", "ended", hashed=True),
    Column(
        "clock_offset",
        Kind.NUMBER,
        "Machine's clock less server's, in µs.",
        "clock_offset",
        hashed=True,
    ),
    _text("build", "The CI pipeline it belongs to.", view=2),
    _text("job", "The job within the build.", view=2),
    _text("shard", "The part of a split job.", view=2),
    Column(
        "attempt",
        Kind.NUMBER,
        "Which attempt at the build, from 1.",
        "attempt",
        hashed=True,
        view=2,
    ),
    _text(
        "commit_id",
        "The commit: the head of a pull request, not the merge.",
        view=1,
        field="commit",
    ),
    _text("tree", "git's tree id of what was checked out."),
    _text("branch", "The branch.", view=1),
    _text("base_branch", "The branch that a pull request goes to.", view=1),
    _text("pr", "The pull request.", view=1),
    Column(
        "dirty",
        Kind.SMALL,
        "1 if files differed from the commit, 0 if not.",
        "dirty",
        Form.FLAG,
        hashed=True,
        view=1,
    ),
    Column("state", Kind.TEXT, "What was tested.", "state", Form.TEXT, refers_to="state", view=3),
    Column("listing", Kind.HASH, "Its files, if this run describes them.", refers_to="listing"),
    Column(
        "environment",
        Kind.TEXT,
        "Where it ran.",
        "environment",
        Form.TEXT,
        refers_to="environment",
        view=3,
    ),
    Column("suite", Kind.HASH, "What was collected.", required=True, refers_to="suite"),
    Column("sequence", Kind.HASH, "Order of start; NULL: as collected.", refers_to="sequence"),
    Column(
        "completeness",
        Kind.TEXT,
        "complete, partial (stopped early) or interrupted.",
        "completeness",
        Form.WORD,
        required=True,
        hashed=True,
        view=3,
    ),
    _mapping("selection", "What was asked for; NULL: everything."),
    _mapping("origin", "The program that wrote it, its version, host, CI vendor."),
    _mapping("context", "Links and names for people."),
    _mapping("extra", "Fields of later versions, kept verbatim."),
    Column(
        "seen",
        Kind.JSON,
        "What the run saw of the history: {'runs': [ids, newest first]}.",
    ),
    Column(
        "outcomes",
        Kind.TEXT,
        "One character if all tests share it, else one per test in ascending order of test "
        "ids: . passed, F failed, E error, s skipped, x xfailed, X xpassed, R passed after "
        "reruns, ? unfinished, - not run.",
        required=True,
    ),
    Column(
        "durations",
        Kind.JSON,
        "setup, call, teardown of each test (the last attempt's) in units of 100 µs, three "
        "numbers per test, flat, in ascending order of test ids.",
        required=True,
    ),
)

NAMES: Final = tuple(column.name for column in COLUMNS)
#: Columns that hold fields of the run's head: the field, and the column.
OF_HEAD: Final = {column.field: column for column in COLUMNS if column.field is not None}
#: What the content hash covers one by one, see ``content.py``.
HASHED: Final = {field: column for field, column in OF_HEAD.items() if column.hashed}
#: Names of columns of PostgreSQL's type UUID.
UUIDS: Final = frozenset(column.name for column in COLUMNS if column.kind is Kind.HASH)


def in_view() -> tuple[str, ...]:
    """The columns that the view ``runs`` shows as they are, in its order."""
    shown = sorted((column for column in COLUMNS if column.view), key=lambda one: one.view)
    return tuple(column.name for column in shown)
