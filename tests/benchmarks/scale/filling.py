"""Saving all runs of a simulation as a session does; a copy of the database at some lengths."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence

from flakefighters.history import open_history
from flakefighters.model import Run, Verdict
from tests.benchmarks.history.lines import say
from tests.benchmarks.scale.measuring import Bench, Cost
from tests.benchmarks.scale.project import Size, simulated

__all__ = ["filled"]


def filled(bench: Bench, size: Size, lengths: Sequence[int]) -> Iterator[tuple[int, Cost, str]]:
    """Each length with the mean cost of a save since the one before, and a copy's name.

    Whoever takes the copy may change it, and removes it.
    """
    made = simulated(size)
    done = 0
    for length in sorted(lengths):
        some = length - done
        cost = _saved(bench, made, done, length)
        done = length
        name = f"{bench.database}_{length}"
        # What is copied must not be in use.
        copy = f"CREATE DATABASE {name} TEMPLATE {bench.database} {bench.server.strategy}"
        bench.server.ask("VACUUM ANALYZE", bench.database)
        bench.server.ask(copy)
        each = Cost(cost.seconds / some, cost.client / some, cost.server / some)
        yield length, each, name


def _saved(bench: Bench, made: Iterator[tuple[Run, list[Verdict]]], done: int, until: int) -> Cost:
    """The cost of saving all runs up to a number, without that of simulating them."""
    seconds = simulating = 0.0
    with open_history(bench.target) as history:

        def work() -> None:
            nonlocal seconds, simulating
            for number in range(done, until):
                began = time.process_time()
                run, verdicts = next(made)
                simulating += time.process_time() - began
                began = time.perf_counter()
                history.save(run, verdicts)
                seconds += time.perf_counter() - began
                say(f"saving run {number + 1} of {until}")

        cost = bench.timed(work)
    return cost._replace(seconds=seconds, client=cost.client - simulating)
