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
    while True:
        among = list(midpoints(bad, goods))
        rest = [one for one in among if one != bad and one not in skipped]
        if not rest:
            found.candidates = [one for one in among if one == bad or one in skipped]
            break
        told = next((one for commit in rest if (one := known(commit)) and _tells(one)), None)
        if told is None and not left():
            found.candidates = among
            found.reason = "no time was left"
            return found
        step = told or attempt(rest[0])
        found.steps.append(step)
        if step.result is Result.ALIKE:
            bad = step.commit
        elif step.result is Result.PASSED:
            goods.append(step.commit)
        else:
            skipped.add(step.commit)
    return found


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
