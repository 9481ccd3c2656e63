"""Ways to copy a history from a server, beside ``pg_dump -Fc`` of the same database."""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine
from sqlalchemy.orm import Session, registry

from flakefighters.history import open_history
from flakefighters.history.schema import define
from flakefighters.model import Run, Target, Verdict
from flakefighters.reports.transfers import amount
from flakefighters.sync import clone, pull
from tests.benchmarks.history.lines import fill, say, table
from tests.benchmarks.history.made import made_runs
from tests.postgres.server import PostgresServer, find_binaries
from tests.postgres.slow_line import SlowLine

__all__ = ["copies"]

ROOT = Path(__file__).resolve().parents[3]


def copies(options: argparse.Namespace, server: PostgresServer, folder: Path) -> None:
    """Copy the same history in every way, interleaved."""
    name = server.create_database()
    target = server.target(name)
    runs = list(
        made_runs(options.runs + 1, options.tests, failing=options.failing, text=options.text)
    )
    fill(target, runs[:-1], options.runs)
    bench = _Bench(server, target, folder)
    rows = bench.copies(options.rounds)
    rows += bench.delayed(options.delay / 2000, runs[-1])
    size = server.ask(f"SELECT pg_database_size('{name}')")[0][0]
    table(
        f"Copies: {options.runs} runs of {options.tests} tests, {options.failing:.0%} failing, "
        f"tracebacks of {options.text} characters: {amount(size)} in PostgreSQL",
        ["what", "seconds", "ratio to pg_dump", "bytes", "round trips"],
        rows,
    )
    server.drop_database(name)


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
        program = shutil.which("db-to-sqlite")
        if program is not None:
            ways["db-to-sqlite"] = partial(self._db_to_sqlite, program)
        ways["a loop over SQLAlchemy's ORM"] = self._orm
        # The slow ones are told apart in fewer rounds.
        slow = {"db-to-sqlite", "a loop over SQLAlchemy's ORM"}
        seconds: dict[str, list[float]] = {way: [] for way in ways}
        sizes: dict[str, int] = {}
        for number in range(rounds):
            for way, work in ways.items():
                if way in slow and number >= 2:
                    continue
                say(f"round {number + 1} of {rounds}: {way}")
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
            far = self._target._replace(port=line.port, read_only=True)
            for what in ("clone", "pull of one run", "pull of nothing"):
                say(f"{what} over a slow line")
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
                    fill(self._target, [new], 1)
        return rows

    def _file(self) -> Target:
        path = self._new_path()
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
        with open_history(self._target._replace(read_only=True)) as source:
            clone(source, local)
        assert local.path is not None
        return local.path.stat().st_size

    def _command(self) -> int:
        path = self._new_path()
        subprocess.run(
            [
                *(sys.executable, "-m", "flakefighters", "clone"),
                *("--from", self._url(), "--into", f"sqlite:///{path}"),
            ],
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            cwd=self._folder,
            check=True,
            stdout=subprocess.DEVNULL,
        )
        return path.stat().st_size

    def _url(self, scheme: str = "postgresql") -> str:
        place = f"127.0.0.1:{self._target.port}/{self._target.database}"
        return f"{scheme}://{self._server.user}:{self._server.password}@{place}"

    def _new_path(self) -> Path:
        self._made += 1
        return self._folder / f"clone{self._made}.db"

    def _db_to_sqlite(self, program: str) -> int:
        path = self._new_path()
        # It looks for tables in the user's search path.
        url = self._url("postgresql+psycopg2") + "?options=-csearch_path%3Dflakefighters"
        command = [program, url, str(path), "--all"]
        subprocess.run(command, check=True, capture_output=True)
        return path.stat().st_size

    def _orm(self) -> int:
        """Load each row as an object, and add it to another session."""
        path = self._new_path()
        far = create_engine(self._url("postgresql+psycopg2"))
        near = create_engine(f"sqlite:///{path}")
        source, copied = define("flakefighters"), define()
        copied.create_all(near)
        with Session(far) as there, Session(near) as here:
            for origin, into in zip(source.sorted_tables, copied.sorted_tables, strict=True):
                kinds = [type(f"{place}_{into.name}", (), {}) for place in ("There", "Here")]
                mapper = registry()
                mapper.map_imperatively(kinds[0], origin)
                mapper.map_imperatively(kinds[1], into)
                names = [column.name for column in origin.columns]
                row: Any
                for row in there.query(kinds[0]).yield_per(500):
                    one = kinds[1]()
                    for column in names:
                        value = getattr(row, column)
                        setattr(one, column, value.hex if hasattr(value, "hex") else value)
                    here.add(one)
                here.commit()
        far.dispose()
        near.dispose()
        return path.stat().st_size
