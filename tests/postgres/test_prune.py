"""Pruning and purging on a real server, and in a file, while others record."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from flakefighters.cli import main
from flakefighters.errors import DatabaseError
from flakefighters.history import open_history, postgres, upkeep
from flakefighters.history.content import project_id
from flakefighters.history.layout import lock_key
from flakefighters.history.prune import prune
from flakefighters.history.purge import purge
from flakefighters.history.purge_text import signature_id
from flakefighters.history.sqlite import SqliteDatabase
from flakefighters.model import Run, Secret, Target
from tests.history.leaks import SIGNATURE, leaking_run
from tests.history.made_runs import (
    MINUTE,
    PROJECT,
    START,
    make_failure,
    make_run,
    make_state,
    make_verdict,
)
from tests.history.together import PROCESSES
from tests.postgres.server import PostgresServer

SHOP = project_id(PROJECT.identity)
NAMES = [f"t.py::test_{n}" for n in range(60)]


def failing_run(at: int) -> Run:
    """A run with texts of its own, and shared facts that come and go."""
    results = {name: "F" if n < 12 else "." for n, name in enumerate(NAMES)}
    run = make_run(
        results | {f"t.py::only_{at % 7}": "."},
        at=at,
        state=make_state(str(at % 5), {"a.py": f"{at % 5:016d}"}),
    )
    executions = tuple(
        one._replace(failures=(make_failure(f"E {at} {one.nodeid}" + "x" * 500),))
        for one in run.executions
    )
    return run._replace(executions=executions)


def save(target: Target, *runs: Run) -> None:
    with open_history(target) as history:
        for run in runs:
            said = [
                make_verdict(run, one.nodeid, evidence={"of": [run.head.id, one.nodeid]})
                for one in run.executions
            ]
            history.save(run, said)


@dataclass
class Writer:
    """Records runs, one after the other, until it is told to stop."""

    target: Target
    runs: list[Run] = field(default_factory=list)
    slowest: float = 0.0
    errors: list[BaseException] = field(default_factory=list)

    def work(self, stop: threading.Event) -> None:
        at = 1000
        try:
            # As in a session on a terminal.
            with open_history(self.target, deadline=None) as history:
                while not stop.is_set():
                    # Between two of the same, what only the first one used may have gone.
                    run = failing_run(at)
                    at += 1
                    began = time.monotonic()
                    assert history.save(run, [make_verdict(run, NAMES[0])])
                    self.slowest = max(self.slowest, time.monotonic() - began)
                    self.runs.append(run)
        except BaseException as error:  # shown by the test
            self.errors.append(error)


@contextlib.contextmanager
def writing(target: Target) -> Iterator[Writer]:
    writer, stop = Writer(target), threading.Event()
    thread = threading.Thread(target=writer.work, args=(stop,))
    thread.start()
    try:
        yield writer
    finally:
        stop.set()
        thread.join(30)


@pytest.fixture
def batches(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long each transaction of upkeep took."""
    took: list[float] = []
    for kind in (SqliteDatabase, postgres.PostgresDatabase):
        genuine = kind.alone

        @contextlib.contextmanager
        def timed(database: Any, genuine: Any = genuine) -> Iterator[Any]:
            with genuine(database) as one:
                began = time.monotonic()
                yield one
            took.append(time.monotonic() - began)

        monkeypatch.setattr(kind, "alone", timed)
    return took


@pytest.fixture(params=["sqlite", "postgresql"])
def target(request: pytest.FixtureRequest, tmp_path: Path) -> Target:
    if request.param == "sqlite":
        return Target(backend="sqlite", path=tmp_path / "history.db", display="history.db")
    found = request.getfixturevalue("postgres_target")
    assert isinstance(found, Target)
    return found


