"""How often tests fail by chance, by the results in a history."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from itertools import accumulate, chain, pairwise
from typing import Final

from flakefighters.fighters.cells import cell_of
from flakefighters.measures.failure_rate import Rate, Tries, failure_rate
from flakefighters.model import RunHead
from flakefighters.model.rows import Flakiness, TestRow
from flakefighters.records import NamedTuple

__all__ = ["rated"]

_PASSED, _FAILED, _BOTH = ".FR"
_COUNTED: Final = str.maketrans("XE", ".F")


def rated(runs: Sequence[RunHead], rows: Sequence[TestRow]) -> list[TestRow]:
    """The tests with their rates by what they did in these runs.

    States are kept apart by environment: what always fails on Windows and never on Linux does
    not fail by chance.  Of several environments a test has the highest rate, by the lower ends.
    """
    places = _places(runs)
    return [replace(row, flakiness=_flakiness(row, places)) for row in rows]


class _States(NamedTuple):
    """The states on which tests were tried in one environment, in the order in which they came."""

    #: The places of the runs, state by state.
    order: tuple[int, ...]
    #: Where each state begins and ends in that order.
    spans: tuple[tuple[int, int], ...]


def _places(runs: Sequence[RunHead]) -> list[_States]:
    cells = Counter(_cell(one) for one in runs)
    found: dict[str | None, dict[object, list[int]]] = {}
    for at, one in enumerate(runs):
        # Cells of a matrix that cannot be told apart prove nothing of each other.
        apart = one.state is None or (_cell(one) is not None and cells[_cell(one)] > 1)
        state = one.id if apart else (one.environment, one.state)
        found.setdefault(one.environment_key, {}).setdefault(state, []).append(at)
    made = []
    for states in found.values():
        ends = list(accumulate(map(len, states.values()), initial=0))
        made.append(_States(tuple(chain(*states.values())), tuple(pairwise(ends))))
    return made


def _cell(run: RunHead) -> tuple[object, ...] | None:
    job = cell_of(run)
    return None if job is None else (*job, run.environment)


def _flakiness(row: TestRow, places: Sequence[_States]) -> Flakiness | None:
    rates = [failure_rate(tries) for states in places if (tries := _tries(row, states))]
    best = max(rates, key=_first, default=None)
    if best is None:
        return None
    return Flakiness(best.mean, best.low, best.high, best.failures, best.executions)


def _first(rate: Rate) -> tuple[float, int, int]:
    return (rate.low, rate.failures, rate.executions)


def _tries(row: TestRow, states: _States) -> list[Tries]:
    """The executions of a test on each state of an environment."""
    letters = "".join(map(row.outcomes.__getitem__, states.order)).translate(_COUNTED)
    if not (_BOTH in letters or _FAILED in letters):
        return [Tries(letters.count(_PASSED), 0)] if _PASSED in letters else []
    found = []
    once = _passes(1)
    for start, end in states.spans:
        if end - start == 1 and letters[start] == _PASSED:  # most states, in most histories
            found.append(once)
            continue
        passed = letters.count(_PASSED, start, end)
        failed = letters.count(_FAILED, start, end)
        mixed = letters.count(_BOTH, start, end)
        if failed or mixed:
            places = states.order[start:end]
            # Further attempts: a first one failed, whatever the last one did.
            more = [row.again.get(at, (row.outcomes[at] == "R", 0)) for at in places]
            passed += sum(passes for passes, _ in more)
            failed += mixed + sum(failures for _, failures in more)
            found.append(Tries(passed, failed, not row.genuine_in.isdisjoint(places)))
        elif passed:
            found.append(_passes(passed))
    return found


@cache
def _passes(number: int) -> Tries:
    return Tries(number, 0)
