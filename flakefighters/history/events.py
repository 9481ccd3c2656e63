"""What people decided, as rows of ``event``: added, read, and never changed.

On a server a curator may add them, in a file whoever may write the file.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Final

from flakefighters.errors import DatabaseError
from flakefighters.history.content import from_json, project_id, to_json
from flakefighters.history.unreadable import MALFORMED
from flakefighters.ids import h256, storable, unstorable
from flakefighters.model.decisions import Event

if TYPE_CHECKING:
    from flakefighters.history.database import Database, Row
    from flakefighters.model import Project

__all__ = ["add", "content_hash", "may_decide", "need_curator", "read"]

#: Recipe of the content hash.
_RECIPE: Final = 1
_EVENTS: Final = """
SELECT e.id, p.identity, e.kind, e.target, e.value, e.supersedes, e."by", e.at
FROM {s}event e JOIN {s}project p ON p.id = e.project WHERE e.project IN {number:projects}
"""


def content_hash(event: Event) -> str:
    """SHA-256 of all of it, with lengths as in ``ids.py``; the project by its identity."""
    said = (event.kind, event.target, event.value, list(event.supersedes), event.by, event.at)
    return h256("event", _RECIPE, event.id, event.project, *said)


def read(
    database: Database, identities: Sequence[str], targets: Iterable[str] | None = None
) -> list[Event]:
    """The events of these projects, on these targets or on all, by the time they were made.

    Rows that make no sense are left out.
    """
    sql = _EVENTS if targets is None else f"{_EVENTS} AND e.target IN {{text:targets}}"
    rows = database.query(
        f"{sql} ORDER BY e.id",
        projects=to_json([project_id(one) for one in identities]),
        **({} if targets is None else {"targets": to_json(sorted(set(targets)))}),
    )
    return [event for row in rows if (event := _event(row)) is not None]


def _event(row: Sequence[Any]) -> Event | None:
    try:
        value = from_json(row[4])
        supersedes = () if row[5] is None else tuple(map(str, from_json(row[5])))
    except MALFORMED:
        return None
    if not isinstance(value, dict):
        return None
    identity, kind, target, by = (unstorable(row[at]) for at in (1, 2, 3, 6))
    return Event(row[0], identity, kind, target, value, by, row[7], supersedes)


def add(database: Database, project: Project, events: Sequence[Event]) -> int:
    """Add events of one project in one transaction; returns how many are new.

    DatabaseError if we may not.
    """
    key = project_id(project.identity)
    question = (
        "SELECT (SELECT count(*) FROM {s}project WHERE id = :key), e.id FROM "
        "(SELECT 1 AS one) o LEFT JOIN {s}event e ON e.id IN {hash:ids}"
    )
    with database.writing(question, key=key, ids=to_json([one.id for one in events])) as writer:
        known = {row[1] for row in writer.answer}
        new = {one.id: one for one in events if one.id not in known}
        if new and not writer.answer[0][0]:
            row = (key, storable(project.identity), storable(project.label))
            writer.insert("project", [row])
        writer.insert("event", [_row(key, new[name]) for name in sorted(new)])
    return len(new)


def _row(project: int, event: Event) -> Row:
    return (
        event.id,
        project,
        event.kind,
        storable(event.target),
        to_json(event.value),
        to_json(list(event.supersedes)) if event.supersedes else None,
        storable(event.by),
        event.at,
        content_hash(event),
    )


def may_decide(database: Database) -> bool:
    """Whether we may add events."""
    return not database.read_only and database.curator()[0]


def need_curator(database: Database, what: str) -> None:
    """DatabaseError unless we may do ``what`` ("quarantine"): on a server a curator may."""
    if database.read_only:
        raise DatabaseError(
            f"you may not {what} in a history that is opened for reading only",
            remedy="name a profile that may write with --profile",
        )
    may, user = database.curator()
    if not may:
        raise DatabaseError(
            f"{user} may not {what}: only a curator may decide on tests in this history",
            remedy="name a profile or URL that logs in as the curator, see `flakefighters grants`",
        )
