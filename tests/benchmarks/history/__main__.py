"""What it costs to copy a history, beside ``pg_dump -Fc`` of the same database.

    python -m tests.benchmarks.history [--runs 200] [--tests 2000] [--failing 0.01] [--rounds 5]
                                       [--text 3000] [--delay 50]

A server of its own is started (``FLAKEFIGHTERS_TEST_PG_BIN`` names other binaries) and filled with
a made history.  The ways are interleaved; times are medians, the ratio is of medians.  *command* is
``flakefighters clone`` with the start of Python, *room* the same without; the delayed ones go
through a proxy that holds everything back by half of ``--delay`` milliseconds each way.  Figures go
to the standard output as Markdown, progress to the standard error.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from flakefighters.history import open_history
from flakefighters.model import Run, Target, Verdict
from flakefighters.reports.transfers import amount
from flakefighters.sync import clone, pull
from tests.benchmarks.history.made import made_runs
from tests.postgres.server import PostgresServer, find_binaries, running_server
from tests.postgres.slow_line import SlowLine

ROOT = Path(__file__).resolve().parents[3]


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.history",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--tests", type=int, default=2000)
    parser.add_argument("--failing", type=float, default=0.01, help="share of tests")
    parser.add_argument("--text", type=int, default=3000, help="length of a traceback")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--delay", type=float, default=50.0, help="of a round trip, milliseconds")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and report."""
    options = _options(arguments)
    with running_server() as server, tempfile.TemporaryDirectory() as folder:
        name = server.create_database()
        target = server.target(name)
        runs = list(
            made_runs(options.runs + 1, options.tests, failing=options.failing, text=options.text)
        )
        _fill(target, runs[:-1])
        bench = _Bench(server, target, Path(folder))
        rows = bench.copies(options.rounds)
        rows += bench.delayed(options.delay / 2000, runs[-1])
        size = server.ask(f"SELECT pg_database_size('{name}')")[0][0]
    _say("")
    print(
        f"{options.runs} runs of {options.tests} tests, {options.failing:.0%} failing, "
        f"tracebacks of {options.text} characters: {amount(size)} in PostgreSQL\n"
    )
    print("| what | seconds | ratio to pg_dump | bytes | round trips |\n|---|---|---|---|---|")
    for row in rows:
        print("| " + " | ".join(row) + " |")
    return 0


def _say(text: str) -> None:
    print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)


def _fill(target: Target, runs: Sequence[tuple[Run, list[Verdict]]]) -> None:
    with open_history(target) as history:
        for number, (run, verdicts) in enumerate(runs, 1):
            history.save(run, verdicts)
            _say(f"saving {number} of {len(runs)} runs")


class _Bench:
    def __init__(self, server: PostgresServer, target: Target, folder: Path):
        self._server = server
        self._target = target
        self._folder = folder
        self._made = 0

    def copies(self, rounds: int) -> list[list[str]]:
        """The ways to copy all of it, interleaved."""
        ways: dict[str, Callable[[], int]] = {
            "`pg_dump -Fc`": self._dump,
            "clone, command": self._command,
            "clone, room": self._room,
        }
        seconds: dict[str, list[float]] = {way: [] for way in ways}
        sizes: dict[str, int] = {}
        for number in range(rounds):
            for way, work in ways.items():
                _say(f"round {number + 1} of {rounds}: {way}")
                started = time.perf_counter()
                sizes[way] = work()
                seconds[way].append(time.perf_counter() - started)
        medians = {way: statistics.median(each) for way, each in seconds.items()}
        base = medians["`pg_dump -Fc`"]
        return [
            [way, f"{median:.2f}", f"{median / base:.2f}", amount(sizes[way]), ""]
            for way, median in medians.items()
        ]

    def delayed(self, delay: float, new: tuple[Run, list[Verdict]]) -> list[list[str]]:
        """A clone, and a pull of one run, over a slow line."""
        assert self._target.port is not None
        rows = []
        local = self._file()
        with SlowLine(self._target.port, delay=delay) as line:
            far = replace(self._target, port=line.port, read_only=True)
            for what in ("clone", "pull of one run", "pull of nothing"):
                _say(f"{what} over a slow line")
                line.reset()
                started = time.perf_counter()
                with open_history(far) as source:
                    if what == "clone":
                        done = clone(source, local)
                    else:
                        with open_history(local) as into:
                            done = pull(source, into)
                took = time.perf_counter() - started
                said = f"{what}, {2000 * delay:.0f} ms"
                rows.append([said, f"{took:.2f}", "", amount(done.bytes), str(line.turns)])
                if what == "clone":
                    _fill(self._target, [new])
        return rows

    def _file(self) -> Target:
        self._made += 1
        path = self._folder / f"clone{self._made}.db"
        return Target(backend="sqlite", path=path, display=path.name)

    def _dump(self) -> int:
        binaries = find_binaries()
        own = None if binaries is None else binaries / "pg_dump"
        out = self._folder / "dump"
        subprocess.run(
            [
                own if own is not None and own.exists() else "pg_dump",
                *("-Fc", "-h", "127.0.0.1", "-p", str(self._target.port)),
                *("-U", self._server.user, "-f", out, str(self._target.database)),
            ],
            env={**os.environ, "PGPASSWORD": self._server.password},
            check=True,
        )
        return out.stat().st_size

    def _room(self) -> int:
        local = self._file()
        with open_history(replace(self._target, read_only=True)) as source:
            clone(source, local)
        assert local.path is not None
        return local.path.stat().st_size

    def _command(self) -> int:
        self._made += 1
        path = self._folder / f"clone{self._made}.db"
        place = f"127.0.0.1:{self._target.port}/{self._target.database}"
        url = f"postgresql://{self._server.user}:{self._server.password}@{place}"
        subprocess.run(
            [
                *(sys.executable, "-m", "flakefighters", "clone"),
                *("--from", url, "--into", f"sqlite:///{path}"),
            ],
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            cwd=self._folder,
            check=True,
            stdout=subprocess.DEVNULL,
        )
        return path.stat().st_size


if __name__ == "__main__":
    sys.exit(main())
