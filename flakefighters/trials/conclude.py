"""From trials to a verdict: one table, and the one function that reads it.

FLAKY means that the same state both passed and failed (Luo et al., FSE 2014), or that the failure
is there without the change.  GENUINE means that it is there with the change alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from flakefighters.model import Arm, Label, Result, Trial
from flakefighters.records import NamedTuple

__all__ = ["ENOUGH", "Facts", "conclude"]

#: How often the state before has to pass until the change is blamed.
ENOUGH: Final = 2

_FAILS: Final = Result.ALIKE
_PASSES: Final = Result.PASSED


class Facts(NamedTuple):
    """What the trials on one failure showed, arm by arm; None where nothing is known.

    ``alone`` and ``company`` speak of the state that was tested; ``before`` of the one on which
    the test last passed, under the conditions under which it fails now; ``together`` of that state
    under the conditions under which it passed there, after the tests that ran before it.
    """

    alone: Result | None = None
    company: Result | None = None
    before: Result | None = None
    together: Result | None = None
    #: The same arm on the same state did both.
    both: bool = False

    @classmethod
    def of(
        cls, trials: Sequence[Trial], *, accompanied: bool = True, enough: bool = False
    ) -> Facts:
        """Fold trials.

        ``accompanied``: tests ran before this one in its process.  ``enough``: a failure by itself
        on the state before is as good as one after the tests that ran before it there, since none
        did, or since no earlier test can have to do with the change.
        """
        by_arm: dict[Arm, list[Result]] = {}
        for one in trials:
            if one.result is not Result.NOTHING and _fit(one):
                by_arm.setdefault(one.arm, []).append(one.result)
        apart = {arm: set(results) for arm, results in by_arm.items()}
        alone = _one(apart.get(Arm.COPY) or apart.get(Arm.ALONE, set()))
        if _PASSES in apart.get(Arm.ALONE, set()):
            alone = _PASSES
        company = _one(apart.get(Arm.COMPANY, set()))
        if alone is _PASSES and not accompanied:
            company = _PASSES
        together = _twice(by_arm.get(Arm.BEFORE_COMPANY, []))
        before = together if alone is _PASSES else _twice(by_arm.get(Arm.BEFORE, []))
        if alone is not _PASSES and enough:
            together = before
        return cls(
            alone=alone,
            company=company,
            before=before,
            together=together,
            # Fewer tests are other tests each time.
            both=any(
                {_PASSES, _FAILS} <= results
                for arm, results in apart.items()
                if arm is not Arm.FEWER
            ),
        )


#: (alone, in company, before, together) to the verdict; None stands for anything.
_TABLE: Final[Mapping[tuple[Result | None, ...], Label]] = {
    (_PASSES, _PASSES, None, None): Label.FLAKY,
    (_PASSES, _FAILS, _FAILS, None): Label.FLAKY,
    (_PASSES, _FAILS, _PASSES, None): Label.GENUINE,
    (_FAILS, None, _FAILS, _FAILS): Label.FLAKY,
    (_FAILS, _FAILS, _FAILS, _PASSES): Label.GENUINE,
    (_FAILS, None, _PASSES, None): Label.GENUINE,
}


def conclude(facts: Facts) -> Label | None:
    """What the trials prove; None if nothing."""
    if facts.both:
        return Label.FLAKY
    for row, label in _TABLE.items():
        if all(want is None or want is got for want, got in zip(row, facts[:4], strict=True)):
            return label
    return None


def _one(results: set[Result]) -> Result | None:
    """The result that all trials of an arm had; None if they disagree or there is none."""
    return next(iter(results)) if len(results) == 1 else None


def _twice(results: Sequence[Result]) -> Result | None:
    """The result of an arm on the state before, where a pass may be chance."""
    found = _one(set(results))
    return None if found is _PASSES and len(results) < ENOUGH else found


def _fit(trial: Trial) -> bool:
    """Whether a trial on another state tells anything.

    A failure there may come from the copy, unless a test that is known to pass did pass in it.
    """
    elsewhere = trial.arm in (Arm.BEFORE, Arm.BEFORE_COMPANY)
    return not (elsewhere and trial.result is _FAILS) or trial.control_passed is True
