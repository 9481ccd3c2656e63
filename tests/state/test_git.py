"""Asking git."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from flakefighters.originals import real
from flakefighters.state import objects, status
from flakefighters.state.git import Git, find_top, is_commit
from tests.state.repositories import Repo


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("a" * 40, True),
        ("0" * 64, True),
        ("a" * 39, False),
        ("a" * 41, False),
        ("A" * 40, False),
        ("a" * 40 + "\n", False),
        ("--upload-pack=x", False),
        ("", False),
        (None, False),
    ],
)
def test_commits(text: str | None, whole: bool) -> None:
    assert is_commit(text) is whole


def test_answers_and_reasons(repo: Repo) -> None:
    git = Git(repo.path, environ={**os.environ, "GIT_TRACE": "1"})
    assert git.ask("rev-parse", "HEAD").output.decode().strip() == repo.git("rev-parse", "HEAD")
    assert git.ask("rev-parse", "HEAD").reason is None
    assert git.ask("cat-file", "blob", "nothing").reason == (
        "git failed (128): fatal: Not a valid object name nothing"
    )
    assert Git(repo.path.parent).ask("status").reason == "not a git repository"
    assert Git(repo.path / "absent").ask("status").reason == (
        "git could not be started: FileNotFoundError"
    )
    assert "ValueError" in (git.ask("status", "\0").reason or "")
    assert Git(repo.path, environ={"PATH": ""}).ask("status").reason == "git is not installed"


def test_a_program_of_the_project_is_not_git(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = repo.put("git", "#!/bin/sh\necho fake\n")
    fake.chmod(0o755)
    monkeypatch.chdir(repo.path)
    path = os.pathsep.join(("", ".", os.environ["PATH"]))
    assert Git(repo.path, environ={"PATH": path}).ask("version").output.startswith(b"git version")


@pytest.mark.skipif(sys.platform == "win32", reason="a shell script")
def test_the_deadline_kills_git_and_its_children(repo: Repo, tmp_path: Path) -> None:
    fake = tmp_path / "bin" / "git"
    fake.parent.mkdir()
    fake.write_text(f"#!/bin/sh\n/bin/sleep 60 &\necho $! > {tmp_path}/child\nwait\n")
    fake.chmod(0o755)
    began = time.monotonic()
    git = Git(repo.path, limit=0.4, environ={"PATH": str(fake.parent)})
    reasons = {answer.reason for answer in git.ask_together(["a"], ["b"], ["c"])}
    assert reasons == {"git did not answer within 0.4 s"}
    assert time.monotonic() - began < 5
    child = int((tmp_path / "child").read_text())
    state = Path(f"/proc/{child}/stat")
    if Path("/proc/self").exists():
        while state.exists() and state.read_text().split()[2] != "Z":  # gone, or not yet reaped
            assert time.monotonic() - began < 5
            time.sleep(0.01)


@pytest.mark.skipif(sys.platform == "win32", reason="a shell script")
def test_ctrl_c_leaves_no_child(
    repo: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = tmp_path / "git"
    fake.write_text("#!/bin/sh\nexec /bin/sleep 60\n")
    fake.chmod(0o755)
    started: list[subprocess.Popen[bytes]] = []

    class Interrupted(subprocess.Popen):  # type: ignore[type-arg]
        def communicate(self, *args: object, **options: object) -> tuple[bytes, bytes]:
            started.append(self)
            if len(started) == 1:
                raise KeyboardInterrupt
            super().kill()
            return super().communicate()

    monkeypatch.setattr(real, "Popen", Interrupted)
    git = Git(repo.path, environ={"PATH": str(tmp_path)})
    with pytest.raises(KeyboardInterrupt):
        git.ask_together(["a"], ["b"])
    assert len(set(started)) == 2
    assert all(child.poll() is not None for child in started)


def test_functions_are_bound_early(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    git = Git(repo.path)

    def no(*args: object, **options: object) -> None:
        raise AssertionError

    monkeypatch.setattr(subprocess, "Popen", no)
    monkeypatch.setattr(time, "monotonic", no)
    assert git.ask("version").reason is None


def test_the_top_is_found(repo: Repo, tmp_path: Path) -> None:
    assert find_top(repo.path / "shop") == repo.path
    assert find_top(tmp_path) is None
    (repo.path / "shop/.git").mkdir()
    assert find_top(repo.path / "shop") == repo.path
    assert find_top(Path("/\0")) is None


def test_answers_of_cat_file_that_are_cut(repo: Repo) -> None:
    whole = b"a" * 40 + b" blob 3\nabc\nxyz missing\n" + b"b" * 40 + b" blob 99\nshort"
    found = list(objects._batch(whole))
    assert [(name[:1], kind, content) for name, kind, content in found] == [
        ("a", "blob", b"abc"),
        ("x", "missing", b""),
    ]


def test_status_that_is_not_understood() -> None:
    text = (
        b"# branch.oid (initial)\0# branch.head (detached)\0# stash 3\0z new kind\x001 short\0? a\0"
    )
    found = status.parse(text)
    assert (found.commit, found.branch, found.entries, found.untracked) == (None, None, [], ["a"])
    renamed = f"2 R. N... 100644 100644 100644 {'a' * 40} {'b' * 40} R100 to\0? from\0? x\0"
    found = status.parse(renamed.encode())
    assert [entry.path for entry in found.entries] == ["to"]
    assert found.untracked == ["x"]
