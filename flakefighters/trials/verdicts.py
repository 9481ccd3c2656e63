"""From the trials on a failure to the verdict that is kept, with a sentence and its evidence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from flakefighters.model import JOINT, Arm, Label, Result, Trial, Verdict
from flakefighters.trials.conclude import Facts, conclude
from flakefighters.words import ago, count, few

if TYPE_CHECKING:
    from flakefighters.trials.questions import Before

__all__ = ["settled", "tried"]

#: Trials that evidence names one by one, and characters of output that it keeps.
_NAMED: Final = 6
_OUTPUT: Final = 400


def settled(
    was: Verdict, trials: Sequence[Trial], before: Before | None, now: int, *, enough: bool = False
) -> Verdict:
    """The verdict after these trials on the failure of ``was``: proved, or as before.

    ``enough``: see :meth:`Facts.of`.
    """
    accompanied = any(one.company for one in trials)
    facts = Facts.of(trials, accompanied=accompanied, enough=enough)
    label = conclude(facts)
    evidence = _evidence(was, trials, before)
    if label is Label.FLAKY and facts.before is not Result.ALIKE and _perhaps(was):
        evidence["unsure"] = True
    if label is None:
        return was._replace(
            fighter=JOINT,
            reason=f"{_bare(was.reason)}; {tried(trials)}",
            evidence={**was.evidence, **evidence, "by": was.evidence.get("by")},
            at=now,
        )
    reason = _reason(facts, trials, was, before, now)
    introduced = label is Label.FLAKY and _introduced(was, facts, before)
    return was.replaced(label, reason, {**evidence, "by": "trial"}, now, introduced=introduced)


def _perhaps(was: Verdict) -> bool:
    """Whether reading could not rule out that a change reached the test."""
    return any(was.evidence.get(name) for name in ("unsure", "doubts", "touched"))


def _introduced(was: Verdict, facts: Facts, before: Before | None) -> bool:
    """Whether the change may have made it flaky: nothing shows that it was so before."""
    if facts.before is Result.ALIKE:
        return False
    known = {"baseline", "passes"} & was.evidence.keys()
    never = not known and (before is None or before.passed is None)
    return was.introduced or was.label is Label.GENUINE or never


def _reason(
    facts: Facts, trials: Sequence[Trial], was: Verdict, before: Before | None, now: int
) -> str:
    """What was proved, in a sentence."""
    if facts.both:
        return _counted(trials)
    if facts.before is None:
        return _passed(trials)
    there = "the state before" if before is None else before.name
    after = _after(trials)
    alike, alone = facts.before is Result.ALIKE, facts.alone is Result.ALIKE
    if not alone and alike:
        return f"order-dependent: fails after {after}, with or without the change"
    if not alone:
        return f"fails after {after} since {there}, on which it passes after that"
    if alike and facts.together is Result.PASSED:
        return f"passes on {there} after the tests before it, and not here"
    if alike:
        when = "" if before is None or before.passed is None else ago(before.passed, now)
        return (
            f"fails on {there} as well, where it passed {when}: "
            "not the change (environment, date, service?)"
        )
    proof = f"passes on {there} and fails here"
    return f"{_bare(was.reason)}; {proof}" if was.label is Label.GENUINE else proof


def _passed(trials: Sequence[Trial]) -> str:
    """It passed on the same state, alone and in company."""
    number = max(one.company for one in trials)
    if _results(trials, Arm.ALONE) == {Result.ALIKE}:
        return "passed in a fresh copy of the same state: something was left behind where it ran"
    if number:
        return f"passed alone on the same state, and after the {count(number, 'test')} before it"
    return "passed alone on the same state"


def _counted(trials: Sequence[Trial]) -> str:
    """ "passed 2 of 3 times alone on the same state"."""
    for arm in Arm:
        if arm is not Arm.FEWER and {Result.PASSED, Result.ALIKE} <= _results(trials, arm):
            mine = [one for one in trials if one.arm is arm]
            passed = sum(one.result is Result.PASSED for one in mine)
            how = f"after the same {count(mine[0].company, 'test')}" if mine[0].company else "alone"
            return f"passed {passed} of {len(mine)} times {how} on the same state"
    return "passed and failed on the same state"


def _results(trials: Sequence[Trial], arm: Arm) -> set[Result]:
    return {one.result for one in trials if one.arm is arm} - {Result.NOTHING}


def _after(trials: Sequence[Trial]) -> str:
    """The tests after which it fails, as far as they are known by name."""
    failed = [one for one in trials if one.company and one.result is Result.ALIKE]
    fewest = min(failed, key=lambda one: one.company, default=None)
    if fewest is None or not fewest.after:
        return "tests that ran before it" if fewest is None else count(fewest.company, "other test")
    return few(fewest.after)


#: What a trial was, in a few words, for what was tried without success.
_WORDS: Final = {
    Arm.ALONE: "alone",
    Arm.COPY: "in a fresh copy",
    Arm.COMPANY: "after the tests before it",
    Arm.FEWER: "after some of them",
    Arm.BEFORE: "on {there}",
    Arm.BEFORE_COMPANY: "on {there} after these",
}


def tried(trials: Sequence[Trial]) -> str:
    """What trials showed, for a verdict that they did not settle."""
    parts: list[str] = []
    for arm in Arm:
        mine = [one for one in trials if one.arm is arm]
        shown = [one for one in mine if one.result is not Result.NOTHING]
        there = next((one.commit[:7] for one in mine if one.commit), "the state before")
        where = _WORDS[arm].format(there=there)
        for result in Result:
            number = sum(one.result is result for one in shown)
            if number:
                parts.append(f"{result.value} {_times(number)} {where}")
    notes = list(dict.fromkeys(one.note for one in trials if one.note))
    return "tried: " + ", ".join([*parts, *notes[:2]])


def _times(number: int) -> str:
    return {1: "once", 2: "twice"}.get(number, f"{number} times")


def _bare(reason: str) -> str:
    """A reason without what earlier trials added to it."""
    return reason.partition("; tried: ")[0]


def _evidence(was: Verdict, trials: Sequence[Trial], before: Before | None) -> dict[str, Any]:
    said = [dict(one.to_json()) for one in trials]
    for one in said:
        one.pop("output", None)
    output = next((one.output for one in reversed(trials) if one.output), "")
    found: dict[str, Any] = {
        "was": was.label.value,
        "was_at": was.at,
        "was_by": was.evidence.get("by"),
        "trials": said[:_NAMED],
        "more_trials": max(0, len(said) - _NAMED),
        "output": output[-_OUTPUT:],
    }
    if before is not None:
        found["before"] = {"name": before.name, "commit": before.commit, "passed": before.passed}
    return {name: value for name, value in found.items() if value or name == "was_at"}
