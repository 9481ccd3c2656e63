"""The SQLite file: made once, never anybody else's, whole when it is closed."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import stat
import sys
import tempfile
import threading
from pathlib import Path

import pytest

from flakefighters.errors import DatabaseError, ForeignDatabaseError, SchemaTooNewError
from flakefighters.history import open_history
from flakefighters.history.layout import APPLICATION_ID, statements
from flakefighters.model import Run, Target
from tests.history.made_runs import PROJECT, make_run
from tests.history.together import PROCESSES, run_together


def path_of(target: Target) -> Path:
    assert target.path is not None
    return target.path


def filled(target: Target) -> Run:
    run = make_run({"t.py::a": "F", "t.py::b": "."})
    with open_history(target) as history:
        history.save(run)
    return run


def raw(target: Target, *statements: str) -> None:
    connection = sqlite3.connect(path_of(target), isolation_level=None)
    for statement in statements:
        connection.execute(statement)
    connection.close()


def test_the_closed_file_alone_is_the_history(sqlite_target: Target, tmp_path: Path) -> None:
    run = filled(sqlite_target)
    assert [each.name for each in tmp_path.iterdir()] == ["history.db"]
    if os.name == "posix":
        assert stat.S_IMODE(path_of(sqlite_target).stat().st_mode) == 0o600
    copy = tmp_path / "copy.db"
    shutil.copyfile(path_of(sqlite_target), copy)
    with open_history(sqlite_target._replace(path=copy)) as history:
        assert history.load(run.head.id) == run


@pytest.mark.parametrize("name", ["50%25.db", "a?mode=ro", "a#b", "ä \udcff.db"])
def test_any_name(name: str, sqlite_target: Target, tmp_path: Path) -> None:
    path = tmp_path / name
    filled(sqlite_target._replace(path=path))
    assert [each.name for each in tmp_path.iterdir()] == [name]


def test_the_file_is_whole_even_if_somebody_else_has_it_open(
    sqlite_target: Target, tmp_path: Path
) -> None:
    with open_history(sqlite_target):
        run = filled(sqlite_target)
        copy = tmp_path / "copy.db"
        shutil.copyfile(path_of(sqlite_target), copy)
        with open_history(sqlite_target._replace(path=copy)) as history:
            assert history.load(run.head.id) == run


def test_the_file_says_whose_it_is(sqlite_target: Target) -> None:
    filled(sqlite_target)
    header = path_of(sqlite_target).read_bytes()[:100]
    assert int.from_bytes(header[68:72], "big") == APPLICATION_ID
    assert int.from_bytes(header[60:64], "big") == 1


def test_an_absent_file_is_not_made_where_it_may_not_be(sqlite_target: Target) -> None:
    for way in (sqlite_target._replace(read_only=True), sqlite_target):
        with pytest.raises(DatabaseError, match="does not exist"):
            open_history(way, create=False)
    assert not path_of(sqlite_target).exists()
    with pytest.raises(DatabaseError, match=r"cannot be created.*folder exists"):
        open_history(sqlite_target._replace(path=path_of(sqlite_target) / "deeper.db"))


def test_an_empty_file_is_a_new_history(sqlite_target: Target) -> None:
    path_of(sqlite_target).touch()
    run = filled(sqlite_target)
    with open_history(sqlite_target) as history:
        assert history.run_ids() == {run.head.id}


def test_a_link_is_not_followed(sqlite_target: Target, tmp_path: Path) -> None:
    filled(sqlite_target)
    for name in ("history.db", "absent.db"):
        link = tmp_path / f"to-{name}"
        link.symlink_to(tmp_path / name)
        with pytest.raises(ForeignDatabaseError, match="is a link"):
            open_history(sqlite_target._replace(path=link))
    assert not (tmp_path / "absent.db").exists()


@pytest.mark.parametrize("content", [b"hello", b"SQLite format 3\0", b"\0" * 4096, b"x" * 9000])
def test_what_is_not_a_database_is_left_alone(sqlite_target: Target, content: bytes) -> None:
    path_of(sqlite_target).write_bytes(content)
    with pytest.raises(ForeignDatabaseError, match=r"not a SQLite database.*another file"):
        open_history(sqlite_target)
    assert path_of(sqlite_target).read_bytes() == content


def test_a_folder_is_not_a_history(sqlite_target: Target) -> None:
    path_of(sqlite_target).mkdir()
    with pytest.raises(ForeignDatabaseError, match="is a folder"):
        open_history(sqlite_target)


@pytest.mark.parametrize("identity", [0, 42])
def test_the_database_of_another_program_is_left_alone(
    sqlite_target: Target, identity: int
) -> None:
    raw(sqlite_target, f"PRAGMA application_id = {identity}", "CREATE TABLE theirs (a)")
    before = path_of(sqlite_target).read_bytes()
    with pytest.raises(ForeignDatabaseError, match="another program"):
        open_history(sqlite_target)
    assert path_of(sqlite_target).read_bytes() == before


@pytest.mark.parametrize(
    "strange",
    [
        "CREATE TRIGGER t AFTER INSERT ON run BEGIN DELETE FROM run; END",
        "CREATE VIEW more AS SELECT 1",
        "CREATE VIRTUAL TABLE more USING fts5(a)",
        "DROP VIEW runs",
        "ALTER TABLE run ADD COLUMN more",
    ],
)
def test_a_changed_schema_is_refused(sqlite_target: Target, strange: str) -> None:
    filled(sqlite_target)
    raw(sqlite_target, strange)
    with pytest.raises(ForeignDatabaseError, match=r"not ours|lacks runs"):
        open_history(sqlite_target)


def test_a_later_schema_is_read_if_it_allows_it_and_never_written(sqlite_target: Target) -> None:
    run = filled(sqlite_target)
    raw(
        sqlite_target,
        "PRAGMA user_version = 7",
        "UPDATE meta SET value = 7 WHERE key = 'schema_version'",
        "ALTER TABLE run ADD COLUMN later",
        "CREATE VIEW later AS SELECT 1",
    )
    with pytest.raises(SchemaTooNewError, match=r"schema version 7.*upgrade flakefighters"):
        open_history(sqlite_target)
    with open_history(sqlite_target._replace(read_only=True)) as history:
        assert history.load(run.head.id) == run
    raw(sqlite_target, "UPDATE meta SET value = 7 WHERE key = 'oldest_reader'")
    with pytest.raises(SchemaTooNewError):
        open_history(sqlite_target._replace(read_only=True))


def test_an_upgrade_while_it_is_open_is_noticed(sqlite_target: Target) -> None:
    with open_history(sqlite_target) as history:
        raw(sqlite_target, "PRAGMA user_version = 2")
        with pytest.raises(SchemaTooNewError):
            history.save(make_run())
        raw(sqlite_target, "PRAGMA user_version = 1")
        history.save(make_run())


def test_a_damaged_file_is_named_and_kept(sqlite_target: Target) -> None:
    with open_history(sqlite_target) as history:
        for minute in range(30):
            history.save(make_run([f"t.py::{i}" for i in range(100)], at=minute))
    content = bytearray(path_of(sqlite_target).read_bytes())
    content[4096:] = os.urandom(len(content) - 4096)
    path_of(sqlite_target).write_bytes(content)
    with (
        pytest.raises(ForeignDatabaseError, match=r"damaged.*move the file away"),
        open_history(sqlite_target) as history,
    ):
        history.save(make_run())
    assert len(path_of(sqlite_target).read_bytes()) == len(content)


def test_a_cut_file_is_named_and_kept(sqlite_target: Target) -> None:
    filled(sqlite_target)
    content = path_of(sqlite_target).read_bytes()
    path_of(sqlite_target).write_bytes(content[:5000])
    with pytest.raises(DatabaseError, match=r"history\.db"), open_history(sqlite_target) as history:
        history.save(make_run())


def test_a_locked_file_is_waited_for_but_not_for_ever(sqlite_target: Target) -> None:
    filled(sqlite_target)
    other = sqlite3.connect(path_of(sqlite_target), isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    with open_history(sqlite_target, deadline=0.2) as history:
        with pytest.raises(DatabaseError, match="locked by another program"):
            history.save(make_run())
        timer = threading.Timer(0.05, other.rollback)
        timer.start()
        assert history.save(make_run())
        timer.join()
    other.close()


def test_a_file_that_git_tracks_is_refused(sqlite_target: Target) -> None:
    with pytest.raises(ForeignDatabaseError, match=r"tracked by git.*git rm --cached history\.db"):
        open_history(sqlite_target, tracked=True)
    assert not path_of(sqlite_target).exists()


def test_a_full_disk_is_named_and_the_history_stays_whole(sqlite_target: Target) -> None:
    run = filled(sqlite_target)
    with open_history(sqlite_target) as history:
        history.database.query("PRAGMA max_page_count = 60")
        big = make_run([f"t.py::test_{i}" for i in range(5000)])
        with pytest.raises(DatabaseError, match=r"no space left.*free some space"):
            history.save(big)
        assert history.run_ids() == {run.head.id}
        assert history.load(run.head.id) == run


@pytest.mark.skipif(not hasattr(os, "setuid"), reason="needs another user")
def test_a_history_that_cannot_be_written_can_be_read(sqlite_target: Target) -> None:
    filled(sqlite_target)
    folder = Path(tempfile.mkdtemp())
    try:
        shutil.copy(path_of(sqlite_target), folder / "history.db")
        (folder / "history.db").chmod(0o444)
        folder.chmod(0o555)
        target = sqlite_target._replace(path=folder / "history.db")
        process = PROCESSES.Process(target=_read_as_nobody, args=(target,))
        process.start()
        process.join(30)
        assert process.exitcode == 0
    finally:
        folder.chmod(0o755)
        shutil.rmtree(folder)


def _read_as_nobody(target: Target) -> None:
    statements("sqlite")  # the package may lie where nobody else may look
    if os.geteuid() == 0:
        os.setuid(65534)
    with open_history(target._replace(read_only=True)) as history:
        (name,) = history.run_ids()
        history.load(name)
    with pytest.raises(DatabaseError, match=r"cannot be (written|opened)"):
        open_history(target).save(make_run())


def test_an_error_within_a_save_leaves_nothing(sqlite_target: Target) -> None:
    run = make_run({"t.py::a": "F"})
    broken = run._replace(head=run.head._replace(started="never"))  # type: ignore[arg-type]
    with open_history(sqlite_target) as history:
        with pytest.raises((DatabaseError, TypeError)):
            history.save(broken._replace(executions=(run.executions[0]._replace(attempt=None),)))  # type: ignore[arg-type]
        assert history.database.query("SELECT count(*) FROM test") == [(0,)]
        assert history.save(run)


@pytest.mark.skipif(sys.platform == "win32", reason="needs SIGKILL")
def test_a_killed_writer_leaves_a_log_that_the_next_one_reads(sqlite_target: Target) -> None:
    process = PROCESSES.Process(target=_save_and_hang, args=(sqlite_target,))
    process.start()
    process.join(30)
    assert process.exitcode == -signal.SIGKILL
    log = path_of(sqlite_target).with_name("history.db-wal")
    assert log.stat().st_size > 0
    with open_history(sqlite_target) as history:
        assert len(history.run_ids()) == 1
    assert not log.exists()


def _save_and_hang(target: Target) -> None:
    history = open_history(target)
    history.save(make_run())
    os.kill(os.getpid(), signal.SIGKILL)


def test_sixteen_processes_at_once_on_no_file_at_all(sqlite_target: Target) -> None:
    assert run_together(16, sqlite_target) == [0] * 16
    with open_history(sqlite_target) as history:
        runs = [history.load(name) for name in history.run_ids()]
        assert sorted(len(run.suite) for run in runs) == list(range(1, 17))
        assert len(history.recent(PROJECT.identity)) == 16
