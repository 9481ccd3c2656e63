"""Which files came with a commit, whichever way they lie there."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from flakefighters.state.disk import Disk
from flakefighters.state.dotgit import listed
from flakefighters.state.git import Answer, Git
from flakefighters.state.tracked import tracked_in

NAMES = ["loose.jsonl", "sent.jsonl"]


def git(folder: Path, *words: str) -> None:
    settings = ("protocol.file.allow=always", "user.name=a", "user.email=a@b.c")
    variables = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    subprocess.run(
        ["git", *(word for one in settings for word in ("-c", one)), *words],
        cwd=folder,
        env={**os.environ, **variables},
        check=True,
        capture_output=True,
    )


def repository(top: Path, *files: str) -> Path:
    """A repository in which these files are committed."""
    for file in files:
        (top / file).parent.mkdir(parents=True, exist_ok=True)
        (top / file).write_text("x")
    top.mkdir(exist_ok=True)
    git(top, "init", "-q")
    git(top, "add", "-f", ".")
    git(top, "commit", "-q", "--allow-empty", "-m", "one")
    return top


def lay(folder: Path) -> Path:
    """A folder with both files; what was committed is there already."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in NAMES:
        if not (folder / name).exists():
            (folder / name).write_text("x")
    return folder


SPOOL = ".flakefighters/spool"


def test_nothing_is_tracked_without_a_repository(tmp_path: Path) -> None:
    assert tracked_in(lay(tmp_path / "spool"), NAMES) == set()


@pytest.mark.parametrize("committed", [f"{SPOOL}/sent.jsonl", f"{SPOOL}/SENT.jsonl"])
def test_committed(tmp_path: Path, committed: str) -> None:
    top = repository(tmp_path / "shop", committed, f"{SPOOL}/notes.txt")
    assert tracked_in(lay(top / SPOOL), NAMES) == {"sent.jsonl"}


def test_a_folder_of_that_name_with_something_committed_in_it(tmp_path: Path) -> None:
    top = repository(tmp_path / "shop", f"{SPOOL}/sent.jsonl/file")
    assert tracked_in(lay(top / SPOOL), NAMES) == {"sent.jsonl"}


def test_through_a_link(tmp_path: Path) -> None:
    top = repository(tmp_path / "shop", "data/sent.jsonl")
    lay(top / "data")
    (tmp_path / "link").symlink_to(top / "data")
    assert tracked_in(tmp_path / "link", NAMES) == {"sent.jsonl"}


def test_in_a_submodule(tmp_path: Path) -> None:
    inner = repository(tmp_path / "inner", "spool/sent.jsonl")
    top = repository(tmp_path / "shop")
    git(top, "submodule", "--quiet", "add", str(inner), ".flakefighters")
    # The submodule's own repository tracks one, the outer one all that lies below.
    assert tracked_in(lay(top / SPOOL), NAMES) == set(NAMES)


def test_by_the_repository_around_a_repository(tmp_path: Path) -> None:
    top = repository(tmp_path / "shop", f"sub/{SPOOL}/sent.jsonl")
    git(top / "sub", "init", "-q")
    assert tracked_in(lay(top / "sub" / SPOOL), NAMES) == {"sent.jsonl"}


@pytest.mark.parametrize("version", [2, 4])
def test_where_git_does_not_answer(
    tmp_path: Path, version: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The index itself is read; one that shortens paths may hold anything."""
    top = repository(tmp_path / "shop", f"{SPOOL}/sent.jsonl")
    git(top, "update-index", "--index-version", str(version))
    monkeypatch.setattr(Git, "ask", lambda *_: Answer(reason="git is not installed"))
    assert tracked_in(lay(top / SPOOL), NAMES) == ({"sent.jsonl"} if version == 2 else set(NAMES))


@pytest.mark.parametrize("form", ["sha1", "sha256"])
def test_the_index_is_read_as_git_reads_it(tmp_path: Path, form: str) -> None:
    top = tmp_path / "shop"
    top.mkdir()
    git(top, "init", "-q", f"--object-format={form}")
    assert listed(top, Disk()) == frozenset()
    names = [f"{'x' * length}/é{length}" for length in range(1, 20)]
    repository(top, *names)
    (top / "later").write_text("x")
    git(top, "add", "--intent-to-add", "later")  # its entry has more flags
    assert listed(top, Disk()) == frozenset({*names, "later"})
    git(top, "update-index", "--split-index")
    assert listed(top, Disk()) is None
