"""Whatever breaks, whenever: nothing is lost or half-written, and the next try completes."""

from __future__ import annotations

import os
import signal
import sqlite3
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from flakefighters.errors import DatabaseError, UnreachableError
from flakefighters.history import open_history, postgres_copy
from flakefighters.model import Run, Target
from flakefighters.sync import Progress, clone, pull
from flakefighters.sync import staging as staging_module
from tests.history.made_runs import make_run, make_state, make_verdict
from tests.sync.bad_line import BadLine
from tests.sync.contents import clone_into, content, path_of, pull_into, save
from tests.sync.killed import killed

FILES = {f"src/module_{n}.py": f"{n:016x}" for n in range(50)}
needs_kill = pytest.mark.skipif(sys.platform == "win32", reason="needs SIGKILL")


def many(count: int = 12) -> list[Run]:
    return [
        make_run(
            {f"t.py::test_{i}": "F" if i % 40 == n else "." for i in range(120 + n)},
            at=n,
            state=make_state(f"tree {n}", {**FILES, "changed.py": f"{n:016x}"}),
            dirty=False,
        )
        for n in range(count)
    ]


@pytest.fixture
def filled(remote: Target) -> Target:
    runs = many()
    save(remote, *runs, verdicts=[make_verdict(run, run.executions[0].nodeid) for run in runs])
    return remote


@pytest.fixture
def mine(local: Target) -> Target:
    """A local history with a run of its own."""
    save(local, make_run({"t.py::mine": "F"}, at=90))
    return local


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


# -- SIGKILL ---------------------------------------------------------------------------------


@needs_kill
@pytest.mark.parametrize("reports", [1, 3, 9, 14])
def test_a_clone_that_is_killed_leaves_no_history(
    filled: Target, local: Target, reports: int
) -> None:
    code = killed(filled, local, reports=reports)
    assert code == -signal.SIGKILL
    folder = path_of(local).parent
    assert not path_of(local).exists()
    assert all(name.startswith("local.db-part-") for name in names(folder))
    assert clone_into(local, filled).runs == 12
    assert content(local) == content(filled)
    # What is left over goes when it is certain that nobody writes to it.
    (left,) = names(folder) - {"local.db"}
    hours_ago = time.time() - 7200
    os.utime(folder / left, (hours_ago, hours_ago))
    clone_into(local, filled)
    assert clone_into(local.__class__(backend="sqlite", path=path_of(local)), filled).known == 12
    save(filled, make_run(at=200))
    clone_into(local, filled)
    assert names(folder) == {"local.db"}


@needs_kill
def test_a_clone_into_a_history_that_is_killed_at_any_step(filled: Target, mine: Target) -> None:
    before = content(mine)
    codes = []
    for steps in (1, 5, 20, 60, 100, 140):
        codes.append(killed(filled, mine, steps=steps))
        found = content(mine)
        if codes[-1] == -signal.SIGKILL:
            assert found == before
    assert codes.count(-signal.SIGKILL) >= 3
    clone_into(mine, filled)
    assert content(mine).runs == before.runs | content(filled).runs


@needs_kill
def test_a_pull_that_is_killed_keeps_what_it_stored(filled: Target, mine: Target) -> None:
    reports = 0

    def count(_: Progress) -> None:
        nonlocal reports
        reports += 1

    pull_into(
        mine._replace(path=path_of(mine).with_name("tried.db")), filled, batch=3, report=count
    )
    assert killed(filled, mine, reports=reports - 4, batch=3) == -signal.SIGKILL
    stored = content(mine).runs.keys() & content(filled).runs.keys()
    assert len(stored) == 9
    assert pull_into(mine, filled).runs == 3


# -- the line --------------------------------------------------------------------------------


@pytest.mark.parametrize("share", [0.05, 0.2, 0.5, 0.8, 0.97])
def test_a_cut_line_changes_nothing(filled: Target, mine: Target, share: float) -> None:
    before = content(mine)
    assert filled.port is not None
    with BadLine(filled.port, 10**9) as line:
        fresh = path_of(mine).with_name("fresh.db")
        clone_into(mine._replace(path=fresh), filled._replace(port=line.port))
        whole = line.received
        fresh.unlink()
    with (
        BadLine(filled.port, int(whole * share)) as line,
        pytest.raises(UnreachableError),
    ):
        clone_into(mine, filled._replace(port=line.port))
    assert content(mine) == before
    assert names(path_of(mine).parent) == {"local.db"}
    clone_into(mine, filled)
    assert content(mine).runs == before.runs | content(filled).runs


@pytest.mark.parametrize("share", [0.3, 0.6])
def test_silence_ends(
    filled: Target, local: Target, share: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres_copy, "SILENCE", 0.5)
    monkeypatch.setattr(postgres_copy, "CHUNK", 1000)
    assert filled.port is not None
    with BadLine(filled.port, int(60_000 * share), silent=True) as line:
        source = open_history(filled._replace(port=line.port, read_only=True))
        started = time.monotonic()
        with pytest.raises(UnreachableError, match="no answer within"):
            clone(source, local)
        assert time.monotonic() - started < 6
        source.close()
    assert names(path_of(local).parent) == set()


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs a timer signal")
def test_ctrl_c_is_heeded_in_the_middle(filled: Target, local: Target) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    assert filled.port is not None
    with BadLine(filled.port, 20_000, silent=True) as line:
        source = open_history(filled._replace(port=line.port, read_only=True))
        before = signal.signal(signal.SIGALRM, interrupt)
        try:
            signal.setitimer(signal.ITIMER_REAL, 0.7)
            started = time.monotonic()
            with pytest.raises(KeyboardInterrupt):
                clone(source, local)
            assert time.monotonic() - started < 5
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)
        source.close()
    assert names(path_of(local).parent) == set()


# -- the disk --------------------------------------------------------------------------------


def test_a_full_disk(
    filled: Target, mine: Target, local: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = content(mine)
    begin = staging_module.Staging._begin

    def small(self: staging_module.Staging) -> None:
        begin(self)
        self.connection.execute("PRAGMA max_page_count = 40")

    monkeypatch.setattr(staging_module.Staging, "_begin", small)
    with pytest.raises(DatabaseError, match=r"no space left to write local\.db"):
        clone_into(mine, filled)
    assert content(mine) == before
    assert names(path_of(mine).parent) == {"local.db"}


def test_a_locked_history(filled: Target, mine: Target, new_local: Callable[[str], Target]) -> None:
    holder = sqlite3.connect(path_of(mine), isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    with (
        open_history(mine, deadline=0.2) as into,
        open_history(filled._replace(read_only=True)) as source,
        pytest.raises(DatabaseError, match="locked"),
    ):
        pull(source, into)
    holder.execute("ROLLBACK")
    holder.close()
    assert pull_into(mine, filled).runs == 12
