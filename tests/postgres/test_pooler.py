"""A pooler in transaction mode between us and the server, as hosted databases have it."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from flakefighters.history import open_history
from flakefighters.model import Target
from tests.history.made_runs import make_run, make_state, make_verdict
from tests.history.together import run_together
from tests.postgres.server import PostgresServer

PGBOUNCER = os.environ.get("FLAKEFIGHTERS_TEST_PGBOUNCER") or shutil.which("pgbouncer")

pytestmark = pytest.mark.skipif(PGBOUNCER is None, reason="needs pgbouncer")

SETTINGS = """
[databases]
* = host=127.0.0.1 port={server_port}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = scram-sha-256
auth_file = {folder}/users.txt
pool_mode = transaction
default_pool_size = 5
query_wait_timeout = 20
server_round_robin = 1
"""


@pytest.fixture
def pooled_target(postgres_server: PostgresServer, postgres_target: Target) -> Iterator[Target]:
    folder = Path(tempfile.mkdtemp(prefix="flakefighters-pooler-"))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    (folder / "users.txt").write_text(f'"{postgres_server.user}" "{postgres_server.password}"\n')
    (folder / "settings.ini").write_text(
        SETTINGS.format(server_port=postgres_server.port, port=port, folder=folder)
    )
    user = "nobody" if os.geteuid() == 0 else None
    if user:
        for each in (folder, *folder.iterdir()):
            shutil.chown(each, user)
    assert PGBOUNCER is not None
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [PGBOUNCER, folder / "settings.ini"], user=user, stdout=log, stderr=log
        )
        try:
            _wait(port, process)
            yield postgres_target._replace(port=port)
        finally:
            process.terminate()
            process.wait(10)
            shutil.rmtree(folder, ignore_errors=True)


def _wait(port: int, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + 10
    while process.poll() is None and time.monotonic() < until:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return
        except OSError:
            time.sleep(0.02)
    raise RuntimeError("pgbouncer does not start")


def test_everything_works_through_a_pooler(pooled_target: Target) -> None:
    run = make_run({"t.py::a": "F", "t.py::b": "."}, state=make_state("a", {"a.py": "0" * 16}))
    with open_history(pooled_target) as one, open_history(pooled_target) as two:
        assert one.save(run, [make_verdict(run, "t.py::a")])
        assert not two.save(run)
        assert two.load(run.head.id) == run
        assert len(two.verdicts([run.head.id])) == 1
        other = make_run(["t.py::a", "t.py::c"], at=1, state=make_state("b", {"b.py": "0" * 16}))
        assert two.save(other)
        assert one.past(["t.py::a"], one.recent(run.project.identity))["t.py::a"]


def test_more_writers_than_connections_on_an_empty_database(pooled_target: Target) -> None:
    assert run_together(16, pooled_target) == [0] * 16
    with open_history(pooled_target) as history:
        assert len(history.run_ids()) == 16
