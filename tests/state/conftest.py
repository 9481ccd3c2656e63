"""Repositories that know nothing of the developer's own git settings."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.state.repositories import Repo


@pytest.fixture(autouse=True)
def _plain_git(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    for role in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{role}_NAME", "Ada")
        monkeypatch.setenv(f"GIT_{role}_EMAIL", "ada@example.org")
        monkeypatch.setenv(f"GIT_{role}_DATE", "2026-01-02T03:04:05+00:00")


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    """One commit with a package and a test."""
    made = Repo(tmp_path / "shop")
    made.put("shop/__init__.py", "")
    made.write(shop__tax="RATE = 20\n", tests__test_tax="import shop.tax\n")
    made.commit()
    return made
