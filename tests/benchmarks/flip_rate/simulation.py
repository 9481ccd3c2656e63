"""Histories of tests whose true rates are known, and what the measure makes of them.

The rates of flaky tests are spread evenly over their logarithms, which gives the published tail:
see :func:`tail`.  Breaks of the code are more frequent than the measure assumes, each of some
length, and only a part of their failures was judged genuine at the time.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from math import exp, log
from statistics import median
from typing import Final, NamedTuple

from flakefighters.fighters.flip_rate import FlipRate
from flakefighters.measures.failure_rate import Tries, by_chance, failure_rate
from flakefighters.model import (
    Case,
    Environment,
    Execution,
    Failure,
    Outcome,
    Past,
    Phase,
    RunHead,
)

__all__ = ["FLAKY", "LEVELS", "RUNS", "Found", "flaky_rate", "measure", "tail"]

#: How many earlier runs there are.
RUNS: Final = (10, 50, 200)
#: How much of the distribution an interval is to hold.
LEVELS: Final = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99)

#: Where classes of probabilities end.
_CLASSES: Final = (0.1, 0.5, 0.9, 1.0)

#: Rates of flaky tests lie between these.
_LEAST, _MOST = 1e-5, 0.8
#: The share of flaky tests: 0.86 % of all fail by chance in 400 runs (Gruber et al. 2021).
FLAKY: Final = 0.0153
#: How likely a run is of a new state, a new state breaks a test, and the next one is still broken.
_NEW, _BREAKS, _LASTS = 0.5, 0.005, 0.6
#: How likely a failure on a broken state was judged genuine, and one by chance.
_JUDGED, _MISJUDGED = 0.7, 0.05

_ENVIRONMENT: Final = Environment(id="e", key="k", settings={}, distributions={})
_FAILURE: Final = Failure(phase=Phase.CALL, exception="AssertionError", signature="s")
_EXECUTION: Final = Execution("t", 1, Outcome.FAILED, failures=(_FAILURE,))


class _Result(NamedTuple):
    state: int
    failed: bool
    genuine: bool
    #: Whether the code was at fault.
    broken: bool


@dataclass(slots=True)
class Found:
    """What was found with so many earlier runs; each test counts by its weight."""

    runs: int
    #: By level: of the tests that have failed by chance, how many have their rate in the interval.
    covered: dict[float, float] = field(default_factory=lambda: dict.fromkeys(LEVELS, 0.0))
    rates: float = 0.0
    #: Failures by what is said of them: all of a class, those by chance, and what was said.
    said: list[list[float]] = field(default_factory=lambda: [[0.0] * 3 for _ in _CLASSES])
    #: Failures by chance and by a break; of which the flakefighter said flaky.
    chance: float = 0.0
    found: float = 0.0
    wrong: float = 0.0
    broken: float = 0.0

    @property
    def precision(self) -> float:
        return self.found / (self.found + self.wrong or 1)

    @property
    def recall(self) -> float:
        return self.found / (self.chance or 1)


def tail(tests: int = 2000, seed: int = 1) -> tuple[float, float]:
    """Of flaky tests that failed in 10,000 runs: the share that failed once, and the median."""
    draw = random.Random(seed)
    counts = (_failures(draw, flaky_rate(draw), 10_000) for _ in range(tests))
    seen = [number for number in counts if number]
    return seen.count(1) / len(seen), median(seen)


def measure(runs: int, tests: int, seed: int = 1) -> Found:
    """Simulate so many flaky tests, and as many others, which stand for all others."""
    draw = random.Random(f"{seed} {runs}")
    found = Found(runs)
    for rate in (*(flaky_rate(draw) for _ in range(tests)), *[0.0] * tests):
        weight = FLAKY if rate else 1 - FLAKY
        history = list(_history(draw, rate, runs))
        _rates(found, history, rate, weight)
        last = history[-1].state + (draw.random() < _NEW)
        if rate and not history[-1].broken:
            _failure(found, history, last, weight * rate, broken=False)
        _failure(found, history, history[-1].state + 1, weight * _NEW * _BREAKS, broken=True)
    return found


def flaky_rate(draw: random.Random) -> float:
    """How likely a flaky test is to fail in a run."""
    return exp(draw.uniform(log(_LEAST), log(_MOST)))


def _failures(draw: random.Random, rate: float, runs: int) -> int:
    """How often a test fails, drawn by the passes in between."""
    number = at = 0
    while (at := at + 1 + int(log(1 - draw.random()) / log(1 - rate))) <= runs:
        number += 1
    return number


def _history(draw: random.Random, rate: float, runs: int) -> Iterator[_Result]:
    state, broken = 0, False
    for _ in range(runs):
        if draw.random() < _NEW:
            state += 1
            broken = draw.random() < (_LASTS if broken else _BREAKS)
        failed = broken or draw.random() < rate
        judged = draw.random() < (_JUDGED if broken else _MISJUDGED)
        yield _Result(state, failed, failed and judged, broken)


def _tries(history: Sequence[_Result]) -> list[Tries]:
    found: dict[int, Tries] = {}
    for state, failed, genuine, _ in history:
        before = found.get(state, Tries(0, 0))
        found[state] = Tries(
            before.passed + (not failed), before.failed + failed, before.genuine or genuine
        )
    return list(found.values())


def _rates(found: Found, history: Sequence[_Result], rate: float, weight: float) -> None:
    """Whether the intervals hold the true rate, if the history tells of failures by chance."""
    tries = _tries(history)
    if not failure_rate(tries).failures:
        return
    found.rates += weight
    for level in LEVELS:
        known = failure_rate(tries, interval=level)
        found.covered[level] += weight * (known.low <= rate <= known.high)


def _failure(
    found: Found, history: Sequence[_Result], state: int, weight: float, *, broken: bool
) -> None:
    """What is said of a failure after this history."""
    tries = _tries([*history, _Result(state, True, False, broken)])
    likely = by_chance(tries, len(tries) - 1)
    alike = found.said[next(n for n, end in enumerate(_CLASSES) if likely <= end)]
    alike[0] += weight
    alike[1] += weight * (not broken)
    alike[2] += weight * likely
    spoken = FlipRate().judge(_case(history, state)) is not None
    found.chance += 0 if broken else weight
    found.broken += weight if broken else 0
    found.found += weight if spoken and not broken else 0
    found.wrong += weight if spoken and broken else 0


def _head(at: int, state: int) -> RunHead:
    return RunHead(
        id=f"{at:032x}",
        project="p",
        started=at,
        state=str(state),
        environment="e",
        environment_key="k",
    )


def _case(history: Sequence[_Result], state: int) -> Case:
    """The failure as the flakefighter sees it; every failure of the test looks the same."""
    past = tuple(
        Past(
            run=_head(at, one.state),
            outcome=Outcome.FAILED if one.failed else Outcome.PASSED,
            signatures=("s",) if one.failed else (),
            labels=("genuine",) if one.genuine else (),
        )
        for at, one in enumerate(history)
    )
    return Case(
        head=_head(len(history), state),
        nodeid="t",
        execution=_EXECUTION,
        failure=_FAILURE,
        index=0,
        environment=_ENVIRONMENT,
        attempts=(_EXECUTION,),
        past=past,
        comparable=frozenset({"e"}),
        signature="s",
        failing=1,
        executed=50,
        same_signature=1,
    )
