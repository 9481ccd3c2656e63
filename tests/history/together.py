"""Many processes that save at the same moment."""

from __future__ import annotations

import multiprocessing
import sys
from multiprocessing.context import ForkServerContext, SpawnContext
from multiprocessing.synchronize import Barrier

from flakefighters.history import open_history
from flakefighters.model import Secret, Target
from tests.history.made_runs import make_run

__all__ = ["PROCESSES", "run_together"]


def _context() -> SpawnContext | ForkServerContext:
    if sys.platform == "win32":
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    # Else each of them would import everything anew.
    context.set_forkserver_preload(
        ["tests.history.together", "flakefighters.history.sqlite", "flakefighters.history.postgres"]
    )
    return context


PROCESSES = _context()


def run_together(count: int, target: Target) -> list[int | None]:
    """Let ``count`` processes save a run each; returns their exit codes.

    The first one's run has one test, the last one's ``count``.
    """
    # A secret does not leave its process by itself.
    password = target.password and target.password.reveal()
    barrier = PROCESSES.Barrier(count)
    processes = [
        PROCESSES.Process(target=_save, args=(target._replace(password=None), password, barrier, i))
        for i in range(count)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join(90)
    return [process.exitcode for process in processes]


def _save(target: Target, password: str | None, barrier: Barrier, i: int) -> None:
    run = make_run([f"t.py::test_{n}" for n in range(i + 1)], at=i)
    target = target._replace(password=Secret(password) if password else None)
    barrier.wait(60)
    with open_history(target) as history:
        assert history.save(run)
