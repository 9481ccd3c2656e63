"""The one rule that joins what the flakefighters say of a failure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from flakefighters.fighters.cells import PASSES
from flakefighters.ids import short
from flakefighters.model import JOINT, OPEN, Confidence, Label, Level, Use, Verdict

if TYPE_CHECKING:
    from flakefighters.model import Case, Flakefighter

__all__ = ["STATISTICS", "decide"]

VERSION: Final = 2
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
#: How many of the statistical flakefighters that were asked must say the same: one, more than
#: half, all.  Those that contradict each other leave the failure undecided in any case.
STATISTICS: Final = ("any", "majority", "all")


def decide(
    case: Case, fighters: Sequence[Flakefighter], statistics: str = STATISTICS[0]
) -> tuple[Verdict, list[Verdict]]:
    """The joined verdict of a failure, and what each flakefighter said.

    A level speaks only where those above it leave the failure undecided; if it says the opposite of
    what they found, the verdict is no more than fair.  ``statistics`` is one of
    :data:`STATISTICS`.
    """
    levels = {fighter.name: fighter.level for fighter in fighters}
    said = [verdict for fighter in fighters if (verdict := fighter.judge(case)) is not None]
    heavy = [one for one in said if levels[one.fighter] <= Level.EVIDENCE]
    joint = _by_proof(case, heavy) if heavy else _nothing()
    alone = min(levels.values(), default=Level.PROOF) > Level.EVIDENCE  # nobody else was asked
    for level in (Level.MARK, Level.STATISTICS):
        mine = [one for one in said if levels[one.fighter] is level]
        asked = sum(one is level for one in levels.values())
        voice = _voice(mine, asked if level is Level.STATISTICS else 1, statistics)
        if voice is not None:
            joint = _joined(case, joint, voice, alone=alone)
    return joint, said


def _nothing() -> Verdict:
    return Verdict(
        label=Label.UNDECIDED,
        fighter=JOINT,
        version=VERSION,
        confidence=Confidence.WEAK,
        reason="no flakefighter had anything to say",
    )


# -- proof and evidence ----------------------------------------------------------------------


def _by_proof(case: Case, said: Sequence[Verdict]) -> Verdict:
    """What proof and evidence say: they come in order of proof, and the first that speaks wins.

    But a doubt ("many at once", "broken") gives way to a change that the execution was seen to
    touch, to any change that it can reach unless the exception is one of the world, and to a
    failure that was judged genuine before.  Of those that agree with it the strongest speaks, so
    that what changed is named again, and "failing alike since run ..." stands behind it.
    """
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
    return spoken._replace(fighter=JOINT, version=VERSION, reason=reason, evidence=evidence)


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


# -- people and statistics -------------------------------------------------------------------


def _voice(said: Sequence[Verdict], asked: int, rule: str) -> Verdict | None:
    """What a level says as one; None if it says nothing, or contradicts itself."""
    decided = [one for one in said if one.label is not Label.UNDECIDED]
    if len({one.label for one in decided}) != 1:
        return None
    least = {"any": 1, "majority": asked // 2 + 1, "all": asked}[rule]
    if len(decided) < least:
        return None
    return min(decided, key=lambda one: _ORDER.index(one.confidence))


def _joined(case: Case, joint: Verdict, voice: Verdict, *, alone: bool) -> Verdict:
    """A verdict, and what a lower level says of the same failure."""
    if joint.label is voice.label or joint.proved:
        return joint
    if joint.label is not Label.UNDECIDED:
        # What was seen is stronger, and not as sure as it looks.
        sure = _at_most_fair(joint)
        reason = f"{joint.reason}, though it {voice.reason}"
        evidence = {**joint.evidence, "contested": voice.fighter}
        return joint._replace(confidence=sure, reason=reason, evidence=evidence)
    by = str(joint.evidence.get("by", ""))
    if by in _DOUBTERS:
        return joint  # nothing is learned of one test where many fail, or one stays broken
    if voice.label is Label.FLAKY and not (
        _passed(case) if alone else joint.evidence.get(OPEN) is True
    ):
        return joint
    evidence = {"by": voice.fighter, **voice.evidence}
    reason = voice.reason
    if not alone:
        evidence["undecided"] = {"by": by, "reason": joint.reason}
        reason = f"{voice.reason}; {joint.reason}"
    sure = _at_most_fair(voice)
    return Verdict(voice.label, JOINT, VERSION, sure, reason, evidence)


def _at_most_fair(verdict: Verdict) -> Confidence:
    strong = verdict.confidence in (Confidence.PROVED, Confidence.STRONG)
    return Confidence.FAIR if strong else verdict.confidence


def _passed(case: Case) -> bool:
    """Whether a pass of the test is known that may be compared with."""
    return case.baseline is not None or any(
        past.outcome in PASSES and case.believes(past, Use.BASELINE) for past in case.past
    )
