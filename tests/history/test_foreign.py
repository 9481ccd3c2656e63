"""A history that somebody else made: what is wrong with it is found before it is used."""

from __future__ import annotations

import os
import random
import shutil
import signal
import sqlite3
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from flakefighters.errors import DatabaseError, ForeignDatabaseError
from flakefighters.history import open_history, read
from flakefighters.history.database import Database
from flakefighters.history.foreign import ForeignHistory, Limits
from flakefighters.model import Run, Target, Verdict
from tests.history.made_runs import make_run, make_state, make_verdict
from tests.history.together import PROCESSES

FILES = {"a.py": "0" * 16, "b.py": "1" * 16}


@pytest.fixture
def runs() -> list[Run]:
    state = make_state("one", FILES)
    return [
        make_run({"t.py::a": "F", "t.py::b": "."}, at=i, state=state, commit="c" * 40)
        for i in range(2)
    ]


@pytest.fixture
def artifact(sqlite_target: Target, runs: list[Run]) -> Path:
    with open_history(sqlite_target) as history:
        for run in runs:
            history.save(run, [make_verdict(run, "t.py::a")])
    assert sqlite_target.path is not None
    return sqlite_target.path


def tamper(path: Path, *statements: str) -> None:
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA foreign_keys = OFF")
    for statement in statements:
        connection.execute(statement)
    connection.close()


def test_honest_runs_are_read_and_the_file_is_not_touched(artifact: Path, runs: list[Run]) -> None:
    artifact.chmod(0o444)
    before = artifact.read_bytes()
    with ForeignHistory(artifact) as foreign:
        found = list(foreign.runs())
        assert sorted(run.head.id for run, _ in found) == sorted(foreign.run_ids())
    assert [run for run, _ in found] == runs
    assert [len(verdicts) for _, verdicts in found] == [1, 1]
    assert foreign.refused == {}
    assert artifact.read_bytes() == before
    assert [each.name for each in artifact.parent.iterdir()] == [artifact.name]


