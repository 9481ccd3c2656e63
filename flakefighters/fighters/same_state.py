"""The same state passed: nondeterminism is proved.

Luo et al. (FSE 2014) define a flaky test by this: it passes and fails on the same code.
"""

from __future__ import annotations

from collections.abc import Sequence

from flakefighters.fighters.cells import PASSES, unclear
from flakefighters.fighters.chance import SEED, chance, edited, varied
from flakefighters.fighters.sentences import apart, run_name
from flakefighters.fighters.strategy import Strategy
from flakefighters.fighters.touched_change import introduced, perhaps_introduced
from flakefighters.model import (
    OPEN,
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
from flakefighters.words import count

__all__ = ["Rerun", "SameState"]


class Rerun(Strategy):
    """Another attempt of this very run disagrees."""

    name = "rerun"
    level = Level.PROOF
    needs: frozenset[Need] = frozenset()

    def judge(self, case: Case) -> Verdict | None:
        passed = [one for one in case.attempts if one.outcome is Outcome.PASSED]
        if not passed:
            return None
        attempt = passed[0].attempt
        new = introduced(case)
        return self.say(
            Label.FLAKY,
            Confidence.PROVED,
            f"passed in attempt {attempt} of this run, failed in {case.execution.attempt}",
            {
                "attempts": [[one.attempt, one.outcome.value] for one in case.attempts],
                "introduced": list(map(str, new[:5])),
                **_unsure(case),
            },
            introduced=bool(new),
        )


class SameState(Strategy):
    """The test passed on the same state in a comparable environment."""

    name = "same_state"
    level = Level.PROOF
    needs = frozenset({Need.HISTORY})

    def judge(self, case: Case) -> Verdict | None:
        state = case.head.state
        if state is None:
            return None
        others = unclear(case.head, case.past, case.comparable)
        passes = [
            past
            for past in case.past
            if past.run.state == state
            and past.outcome in PASSES
            and past.run.environment in case.comparable
            and past.run.id not in others
            and case.believes(past, Use.PROOF)
        ]
        if not passes:
            return None
        doubt = chance(case, passes) or edited(case, passes) or varied(case, passes)
        best = passes[0]
        when = f"in {run_name(best)} ({apart(best.run.started, case.head.started)})"
        evidence = {
            "state": state,
            "passes": [past.run.id for past in passes[:10]],
            "passed": len(passes),
            "commit": best.run.commit,
            "started": best.run.started,
            "environment": case.head.environment_key,
        }
        if doubt is not None:
            return self.say(
                Label.UNDECIDED,
                Confidence.FAIR,
                f"{doubt.reason}, though it passed on the same state {when}",
                {**evidence, "doubt": doubt.slug, OPEN: doubt.slug == SEED},
            )
        evidence |= {**_act_on(case, passes), **_unsure(case)}
        new = introduced(case)
        more = f" and in {count(len(passes) - 1, 'other run')}" if len(passes) > 1 else ""
        return self.say(
            Label.FLAKY,
            Confidence.PROVED,
            f"passed on the same state {when}{more}",
            {**evidence, "introduced": list(map(str, new[:5]))},
            introduced=bool(new),
        )


def _act_on(case: Case, passes: Sequence[Past]) -> dict[str, str]:
    """The run for whose pass the failure may be left out of the exit code, if there is one."""
    for past in passes:
        if case.believes(past, Use.ACT):
            return {"act_on": past.run.id}
    return {}


def _unsure(case: Case) -> dict[str, bool]:
    """Where it is not known what the test touched of the changes since it was last stable."""
    return {"unsure": True} if perhaps_introduced(case) else {}
