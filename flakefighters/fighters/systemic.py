"""Many tests failing at once say more about the world than about any one of them."""

from __future__ import annotations

from typing import Final

from flakefighters.fighters.strategy import Strategy
from flakefighters.model import Case, Confidence, Label, Level, Need, Verdict

__all__ = ["Systemic"]

LEAST: Final = 10  # failing tests
SAME: Final = 30  # of them with one signature


class Systemic(Strategy):
    """Undecided where a large part of the run failed."""

    name = "systemic"
    level = Level.EVIDENCE
    needs: frozenset[Need] = frozenset()

    def judge(self, case: Case) -> Verdict | None:
        if case.failure.facts.get("collection"):
            return None  # one import may be what all of them lack
        half = 2 * case.failing >= case.executed
        alike = case.same_signature >= SAME
        if case.failing < LEAST or not (half or alike):
            return None
        if half:
            reason = f"many at once: {case.failing} of {case.executed} tests failed in this run"
        else:
            reason = f"many at once: {case.same_signature} tests failed in the same way"
        return self.say(
            Label.UNDECIDED,
            Confidence.FAIR,
            reason,
            {
                "failing": case.failing,
                "executed": case.executed,
                "same_signature": case.same_signature,
            },
        )
