"""Put the failures of a run on trial, one after the other, as long as the budget lasts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import field
from typing import TYPE_CHECKING, Final

from flakefighters.records import record
from flakefighters.trials.experiments import Budget, Experiment, enough, result_of
from flakefighters.trials.verdicts import settled
from flakefighters.words import count

if TYPE_CHECKING:
    from flakefighters.model import Trial, Verdict
    from flakefighters.trials.bench import Bench
    from flakefighters.trials.experiments import Done
    from flakefighters.trials.questions import Before, Question
    from flakefighters.trials.runs import Lab

__all__ = ["Confirmed", "confirm"]

_OVER: Final = object()


@record
class Confirmed:
    """What came of it."""

    #: The new joined verdicts, of the failures that were tried.
    verdicts: list[Verdict] = field(default_factory=list)
    #: One line on what was left out, none if nothing was.
    notes: list[str] = field(default_factory=list)

    @property
    def settled(self) -> int:
        """How many of them are proved."""
        return sum(one.proved for one in self.verdicts)


def confirm(
    asked: Sequence[Question],
    lab: Lab,
    bench: Bench,
    *,
    befores: Mapping[str, Before],
    state: tuple[str | None, str | None],
    clock: Callable[[], float],
    now: Callable[[], int],
) -> Confirmed:
    """Try the tests that were asked for, the quickest first.

    ``befores``: where each of them last passed; ``state``: id and commit of what was tested;
    ``clock`` gives seconds, ``now`` the time in µs.  Ctrl-C ends the trials and keeps the results.
    """
    found = Confirmed()
    budget = Budget(bench.seconds, clock)
    chosen, rest = asked[: bench.tests], len(asked) - bench.tests
    experiments = [
        Experiment(
            question,
            lab,
            budget,
            before=befores.get(question.nodeid),
            state=state,
            times=bench.times,
            now=now,
        )
        for question in chosen
    ]
    try:
        _conduct(experiments)
    except KeyboardInterrupt:
        found.notes.append("the trials were interrupted")
    untried = 0
    for question, experiment in zip(chosen, experiments, strict=True):
        if all(one.seen is None for one in experiment.done):
            untried += 1
            continue
        found.verdicts += _verdicts(question, experiment.done, befores.get(question.nodeid), now())
    left = untried + max(0, rest)
    if left:
        limits = f"{bench.tests} tests, {bench.seconds:.0f} s"
        found.notes.append(f"{count(left, 'failing test')} not put on trial: the limit is {limits}")
    return found


def _conduct(experiments: Sequence[Experiment]) -> None:
    """One trial for each, which settles most flaky failures; then one test after the other."""
    going = [experiment.conduct() for experiment in experiments]
    for _ in range(2):  # each pauses before its first trial, and before its second
        going = [one for one in going if next(one, _OVER) is not _OVER]
    for one in going:
        for _ in one:
            pass


def _verdicts(
    question: Question, done: Sequence[Done], before: Before | None, now: int
) -> list[Verdict]:
    """The verdict on each failure of a test that was tried."""
    found = []
    for verdict, signature in zip(question.verdicts, question.signatures, strict=True):
        trials = [_of(question, one, signature, before) for one in done]
        found.append(settled(verdict, trials, before, now, enough=enough(question, before)))
    return found


def _of(question: Question, done: Done, signature: str, before: Before | None) -> Trial:
    """A trial, as it speaks of the failure with this signature."""
    trial, seen = done
    if seen is None:
        return trial
    result, note = result_of(question, seen, signature, trial, before)
    return trial._replace(result=result, note=note)
