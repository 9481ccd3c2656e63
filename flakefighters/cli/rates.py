"""How often tests fail by chance, by the results in a history."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from flakefighters.fighters.cells import cell_of
from flakefighters.measures.failure_rate import Rate, Tries, failure_rate
from flakefighters.model import RunHead
from flakefighters.model.rows import Book, Flakiness, TestRow

__all__ = ["rated"]

_BAD: Final = "FER"


def rated(found: Book) -> list[TestRow]:
    """The tests with their rates, each in the environment in which it is highest.

    States are kept apart by environment: what always fails on Windows and never on Linux does
    not fail by chance.  The rate is highest where the lower end of its interval is.
    """
    places = _places(found.runs)
    return [replace(row, flakiness=_flakiness(row, places)) for row in found.rows]


#: The places of the runs on each state, in the order in which the states were met.
_States = Sequence[Sequence[int]]


def _places(runs: Sequence[RunHead]) -> list[_States]:
    """For each environment the states on which tests were tried."""
    cells = Counter(_cell(one) for one in runs)
    found: dict[str | None, dict[object, list[int]]] = {}
    for at, one in enumerate(runs):
        # Cells of a matrix that cannot be told apart prove nothing of each other.
        apart = one.state is None or (_cell(one) is not None and cells[_cell(one)] > 1)
        state = one.id if apart else (one.environment, one.state)
        found.setdefault(one.environment_key, {}).setdefault(state, []).append(at)
    return [list(states.values()) for states in found.values()]


def _cell(run: RunHead) -> tuple[object, ...] | None:
    job = cell_of(run)
    return None if job is None else (*job, run.environment)


def _flakiness(row: TestRow, places: Sequence[_States]) -> Flakiness | None:
    rates = [failure_rate(tries) for states in places if (tries := _tries(row, states))]
    best = max(rates, key=_first, default=None)
    if best is None:
        return None
    return Flakiness(best.mean, best.low, best.high, best.failures, best.executions)


def _first(rate: Rate) -> tuple[float, float, int]:
    return (rate.low, rate.mean, rate.executions)


def _tries(row: TestRow, states: _States) -> list[Tries]:
    """The executions of a test on each state of an environment."""
    found = []
    for places in states:
        letters = "".join([row.outcomes[at] for at in places])
        passed = letters.count(".") + letters.count("X") + letters.count("R")
        failed = sum(map(letters.count, _BAD))
        genuine = False
        if failed:
            genuine = not row.genuine_in.isdisjoint(places)
            for at in row.again.keys() & set(places):
                # The first attempt failed; where the last one passed, it was counted above.
                passes, failures = row.again[at]
                passed += passes - (row.outcomes[at] == "R")
                failed += failures
        if passed or failed:
            found.append(Tries(passed, failed, genuine))
    return found
