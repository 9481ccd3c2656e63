"""Which commit broke a test: git's bisection, with what is known already, and trials in copies."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from flakefighters.model import Bisection, Result, Step

__all__ = ["bisect"]


def bisect(
    bad: str,
    good: str,
    midpoints: Callable[[str, Sequence[str]], Sequence[str]],
    known: Callable[[str], Step | None],
    attempt: Callable[[str], Step],
    left: Callable[[], bool],
) -> Bisection:
    """Narrow down the commits between ``good`` and ``bad``.

    ``midpoints(bad, goods)`` gives the commits of ``bad`` that none of ``goods`` has, the best
    ones to try first, as git chooses them; ``known`` tells what the history knows of a commit,
    ``attempt`` tries one; both may answer NOTHING or OTHERWISE, as of a commit that cannot be
    built, which is left out.  ``left`` says whether there is time for another trial.
    """
    found = Bisection()
    for commit, want in ((bad, Result.ALIKE), (good, Result.PASSED)):
        step = attempt(commit)
        found.steps.append(step)
        if step.result is not want:
            found.reason = _unfit(step, want)
            return found
    goods, skipped = [good], set[str]()
    while found.reason is None:
        among = list(midpoints(bad, goods))
        rest = [one for one in among if one != bad and one not in skipped]
        if not rest:
            found.candidates = [one for one in among if one == bad or one in skipped]
            break
        told = _next(rest, known, attempt, left)
        if told is None:
            found.candidates, found.reason = among, "no time was left"
            break
        found.steps.append(told)
        if told.result is Result.ALIKE:
            bad = told.commit
        elif told.result is Result.PASSED:
            goods.append(told.commit)
        else:
            skipped.add(told.commit)
    return found


def _next(
    rest: Sequence[str],
    known: Callable[[str], Step | None],
    attempt: Callable[[str], Step],
    left: Callable[[], bool],
) -> Step | None:
    """What is known of one of the commits, else the best one tried; None if there is no time."""
    told = (known(commit) for commit in rest)
    step = next((one for one in told if one is not None and _tells(one)), None)
    if step is not None or not left():
        return step
    return attempt(rest[0])


def _tells(step: Step) -> bool:
    return step.result in (Result.ALIKE, Result.PASSED)


def _unfit(step: Step, want: Result) -> str:
    """Why an end of the range is none."""
    name = step.commit[:7]
    if step.note:
        return f"{name} cannot be tried: {step.note}"
    if want is Result.ALIKE:
        return f"it does not fail so on {name}: {step.result.value} there"
    return f"it does not pass on {name}: it {step.result.value} there"
