"""What a session waits for at its start and its end, over a line with a delay."""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial

from flakefighters.history import History, open_history
from flakefighters.history.coverage import baselines
from flakefighters.model import Run, Target, Verdict
from flakefighters.reports.transfers import amount
from tests.benchmarks.history.lines import fill, say, table
from tests.benchmarks.history.made import PROJECT, made_runs
from tests.postgres.server import PostgresServer
from tests.postgres.slow_line import SlowLine

__all__ = ["speed"]

READ = 50


@dataclass(slots=True)
class _Cost:
    seconds: float
    turns: int
    sent: int
    received: int

    def cells(self) -> list[str]:
        size = amount(max(self.sent, self.received))
        return [f"{self.seconds:.2f}", str(self.turns), size]


def speed(options: argparse.Namespace, server: PostgresServer) -> None:
    """Connect, read what a start reads, save, at several lengths of the history."""
    rows = []
    for tests in options.suites:
        name = server.create_database()
        target = server.target(name)
        lengths = [length for length in options.lengths if length * tests <= options.most]
        made = made_runs(
            max(lengths) + options.rounds * len(lengths),
            tests,
            failing=options.failing,
            text=options.text,
        )
        rows.append([f"{tests:,}", "0", "save the first run", *_first(target, options, made)])
        done = 1
        for length in lengths:
            fill(target, (next(made) for _ in range(length - done)), length - done)
            done = length + options.rounds
            server.ask("ANALYZE", name)
            for what, cells in _measured(target, options, made).items():
                rows.append([f"{tests:,}", f"{length:,}", what, *cells])
        server.drop_database(name)
    table(
        f"Waiting over a line with {options.delay:.0f} ms per round trip, {options.failing:.0%} of "
        f"the tests failing, each with a traceback of its own of {options.text:,} characters",
        ["tests", "runs in the history", "what", "seconds", "round trips", "bytes"],
        rows,
    )


_Made = Iterator[tuple[Run, list[Verdict]]]


def _first(target: Target, options: argparse.Namespace, made: _Made) -> list[str]:
    open_history(target).close()  # whoever sets it up makes the tables
    with _line(target, options) as line:
        far = target._replace(port=line.port)
        with open_history(far) as history:
            return _timed(line, partial(history.save, *next(made))).cells()


def _measured(target: Target, options: argparse.Namespace, made: _Made) -> dict[str, list[str]]:
    found: dict[str, list[_Cost]] = {"connect": [], "read at the start": [], "save": []}
    with _line(target, options) as line:
        far = target._replace(port=line.port)
        for number in range(options.rounds):
            say(f"round {number + 1} of {options.rounds}")
            began = time.perf_counter()
            with open_history(far) as history:
                found["connect"].append(_cost(line, began))
                found["read at the start"].append(_timed(line, partial(_start, history)))
                found["save"].append(_timed(line, partial(history.save, *next(made))))
            line.reset()
    return {
        what: replace(costs[-1], seconds=statistics.median(one.seconds for one in costs)).cells()
        for what, costs in found.items()
    }


def _line(target: Target, options: argparse.Namespace) -> SlowLine:
    assert target.port is not None
    return SlowLine(target.port, delay=options.delay / 2000)


def _timed(line: SlowLine, work: Callable[[], object]) -> _Cost:
    line.reset()
    began = time.perf_counter()
    work()
    return _cost(line, began)


def _cost(line: SlowLine, began: float) -> _Cost:
    return _Cost(time.perf_counter() - began, line.turns, line.sent, line.received)


def _start(history: History) -> None:
    """What is asked before the tests start."""
    runs = history.recent(PROJECT.identity, limit=READ)
    history.coverage.fetch(runs)
    found = baselines([history.coverage], runs)
    baselines([history.coverage], runs[::2])
    history.state_files(list(dict.fromkeys(run.state for run in found if run.state))[:6])
