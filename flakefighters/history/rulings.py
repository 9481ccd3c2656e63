"""From verdicts to rows, with a run or after it."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from flakefighters.errors import NotFoundError
from flakefighters.history import content
from flakefighters.history.content import to_json
from flakefighters.history.database import Row
from flakefighters.history.intake import closed_to, marks, purged_names
from flakefighters.history.purge_text import purged_verdicts
from flakefighters.ids import storable

if TYPE_CHECKING:
    from flakefighters.history.database import Database, Writer
    from flakefighters.model import Verdict

__all__ = ["Rulings", "insert_rows", "rows_of", "save_verdicts"]

#: Rows of ``evidence`` and of ``verdict``.
Rulings = tuple[list[Row], list[Row]]


def rows_of(identity: str, verdicts: Sequence[Verdict]) -> Rulings:
    """Rows of ``evidence`` and of ``verdict``."""
    bodies: dict[str, str] = {}
    rows: dict[tuple[str, str], Row] = {}
    tests = content.test_ids(identity, [verdict.nodeid for verdict in verdicts])
    for test, verdict in zip(tests, verdicts, strict=True):
        evidence = None
        if verdict.evidence:
            body = to_json(verdict.evidence)
            evidence = content.evidence_id(body)
            bodies[evidence] = body
        name = content.verdict_id(verdict, test, evidence)
        rows[verdict.run, name] = (
            verdict.run,
            name,
            test,
            verdict.attempt,
            verdict.index,
            storable(verdict.fighter),
            verdict.version,
            str(verdict.label),
            str(verdict.confidence),
            int(verdict.introduced),
            storable(verdict.reason),
            evidence,
            verdict.at,
        )
    return sorted(bodies.items()), [rows[key] for key in sorted(rows)]


def insert_rows(writer: Writer, rulings: Rulings) -> None:
    bodies, rows = rulings
    writer.insert("evidence", bodies)
    writer.insert("verdict", rows)


_QUESTION: Final = """
SELECT r.id, p.identity, v.id, (SELECT min(a.trust) FROM {s}arrival a WHERE a.run = r.id),
  (SELECT count(*) FROM {s}tombstone WHERE kind = 'signature')
FROM {s}run r JOIN {s}project p ON p.id = r.project
LEFT JOIN {s}verdict v ON v.run = r.id WHERE r.id IN {hash:runs}
"""


def save_verdicts(database: Database, verdicts: Sequence[Verdict]) -> int:
    """See :meth:`flakefighters.history.store.History.add_verdicts`."""
    if not verdicts:
        return 0
    wanted = sorted({verdict.run for verdict in verdicts})
    with database.writing(_QUESTION, runs=to_json(wanted)) as writer:
        identities = {row[0]: row[1] for row in writer.answer}
        known = {row[2] for row in writer.answer}
        best = {row[0]: row[3] for row in writer.answer}
        missing = [run for run in wanted if run not in identities]
        if missing:
            raise NotFoundError(f"no run {missing[0]} in this history to judge")
        if writer.answer[0][4]:
            names = purged_names(writer)
            verdicts = purged_verdicts(verdicts, names, marks(writer, wanted, names))
        wanted = [run for run in wanted if not closed_to(database.trust, best[run])]
        bodies, rows = _new_rows(identities, wanted, verdicts, known)
        insert_rows(writer, (bodies, rows))
    return len(rows)


def _new_rows(
    identities: Mapping[str, str],
    runs: Sequence[str],
    verdicts: Sequence[Verdict],
    known: Container[str],
) -> Rulings:
    """The rows of verdicts on these runs, without those that are known."""
    bodies: dict[str, str] = {}
    rows: list[Row] = []
    for run in runs:
        own = [verdict for verdict in verdicts if verdict.run == run]
        some_bodies, some_rows = rows_of(identities[run], own)
        bodies.update(some_bodies)
        rows += [row for row in some_rows if row[1] not in known]
    used = {row[11] for row in rows}
    return [(name, bodies[name]) for name in sorted(bodies) if name in used], rows