def test_the_private_copy_vanishes(
    artifact: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    with ForeignHistory(artifact):
        (private,) = folder.iterdir()
        if os.name == "posix":
            assert private.stat().st_mode & 0o077 == 0
    assert list(folder.iterdir()) == []
    artifact.write_bytes(b"x" * 200)
    with pytest.raises(ForeignDatabaseError):
        ForeignHistory(artifact)
    assert list(folder.iterdir()) == []


LIES = {
    "content": "UPDATE run SET outcomes = '..'",
    "its content": "UPDATE run SET branch = 'main'",
    "failure": "UPDATE failure_text SET text = 'another'",
    "files": "UPDATE listing SET files = replace(files, '1111', '2222')",
    "state": "UPDATE state SET tree = '" + "d" * 40 + "'",
    "environment": "UPDATE environment SET distributions = '{}'",
    "outcome": "UPDATE run SET outcomes = 'F!'",
    "too few": "UPDATE run SET outcomes = 'F.F'",
    "type": "UPDATE run SET started = 'yesterday'",
    "blob": "UPDATE run SET branch = x'00ff'",
    "bad text": "UPDATE run SET branch = CAST(x'ff00fe' AS TEXT)",
    "commit": "UPDATE run SET commit_id = '--upload-pack=evil'",
    "json": "UPDATE run SET context = '{'",
    "no mapping": "UPDATE run SET context = '[1]'",
    "deep": 'UPDATE run SET context = \'{"a":' + "[" * 5000 + "]" * 5000 + "}'",
    "rather deep": 'UPDATE run SET context = \'{"a":' + "[" * 50 + "]" * 50 + "}'",
    "circle": "UPDATE suite SET base = id",
    "no suite": "DELETE FROM suite",
    "no test": "DELETE FROM test",
    "members": "UPDATE suite SET added = '[1,2,3]'",
    "durations": "UPDATE run SET durations = '[1]'",
    "negative": "UPDATE run SET durations = '[-1,0,0,0,0,0]'",
    "huge": "UPDATE run SET durations = '[1e999,0,0,0,0,0]'",
    "attempt": "UPDATE execution SET durations = '[\"a\",1,2]'",
    "label": "UPDATE verdict SET label = 'innocent'",
    "introduced": "UPDATE verdict SET at = 'now'",
    "later recipe": "UPDATE run SET version = 2",
    "path": "UPDATE listing SET files = replace(files, 'a.py', '../a.py')",
}


@pytest.mark.parametrize("lie", LIES)
def test_a_lie_is_refused(artifact: Path, runs: list[Run], lie: str) -> None:
    tamper(artifact, LIES[lie])
    with ForeignHistory(artifact) as foreign:
        assert list(foreign.runs()) == []
        assert foreign.refused.keys() == {run.head.id for run in runs}
        assert all(foreign.refused.values())


def test_one_bad_run_does_not_spoil_the_others(artifact: Path, runs: list[Run]) -> None:
    first, second = (run.head.id for run in runs)
    tamper(artifact, f"UPDATE run SET branch = 'x' WHERE id = '{first}'")
    with ForeignHistory(artifact) as foreign:
        assert [run.head.id for run, _ in foreign.runs()] == [second]
        assert list(foreign.refused) == [first]


def test_a_run_under_another_name_is_refused(artifact: Path, runs: list[Run]) -> None:
    first, second = (run.head.id for run in runs)
    tamper(
        artifact,
        f"UPDATE run SET id = 'abc' WHERE id = '{first}'",
        f"UPDATE run SET id = '{'e' * 32}' WHERE id = '{second}'",
    )
    with ForeignHistory(artifact) as foreign:
        assert list(foreign.runs()) == []
        assert foreign.refused == {
            "'abc'": "its id is malformed",
            "e" * 32: "its content is not what its hash says",
        }


@pytest.mark.parametrize(
    "schema",
    [
        "CREATE TRIGGER t AFTER INSERT ON run BEGIN SELECT 1; END",
        "CREATE TABLE more (a)",
        "CREATE INDEX more ON run (branch)",
        "ALTER TABLE run ADD COLUMN more",
        "PRAGMA user_version = 0",
        "PRAGMA application_id = 1",
        "PRAGMA user_version = 9",
    ],
)
def test_only_exactly_our_schema_is_opened(artifact: Path, schema: str) -> None:
    tamper(artifact, schema)
    with pytest.raises(DatabaseError):
        ForeignHistory(artifact)


def test_limits_are_kept(artifact: Path) -> None:
    with pytest.raises(ForeignDatabaseError, match="more than 100"):
        ForeignHistory(artifact, Limits(file_bytes=100))
    with (
        ForeignHistory(artifact, Limits(runs=1)) as foreign,
        pytest.raises(ForeignDatabaseError, match="too many"),
    ):
        foreign.run_ids()
    for limits in (Limits(tests=1), Limits(executions=0), Limits(text=5), Limits(json_depth=0)):
        with ForeignHistory(artifact, limits) as foreign:
            assert list(foreign.runs()) == []
            assert len(foreign.refused) == 2
    with ForeignHistory(artifact, Limits(seconds=-1)) as foreign, pytest.raises(DatabaseError):
        list(foreign.runs())


def test_more_verdicts_than_failures_can_have_are_not_read(
    artifact: Path, runs: list[Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    flood = """
        INSERT INTO verdict SELECT {columns} FROM verdict v, (
            WITH RECURSIVE n(value) AS
                (VALUES(1) UNION ALL SELECT value + 1 FROM n WHERE value < 17)
            SELECT value FROM n) n WHERE v.run = '{run}'
        """
    connection = sqlite3.connect(artifact)
    names = [row[1] for row in connection.execute("PRAGMA table_info(verdict)")]
    connection.close()
    first, second = (run.head.id for run in runs)
    columns = ", ".join(
        "printf('%032x', n.value)" if name == "id" else f"v.{name}" for name in names
    )
    tamper(artifact, flood.format(columns=columns, run=first))
    seen: list[str] = []
    real = read.verdicts

    def noted(database: Database, ids: Sequence[str]) -> tuple[Verdict, ...]:
        seen.extend(ids)
        return real(database, ids)

    monkeypatch.setattr(read, "verdicts", noted)
    with ForeignHistory(artifact) as foreign:
        assert [run.head.id for run, _ in foreign.runs()] == [second]
        assert foreign.refused == {first: "it has 18 verdicts on 1 failures"}
    assert seen == [second]
    with ForeignHistory(artifact, Limits(evidence=5)) as foreign:
        assert list(foreign.runs()) == []
        assert foreign.refused[second] == "its evidence is too large"


def test_links_and_folders_are_refused(artifact: Path, tmp_path: Path) -> None:
    link = tmp_path / "link.db"
    link.symlink_to(artifact)
    for wrong in (link, tmp_path, tmp_path / "absent"):
        with pytest.raises(DatabaseError):
            ForeignHistory(wrong)


@pytest.mark.skipif(sys.platform == "win32", reason="needs SIGKILL")
def test_runs_in_the_log_of_a_killed_writer_are_read(
    artifact: Path, sqlite_target: Target, tmp_path: Path
) -> None:
    process = PROCESSES.Process(target=_save_and_die, args=(sqlite_target,))
    process.start()
    process.join(30)
    folder = tmp_path / "downloaded"
    folder.mkdir()
    for name in ("history.db", "history.db-wal"):
        shutil.copy(tmp_path / name, folder)
    with ForeignHistory(folder / "history.db") as foreign:
        assert len(list(foreign.runs())) == 3
    assert len(list(folder.iterdir())) == 2
    (folder / "history.db-wal").unlink()
    (folder / "history.db-wal").symlink_to(tmp_path / "history.db-wal")
    with pytest.raises(ForeignDatabaseError, match="not a plain file"):
        ForeignHistory(folder / "history.db")


def _save_and_die(target: Target) -> None:
    open_history(target).save(make_run(at=9))
    os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.parametrize("seed", range(8))
def test_random_damage_is_refused_or_harmless(artifact: Path, runs: list[Run], seed: int) -> None:
    chance = random.Random(seed)
    content = bytearray(artifact.read_bytes())
    for _ in range(60):
        content[chance.randrange(200, len(content))] = chance.randrange(256)
    artifact.write_bytes(content)
    try:
        with ForeignHistory(artifact) as foreign:
            for run, _ in foreign.runs():
                assert run in runs
    except DatabaseError:
        pass


def test_a_run_that_passed_the_checks_can_be_saved(
    artifact: Path, new_target: Callable[[], Target]
) -> None:
    with ForeignHistory(artifact) as foreign, open_history(new_target()) as history:
        for run, verdicts in foreign.runs():
            assert history.save(run, verdicts)
            assert history.load(run.head.id) == run
