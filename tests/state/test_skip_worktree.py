"""Tracked files that git was told to look away from, and data files that it ignores."""

from __future__ import annotations

import os

import pytest

from tests.state.repositories import Repo


@pytest.mark.parametrize("mark", ["--assume-unchanged", "--skip-worktree"])
def test_an_edit_that_git_does_not_show(repo: Repo, mark: str) -> None:
    clean = repo.read()
    repo.git("update-index", mark, "shop/tax.py")
    assert repo.read().state == clean.state
    repo.write(shop__tax="RATE = 7\n")
    hidden = repo.read()
    assert hidden.state != clean.state
    assert hidden.dirty
    repo.git("update-index", f"--no-{mark[2:]}", "shop/tax.py")
    assert repo.read().state == hidden.state


def test_a_file_of_a_sparse_checkout_is_not_gone(repo: Repo) -> None:
    clean = repo.read()
    repo.git("update-index", "--skip-worktree", "shop/tax.py")
    (repo.path / "shop/tax.py").unlink()
    assert repo.read().state == clean.state


def test_a_file_that_is_gone_unseen(repo: Repo) -> None:
    clean = repo.read()
    repo.git("update-index", "--assume-unchanged", "shop/tax.py")
    (repo.path / "shop/tax.py").unlink()
    assert repo.read().state != clean.state
    assert "shop/tax.py" not in (repo.read().files() or {})


def test_a_staged_edit_under_another(repo: Repo) -> None:
    repo.write(shop__tax="RATE = 7\n")
    edited = repo.read().state
    repo.write(shop__tax="RATE = 8\n")
    repo.git("add", "-A")
    repo.git("update-index", "--assume-unchanged", "shop/tax.py")
    repo.write(shop__tax="RATE = 7\n")
    assert repo.read().state == edited


def test_windows_line_ends_are_no_edit(repo: Repo) -> None:
    repo.git("config", "core.autocrlf", "true")
    clean = repo.read()
    repo.git("update-index", "--skip-worktree", "shop/tax.py")
    repo.put("shop/tax.py", "RATE = 20\r\n")
    assert repo.read().state == clean.state


def test_ignored_data(repo: Repo) -> None:
    repo.put(".gitignore", "*.json\n.env\nlocal/\n*.log\n*.db\n.venv/\n__pycache__/\nbig/\n")
    for name in ("a.json", ".env", "local/deep/b.toml", "c.log", "d.db", ".venv/e.json"):
        repo.put(name, "{}")
    repo.put("local/f.py", "")
    for number in range(401):
        repo.put(f"big/{number}.json", "{}")
    os.utime(repo.path / "a.json", ns=(0, 5_000_000))
    found = repo.read().ignored_data()
    assert set(found) == {"a.json", ".env", "local/deep/b.toml"}
    assert found["a.json"] == 5_000
