"""The one rule that joins what the flakefighters say of a failure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from flakefighters.ids import short
from flakefighters.model import JOINT, Confidence, Label, Verdict

if TYPE_CHECKING:
    from flakefighters.model import Case, Flakefighter

__all__ = ["decide"]

VERSION: Final = 1
#: The flakefighter that repeats what was said before.
_REPEATS: Final = "persistent"
_ORDER: Final = tuple(Confidence)  # strongest first
#: Flakefighters that only sow doubt: what an execution was seen to touch is stronger.
_DOUBTERS: Final = frozenset({"systemic", "broken"})
#: How the names of exceptions end with which a service that is down, a full disk or a missing
#: package fails many tests.  An assertion may be about an answer of such a service.
_OF_THE_WORLD: Final = (
    *("AssertionError", "ConnectError", "ConnectionError", "Failed", "IOError", "ImportError"),
    *("InterfaceError", "MemoryError", "ModuleNotFoundError", "OSError", "OperationalError"),
    *("PermissionError", "ProxyError", "RefusedError", "ResetError", "AbortedError", "PipeError"),
    *("SSLError", "Timeout", "TimeoutError", "gaierror", "FileNotFoundError", "URLError"),
)


def decide(case: Case, fighters: Sequence[Flakefighter]) -> tuple[Verdict, list[Verdict]]:
    """The joined verdict of a failure, and what each flakefighter said.

    The flakefighters come in order of proof and the first that speaks wins; but a doubt ("many
    at once", "broken") gives way to a change that the execution was seen to touch, to any change
    that it can reach unless the exception is one of the world, and to a failure that was judged
    genuine before.  Of those that agree with it the strongest speaks, so that what changed is
    named again, and "failing alike since run ..." stands behind it.
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
    if best.fighter in _DOUBTERS:
        ours = not (case.failure.exception or _OF_THE_WORLD[0]).endswith(_OF_THE_WORLD)
        best = next((one for one in said if _outweighs(one, ours=ours)), best)
    spoken = _strongest([one for one in said if one.label is best.label], best)
    reason, evidence = spoken.reason, {"by": spoken.fighter, **spoken.evidence}
    before = next((one for one in said if one.fighter == _REPEATS), None)
    if before is not None and spoken is not before and before.label is spoken.label:
        since = str(before.evidence.get("since", ""))
        reason += f", failing alike since run {short(since)}"
        evidence["alike"] = before.evidence
    joint = spoken._replace(fighter=JOINT, version=VERSION, reason=reason, evidence=evidence)
    return joint, said


def _strongest(agreeing: Sequence[Verdict], best: Verdict) -> Verdict:
    """The one with the most confidence, the first of equals; who only repeats gives way to all."""
    own = [one for one in agreeing if one.fighter != _REPEATS]
    if best.fighter in _DOUBTERS or not own:
        return best
    return min(own, key=lambda one: _ORDER.index(one.confidence))


def _outweighs(verdict: Verdict, *, ours: bool) -> bool:
    return verdict.label is Label.GENUINE and (
        ours or verdict.confidence is Confidence.STRONG or verdict.fighter == _REPEATS
    )
