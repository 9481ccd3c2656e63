"""Many writers at the same moment: some processes, some threads in each."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Barrier

from flakefighters.history import open_history
from flakefighters.model import Run, Secret, Target
from tests.history.made_runs import make_run, make_state, make_verdict
from tests.history.together import PROCESSES

__all__ = ["Writer", "crowd", "run_of"]


@dataclass(frozen=True)
class Writer:
    """What became of one of them."""

    number: int
    run: str
    #: Whether the run was new there.
    new: bool
    #: The error that it met, empty if none.
    error: str
    seconds: float


def run_of(number: int) -> Run:
    """A run that shares some of what it needs with every other one, in another order."""
    tests = [f"tests/test_{n}.py::test_it" for n in range(60)]
    suite = [*tests[number % 7 :], f"tests/test_own.py::test_{number % 5}"]
    results = {name: "F" if n % 20 == number % 20 else "." for n, name in enumerate(suite)}
    files = {f"shop/part_{n}.py": f"{n:016x}" for n in range(40)}
    files[f"shop/part_{number % 3}.py"] = f"{number % 4:016x}"
    # Ids of states are made of their trees: the same tree, the same files.
    state = make_state(f"{number % 3} {number % 4}", files)
    return make_run(results, at=number % 11, state=state, dirty=False)


def crowd(target: Target, processes: int, threads: int) -> list[Writer]:
    """Let ``processes`` times ``threads`` writers open the history and save a run each, at once."""
    password = target.password and target.password.reveal()
    barrier = PROCESSES.Barrier(processes)
    answers: Queue[Sequence[Writer]] = PROCESSES.Queue()
    way = target._replace(password=None)  # a secret does not leave its process by itself
    children = [
        PROCESSES.Process(
            target=_process, args=(way, password, barrier, answers, i * threads, threads)
        )
        for i in range(processes)
    ]
    for child in children:
        child.start()
    found = [writer for _ in children for writer in answers.get(timeout=150)]
    for child in children:
        child.join(30)
    answers.close()
    return sorted(found, key=lambda writer: writer.number)


def _process(
    target: Target,
    password: str | None,
    barrier: Barrier,
    answers: Queue[Sequence[Writer]],
    first: int,
    count: int,
) -> None:
    target = target._replace(password=Secret(password) if password else None)
    found: list[Writer] = []
    gate = threading.Barrier(count + 1)
    threads = [
        threading.Thread(target=_write, args=(target, first + i, gate, found)) for i in range(count)
    ]
    for thread in threads:
        thread.start()
    barrier.wait(120)
    gate.wait(120)
    for thread in threads:
        thread.join()
    answers.put(found)


def _write(target: Target, number: int, gate: threading.Barrier, found: list[Writer]) -> None:
    run = run_of(number)
    failed = run.executions[0].nodeid
    new, error = False, ""
    gate.wait(120)
    began = time.monotonic()
    try:
        with open_history(target, deadline=60) as history:
            history.recent(run.project.identity)  # as a session does
            new = bool(history.save(run, [make_verdict(run, failed)]))
    except Exception as caught:  # told to the test, whatever it is
        error = f"{type(caught).__name__}: {caught}"
    found.append(Writer(number, run.head.id, new, error, time.monotonic() - began))
