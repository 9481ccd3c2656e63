"""What only a real server can show: rights, races, faults of the line, round trips."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import threading
import time
import traceback
from collections.abc import Iterator

import pytest

from flakefighters.errors import DatabaseError, SchemaTooNewError, UnreachableError
from flakefighters.history import open_history, postgres_login
from flakefighters.history.layout import lock_key
from flakefighters.model import Run, Secret, Target
from tests.history.made_runs import PROJECT, make_run, make_state, make_verdict
from tests.history.together import run_together
from tests.postgres.server import PostgresServer
from tests.postgres.slow_line import SlowLine

SUITE = [f"tests/test_{i // 50}.py::test_number_{i}" for i in range(2000)]


def failing(target: Target, **more: object) -> DatabaseError:
    """The error of opening this target, after a look for the password in all it shows."""
    with pytest.raises(DatabaseError) as caught:
        open_history(target._replace(**more)).close()  # type: ignore[arg-type]
    error = caught.value
    assert error.remedy
    shown = "".join(
        traceback.TracebackException.from_exception(error, capture_locals=True).format()
    )
    for secret in (target.password, more.get("password")):
        if isinstance(secret, Secret):
            assert secret.reveal() not in shown
    return error


# -- Creation --------------------------------------------------------------------------------


def test_sixteen_processes_at_once_on_an_empty_database(
    postgres_server: PostgresServer, postgres_target: Target
) -> None:
    assert run_together(16, postgres_target) == [0] * 16
    with open_history(postgres_target) as history:
        runs = [history.load(name) for name in history.run_ids()]
        assert sorted(len(run.suite) for run in runs) == list(range(1, 17))
        assert len(history.recent(PROJECT.identity)) == 16
    assert postgres_target.database is not None
    assert postgres_server.ask(
        "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'", postgres_target.database
    ) == [(0,)]


def test_several_histories_live_in_one_database(postgres_target: Target) -> None:
    run = make_run()
    odd = postgres_target._replace(schema="Odd \"name's; --")
    with open_history(postgres_target) as one, open_history(odd) as two:
        assert one.database_id != two.database_id
        one.save(run)
        assert two.run_ids() == set()
        two.save(run)
        assert two.load(run.head.id) == run
    assert lock_key("a") != lock_key("b")


def test_nothing_is_created_where_it_is_not_asked_for(postgres_target: Target) -> None:
    assert "holds no history yet" in str(failing(postgres_target, read_only=True))
    with pytest.raises(DatabaseError, match="holds no history yet"):
        open_history(postgres_target, create=False)


# -- Refusals --------------------------------------------------------------------------------


def test_a_wrong_password_is_named_and_not_shown(postgres_target: Target) -> None:
    error = failing(postgres_target, password=Secret("hunter2-hunter2"))
    assert "wrong password for flaky_owner" in str(error)
    assert "no password for flaky_owner" in str(failing(postgres_target, password=None))


def test_an_absent_database_is_named(postgres_target: Target) -> None:
    assert "no database nowhere" in str(failing(postgres_target, database="nowhere"))


def test_a_demand_for_tls_is_not_dropped(
    postgres_server: PostgresServer, postgres_target: Target
) -> None:
    if postgres_server.ask("SHOW ssl") == [("on",)]:
        pytest.skip("this server offers TLS")
    assert "offers no TLS" in str(failing(postgres_target, sslmode="require"))


def test_the_service_of_the_tested_application(
    postgres_target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    """libpq would fail, since it does not know the service, or take options from it."""
    monkeypatch.setenv("PGSERVICE", "app")
    open_history(postgres_target).close()
    left = subprocess.run(["printenv", "PGSERVICE"], capture_output=True, text=True, check=True)
    assert left.stdout == "app\n"  # as the tests know it


def test_nobody_listens(postgres_target: Target) -> None:
    error = failing(postgres_target, port=1)
    assert isinstance(error, UnreachableError)
    assert "nobody listens" in str(error)


def test_the_host_is_not_known(postgres_target: Target) -> None:
    with pytest.raises(UnreachableError):
        open_history(postgres_target._replace(host="no-such-host.invalid"), deadline=5)


@pytest.fixture
def writer_role(postgres_server: PostgresServer) -> Iterator[str]:
    postgres_server.ask("CREATE ROLE flaky_writer LOGIN PASSWORD 'writer-password'")
    yield "flaky_writer"
    postgres_server.ask("DROP ROLE flaky_writer")


def test_rights(postgres_server: PostgresServer, postgres_target: Target, writer_role: str) -> None:
    database = postgres_target.database
    assert database is not None
    as_writer = postgres_target._replace(user=writer_role, password=Secret("writer-password"))
    error = failing(as_writer)
    assert "may not create one" in str(error)
    assert "flakefighters upgrade` as the owner" in str(error)
    run = make_run({"t.py::a": "F"})
    with open_history(postgres_target) as history:
        history.save(run)
    assert "lacks rights in schema flakefighters" in str(failing(as_writer))

    postgres_server.ask(
        f"GRANT USAGE ON SCHEMA flakefighters TO {writer_role};"
        f"GRANT SELECT ON ALL TABLES IN SCHEMA flakefighters TO {writer_role}",
        database,
    )
    with open_history(as_writer) as history:
        assert history.load(run.head.id) == run
        with pytest.raises(DatabaseError, match="lacks rights"):
            history.save(make_run())
        assert history.run_ids() == {run.head.id}  # and the connection still works
    # Inserting and reading is all that a writer needs.
    postgres_server.ask(
        f"GRANT INSERT ON ALL TABLES IN SCHEMA flakefighters TO {writer_role}", database
    )
    with open_history(as_writer) as history:
        other = make_run({"t.py::a": "F", "t.py::n": "."}, state=make_state("x", {"a": "0" * 16}))
        assert history.save(other, [make_verdict(other, "t.py::a")])
        assert not history.save(other)
    postgres_server.ask(f"DROP OWNED BY {writer_role}", database)


def test_a_later_schema(postgres_server: PostgresServer, postgres_target: Target) -> None:
    database = postgres_target.database
    assert database is not None
    run = make_run()

    def set_version(key: str, value: int) -> None:
        postgres_server.ask(
            f"UPDATE flakefighters.meta SET value = {value} WHERE key = '{key}'", database
        )

    with open_history(postgres_target) as history:
        history.save(run)
        set_version("schema_version", 2)
        with pytest.raises(SchemaTooNewError, match="upgrade flakefighters"):
            history.save(make_run())
    assert isinstance(failing(postgres_target), SchemaTooNewError)
    with open_history(postgres_target._replace(read_only=True)) as history:
        assert history.load(run.head.id) == run
    set_version("oldest_reader", 2)
    assert isinstance(failing(postgres_target, read_only=True), SchemaTooNewError)


def test_a_read_only_server(postgres_server: PostgresServer, postgres_target: Target) -> None:
    open_history(postgres_target).close()
    postgres_server.ask(
        f"ALTER DATABASE {postgres_target.database} SET default_transaction_read_only = on"
    )
    with open_history(postgres_target) as history:
        assert history.run_ids() == set()
        with pytest.raises(DatabaseError, match="accepts no writes"):
            history.save(make_run())


def test_another_encoding_is_refused(postgres_server: PostgresServer) -> None:
    name = postgres_server.create_database("template0", "ENCODING 'LATIN1'")
    with pytest.raises(DatabaseError, match="has encoding LATIN1"):
        open_history(postgres_server.target(name))
    postgres_server.drop_database(name)


def test_maintenance_is_waited_for(
    postgres_server: PostgresServer, postgres_target: Target
) -> None:
    assert postgres_target.database is not None
    with (
        open_history(postgres_target) as history,
        contextlib.closing(postgres_server.connect(postgres_target.database)) as other,
    ):
        cursor = other.cursor()
        key = lock_key("flakefighters")
        cursor.execute(f"BEGIN; SELECT pg_advisory_xact_lock({key})")
        timer = threading.Timer(0.3, cursor.execute, ("COMMIT",))
        timer.start()
        started = time.monotonic()
        assert history.save(make_run())
        assert time.monotonic() - started > 0.25
        timer.join()


# -- The line --------------------------------------------------------------------------------


def through(target: Target, line: SlowLine) -> Target:
    return target._replace(port=line.port)


def test_few_round_trips_and_bytes(postgres_target: Target) -> None:
    """Each costs 50 ms to a database far away; 0.6 s are allowed, connecting not counted."""
    port = postgres_target.port
    assert port is not None
    files = {f"shop/part_{i}.py": f"{i:016x}" for i in range(300)}
    with SlowLine(port) as line, open_history(through(postgres_target, line)) as history:

        def cost(run: Run) -> tuple[int, int]:
            line.reset()
            assert history.save(run)
            return line.turns, line.sent

        turns, sent = cost(make_run(SUITE, state=make_state("a", files)))
        assert turns <= 2
        assert sent < 500_000
        turns, sent = cost(make_run(SUITE, at=1, state=make_state("a", files)))
        assert turns <= 2
        assert sent < 60_000
        changed = make_state("b", {**files, "shop/part_7.py": "f" * 16})
        turns, sent = cost(make_run([*SUITE, "t.py::new"], at=2, state=changed))
        assert turns <= 4
        assert sent < 60_000
        for ask in (
            lambda: history.recent(PROJECT.identity),
            lambda: history.runs_of_state(PROJECT.identity, changed.id),
            lambda: history.has_state_files(changed.id),
        ):
            line.reset()
            ask()
            assert line.turns == 1
        line.reset()
        history.past(SUITE[:20], history.recent(PROJECT.identity))
        assert line.turns <= 4


def test_silence_on_an_open_connection_ends(
    postgres_target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres_login, "SILENCE", 0.3)
    assert postgres_target.port is not None
    with SlowLine(postgres_target.port) as line:
        history = open_history(through(postgres_target, line))
        line.silent = True
        started = time.monotonic()
        with pytest.raises(UnreachableError, match="no answer within"):
            history.save(make_run())
        assert time.monotonic() - started < 3
        with pytest.raises(DatabaseError, match="closed"):
            history.run_ids()
        history.close()
    with open_history(postgres_target) as history:
        assert history.run_ids() == set()


def test_silence_while_connecting_ends(postgres_target: Target) -> None:
    assert postgres_target.port is not None
    with SlowLine(postgres_target.port) as line:
        line.silent = True
        started = time.monotonic()
        with pytest.raises(UnreachableError):
            open_history(through(postgres_target, line), deadline=0.5)
        assert time.monotonic() - started < 3


def test_the_deadline_holds_for_all_calls_together(postgres_target: Target) -> None:
    with open_history(postgres_target, deadline=1.5) as history:
        history.save(make_run())
        time.sleep(1.6)
        with pytest.raises(UnreachableError, match="time for the history is up"):
            history.save(make_run())


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs a timer signal")
def test_ctrl_c_is_heeded_while_the_server_is_silent(postgres_target: Target) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    assert postgres_target.port is not None
    with SlowLine(postgres_target.port) as line:
        history = open_history(through(postgres_target, line))
        line.silent = True
        before = signal.signal(signal.SIGALRM, interrupt)
        try:
            signal.setitimer(signal.ITIMER_REAL, 0.2)
            with pytest.raises(KeyboardInterrupt):
                history.save(make_run())
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)
        history.close()


@pytest.mark.parametrize("bytes_sent", [0, 100, 1000, 3000, 20_000])
def test_a_cut_line_leaves_the_run_whole_or_absent(
    postgres_target: Target, bytes_sent: int
) -> None:
    run = make_run({f"t.py::test_{i}": "F" if i % 9 == 0 else "." for i in range(300)})
    assert postgres_target.port is not None
    with SlowLine(postgres_target.port) as line:
        history = open_history(through(postgres_target, line))
        line.cut_after = bytes_sent
        with pytest.raises(UnreachableError):
            history.save(run)
        history.close()
    with open_history(postgres_target) as history:
        assert history.run_ids() == set()
        assert history.save(run)
        assert history.load(run.head.id) == run
