"""Runs that were killed: the commands that read take them in, and tell of those meant elsewhere."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest

from tests.cli.conftest import Command, Shop
from tests.e2e.project import Project

STOPS = """
    import pathlib, time
    def test_a(): pass
    def test_b(): assert 0
    def test_c():
        pathlib.Path("started").touch()
        time.sleep(100)
"""


def kill_a_run(project: Project) -> None:
    """SIGKILL in the middle of the third test."""
    process = project.start()
    end = time.monotonic() + 60
    while not (project.root / "started").exists():
        assert time.monotonic() < end
        time.sleep(0.02)
    process.kill()
    process.communicate()
    (project.root / "started").unlink()


@pytest.fixture
def project(tmp_path: Path) -> Project:
    project = Project(tmp_path)
    project.init()
    project.test(STOPS)
    return project


def test_a_killed_run_is_shown_as_interrupted(project: Project) -> None:
    kill_a_run(project)
    assert len(project.spool) == 1
    assert not project.database.exists()
    said = project.flakefighters("runs", "--json")
    assert said.stderr == ""
    (run,) = json.loads(said.stdout)
    assert run["completeness"] == "interrupted"
    assert run["outcomes"] == {"passed": 1, "failed": 1, "unfinished": 1}
    assert project.spool == []
    shown = project.flakefighters("show", run["id"][-4:])
    assert "interrupted" in shown.stdout
    assert len(json.loads(project.flakefighters("runs", "--json").stdout)) == 1


def journal(shop: Shop, address: str, host: str = "another machine") -> Path:
    """The first line of a journal whose run ended long ago."""
    folder = shop.path / ".flakefighters" / "spool"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{address.count('/'):032}.jsonl"
    first = {"flakefighters": 1, "host": host, "pid": 1, "address": address, "head": {}}
    path.write_text(json.dumps(first) + "\n")
    os.utime(path, (1, 1))
    return path


def test_runs_tells_of_journals_for_another_history(shop: Shop, command: Command) -> None:
    path = journal(shop, "ci_writer@db.example.org:5432/flakes")
    said = command("runs")
    assert said.code == 0
    assert "1 run waits for ci_writer@db.example.org:5432/flakes: no profile has that" in said.err
    assert path.exists()
    assert command("tests").err == ""


def test_a_damaged_journal_is_said_once(shop: Shop, command: Command) -> None:
    path = journal(shop, "local")
    said = command("runs")
    assert said.code == 0
    assert len(said.out.splitlines()) == 4
    assert path.name in said.err
    assert not path.exists()
    assert command("runs").err == ""


@pytest.mark.parametrize("how", ["--database-url", "--profile"])
def test_a_history_that_was_named_takes_nothing_in(shop: Shop, command: Command, how: str) -> None:
    path = journal(shop, "local")
    named = {"--database-url": f"sqlite:///{shop.database}", "--profile": "local"}[how]
    assert command("runs", how, named).code == 0
    assert path.exists()


def test_a_history_for_reading_only_takes_nothing_in(shop: Shop, command: Command) -> None:
    (shop.path / "profiles.toml").write_text(
        'default_profile = "seen"\n'
        '[profiles.seen]\nurl = "sqlite:///flakefighters.db"\nread_only = true\n'
    )
    path = journal(shop, "local")
    assert len(command("runs", "--json").json) == 3
    assert path.exists()
