"""The one rule that joins what the flakefighters say of a failure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from flakefighters.fighters.cells import apart
from flakefighters.model import JOINT, Case, Confidence, Flakefighter, Label, Verdict

__all__ = ["decide"]

VERSION: Final = 1
#: Flakefighters that only sow doubt: what an execution was seen to touch is stronger.
_DOUBTERS: Final = frozenset({"systemic", "broken"})


def decide(case: Case, fighters: Sequence[Flakefighter]) -> tuple[Verdict, list[Verdict]]:
    """The joined verdict of a failure, and what each flakefighter said.

    The flakefighters come in order of proof and the first that speaks wins; but a doubt ("many
    at once", "broken") gives way to a change that the execution was seen to touch, and to a
    failure that was judged genuine before.
    """
    case = apart(case)
    said = [verdict for fighter in fighters if (verdict := fighter.judge(case)) is not None]
    if not said:
        nothing = Verdict(
            label=Label.UNDECIDED,
            fighter=JOINT,
            version=VERSION,
            confidence=Confidence.WEAK,
            reason="no flakefighter had anything to say",
        )
        return nothing, []
    best = said[0]
    if best.fighter in _DOUBTERS:
        best = next((one for one in said if _seen(one)), best)
    evidence = {"by": best.fighter, **best.evidence}
    return replace(best, fighter=JOINT, version=VERSION, evidence=evidence), said


def _seen(verdict: Verdict) -> bool:
    return verdict.label is Label.GENUINE and (
        verdict.confidence is Confidence.STRONG or verdict.fighter == "persistent"
    )
