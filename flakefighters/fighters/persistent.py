"""A failure that has come to stay: judged before, or broken for a reason outside the code."""

from __future__ import annotations

from typing import Final

from flakefighters.fighters.words import ago, run_name
from flakefighters.model import Case, Confidence, Label, Need, Outcome, Past, Verdict

__all__ = ["Broken", "Persistent", "streak"]

IN_A_ROW: Final = 3
_ENDED: Final = frozenset({Outcome.SKIPPED, Outcome.NOT_RUN, Outcome.UNFINISHED})


def streak(case: Case) -> list[Past]:
    """Results before this one that failed with the same signature, newest first, up to a pass."""
    found: list[Past] = []
    for past in sorted(case.past, key=lambda one: -one.run.started):
        if past.outcome in _ENDED:
            continue
        if past.outcome not in (Outcome.FAILED, Outcome.ERROR):
            break
        if case.signature not in past.signatures:
            break
        found.append(past)
    return found


class Persistent:
    """The same failure in the run before was judged genuine, and nothing has passed since."""

    name = "persistent"
    version = 1
    needs = frozenset({Need.HISTORY})

    def judge(self, case: Case) -> Verdict | None:
        before = streak(case)
        if not before or Label.GENUINE.value not in before[0].labels:
            return None
        last = before[0]
        return Verdict(
            label=Label.GENUINE,
            fighter=self.name,
            version=self.version,
            confidence=Confidence.FAIR,
            reason=f"failed in the same way in {run_name(last)}"
            f" ({ago(last.run.started, case.head.started)}), which was genuine",
            evidence={"runs": [past.run.id for past in before[:10]], "signature": case.signature},
        )


class Broken:
    """Fails every time in the same way, though nothing that it touches changed."""

    name = "broken"
    version = 1
    needs = frozenset({Need.HISTORY})

    def judge(self, case: Case) -> Verdict | None:
        before = streak(case)
        if len(before) + 1 < IN_A_ROW:
            return None
        return Verdict(
            label=Label.UNDECIDED,
            fighter=self.name,
            version=self.version,
            confidence=Confidence.FAIR,
            reason=f"broken (environment?): failed alike {len(before) + 1} times in a row",
            evidence={"runs": [past.run.id for past in before[:10]], "signature": case.signature},
        )
