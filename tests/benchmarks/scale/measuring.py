"""What a piece of work costs: seconds, CPU on both sides, and what goes over the line."""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from flakefighters.model import Target
from tests.postgres.server import PostgresServer
from tests.postgres.slow_line import SlowLine

__all__ = ["Bench", "Cost", "typical"]


class Cost(NamedTuple):
    """Of one piece of work; ``turns`` and ``bytes`` only of what was asked through a line."""

    seconds: float
    client: float
    server: float
    turns: int = 0
    bytes: int = 0


def typical(costs: Sequence[Cost]) -> Cost:
    """The median of the seconds, and means of CPU, whose clocks tick slowly; counts of the last."""
    return Cost(
        round(statistics.median(one.seconds for one in costs), 4),
        round(statistics.fmean(one.client for one in costs), 4),
        round(statistics.fmean(one.server for one in costs), 4),
        costs[-1].turns,
        costs[-1].bytes,
    )


class Bench:
    """A database on a server, and a way to it that is slow."""

    def __init__(self, server: PostgresServer, database: str, delay: float):
        self.server = server
        self.database = database
        self.target: Target = server.target(database)
        self.delay = delay

    @property
    def url(self) -> str:
        """With the password, which is that of a server for this process alone."""
        login = f"{self.server.user}:{self.server.password}"
        return f"postgresql://{login}@127.0.0.1:{self.server.port}/{self.database}"

    def timed(self, work: Callable[[], object]) -> Cost:
        """Do it once, without a line between."""
        before = self._clocks()
        work()
        after = self._clocks()
        return Cost(after[0] - before[0], after[1] - before[1], after[2] - before[2])

    def through(
        self, rounds: int, work: Callable[[Any], object], opened: Callable[..., Any]
    ) -> Cost:
        """What it typically costs over the slow line.

        ``opened`` makes a context manager of a target, for ``work`` to use; that is not measured.
        """
        assert self.target.port is not None
        costs = []
        with SlowLine(self.target.port, delay=self.delay / 2) as line:
            for _ in range(rounds):
                with opened(self.target._replace(port=line.port)) as ready:
                    line.reset()
                    cost = self.timed(lambda ready=ready: work(ready))  # type: ignore[misc]
                    costs.append(cost._replace(turns=line.turns, bytes=line.sent + line.received))
        return typical(costs)

    def directly(
        self, rounds: int, work: Callable[[Any], object], opened: Callable[..., Any]
    ) -> Cost:
        """The same without the line."""
        costs = []
        for _ in range(rounds):
            with opened(self.target) as ready:
                costs.append(self.timed(lambda ready=ready: work(ready)))  # type: ignore[misc]
        return typical(costs)

    def _clocks(self) -> tuple[float, float, float]:
        mine = os.times()
        return (
            time.perf_counter(),
            mine.user + mine.system + mine.children_user + mine.children_system,
            _cpu_of(self.server.pid),
        )


def _cpu_of(parent: int) -> float:
    """CPU seconds of a process and all its children; 0 where there is no /proc."""
    ticks = 0
    for place in Path("/proc").glob("[0-9]*/stat"):
        try:
            said = place.read_text().rpartition(")")[2].split()
        except OSError:  # it has just ended
            continue
        if parent == int(place.parent.name):
            ticks += sum(map(int, said[11:15]))
        elif parent == int(said[1]):
            ticks += sum(map(int, said[11:13]))
    return ticks / os.sysconf("SC_CLK_TCK")