def test_a_writer_beside_a_prune(target: Target, batches: list[float]) -> None:
    old = [failing_run(at) for at in range(40)]
    save(target, *old)
    with writing(target) as writer, open_history(target) as history:
        while not writer.runs and not writer.errors:
            time.sleep(0.01)
        done = prune(history.database, {SHOP: START + 1000 * MINUTE})
    assert writer.errors == []
    assert len(writer.runs) > 3
    assert done.runs == 40
    assert len(batches) > 3
    assert max(batches) < 1.0
    assert writer.slowest < 3.0
    with open_history(target) as history:
        assert history.run_ids() == {run.head.id for run in writer.runs}
        for run in writer.runs:
            assert history.load(run.head.id).executions == run.executions
        texts = history.database.query("SELECT count(*) FROM {s}failure_text")
        assert texts == [(12 * len(writer.runs),)]


def test_a_writer_beside_a_purge(target: Target) -> None:
    leaks = [leaking_run(at=at) for at in range(30)]
    save(target, *leaks)
    with writing(target) as writer, open_history(target) as history:
        while not writer.runs and not writer.errors:
            time.sleep(0.01)
        done = purge(history.database, ("signature", signature_id(SIGNATURE), 1, "me"))
    assert writer.errors == []
    assert done.emptied == 30
    with open_history(target) as history:
        assert len(history.run_ids()) == 30 + len(writer.runs)
        for run in writer.runs:
            assert history.load(run.head.id).executions == run.executions


def _die(target: Target, password: str | None, calls: int) -> None:
    """Prune, and be killed in the middle of a transaction."""
    left = calls
    genuine = upkeep.remove_runs

    def dying(one: Any, runs: Any) -> None:
        nonlocal left
        genuine(one, runs)
        left -= 1
        if left == 0:
            if hasattr(one, "_waiting"):  # on a server: half of it is sent
                one.query("; ".join(each.decode() for each in one._waiting[:2]))
            os.kill(os.getpid(), signal.SIGKILL)

    patched = pytest.MonkeyPatch()
    patched.setattr("flakefighters.history.prune.remove_runs", dying)
    patched.setattr(upkeep.Pace.__init__, "__defaults__", (5,))
    patched.setattr(upkeep, "PAUSE", 0.0)
    with open_history(target._replace(password=Secret(password) if password else None)) as history:
        prune(history.database, {SHOP: START + 38 * MINUTE})


@pytest.mark.parametrize("calls", [1, 3])
def test_killed_in_the_middle(target: Target, calls: int) -> None:
    runs = [failing_run(at) for at in range(40)]
    save(target, *runs)
    password = target.password and target.password.reveal()
    process = PROCESSES.Process(target=_die, args=(target._replace(password=None), password, calls))
    process.start()
    process.join(60)
    assert process.exitcode == -signal.SIGKILL
    with open_history(target) as history:
        there = history.run_ids()
        assert 2 < len(there) <= 40
        for name in there:
            history.load(name)
        assert not history.save(runs[0])
        prune(history.database, {})
        assert history.run_ids() == {run.head.id for run in runs[38:]}
        assert history.database.query("SELECT count(*) FROM {s}failure_text") == [(24,)]


def test_two_prunes_at_once(target: Target) -> None:
    save(target, *(failing_run(at) for at in range(40)))
    errors: list[BaseException] = []

    def work() -> None:
        try:
            with open_history(target) as history:
                prune(history.database, {SHOP: START + 38 * MINUTE})
        except BaseException as error:  # shown below
            errors.append(error)

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert errors == []
    with open_history(target) as history:
        assert len(history.run_ids()) == 2


def test_help_for_large_tables_does_not_stay(
    postgres_server: PostgresServer, postgres_target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upkeep, "PAUSE", 0.0)
    save(postgres_target, *(failing_run(at) for at in range(40)))
    question = "SELECT indexname FROM pg_indexes WHERE schemaname = 'flakefighters' ORDER BY 1"
    assert postgres_target.database is not None
    before = postgres_server.ask(question, postgres_target.database)
    asked: list[str] = []
    genuine = postgres.PostgresDatabase.indexed

    def watched(database: Any, table: str, column: str) -> Any:
        asked.append(table)
        return genuine(database, table, column)

    monkeypatch.setattr(postgres.PostgresDatabase, "indexed", watched)
    with open_history(postgres_target) as history:
        prune(history.database, {SHOP: START + 39 * MINUTE})
    assert asked == ["verdict", "failure"]
    assert postgres_server.ask(question, postgres_target.database) == before


