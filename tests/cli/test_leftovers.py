"""Runs that were killed: the commands that read take them in, and tell of those meant elsewhere."""

from __future__ import annotations

import json
import os
import shlex
import sqlite3
import subprocess
import time
from pathlib import Path

import pytest

from flakefighters.session.places import Spool
from flakefighters.session.purged_journals import journals_of
from tests.cli.conftest import Command, Shop
from tests.e2e.project import Project
from tests.session.test_spool import wait

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


# -- sent elsewhere, or dropped --------------------------------------------------------------

TYPO = "w@127.0.0.1:1/typo"


def spool(shop: Shop) -> Path:
    return shop.path / ".flakefighters" / "spool"


def test_a_mistyped_address_is_redirected(shop: Shop, command: Command) -> None:
    wait(spool(shop), to=TYPO)
    local = wait(spool(shop), started=2)
    said = command("runs", "-p", "local")
    assert f"1 run waits for {TYPO}: no profile has that address" in said.err
    assert "`flakefighters push --spool .flakefighters/spool --to NAME` sends" in said.err
    assert f"`flakefighters push --discard {TYPO}` drops" in said.err
    # Without --spool only what was meant for it is sent.
    to = ["--to", "sqlite:///x.db"]
    assert command("push", *to).out.startswith("pushed 0 runs")
    said = command("push", "--spool", ".flakefighters/spool", *to)
    assert said.code == 0
    assert said.out.startswith("pushed 1 run ")
    assert local.exists(), "the local history takes it in itself"
    local.unlink()
    assert "wait" not in command("runs").err


def test_a_profile_that_has_the_address_is_named(shop: Shop, command: Command) -> None:
    wait(spool(shop), to="w@db.example.org:5432/flakes")
    (shop.path / "profiles.toml").write_text(
        '[profiles.team]\nurl = "postgresql://w@db.example.org/flakes"\n'
    )
    assert "1 run waits for w@db.example.org:5432/flakes: `flakefighters push --to team`" in (
        command("runs").err
    )


def test_a_file_is_named(shop: Shop, command: Command) -> None:
    wait(spool(shop), to=f"sqlite:{shop.path}/a b.db")
    said = command("runs").err
    hint = f"flakefighters push --to 'sqlite:///{shop.path}/a b.db'"
    assert f"`{hint}` sends" in said
    assert command(*shlex.split(hint)[1:]).out.startswith("pushed 1 run ")


def test_what_waits_is_dropped(shop: Shop, command: Command) -> None:
    path = wait(spool(shop), to=TYPO)
    other = wait(spool(shop), to=TYPO + "2", started=2)
    said = command("push", "--discard", TYPO)
    assert (said.code, said.err) == (0, f"dropped 1 run that waited for {TYPO}\n")
    assert not path.exists()
    assert other.exists()
    said = command("push", "--discard", TYPO)
    assert said.code == 1
    assert f"no run waits for {TYPO}" in said.err


def test_a_journal_that_git_tracks_is_not_sent(shop: Shop, command: Command) -> None:
    path = wait(spool(shop), to=TYPO)
    subprocess.run(["git", "add", "-f", str(path)], check=True)
    said = command("push", "--spool", ".flakefighters/spool", "--to", "sqlite:///x.db")
    assert said.code == 1
    assert said.out.startswith("pushed 0 runs")
    assert "tracked by git" in said.out
    assert path.exists()


def test_a_pull_says_what_it_leaves_out(shop: Shop, command: Command, tmp_path: Path) -> None:
    folder = tmp_path / "downloads"
    wait(folder)
    os.mkfifo(folder / "pipe.jsonl")
    (folder / "text.jsonl").write_text("no journal\n")
    later = wait(folder, started=2)
    later.write_text(later.read_text().replace('"flakefighters": 1', '"flakefighters": 2', 1))
    said = command("pull", "--from", str(folder))
    assert (said.code, said.out[:12]) == (0, "pulled 1 run")
    assert said.err.count("left out: ") == 3
    assert "pipe.jsonl" in said.err
    assert "a later version" in said.err
    assert len(list(folder.iterdir())) == 4, "it is not our folder"


# -- what only can be read -------------------------------------------------------------------


def test_a_history_that_cannot_be_written_is_read(
    shop: Shop, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A mount for reading, or a file of another user."""
    waits = wait(spool(shop))
    before = shop.database.read_bytes()
    real = os.access
    monkeypatch.setattr(
        os, "access", lambda path, mode, **more: not mode & os.W_OK and real(path, mode, **more)
    )
    said = command("runs", "--json")
    assert (said.code, len(said.json)) == (0, 3)
    assert waits.exists()
    assert shop.database.read_bytes() == before


def test_purge_makes_no_path_of_an_id(shop: Shop, command: Command, tmp_path: Path) -> None:
    """A history may hold anything for the id of a run."""
    victim = tmp_path / "abc123.jsonl"
    victim.write_text("mine")
    (spool(shop)).mkdir(parents=True)
    evil = "../../../abc123"
    with sqlite3.connect(shop.database) as connection:
        connection.execute("UPDATE run SET id = ? WHERE id LIKE '%dddd'", [evil])
    connection.close()
    assert command("purge", "abc123", "--yes").code == 1
    assert victim.exists()
    assert journals_of([Spool(spool(shop))], evil) == []
    assert journals_of([Spool(spool(shop))], "*") == []
