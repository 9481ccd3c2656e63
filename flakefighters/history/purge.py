"""Taking a secret out of a history for good, and keeping it out.

A *tombstone* says that a run, or what failures with one signature say, was purged.  It travels
with every transfer and beats whatever is stored later.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import field
from typing import Final

from flakefighters.history import content, read, rulings, write
from flakefighters.history.content import to_json
from flakefighters.history.database import Database, Writer
from flakefighters.history.orphans import remove_unneeded, sweep
from flakefighters.history.purge_text import (
    PLACEHOLDER,
    marked_in,
    origin_of,
    purged_run,
    purged_verdicts,
    signature_id,
)
from flakefighters.history.space import rewrite
from flakefighters.history.upkeep import Pace, remove_runs
from flakefighters.ids import unstorable
from flakefighters.records import record

__all__ = [
    "Purged",
    "Tombstone",
    "add_tombstones",
    "affected",
    "apply",
    "find_signatures",
    "purge",
    "tombstones",
]

#: Kind ("run" or "signature"), id, when (µs UTC), by whom.
Tombstone = tuple[str, str, int, str]

_RUN_ID: Final = re.compile(r"[0-9a-f]{32}")

_FAILED: Final = """
SELECT DISTINCT f.run FROM {s}failure f JOIN {s}failure_text c ON c.id = f.failure_text
WHERE c.signature IN {text:signatures}
"""
# Verdicts that arrived after what they speak of was purged.
_JUDGED: Final = """
SELECT DISTINCT v.run FROM {s}failure_text c JOIN {s}failure f ON f.failure_text = c.id
JOIN {s}verdict v ON v.run = f.run AND v.test = f.test
WHERE c.text = :placeholder AND v.reason <> :placeholder
"""
_QUOTED: Final = """
SELECT DISTINCT v.run FROM {s}evidence e JOIN {s}verdict v ON v.evidence = e.id
WHERE replace(e.body, :quoted, '') <> e.body
"""

# What runs say in words, apart from their own rows.
_SAID: Final = {
    "evidence": "SELECT DISTINCT v.evidence FROM {s}verdict v "
    "WHERE v.run IN {hash:runs} AND v.evidence IS NOT NULL",
    "failure_text": "SELECT DISTINCT f.failure_text FROM {s}failure f WHERE f.run IN {hash:runs}",
}


@record
class Purged:
    """What was taken out."""

    #: Runs that are gone.
    runs: int = 0
    #: Runs of which failures, or verdicts, say nothing any more.
    emptied: int = 0
    rows: dict[str, int] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.runs or self.emptied or self.rows)


def tombstones(database: Database) -> dict[tuple[str, str], Tombstone]:
    """All tombstones, by kind and id."""
    rows = database.query('SELECT kind, id, at, "by" FROM {s}tombstone')
    return {(row[0], row[1]): (row[0], row[1], row[2], row[3]) for row in rows}


def find_signatures(database: Database, beginning: str) -> dict[str, str]:
    """Ids of the signatures here whose id begins so, with their text."""
    found = {signature_id(text): text for text in _signatures(database)}
    return {name: text for name, text in found.items() if name.startswith(beginning)}


def affected(database: Database, names: Iterable[str]) -> set[str]:
    """Ids of the runs that say something of the signatures with these ids."""
    wanted = frozenset(names)
    plain = [text for text in _signatures(database) if signature_id(text) in wanted]
    found = {run for (run,) in database.query(_JUDGED, placeholder=PLACEHOLDER)}
    if plain:
        # to_json makes them storable, as the column is.
        found |= {run for (run,) in database.query(_FAILED, signatures=to_json(plain))}
    for text in plain:
        quoted = to_json(text)[1:-1]
        found |= {run for (run,) in database.query(_QUOTED, quoted=quoted)}
    return found


def _signatures(database: Database) -> list[str]:
    rows = database.query("SELECT DISTINCT signature FROM {s}failure_text")
    texts = [unstorable(signature) for (signature,) in rows]
    return [text for text in texts if text and not text.startswith(PLACEHOLDER)]


def add_tombstones(database: Database, rows: Iterable[Sequence[object]]) -> int:
    """Add tombstones; of equal ones the earliest counts.  Returns how many are new or earlier.

    DatabaseError if we may not: on a server only the owner may.
    """
    here = tombstones(database)
    new: dict[tuple[str, str], Tombstone] = {}
    for kind, name, at, by in rows:
        key, row = (str(kind), str(name)), (str(kind), str(name), int(str(at)), str(by))
        if row[2:] < new.get(key, here.get(key, (*key, row[2] + 1, "")))[2:]:
            new[key] = row
    if new:
        with database.alone() as upkeep:
            for kind, name in sorted(new.keys() & here.keys()):
                upkeep.change(
                    "DELETE FROM {s}tombstone WHERE kind = :kind AND id = :id", kind=kind, id=name
                )
            upkeep.insert("tombstone", [new[key] for key in sorted(new)])
    return len(new)


def purge(database: Database, row: Tombstone) -> Purged:
    """Purge one run or signature.  DatabaseError if we may not, or bytes of it are left."""
    database.need_owner("purge")
    add_tombstones(database, [row])
    done = apply(database)
    rewrite(database)
    return done


def apply(database: Database, more: Iterable[Tombstone] = ()) -> Purged:
    """Take out whatever the history's tombstones, and ``more``, name and is still there.

    Can be broken off at any time, and done again.
    """
    rows = [*tombstones(database).values(), *more]
    done = Purged()
    gone = sorted(row[1] for row in rows if row[0] == "run" and _RUN_ID.fullmatch(row[1]))
    if gone:
        found = database.query("SELECT id FROM {s}run WHERE id IN {hash:ids}", ids=to_json(gone))
        done.runs = len(found)
        _in_batches(database, sorted(run for (run,) in found), remove_runs)
    names = frozenset(str(row[1]) for row in rows if row[0] == "signature")
    if names:
        emptied: list[str] = []

        def empty(upkeep: Writer, runs: Sequence[str]) -> None:
            emptied.extend(run for run in runs if _empty(database, upkeep, run, names))

        _in_batches(database, sorted(affected(database, names)), empty)
        done.emptied = len(emptied)
    if done:
        done.rows = sweep(database)
    return done


def _in_batches(
    database: Database, runs: Sequence[str], work: Callable[[Writer, Sequence[str]], None]
) -> None:
    pace = Pace()
    while runs:
        batch, runs = runs[: pace.size], runs[pace.size :]
        with pace.batch(database) as upkeep:
            said = {
                table: [name for (name,) in upkeep.query(used, runs=to_json(list(batch)))]
                for table, used in _SAID.items()
            }
            work(upkeep, batch)
            # At once: a purge that is killed after this leaves nothing of a secret behind.
            for table, ids in said.items():
                remove_unneeded(upkeep, table, ids)


def _empty(database: Database, upkeep: Writer, name: str, names: frozenset[str]) -> bool:
    """Take what such failures say out of one run; True if there was anything."""
    run = content.normal(read.load(database, name))
    verdicts = read.verdicts(database, [name])
    made = purged_run(run, names)
    left = purged_verdicts(verdicts, names, marked_in(run, names))
    if made is not run:
        for table in ("failure", "execution"):
            upkeep.change(f"DELETE FROM {{s}}{table} WHERE run = :run", run=name)  # noqa: S608
        write.insert_executions(upkeep, made)
        upkeep.change(
            "UPDATE {s}run SET content_hash = :hash, extra = :extra WHERE id = :run",
            hash=content.content_hash(made, content.listing_of(made)),
            extra=to_json(made.head.extra),
            run=name,
        )
        assert origin_of(made) == origin_of(run)
    if list(verdicts) != left:
        upkeep.change("DELETE FROM {s}verdict WHERE run = :run", run=name)
        rulings.insert_rows(upkeep, rulings.rows_of(run.project.identity, left))
    return made is not run or list(verdicts) != left
