"""Everybody at once, through a pooler with five connections to the server.

In the default run the writers are threads in some processes, which is as hard on the server; with
``FFTEST_LONG=1`` each is a process, and there are several rounds.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from flakefighters.history import open_history
from flakefighters.model import Target
from tests.cli.pgbouncer import pgbouncer
from tests.history.made_runs import make_run
from tests.postgres.crowd import crowd
from tests.postgres.server import PostgresServer
from tests.postgres.team import Team, team_on
from tests.sync.contents import clone_into, content, pull_into, save

LONG = os.environ.get("FFTEST_LONG", "") not in ("", "0")
SHAPES = [(64, 1)] * 3 if LONG else [(8, 8)]
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def team(postgres_server: PostgresServer) -> Iterator[Team]:
    with team_on(postgres_server) as team:
        yield team


@pytest.fixture
def pooled(team: Team) -> Iterator[Target]:
    """As the writer, through a pooler in transaction mode."""
    users = {team.names["writer"]: team.password}
    with pgbouncer(team.server, "transaction", users=users, wait=30) as port:
        yield team.target("writer")._replace(port=port)


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: "x".join(map(str, shape)))
def test_sixty_four_writers_and_five_connections(
    team: Team, pooled: Target, shape: tuple[int, int], tmp_path: Path
) -> None:
    writers = crowd(pooled, *shape)
    assert len(writers) == 64
    assert [writer for writer in writers if writer.error or not writer.new] == []
    # In CI a session is silent for 20 s at most; twice as many on a machine that does all of this.
    assert max(writer.seconds for writer in writers) < 40
    names = {writer.run for writer in writers}
    with open_history(team.target("reader", read_only=True), create=False) as history:
        assert history.run_ids() == names
        for name in names:
            run = history.load(name)
            assert len(run.executions) == run.outcomes.count("F") >= 2
        assert {verdict.run for verdict in history.verdicts(names)} == names
    # Whole and right: every key and hash is computed anew on the way.
    local = Target(backend="sqlite", path=tmp_path / "local.db", display="local.db")
    done = clone_into(local, team.target("reader", read_only=True))
    assert (done.runs, done.refused, done.conflicts) == (64, {}, [])
    ((deadlocks,),) = team.ask(
        "admin",
        "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()",
    )
    assert deadlocks == 0
    assert team.ask("admin", "SELECT count(*) FROM flakefighters.arrival WHERE trust = 0") == [
        (64,)
    ]


def test_a_clone_while_others_write(team: Team, pooled: Target, tmp_path: Path) -> None:
    """It has every run whole or not at all, and a pull brings the others."""
    save(pooled, *(make_run({"t.py::a": "F", "t.py::b": "."}, at=n) for n in range(20)))
    over = threading.Event()
    written: list[str] = []

    def write() -> None:
        with open_history(pooled) as history:
            while not over.is_set():
                run = make_run({"t.py::a": "F", "t.py::b": "."}, at=len(written))
                assert history.save(run)
                written.append(run.head.id)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        copies = []
        for n in range(3):
            local = Target(backend="sqlite", path=tmp_path / f"{n}.db", display=f"{n}.db")
            done = clone_into(local, pooled)
            assert (done.refused, done.conflicts) == ({}, [])
            assert done.runs == len(content(local).runs) >= 20
            copies.append(local)
    finally:
        over.set()
        writer.join(60)
    assert written
    for local in copies:
        assert pull_into(local, pooled).refused == {}
        assert content(local) == content(pooled)


def test_two_syncs_of_one_file_at_once(team: Team, pooled: Target, tmp_path: Path) -> None:
    """Both end well, and in the end both sides have everything, once."""
    folder = tmp_path / "shop"
    folder.mkdir()
    subprocess.run(["git", "init", "-q", folder], check=True)
    origin = "https://github.com/acme/shop.git"
    subprocess.run(["git", "-C", folder, "remote", "add", "origin", origin], check=True)
    local = Target(backend="sqlite", path=folder / "flakefighters.db", display="local")
    ours = [make_run({"t.py::a": "F"}, at=n, dirty=False) for n in range(12)]
    theirs = [make_run({"t.py::b": "F"}, at=n, dirty=False) for n in range(12)]
    save(local, *ours)
    save(pooled, *theirs)
    url = f"postgresql://{pooled.user}:{team.password}@127.0.0.1:{pooled.port}/{pooled.database}"
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "PYTHONPATH": str(ROOT),
        "FLAKEFIGHTERS_PROFILES__TEAM__URL": url,
    }
    code = "import sys; from flakefighters.cli import main; sys.exit(main())"
    command = [sys.executable, "-c", code, "sync", "--from", "team", "--local-runs"]
    both = [
        subprocess.Popen(
            command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        for _ in range(2)
    ]
    ended = [(process.communicate(timeout=100), process.returncode) for process in both]
    assert [code for _, code in ended] == [0, 0], ended
    names = {run.head.id for run in (*ours, *theirs)}
    assert set(content(local).runs) == names
    assert content(local) == content(pooled)
