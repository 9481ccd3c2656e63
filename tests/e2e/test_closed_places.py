"""Folders and files that are closed to us: the plugin is active all the same, nothing is lost."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.project import Ended, Project
from tests.e2e.test_trouble import SUITE, _without_override
from tests.requirements import lack


@pytest.fixture
def before() -> list[str]:
    """Words before a command that make rights of files count, also for root."""
    words = _without_override()
    if words:
        caps = "-dac_override,-dac_read_search"
        words = [words[0], f"--bounding-set={caps}", f"--inh-caps={caps}"]
    return words


@pytest.fixture(autouse=True)
def _open_again(project: Project) -> Iterator[None]:
    """Let the temporary folder be removed."""
    yield
    for folder in (project.root, project.home, *project.root.rglob("*"), *project.home.rglob("*")):
        if folder.is_dir() and not folder.is_symlink():
            folder.chmod(0o755)


def close(path: Path) -> None:
    """Let a file or folder be another user's, if we may give it away; nobody else may use it."""
    if os.getuid() == 0:
        os.chown(path, 65534, -1)
    path.chmod(0o700 if os.getuid() == 0 else 0)


def run(project: Project, before: list[str], *words: str, **env: str) -> Ended:
    ended = project.pytest(
        *words, "--color=no", "-p", "no:cacheprovider", before=before, env=env, expect=1
    )
    assert "not active" not in ended.out + ended.err
    assert len(ended.verdicts) == 1
    return ended


def test_a_home_that_cannot_be_entered(project: Project, before: list[str]) -> None:
    project.test(SUITE)
    close(project.home)
    ended = run(
        project,
        before,
        FLAKEFIGHTERS_PROFILE="x",
        FLAKEFIGHTERS_PROFILES__X__URL="postgresql://u:secret-enough@127.0.0.1:9/d",
    )
    assert "nobody listens" in ended.warnings[-1]
    assert len(project.spool) == 1
    assert run(project, before).warnings == [], "without a server there is nothing to say"
    assert len(project.runs()) == 1


def test_neither_project_nor_home_can_be_written(project: Project, before: list[str]) -> None:
    """The run waits in a temporary place, and is delivered as soon as something can be written."""
    project.test(SUITE)
    temporary = project.home.parent / "tmp"
    temporary.mkdir()
    project.env["TMPDIR"] = str(temporary)
    close(project.home)
    project.root.chmod(0o555)
    (warning,) = run(project, before).warnings
    assert f"this run waits in {temporary}" in warning
    assert len(list(temporary.rglob("*.jsonl"))) == 1
    project.root.chmod(0o755)
    assert run(project, before).warnings == []
    assert len(project.runs()) == 2
    assert list(temporary.rglob("*.jsonl")) == []


def test_our_folder_is_another_users(project: Project, before: list[str]) -> None:
    project.test(SUITE)
    (project.root / ".flakefighters" / "spool").mkdir(parents=True)
    close(project.root / ".flakefighters")
    project.database.mkdir()
    (warning,) = run(project, before).warnings
    assert f"this run waits in {project.home}" in warning
    project.database.rmdir()
    assert run(project, before).warnings == []
    assert len(project.runs()) == 2


def test_the_name_of_the_project_cannot_be_read(project: Project, before: list[str]) -> None:
    project.test(SUITE)
    run(project, before)
    (project.root / ".flakefighters" / "project").chmod(0)
    assert run(project, before).warnings == []


@pytest.mark.parametrize("what", ["file", "folder"])
def test_a_history_that_can_only_be_read(project: Project, before: list[str], what: str) -> None:
    """It is judged by, shown, and the run waits."""
    project.init()
    project.write({"test_it.py": "import os\ndef test_b(): assert not os.path.exists('down')\n"})
    project.commit()
    project.pytest("-p", "no:cacheprovider", expect=0)
    exclude = project.root / ".git" / "info" / "exclude"
    exclude.write_text(exclude.read_text() + "down\n")
    (project.root / "down").write_text("")
    if what == "file":
        project.database.chmod(0o444)
    else:
        project.root.chmod(0o555)
    ended = run(project, before)
    ((label, reason),) = ended.verdicts
    assert label == "FLAKY", reason
    (warning,) = ended.warnings
    assert "for reading only" in warning
    assert "this run waits in" in warning
    if before == []:
        assert len(json.loads(project.flakefighters("runs", "--json").stdout)) == 1
    project.root.chmod(0o755)
    project.database.chmod(0o644)
    assert run(project, before).warnings == []
    assert len(project.runs()) == 3


def test_a_journal_that_was_committed(project: Project) -> None:
    """Whoever has the branch checked out does not take it in, by no door."""
    project.init()
    project.test(SUITE)
    project.commit()
    project.database.mkdir()
    project.pytest(expect=1)
    project.database.rmdir()
    (journal,) = project.spool
    os.utime(journal, (1, 1))
    project.git("add", "-f", str(journal))
    project.commit()
    assert json.loads(project.flakefighters("runs", "--json").stdout) == []
    (warning,) = project.pytest("--color=no", expect=1).warnings
    assert "tracked by git" in warning
    assert project.pytest("--color=no", expect=1).warnings == []
    assert len(project.runs()) == 2
    assert journal.exists()


@pytest.mark.parametrize("part", [".flakefighters", ".flakefighters/spool"])
def test_a_link_that_was_committed(project: Project, part: str) -> None:
    """Neither what it leads to is read, nor anything written there."""
    project.init()
    project.test(SUITE)
    project.database.mkdir()
    project.pytest(expect=1)
    project.database.rmdir()
    source = project.root / ".flakefighters"
    data = project.home / "data"
    shutil.move(source if part == ".flakefighters" else source / "spool", data)
    (project.root / part).symlink_to(data)
    there = sorted(data.rglob("*"))
    assert project.pytest("--color=no", expect=1).warnings == []
    assert len(project.runs()) == 1
    assert sorted(data.rglob("*")) == there


def test_a_pipe_hangs_nobody(project: Project) -> None:
    if not hasattr(os, "mkfifo"):
        lack("pipes")
    project.test(SUITE)
    spool = project.root / ".flakefighters" / "spool"
    spool.mkdir(parents=True)
    os.mkfifo(spool / "a.jsonl")
    (warning,) = project.pytest("--color=no", expect=1).warnings
    assert "a.jsonl" in warning
    assert project.pytest("--color=no", expect=1).warnings == []
    assert len(project.runs()) == 2
