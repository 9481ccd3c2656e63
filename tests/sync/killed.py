"""Transfers in a process of their own, which is killed at a given point."""

from __future__ import annotations

import os
import signal
from typing import Any

from flakefighters.history import History, open_history
from flakefighters.history.sqlite import SqliteDatabase
from flakefighters.model import Secret, Target
from flakefighters.sync import clone, pull
from tests.history.together import PROCESSES

__all__ = ["killed"]


def killed(source: Target, into: Target, *, reports: int = 0, steps: int = 0, **more: Any) -> int:
    """Clone (or pull, if ``batch`` is given) and die at that report, or after so many hundred steps
    of SQLite within the live history; returns the exit code.
    """
    # A secret does not leave its process by itself.
    password = source.password and source.password.reveal()
    process = PROCESSES.Process(
        target=_work, args=(source._replace(password=None), password, into, reports, steps, more)
    )
    process.start()
    process.join(60)
    assert process.exitcode is not None
    return process.exitcode


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _work(
    source: Target,
    password: str | None,
    into: Target,
    reports: int,
    steps: int,
    more: dict[str, Any],
) -> None:
    told = 0

    def report(_: object) -> None:
        nonlocal told
        told += 1
        if told == reports:
            _die()

    source = source._replace(password=Secret(password) if password else None, read_only=True)
    if steps:
        _die_in_sqlite(steps)
    with open_history(source, create=False) as opened:
        if more:
            with open_history(into) as history:
                pull(opened, history, report=report, **more)
        else:
            clone(opened, into, report=report)


def _die_in_sqlite(steps: int) -> None:
    """Every history that is opened to write dies after so many hundred steps of its machine."""
    opened = History.__init__
    left = steps

    def step() -> None:
        nonlocal left
        left -= 1
        if left == 0:
            _die()

    def init(self: History, target: Target, database: Any) -> None:
        opened(self, target, database)
        if isinstance(database, SqliteDatabase):
            database.connection.set_progress_handler(step, 100)

    History.__init__ = init  # type: ignore[method-assign]
