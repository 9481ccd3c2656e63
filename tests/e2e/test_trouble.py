"""Trouble of ours: the tests run, the exit code is pytest's, one warning, and nothing is lost."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable

import pytest

from flakefighters.capture.recovery import recover
from flakefighters.history.content import content_hash, normal
from tests.e2e.project import Ended, Project
from tests.requirements import lack

SUITE = "def test_a(): pass\ndef test_b(): assert 0\n"


def waits(project: Project, ended: Ended) -> None:
    """One warning, and one run in the spool."""
    assert len(ended.verdicts) == 1
    assert "not saved to local" in ended.closing
    (warning,) = ended.warnings
    assert "this run waits in .flakefighters/spool/" in warning
    assert len(project.spool) == 1
    assert recover(project.spool[0]).run.outcomes == ".F"


def delivered(project: Project, count: int = 2) -> None:
    """The next good start delivers what waits."""
    ended = project.pytest(expect=1)
    assert ended.warnings == []
    assert project.spool == []
    assert [run.outcomes for run in project.runs()] == [".F"] * count
    assert {run.head.completeness.value for run in project.runs()} == {"complete"}


def folder(project: Project) -> None:
    project.database.mkdir()


def corrupt(project: Project) -> None:
    project.database.write_bytes(b"SQLite format 3\0" + b"garbage" * 1000)


def no_database(project: Project) -> None:
    project.database.write_text("just some notes\n" * 100)


def foreign(project: Project) -> None:
    with sqlite3.connect(project.database) as connection:
        connection.execute("CREATE TABLE theirs (x)")
    connection.close()


def link(project: Project) -> None:
    other = project.home / "elsewhere.db"
    other.write_bytes(b"")
    project.database.symlink_to(other)


def damaged_inside(project: Project) -> None:
    project.pytest("-k", "nothing_at_all", expect=5)
    project.pytest("-k", "test_a", expect=0)
    data = bytearray(project.database.read_bytes())
    data[200:] = b"\xff" * (len(data) - 200)
    project.database.write_bytes(data)


@pytest.mark.parametrize(
    "breaking",
    [folder, corrupt, no_database, foreign, link, damaged_inside],
    ids=lambda f: f.__name__,
)
def test_no_history_can_be_opened(project: Project, breaking: Callable[[Project], None]) -> None:
    project.test(SUITE)
    breaking(project)
    before = None if project.database.is_dir() else project.database.read_bytes()
    ended = project.pytest("--color=no", expect=1)
    waits(project, ended)
    if before is not None:
        assert project.database.read_bytes() == before, "what is not ours is left alone"
    if project.database.is_dir():
        project.database.rmdir()
    else:
        project.database.unlink()
    delivered(project)


def test_tracked_by_git(project: Project) -> None:
    project.init()
    project.test(SUITE)
    project.pytest(expect=1)
    project.git("add", "-f", "flakefighters.db")
    project.commit()
    ended = project.pytest("--color=no", expect=1)
    waits(project, ended)
    assert "git" in ended.warnings[0]
    project.git("rm", "-q", "--cached", "flakefighters.db")
    delivered(project, 3)


def test_locked_by_another_program(project: Project) -> None:
    project.test(SUITE)
    project.pytest("-k", "test_a", expect=0)
    other = sqlite3.connect(project.database, isolation_level=None)
    other.execute("PRAGMA locking_mode = EXCLUSIVE")
    other.execute("BEGIN EXCLUSIVE")
    start = time.monotonic()
    ended = project.pytest("--color=no", expect=1)
    seconds = time.monotonic() - start
    other.execute("ROLLBACK")
    other.close()
    waits(project, ended)
    assert "locked" in ended.warnings[0]
    # 3 s of silence at the end, and it must not wait that long before the tests as well.
    assert seconds < 20
    ended = project.pytest("-k", "test_b", expect=1)
    assert project.spool == []
    assert [run.outcomes for run in project.runs()] == ["F", ".F", "."]


def test_an_unreachable_server(project: Project) -> None:
    project.test(SUITE)
    url = "--database-url=postgresql://somebody@127.0.0.1:9/history"
    ended = project.pytest(url, "--color=no", expect=1)
    assert len(ended.verdicts) == 1
    # The first says that there is no keyring to ask, if that is so.
    assert "nobody listens" in ended.warnings[-1]
    assert "this run waits in" in ended.warnings[-1]
    # It was meant for that server: another history does not get it.
    project.pytest(expect=1)
    assert len(project.runs()) == 1
    assert len(project.spool) == 1
    found = recover(project.spool[0])
    assert found.address == "somebody@127.0.0.1:9/history"
    # What was found goes with it, and what the server could not ask git for.
    assert {verdict.nodeid for verdict in found.verdicts} == {"test_it.py::test_b"}
    assert found.run.state is not None
    assert "test_it.py" in (found.run.state.files or {})


def test_a_journal_that_is_none(project: Project) -> None:
    project.test(SUITE)
    spool = project.root / ".flakefighters" / "spool"
    spool.mkdir(parents=True)
    (spool / "0.jsonl").write_bytes(b"")
    (spool / "1.jsonl").write_bytes(b"{}\n")
    (spool / "2.jsonl").write_bytes(b'{"flakefighters": 1, "head": 7}\n')
    (spool / "3.jsonl").write_bytes(b"\xff\xfe" * 100)
    (spool / "4.jsonl").symlink_to("/dev/zero")
    (spool / "5.jsonl").mkdir()
    project.pytest(expect=1)
    assert len(project.runs()) == 1


def _without_override() -> list[str]:
    """Words before a command that make rights of files count, also for root."""
    if os.name != "posix":
        lack("file rights")
    if os.getuid() != 0:
        return []
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        lack("program setpriv")
    words = [str(setpriv), "--bounding-set=-dac_override", "--inh-caps=-dac_override"]
    done = subprocess.run([*words, "true"], capture_output=True, check=False)
    if done.returncode != 0:
        lack("setpriv that can drop a capability")
    return words


def test_a_folder_that_cannot_be_written(project: Project) -> None:
    before = _without_override()
    project.test(SUITE)
    project.root.chmod(0o555)
    try:
        ended = project.pytest("--color=no", "-p", "no:cacheprovider", before=before, expect=1)
    finally:
        project.root.chmod(0o755)
    assert project.files() == ["test_it.py"]
    assert len(ended.verdicts) == 1
    (warning,) = ended.warnings
    assert "this run waits in" in warning
    state = project.home / ".local" / "state" / "flakefighters"
    (journal,) = state.rglob("*.jsonl")
    assert recover(journal).run.outcomes == ".F"


def test_a_full_disk(project: Project) -> None:
    """No file can grow; what is printed goes through a pipe."""
    resource = pytest.importorskip("resource")
    project.test(SUITE)

    def no_space() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))

    ended = project.pytest(
        "-s", "--color=no", "-p", "no:cacheprovider", preexec_fn=no_space, expect=1
    )
    assert len(ended.verdicts) == 1
    assert len(ended.warnings) == 1
    ended = project.pytest("--color=no", expect=1)
    assert len(project.runs()) == 1


def test_a_bug_of_ours(project: Project) -> None:
    """Whatever goes wrong in a hook of ours: one line, and pytest goes on."""
    project.write(
        {
            "conftest.py": """
                import flakefighters.capture.recorder as recorder

                def broken(self, *args):
                    raise RuntimeError("a bug")

                recorder.Recorder.report = broken
                """,
            "test_it.py": SUITE,
        }
    )
    ended = project.pytest("--color=no", expect=1)
    assert len(ended.warnings) == 1
    assert "RuntimeError: a bug" in ended.warnings[0]
    assert "1 failed, 1 passed" in ended.out
    project.write(
        {
            "conftest.py": """
                import flakefighters.session.finish as finish
                import flakefighters.session.finish_safely as ending

                def broken(*args, **kwargs):
                    raise RuntimeError("a bug")

                finish._judge = ending.finish = broken
                """,
        }
    )
    ended = project.pytest("--color=no", expect=1)
    (warning,) = ended.warnings
    assert "RuntimeError: a bug" in warning


def test_the_journal_tells_what_was_to_be_saved(project: Project) -> None:
    """Recovered from its journal, a run has the content that it had in its session."""
    project.write(
        {
            "conftest.py": """
                from flakefighters.history.content import content_hash, normal

                def pytest_unconfigure(config):
                    run = config.pluginmanager.getplugin("flakefighters-session").finished.run
                    with open("hash", "w") as file:
                        file.write(content_hash(normal(run), None))
                """,
            "test_it.py": """
                import pytest
                @pytest.fixture
                def bad():
                    yield
                    raise OSError("no")
                def test_a(): pass
                def test_b(bad): assert 0
                def test_c(): pytest.skip("no")
                @pytest.mark.parametrize("name", ["é\\x00", "\\udc80"])
                def test_d(name): raise KeyError(name)
                @pytest.mark.xfail(reason="known")
                def test_e(): assert 0
                def test_f(subtests=None): pass
                def test_g(): pytest.exit("enough")
                def test_h(): pass
                """,
        }
    )
    project.database.mkdir()
    project.pytest("-p", "no:cacheprovider", expect=2)
    (journal,) = project.spool
    found = recover(journal)
    assert found.ended
    assert found.damaged == 0
    assert found.run.outcomes == ".FsFFx.?-"
    assert content_hash(normal(found.run), None) == (project.root / "hash").read_text()


def test_python_without_sqlite(project: Project) -> None:
    project.ready = False
    project.write({"site/sqlite3/__init__.py": "raise ImportError('no sqlite3 in this Python')\n"})
    project.test(SUITE)
    paths = [str(project.root / "site"), *filter(None, [project.environment().get("PYTHONPATH")])]
    ended = project.pytest("--color=no", env={"PYTHONPATH": os.pathsep.join(paths)}, expect=1)
    assert len(ended.warnings) == 1
    assert sys.version_info >= (3, 11)
