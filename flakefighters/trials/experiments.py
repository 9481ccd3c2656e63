"""The experiments on one failing test, the cheapest first, until nothing more is to be learned."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import field
from typing import TYPE_CHECKING, Final, TypeVar

from flakefighters.model import Arm, Outcome, Result, Trial
from flakefighters.records import NamedTuple, record
from flakefighters.trials.conclude import ENOUGH

if TYPE_CHECKING:
    from flakefighters.trials.questions import Before, Question
    from flakefighters.trials.runs import Lab, Seen

__all__ = ["Budget", "Done", "Experiment", "alike", "enough", "result_of"]

#: A child is killed after this many times what its tests usually take, and its start-up.
_PATIENCE: Final = 10
_START_UP: Final = 10.0
#: Less than this is no use to a child: Python and pytest have to start.
_LEAST: Final = 1.0
_FAILED: Final = frozenset({Outcome.FAILED, Outcome.ERROR})
T = TypeVar("T")
#: Pauses before each trial.
Steps = Generator[None, None, T]

#: Arms on another state than the one that was tested.
_EARLIER: Final = frozenset({Arm.BEFORE, Arm.BEFORE_COMPANY})


@record
class Budget:
    """How long trials may take altogether."""

    seconds: float
    clock: Callable[[], float]
    _until: float = field(init=False)

    def __post_init__(self) -> None:
        self._until = self.clock() + self.seconds

    @property
    def left(self) -> float:
        """Seconds."""
        return self._until - self.clock()


class Done(NamedTuple):
    """A trial, and all that was seen in it."""

    trial: Trial
    seen: Seen | None = None


class Experiment:
    """Puts one test on trial."""

    def __init__(
        self,
        question: Question,
        lab: Lab,
        budget: Budget,
        *,
        before: Before | None = None,
        state: tuple[str | None, str | None] = (None, None),
        times: int = 3,
        now: Callable[[], int] = lambda: 0,
    ):
        """``state``: id and commit of what was tested; ``times``: how often it is run alone."""
        self._question, self._lab, self._budget = question, lab, budget
        self._before, self._state = before, state
        self._times, self._now = times, now
        self.done: list[Done] = []

    def conduct(self) -> Steps[None]:
        """Make one trial after the other; others can have their turn in between."""
        result = yield from self._try(Arm.ALONE, ())
        if result is Result.PASSED:
            yield from self._in_company(copied=False)
        elif result is Result.ALIKE:
            yield from self._failing()

    def _failing(self) -> Steps[None]:
        """It fails alone: also in a copy, and on the state before?"""
        result = yield from self._try(Arm.COPY, ())
        if result is Result.PASSED:
            again = yield from self._try(Arm.ALONE, ())
            if again is Result.ALIKE:
                yield from self._in_company(copied=True)
            return
        before = Result.NOTHING
        if result is Result.ALIKE and self._before is not None:
            before = yield from self._try(Arm.BEFORE, ())
        # Where both states seem to differ, it may be chance; where nothing is known, a pass helps.
        times = {Result.ALIKE: 1, Result.PASSED: 2}.get(before, self._times)
        for _ in range(times - 1):
            again = yield from self._try(Arm.ALONE, ())
            if again is not Result.ALIKE:
                return
        if before is Result.PASSED:
            yield from self._earlier(Arm.BEFORE, (), ENOUGH - 1)
        elif before is Result.ALIKE and not enough(self._question, self._before):
            yield from self._as_it_passed()

    def _as_it_passed(self) -> Steps[None]:
        """It fails by itself on both states: does it pass before after what ran there before it?"""
        assert self._before is not None
        company = self._before.company
        result = yield from self._try(Arm.BEFORE_COMPANY, company)
        if result is not Result.PASSED:
            return
        result = yield from self._try(Arm.COMPANY, self._question.company, copied=True)
        if result is Result.ALIKE:
            yield from self._earlier(Arm.BEFORE_COMPANY, company, ENOUGH - 1)

    def _in_company(self, *, copied: bool) -> Steps[None]:
        """It passes alone: does it fail after what ran before it, and after which of that?"""
        company = self._question.company
        if not company or self._question.place:
            return
        # A failure that comes again may be chance: once more.
        for _ in range(2):
            result = yield from self._try(Arm.COMPANY, company, copied=copied)
            if result is not Result.ALIKE:
                return
        few = yield from self._fewer(company, copied=copied)
        if not copied:
            result = yield from self._try(Arm.FEWER, few, copied=True)
            if result is not Result.ALIKE:
                return  # a copy is no fit place for it
        yield from self._earlier(Arm.BEFORE_COMPANY, few)

    def _fewer(self, company: Sequence[str], *, copied: bool) -> Steps[Sequence[str]]:
        """Halve the company as long as one half is enough to make the test fail."""
        while len(company) > 1:
            half = len(company) // 2
            for part in (company[half:], company[:half]):
                result = yield from self._try(Arm.FEWER, part, copied=copied)
                if result is Result.ALIKE:
                    company = part
                    break
            else:
                break
        return company

    def _earlier(self, arm: Arm, company: Sequence[str], times: int = ENOUGH) -> Steps[None]:
        """Run it on the state before; a pass may be chance, so once more."""
        if self._before is None:
            return
        for _ in range(times):
            result = yield from self._try(arm, company, copied=True)
            if result is not Result.PASSED:
                return

    def _try(self, arm: Arm, company: Sequence[str], *, copied: bool = False) -> Steps[Result]:
        """Make one trial when it is our turn, and note it."""
        yield
        return self._tried(arm, company, copied=copied)

    def _tried(self, arm: Arm, company: Sequence[str], *, copied: bool) -> Result:
        question, before = self._question, self._before
        earlier = arm in _EARLIER
        control = self._control() if earlier else None
        tests = [*company, question.nodeid, *([control] if control else [])]
        state, commit = self._state
        if earlier and before is not None:
            state, commit = before.state, before.commit
        trial = Trial(
            arm=arm,
            result=Result.NOTHING,
            state=state,
            commit=commit,
            company=len(company),
            after=tuple(company) if len(company) <= 3 else (),
            control=control,
            at=self._now(),
        )
        usual, left = question.usual(tests), self._budget.left
        if usual + _LEAST > left:
            note = "no time was left"
            if usual > 1:
                what = "the tests before it take" if company else "it takes"
                note += f": {what} about {usual:.0f} s"
            self.done.append(Done(trial._replace(note=note)))
            return Result.NOTHING
        seconds = min(_PATIENCE * usual + _START_UP, left)
        if earlier or copied or arm is Arm.COPY:
            tree = before.tree if earlier and before is not None else None
            seen = self._lab.elsewhere(tests, tree, seconds)
        else:
            seen = self._lab.here(tests, seconds)
        took = round((left - self._budget.left) * 1000)
        trial = self._told(trial._replace(took=took), seen)
        self.done.append(Done(trial, seen))
        return trial.result

    def _told(self, trial: Trial, seen: Seen) -> Trial:
        """The trial with what it showed of the first failure."""
        result, note = result_of(
            self._question, seen, self._question.signatures[0], trial, self._before
        )
        failures = seen.failures.get(self._question.nodeid, ())
        passed = None
        if trial.control is not None and trial.control in seen.outcomes:
            passed = seen.outcomes[trial.control] is Outcome.PASSED
        return trial._replace(
            result=result,
            note=note,
            control_passed=passed,
            output=failures[0].text[-1000:] if failures else "",
        )

    def _control(self) -> str | None:
        """The nearest test that passed on both states."""
        passing = frozenset() if self._before is None else self._before.passing
        return next((one for one in self._question.controls if one in passing), None)


def enough(question: Question, before: Before | None) -> bool:
    """Whether a failure by itself on the state before says all; see :meth:`Facts.of`."""
    return question.place or question.clean or before is None or not before.company


def result_of(
    question: Question, seen: Seen, signature: str, trial: Trial, before: Before | None
) -> tuple[Result, str | None]:
    """What a child showed of one failure, and why it showed nothing."""
    if seen.note is not None:
        return Result.NOTHING, seen.note
    if seen.crashed:
        died = question.crashed and not trial.company
        return (Result.ALIKE, None) if died else (Result.NOTHING, "the process died")
    outcome = seen.outcomes.get(question.nodeid)
    if question.place and question.nodeid in seen.collected:
        outcome = Outcome.PASSED
    if outcome is None:
        return Result.NOTHING, "it was not found there"
    if outcome is Outcome.PASSED:
        return _passed(question, trial)
    if outcome not in _FAILED:
        return Result.NOTHING, f"it was {outcome.word}"
    found = {one.signature for one in seen.failures.get(question.nodeid, ())}
    if not any(alike(signature, one) for one in found):
        return Result.OTHERWISE, None
    return _fit(question, trial, seen, before)


def _passed(question: Question, trial: Trial) -> tuple[Result, str | None]:
    """Whether a pass proves anything."""
    if question.elsewhere is not None and trial.arm not in _EARLIER:
        return Result.NOTHING, f"it passed, but {question.elsewhere}"
    if question.draws:
        return Result.NOTHING, "it passed with inputs of its own drawing"
    return Result.PASSED, None


def alike(one: str, other: str) -> bool:
    """Whether two signatures are of one failure.

    Where pytest shows no source (``--tb=no``), a signature lacks the line of code that failed.
    """
    (at, rest), (other_at, other_rest) = _parted(one), _parted(other)
    return rest == other_rest and (at == other_at or not at or not other_at)


def _parted(signature: str) -> tuple[list[str], list[str]]:
    lines = signature.splitlines()
    return [one for one in lines if one.startswith("at ")], [
        one for one in lines if not one.startswith("at ")
    ]


def _fit(
    question: Question, trial: Trial, seen: Seen, before: Before | None
) -> tuple[Result, str | None]:
    """Whether a failure on the state before may be taken for one that was there already."""
    if trial.arm not in _EARLIER or before is None:
        return Result.ALIKE, None
    differs = question.elsewhere or before.differs or (None if question.clean else question.held)
    if differs is not None:
        return Result.NOTHING, f"it fails on {before.name} as well, but {differs}"
    if seen.ignored and not all(path.endswith((".py", ".md", ".rst")) for path in before.changed):
        made = seen.ignored[0]
        return Result.NOTHING, f"{made} is made by a tool, maybe from what changed"
    return Result.ALIKE, None
