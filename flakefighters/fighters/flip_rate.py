"""How often the test has failed by chance before: its own history alone.

Gruber, Heine, Oster, Philippsen and Fraser (ICST 2023) find flaky tests by little more than their
flip rates.  Here states of the code take the place of flips: :mod:`..measures.failure_rate`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final

from flakefighters.fighters.cells import PASSES, cell_of, unclear
from flakefighters.fighters.chance import chance
from flakefighters.fighters.strategy import Strategy
from flakefighters.measures.failure_rate import Rate, Tries, by_chance, failure_rate
from flakefighters.model import (
    Case,
    Confidence,
    Label,
    Level,
    Need,
    Outcome,
    Past,
    Use,
    Verdict,
)
from flakefighters.records import NamedTuple
from flakefighters.words import count

__all__ = ["FlipRate", "Settings", "posterior"]

_FAILED: Final = frozenset({Outcome.FAILED, Outcome.ERROR})
_PASSED: Final = frozenset({Outcome.PASSED, Outcome.XPASSED})


class Settings(NamedTuple):
    """When the history of a test is strong enough to speak."""

    #: On so many earlier states it failed by chance.
    states: int = 2
    #: The lower end of the interval is at least this rate.
    rate: float = 0.01
    #: So likely is this failure by chance, and not because the state is broken.
    sure: float = 0.95


class FlipRate(Strategy):
    """Flaky if the test is known to fail by chance, and this failure looks like the others."""

    name = "flip_rate"
    level = Level.STATISTICS
    needs = frozenset({Need.HISTORY})
    settings_model = Settings

    def __init__(self, settings: Settings = Settings()):  # noqa: B008 - it cannot be changed
        self._settings = settings

    def judge(self, case: Case) -> Verdict | None:
        past = _comparable(case)
        rate = _rate(past)
        if rate is None or rate.states < self._settings.states or rate.low < self._settings.rate:
            return None
        passes = [one for one in past if one.outcome in PASSES]
        if case.failure.facts.get("collection") or chance(case, passes) is not None:
            return None
        groups = _by_state(past, case)
        tries = [group.tries for group in groups]
        here = next(at for at, group in enumerate(groups) if group.current)
        likely = by_chance(tries, here)
        if likely < self._settings.sure:
            return None
        random, blamed = _sorted(groups, here)
        if not _expected(case.signature, random, blamed):
            return None
        runs = [one for group in random for one in group.failed]
        return self._say(rate, likely, runs[-10:])

    def _say(self, rate: Rate, likely: float, runs: Sequence[str]) -> Verdict:
        known = {name: round(value, 4) for name, value in rate._asdict().items()}
        return self.say(
            Label.FLAKY,
            Confidence.FAIR,
            f"failed in {rate.failures} of {count(rate.executions, 'comparable execution')}"
            f" without a change being the cause ({told(rate)})",
            {"flip_rate": {**known, "by_chance": round(likely, 4)}, "runs": list(runs)},
        )


def posterior(case: Case) -> Rate | None:
    """How likely the test fails by chance, by its results in other runs; None if there is none."""
    return _rate(_comparable(case))


def told(rate: Rate) -> str:
    """ "7%, 2 to 16%"."""
    return f"{rate.mean:.0%}, {100 * rate.low:.0f} to {rate.high:.0%}"


# -- which results are compared, and on which states ----------------------------------------------


def _comparable(case: Case) -> list[Past]:
    """Results that the same test would have had here, in the order in which the runs started.

    They are of comparable environments, believed, and of runs in which the variables that the
    project asks for had the same values.
    """
    found = [
        one
        for one in case.past
        if one.run.environment in case.comparable
        and case.believes(one, Use.BASELINE)
        and not case.varied.get(one.run.id)
        and any(_counted(one))
    ]
    cells = Counter(cell_of(one.run) for one in found)
    if any(cell is not None and number > 1 for cell, number in cells.items()):
        # The cells of a matrix cannot be told apart: one may always fail what another one passes.
        apart = unclear(case.head, case.past, case.comparable)
        found = [one for one in found if one.run.id not in apart]
    return sorted(found, key=lambda one: (one.run.started, one.run.id))


def _counted(past: Past) -> tuple[int, int]:
    """How many executions passed and failed."""
    if past.attempts:
        return _count(past.attempts)
    if past.outcome is Outcome.MIXED:
        return 1, 1
    return _count((past.outcome,))


def _count(outcomes: Sequence[Outcome]) -> tuple[int, int]:
    return sum(one in _PASSED for one in outcomes), sum(one in _FAILED for one in outcomes)


class _Group:
    """The executions on one state."""

    def __init__(self) -> None:
        self.tries = Tries(0, 0)
        #: Ids of the runs in which it failed, and the signatures of these failures.
        self.failed: list[str] = []
        self.signatures: list[str] = []
        self.current = False

    def add(self, passed: int, failed: int, *, genuine: bool = False) -> None:
        before = self.tries
        self.tries = Tries(before[0] + passed, before[1] + failed, before[2] or genuine)


def _rate(past: Sequence[Past]) -> Rate | None:
    if not past:
        return None
    return failure_rate([group.tries for group in _by_state(past)])


def _by_state(past: Iterable[Past], case: Case | None = None) -> list[_Group]:
    """The results on each state, in the order in which the states were met; with those of
    ``case``, whose group is the ``current`` one."""
    groups: dict[str, _Group] = {}
    results: list[Past] = list(past)
    if case is not None:
        attempts = tuple(one.outcome for one in case.attempts)
        results.append(Past(run=case.head, outcome=case.execution.outcome, attempts=attempts))
        results.sort(key=lambda one: one.run.started)
    for one in results:
        group = groups.setdefault(one.run.state or one.run.id, _Group())
        if case is not None and one.run is case.head:
            group.current = True
        passed, failed = _counted(one)
        group.add(passed, failed, genuine=Label.GENUINE.value in one.labels)
        if failed:
            group.failed.append(one.run.id)
            group.signatures += one.signatures
    return list(groups.values())


def _sorted(groups: Sequence[_Group], here: int) -> tuple[list[_Group], list[_Group]]:
    """The other states with failures: those by chance, and those that were rather broken."""
    tries = [group.tries for group in groups]
    random: list[_Group] = []
    blamed: list[_Group] = []
    for at, group in enumerate(groups):
        if at != here and group.tries.failed:
            certain = group.tries.passed > 0
            (random if certain or by_chance(tries, at) >= 0.5 else blamed).append(group)
    return random, blamed


def _expected(signature: str, random: Sequence[_Group], blamed: Sequence[_Group]) -> bool:
    """Whether a failure like this one may be expected of the test.

    It has failed so by chance before, and more often than when its state was broken; or it fails
    in another way each time: by Good and Turing the share of signatures that were seen once is how
    likely the next one is new (Good, 1953).
    """
    seen = Counter(name for group in random for name in group.signatures)
    guilty = sum(group.signatures.count(signature) for group in blamed)
    if guilty >= max(seen[signature], 1):
        return False
    if seen[signature] or not signature:
        return True
    once = sum(1 for number in seen.values() if number == 1)
    return seen.total() > 2 and 2 * once >= seen.total()