# -- locks -----------------------------------------------------------------------------------


@pytest.fixture
def long_writer(
    postgres_server: PostgresServer, postgres_target: Target
) -> Iterator[Callable[[], None]]:
    """A writer that is in the middle of a transaction; the call lets it end."""
    open_history(postgres_target).close()
    held = postgres_server.connect(postgres_target.database or "")
    cursor = held.cursor()
    cursor.execute(f"BEGIN; SELECT pg_advisory_xact_lock_shared({lock_key('flakefighters')})")
    yield lambda: cursor.execute("COMMIT")
    held.close()


def test_a_prune_steps_back_for_long_writers(
    postgres_target: Target, long_writer: Callable[[], None]
) -> None:
    save(postgres_target, failing_run(1))
    ended = threading.Timer(2.5, long_writer)
    with open_history(postgres_target) as history:
        with writing(postgres_target) as writer:
            ended.start()
            done = prune(history.database, {SHOP: START + 5 * MINUTE})
        assert done.runs == 1
    assert writer.errors == []
    # Others went on, though the first one kept the prune waiting for seconds.
    assert writer.slowest < 2.0


def test_a_prune_does_not_wait_for_ever(
    postgres_target: Target, long_writer: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres, "LOCK_SECONDS", 0.1)
    save(postgres_target, failing_run(1))
    with open_history(postgres_target) as history:
        with pytest.raises(DatabaseError, match="locked for maintenance"):
            prune(history.database, {SHOP: START + 5 * MINUTE})
        assert len(history.run_ids()) == 1


# -- rights ----------------------------------------------------------------------------------


def test_only_the_owner_prunes_and_purges(
    postgres_server: PostgresServer,
    postgres_target: Target,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    run = failing_run(1)
    save(postgres_target, run)
    database, role = postgres_target.database or "", "flaky_presumptuous"
    postgres_server.ask(f"CREATE ROLE {role} LOGIN PASSWORD 'some-password'")
    try:
        postgres_server.ask(
            f"GRANT USAGE ON SCHEMA flakefighters TO {role}; "
            f"GRANT SELECT, INSERT ON ALL TABLES IN SCHEMA flakefighters TO {role}",
            database,
        )
        as_writer = postgres_target._replace(user=role, password=Secret("some-password"))
        with open_history(as_writer) as history:
            with pytest.raises(DatabaseError, match="may not prune, only the owner"):
                prune(history.database, {SHOP: START + 5 * MINUTE})
            with pytest.raises(DatabaseError, match="may not purge, only the owner"):
                purge(history.database, ("run", run.head.id, 1, "me"))
            # And if it tried by itself, the server would refuse.
            monkeypatch.setattr(history.database, "need_owner", lambda _: None)
            with pytest.raises(DatabaseError, match="lacks rights"):
                prune(history.database, {SHOP: START + 5 * MINUTE})
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("PGPASSWORD", "some-password")
        url = f"postgresql://{role}@127.0.0.1:{postgres_target.port}/{database}"
        for words in (["prune", "--keep-runs", "1"], ["purge", run.head.id, "--yes"]):
            assert main([*words, "--database-url", url]) == 3
            said = capsys.readouterr()
            assert said.out == ""
            assert [line.partition(":")[0] for line in said.err.splitlines()] == ["error", "more"]
            assert f"{role} may not {words[0]}" in said.err
    finally:
        postgres_server.ask(f"DROP OWNED BY {role}; DROP ROLE {role}", database)
    with open_history(postgres_target) as history:
        assert history.run_ids() == {run.head.id}
