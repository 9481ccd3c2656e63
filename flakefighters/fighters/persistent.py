"""A failure that has come to stay: judged before, or broken for a reason outside the code."""

from __future__ import annotations

from typing import Final

from flakefighters.fighters.sentences import run_name
from flakefighters.fighters.strategy import Strategy
from flakefighters.model import (
    Case,
    Confidence,
    Label,
    Level,
    Need,
    Outcome,
    Past,
    Use,
    Verdict,
)
from flakefighters.words import ago

__all__ = ["Broken", "Persistent", "streak"]

IN_A_ROW: Final = 3
_FAILED: Final = frozenset({Outcome.FAILED, Outcome.ERROR})
_ENDED: Final = frozenset({Outcome.SKIPPED, Outcome.NOT_RUN, Outcome.UNFINISHED})


def streak(case: Case) -> list[Past]:
    """Results before this one that failed with the same signature, newest first, up to a pass.

    Only comparable environments count: what fails, or passes, in another one is another matter.
    """
    found: list[Past] = []
    for past in sorted(case.past, key=lambda one: -one.run.started):
        if past.outcome in _ENDED or past.run.environment not in case.comparable:
            continue
        alike = past.outcome in _FAILED and case.signature in past.signatures
        if not case.believes(past, Use.STREAK if alike else Use.BREAK):
            continue
        if not alike:
            break
        found.append(past)
    return found


class Persistent(Strategy):
    """The same failure in the run before was judged genuine, and nothing has passed since."""

    name = "persistent"
    level = Level.EVIDENCE
    needs = frozenset({Need.HISTORY})

    def judge(self, case: Case) -> Verdict | None:
        before = streak(case)
        if not before or Label.GENUINE.value not in before[0].labels:
            return None
        last, first = before[0], before[-1]
        if not case.believes(last, Use.LABEL):
            return None
        return self.say(
            Label.GENUINE,
            Confidence.FAIR,
            f"failed in the same way in {run_name(last)}"
            f" ({ago(last.run.started, case.head.started)}), which was genuine",
            {
                "runs": [past.run.id for past in before[:10]],
                "since": first.run.id,
                "signature": case.signature,
            },
        )


class Broken(Strategy):
    """Fails every time in the same way, though nothing that it touches changed."""

    name = "broken"
    level = Level.EVIDENCE
    needs = frozenset({Need.HISTORY})

    def judge(self, case: Case) -> Verdict | None:
        before = streak(case)
        if len(before) + 1 < IN_A_ROW:
            return None
        return self.say(
            Label.UNDECIDED,
            Confidence.FAIR,
            f"broken (environment?): failed alike {len(before) + 1} times in a row",
            {"runs": [past.run.id for past in before[:10]], "signature": case.signature},
        )
