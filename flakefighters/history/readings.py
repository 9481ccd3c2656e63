"""The verdicts on failures of many runs, without what they rest on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from flakefighters.history.content import from_json, to_json
from flakefighters.ids import unstorable
from flakefighters.model import JOINT, Confidence, Label, Verdict

if TYPE_CHECKING:
    from flakefighters.history.database import Database
    from flakefighters.history.unreadable import Unreadable

__all__ = ["readings"]

# Reasons and evidence are most of the bytes; of evidence only that of proofs tells something here.
_READINGS: Final = """
SELECT v.run, t.nodeid, v.attempt, v.n, v.fighter, v.version, v.label, v.confidence, v.introduced,
  b.body, v.at
FROM {s}verdict v JOIN {s}test t ON t.id = v.test
LEFT JOIN {s}evidence b ON b.id = v.evidence AND v.fighter = :joint AND v.confidence = :proved
WHERE v.run IN {hash:runs} ORDER BY v.run, v.test, v.attempt, v.n, v.at, v.fighter, v.id
"""


def readings(
    database: Database, runs: Sequence[str], unreadable: Unreadable
) -> tuple[Verdict, ...]:
    """See :meth:`flakefighters.history.store.History.readings`."""
    proved = str(Confidence.PROVED)
    rows = database.query(_READINGS, runs=to_json(list(runs)), joint=JOINT, proved=proved)
    found = []
    for run, nodeid, attempt, index, fighter, version, label, sure, new, body, at in rows:
        with unreadable.tolerated(run, "verdict"):
            by = None if body is None else from_json(body).get("by")
            found.append(
                Verdict(
                    run=run,
                    nodeid=unstorable(nodeid),
                    attempt=attempt,
                    index=index,
                    fighter=unstorable(fighter),
                    version=version,
                    label=Label(label),
                    confidence=Confidence(sure),
                    introduced=bool(new),
                    reason="",
                    evidence={} if by is None else {"by": by},
                    at=at,
                )
            )
    return tuple(found)
