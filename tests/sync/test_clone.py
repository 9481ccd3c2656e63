"""A clone is the whole history, and takes nothing away from one that is there."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable

import pytest

from flakefighters.errors import ConfigError, DatabaseError, ForeignDatabaseError, SchemaTooNewError
from flakefighters.history import open_history
from flakefighters.model import Label, Run, Secret, Target, Trust
from flakefighters.sync import Progress, clone
from flakefighters.sync.staging import Staging
from tests.history.made_runs import make_run, make_state, make_verdict
from tests.postgres.server import PostgresServer
from tests.sync.contents import clone_into, content, rows, save

FILES = {f"src/module_{n}.py": f"{n:016x}" for n in range(30)}


def some_runs(count: int = 6, first: int = 0) -> list[Run]:
    """Runs with failures, other orders of start, growing suites and listings."""
    made = []
    for n in range(first, first + count):
        names = [f"t.py::test_{i}" for i in range(20 + n)]
        results = {name: "F" if i % 7 == n % 7 else "." for i, name in enumerate(names)}
        made.append(
            make_run(
                results,
                at=n,
                state=make_state(f"tree {n}", {**FILES, f"src/module_{n}.py": "f" * 16}),
                order=[range(0, len(names), 2), range(1, len(names), 2)] if n % 2 else None,
                commit="c" * 40,
                dirty=False,
                branch="näïve \x11\x00 \\N \t",
            )
        )
    return made


@pytest.fixture
def filled(remote: Target) -> Target:
    runs = some_runs()
    said = [make_verdict(run, run.executions[0].nodeid) for run in runs]
    save(remote, *runs, verdicts=said)
    return remote


def test_into_a_new_file(filled: Target, local: Target) -> None:
    done = clone_into(local, filled)
    assert (done.runs, done.known, done.created, done.clean) == (6, 0, True, True)
    assert done.rows > 50
    assert done.bytes > 1000
    assert content(local) == content(filled)
    assert local.path is not None
    assert [each.name for each in local.path.parent.iterdir()] == ["local.db"]
    if os.name == "posix":
        assert local.path.stat().st_mode & 0o777 == 0o600
        assert local.path.stat().st_nlink == 1


def test_a_clone_is_a_history_like_any_other(
    filled: Target, local: Target, new_local: Callable[[str], Target]
) -> None:
    clone_into(local, filled)
    plain = new_local("plain.db")
    save(plain, make_run())
    shape = "SELECT type, name, sql FROM sqlite_master ORDER BY name"
    assert rows(local, shape) == rows(plain, shape)
    meta = "SELECT key FROM meta ORDER BY key"
    assert rows(local, meta) == rows(plain, meta)
    with open_history(local) as one, open_history(filled) as other:
        assert one.database_id != other.database_id
        assert one.save(make_run(at=99))


def test_again_and_later(filled: Target, local: Target) -> None:
    clone_into(local, filled)
    again = clone_into(local, filled)
    assert (again.runs, again.known, again.created, again.rows) == (0, 6, False, 0)
    save(filled, *some_runs(2, first=6))
    own = make_run(["t.py::mine"], at=50)
    save(local, own)
    later = clone_into(local, filled)
    assert (later.runs, later.known) == (2, 6)
    found = content(local)
    assert found.runs.pop(own.head.id) == own
    assert found.runs == content(filled).runs


def test_a_local_history_keeps_its_runs(filled: Target, local: Target) -> None:
    mine = some_runs(3, first=20)
    said = [make_verdict(mine[0], "t.py::test_6", Label.GENUINE)]
    save(local, *mine, verdicts=said)
    assert rows(local, "SELECT count(*) FROM run") == [(3,)]
    before = content(local)
    assert clone_into(local, filled).runs == 6
    after, theirs = content(local), content(filled)
    assert after.runs == before.runs | theirs.runs
    assert after.verdicts == before.verdicts | theirs.verdicts


def test_from_a_file_everything_is_untrusted(
    filled: Target, local: Target, new_local: Callable[[str], Target]
) -> None:
    clone_into(local, filled)
    copy = new_local("copy.db")
    done = clone_into(copy, local)
    assert (done.runs, done.created) == (6, True)
    assert content(copy) == content(local)
    trust = "SELECT DISTINCT trust, via FROM arrival"
    assert rows(local, trust) == [(2, "clone")]
    assert rows(copy, trust) == [(3, "clone")]
    assert clone_into(copy, local).known == 6


def test_the_trust_given_by_a_server_comes_along(remote: Target, local: Target) -> None:
    runs = some_runs(4)
    for run, trust in zip(runs, Trust, strict=True):
        save(remote, run, trust=trust)
    save(remote, runs[3], trust=Trust.PR)
    clone_into(local, remote)
    with open_history(local) as history:
        found = [history.load(run.head.id).head.trust for run in runs]
    assert found == [Trust.PROTECTED, Trust.PR, Trust.LOCAL, Trust.PR]


def test_an_empty_history(remote: Target, local: Target) -> None:
    done = clone_into(local, remote)
    assert (done.runs, done.created, done.clean) == (0, True, True)
    assert content(local) == content(remote)


def test_an_empty_file_is_filled(filled: Target, local: Target) -> None:
    assert local.path is not None
    local.path.touch()
    assert clone_into(local, filled).runs == 6
    assert content(local) == content(filled)


def test_without_links_it_works_as_well(
    filled: Target, local: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError("no links here")

    monkeypatch.setattr(os, "link", refuse)
    done = clone_into(local, filled)
    assert (done.runs, done.created) == (6, True)
    assert content(local) == content(filled)


def test_a_history_that_appears_meanwhile_is_kept(
    filled: Target, local: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = make_run(at=70)
    publish = Staging.publish

    def late(self: Staging) -> bool:
        save(local, mine)
        return publish(self)

    monkeypatch.setattr(Staging, "publish", late)
    done = clone_into(local, filled)
    assert (done.runs, done.created) == (6, False)
    assert content(local).runs == content(filled).runs | {mine.head.id: mine}


def test_beside_a_writer(remote: Target, local: Target) -> None:
    save(remote, *some_runs(3))
    stop = threading.Event()
    written: list[str] = []

    def write() -> None:
        with open_history(remote) as history:
            n = 100
            while not stop.is_set():
                run = make_run({f"t.py::w{i}": "F" for i in range(20)}, at=n)
                history.save(run, [make_verdict(run, "t.py::w1")])
                written.append(run.head.id)
                n += 1

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for _ in range(3):
            assert clone_into(local, remote).clean
            content(local)
    finally:
        stop.set()
        writer.join()
    assert clone_into(local, remote).clean
    assert content(local) == content(remote)
    assert len(written) > 1


def test_through_a_cursor_where_copy_is_refused(
    filled: Target, local: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    from flakefighters.history import postgres_copy

    monkeypatch.setattr(postgres_copy, "_COPY", b"CLUSTER (%b)")
    monkeypatch.setattr(postgres_copy, "FETCH", 7)
    assert clone_into(local, filled).runs == 6
    assert content(local) == content(filled)


def test_a_reader_may_clone(server: PostgresServer, filled: Target, local: Target) -> None:
    database = filled.database
    assert database is not None
    server.ask("CREATE ROLE flaky_reader LOGIN PASSWORD 'reader-password'")
    try:
        server.ask(
            "GRANT USAGE ON SCHEMA flakefighters TO flaky_reader; "
            "GRANT SELECT ON ALL TABLES IN SCHEMA flakefighters TO flaky_reader",
            database,
        )
        reader = filled._replace(user="flaky_reader", password=Secret("reader-password"))
        assert clone_into(local, reader).runs == 6
        assert content(local) == content(filled)
        server.ask("REVOKE SELECT ON flakefighters.event FROM flaky_reader", database)
        with pytest.raises(DatabaseError, match="lacks rights"):
            clone_into(local, reader)
    finally:
        server.ask("DROP OWNED BY flaky_reader", database)
        server.ask("DROP ROLE flaky_reader")


def test_progress_is_told(filled: Target, local: Target) -> None:
    told: list[Progress] = []
    clone_into(local, filled, report=told.append)
    steps = list(dict.fromkeys(one.step for one in told))
    assert steps == ["copying", "checking", "storing"]
    assert told[-1].rows > 50
    assert told[-1].bytes > 1000


# -- refusals --------------------------------------------------------------------------------


def test_only_into_a_file_that_may_be_written(filled: Target, local: Target) -> None:
    with open_history(filled) as source:
        with pytest.raises(ConfigError, match="no SQLite file"):
            clone(source, filled)
        with pytest.raises(ConfigError, match="read-only"):
            clone(source, local._replace(read_only=True))


def test_not_into_what_is_not_ours(filled: Target, local: Target) -> None:
    assert local.path is not None
    local.path.write_bytes(b"precious" * 100)
    with pytest.raises(ForeignDatabaseError):
        clone_into(local, filled)
    assert local.path.read_bytes() == b"precious" * 100
    local.path.unlink()
    elsewhere = local.path.with_name("elsewhere.db")
    local.path.symlink_to(elsewhere)
    with pytest.raises(ForeignDatabaseError, match="is a link"):
        clone_into(local, filled)
    assert not elsewhere.exists()


def test_not_into_a_file_that_git_tracks(filled: Target, local: Target) -> None:
    save(local, make_run())
    with pytest.raises(ForeignDatabaseError, match="tracked by git"):
        clone_into(local, filled, tracked=True)


def test_not_into_a_folder_that_is_not_there(filled: Target, local: Target) -> None:
    assert local.path is not None
    with pytest.raises(DatabaseError, match="cannot be created"):
        clone_into(local._replace(path=local.path / "deeper" / "x.db"), filled)


def test_a_later_schema_is_not_copied(
    server: PostgresServer, filled: Target, local: Target
) -> None:
    assert filled.database is not None
    server.ask(
        "UPDATE flakefighters.meta SET value = '2' WHERE key = 'schema_version'", filled.database
    )
    with pytest.raises(SchemaTooNewError, match="schema version 2"):
        clone_into(local, filled)
    assert local.path is not None
    assert not local.path.exists()


def test_no_history_there_yet(server: PostgresServer, local: Target) -> None:
    name = server.create_database()
    try:
        with pytest.raises(DatabaseError, match="holds no history yet"):
            clone_into(local, server.target(name))
    finally:
        server.drop_database(name)
    assert local.path is not None
    assert not local.path.exists()
