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


def _said(
    name: str,
    kind: Kind,
    comment: str,
    form: Form = Form.PLAIN,
    *,
    required: bool = False,
    view: int = 0,
) -> Column:
    """What the head says in a field of this name, and the hash covers."""
    return Column(name, kind, comment, name, form, required, hashed=True, view=view)


def _text(name: str, comment: str, *, view: int = 0) -> Column:
    return _said(name, Kind.TEXT, comment, Form.TEXT, view=view)


def _mapping(name: str, comment: str) -> Column:
    return _said(name, Kind.JSON, comment, Form.MAPPING)


def _part(name: str, comment: str) -> Column:
    """A part of a run that has a table of its own; its content is hashed, not its id."""
    return Column(name, Kind.TEXT, comment, name, Form.TEXT, refers_to=name, view=3)


def _own(
    name: str, kind: Kind, comment: str, *, required: bool = False, refers_to: str | None = None
) -> Column:
    """What ``write.py`` works out."""
    return Column(name, kind, comment, required=required, refers_to=refers_to)


#: In the order of the table.
COLUMNS: Final[tuple[Column, ...]] = (
    Column("id", Kind.HASH, "UUIDv7, made where the run started.", "id", required=True),
    _own(
        "version",
        Kind.COUNT,
        "Recipe of content_hash, see 'The content hash' below.",
        required=True,
    ),
    _own(
        "content_hash",
        Kind.TEXT,
        "SHA-256 of all that the run says, 64 hexadecimal digits.",
        required=True,
    ),
    _own("project", Kind.NUMBER, "The project.", required=True, refers_to="project"),
    _said("started", Kind.NUMBER, "Start, by the machine's clock.", required=True),
    _said("ended", Kind.NUMBER, "End; NULL if it was killed."),
    _said("clock_offset", Kind.NUMBER, "Machine's clock less server's, in µs."),
    _text("build", "The CI pipeline it belongs to.", view=2),
    _text("job", "The job within the build.", view=2),
    _text("shard", "The part of a split job.", view=2),
    _said("attempt", Kind.NUMBER, "Which attempt at the build, from 1.", view=2),
    _text("commit_id", "The commit: the head of a pull request, not the merge.", view=1)._replace(
        field="commit"
    ),
    _text("tree", "git's tree id of what was checked out."),
    _text("branch", "The branch.", view=1),
    _text("base_branch", "The branch that a pull request goes to.", view=1),
    _text("pr", "The pull request.", view=1),
    _said("dirty", Kind.SMALL, "1 if files differed from the commit, 0 if not.", Form.FLAG, view=1),
    _part("state", "What was tested."),
    _own("listing", Kind.HASH, "Its files, if this run describes them.", refers_to="listing"),
    _part("environment", "Where it ran."),
    _own("suite", Kind.HASH, "What was collected.", required=True, refers_to="suite"),
    _own("sequence", Kind.HASH, "Order of start; NULL: as collected.", refers_to="sequence"),
    _said(
        "completeness",
        Kind.TEXT,
        "complete, partial (stopped early) or interrupted.",
        Form.WORD,
        required=True,
        view=3,
    ),
    _mapping("selection", "What was asked for; NULL: everything."),
    _mapping("origin", "The program that wrote it, its version, host, CI vendor."),
    _mapping("context", "Links and names for people."),
    _mapping("extra", "Fields of later versions, kept verbatim."),
    _own("seen", Kind.JSON, "What the run saw of the history: {'runs': [ids, newest first]}."),
    _own(
        "outcomes",
        Kind.TEXT,
        "One character if all tests share it, else one per test in ascending order of test "
        "ids: . passed, F failed, E error, s skipped, x xfailed, X xpassed, R passed after "
        "reruns, ? unfinished, - not run.",
        required=True,
    ),
    _own(
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
