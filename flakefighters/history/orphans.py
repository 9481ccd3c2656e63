"""Facts that runs share, once no run needs them any more."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from typing import Final

from flakefighters.history.content import to_json
from flakefighters.history.database import Database, Writer
from flakefighters.history.sqlite import SqliteDatabase
from flakefighters.history.upkeep import Pace

__all__ = ["remove_unneeded", "sweep"]

# By table: the kind of its key, and the keys that are needed.  What is told relative to a row needs
# it, so of a chain of suites only the end can go; the next round takes the next link.
_NEEDED: Final[dict[str, tuple[str, str]]] = {
    "evidence": ("hash", "SELECT evidence FROM {s}verdict WHERE evidence IS NOT NULL"),
    "failure_text": ("hash", "SELECT failure_text FROM {s}failure"),
    "sequence": ("hash", "SELECT sequence FROM {s}run WHERE sequence IS NOT NULL"),
    "environment": ("text", "SELECT environment FROM {s}run WHERE environment IS NOT NULL"),
    "state": ("text", "SELECT state FROM {s}run WHERE state IS NOT NULL"),
    "listing": (
        "hash",
        (
            "SELECT listing FROM {s}run WHERE listing IS NOT NULL "
            "UNION SELECT base FROM {s}listing WHERE base IS NOT NULL"
        ),
    ),
    "suite": (
        "hash",
        "SELECT suite FROM {s}run UNION SELECT base FROM {s}suite WHERE base IS NOT NULL",
    ),
    "test": (
        "number",
        "SELECT {member} UNION SELECT test FROM {s}execution UNION SELECT test FROM {s}verdict",
    ),
}
_MEMBERS: Final = {
    True: "j.value FROM {s}suite s, json_each(s.added) j",
    False: "CAST(j.value AS bigint) FROM {s}suite s, json_array_elements_text(s.added::json) j",
}
#: Large tables that refer to others without an index by that.
_REFERRED: Final = {
    "evidence": ("verdict", "evidence"),
    "failure_text": ("failure", "failure_text"),
}
#: So many rows are worth an index.
_MANY: Final = 300
_FIRST: Final = 100


def sweep(database: Database) -> dict[str, int]:
    """Remove rows that no run needs, a little at a time; returns how many of which table.

    Can be broken off at any time: what is left over is found by the next sweep.
    """
    gone: dict[str, int] = {}
    in_file = isinstance(database, SqliteDatabase)
    for table, (kind, needed) in _NEEDED.items():
        needed = needed.replace("{member}", _MEMBERS[in_file])
        needed = f"SELECT q.* FROM ({needed}) q"  # noqa: S608
        pace = Pace(_FIRST)
        before: list[object] = []
        while (names := _unneeded(database, table, needed)) and names != before:
            before = names
            gone[table] = gone.get(table, 0) + len(names)
            many = table in _REFERRED and len(names) > _MANY
            with database.indexed(*_REFERRED[table]) if many else nullcontext():
                while names:
                    batch, names = names[: pace.size], names[pace.size :]
                    with pace.batch(database) as upkeep:
                        # Asked again: a run that was saved meanwhile may use some of them.
                        _remove(upkeep, table, kind, needed, batch)
    return gone


def remove_unneeded(upkeep: Writer, table: str, ids: Sequence[object]) -> None:
    """Remove those of these rows of "evidence" or "failure_text" that no run needs."""
    kind, needed = _NEEDED[table]
    _remove(upkeep, table, kind, needed, ids)


def _remove(upkeep: Writer, table: str, kind: str, needed: str, ids: Sequence[object]) -> None:
    upkeep.change(
        f"DELETE FROM {{s}}{table} WHERE id IN ("  # noqa: S608
        f"SELECT t.id FROM {{s}}{table} t WHERE t.id IN {{{kind}:ids}} EXCEPT {needed})",
        ids=to_json(list(ids)),
    )


def _unneeded(database: Database, table: str, needed: str) -> list[object]:
    rows = database.query(f"SELECT t.id FROM {{s}}{table} t EXCEPT {needed} ORDER BY 1")  # noqa: S608
    return [row[0] for row in rows]
