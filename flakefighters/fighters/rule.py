"""The one rule that joins what the flakefighters say of a failure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from flakefighters.model import JOINT, Case, Confidence, Flakefighter, Label, Verdict

__all__ = ["decide"]

VERSION = 1


def decide(case: Case, fighters: Sequence[Flakefighter]) -> tuple[Verdict, list[Verdict]]:
    """The joined verdict of a failure, and what each flakefighter said.

    The flakefighters come in order of proof; the first that speaks wins, except that a doubt
    ("many at once") does not silence what an execution was seen to touch.
    """
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
    if best.fighter == "systemic":
        strong = [
            verdict
            for verdict in said
            if verdict.label is Label.GENUINE
            and verdict.confidence in (Confidence.PROVED, Confidence.STRONG)
        ]
        best = strong[0] if strong else best
    evidence = {"by": best.fighter, **best.evidence}
    return replace(best, fighter=JOINT, version=VERSION, evidence=evidence), said
