"""A real pgbouncer in front of a real server."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from tests.postgres.server import PostgresServer
from tests.requirements import need_program

__all__ = ["pgbouncer"]

_SETTINGS = """
[databases]
* = host=127.0.0.1 port={server}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = scram-sha-256
auth_file = {folder}/users.txt
pool_mode = {mode}
default_pool_size = 5
query_wait_timeout = {wait}
max_client_conn = 200
"""


@contextlib.contextmanager
def pgbouncer(
    server: PostgresServer, mode: str, *, users: Mapping[str, str] | None = None, wait: int = 4
) -> Iterator[int]:
    """The port of a pooler that works in ``mode``: "session", "transaction" or "statement".

    It has five connections to the server for each database and user.  ``users`` are further names
    and their passwords; ``wait`` is how many seconds a client waits for one of the five.
    """
    program = os.environ.get("FLAKEFIGHTERS_TEST_PGBOUNCER") or need_program("pgbouncer")
    folder = Path(tempfile.mkdtemp(prefix="flakefighters-bouncer-"))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    known = {server.user: server.password, **(users or {})}
    lines = [f'"{name}" "{password}"\n' for name, password in known.items()]
    (folder / "users.txt").write_text("".join(lines))
    settings = _SETTINGS.format(server=server.port, port=port, folder=folder, mode=mode, wait=wait)
    (folder / "settings.ini").write_text(settings)
    user = "nobody" if os.geteuid() == 0 else None
    if user is not None:
        for each in (folder, *folder.iterdir()):
            shutil.chown(each, user)
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [program, folder / "settings.ini"], user=user, stdout=log, stderr=log
        )
    try:
        _wait(port, process)
        yield port
    finally:
        process.terminate()
        process.wait(10)
        shutil.rmtree(folder, ignore_errors=True)


def _wait(port: int, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + 10
    while process.poll() is None and time.monotonic() < until:
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", port)).close()
            return
        time.sleep(0.02)
    raise RuntimeError("pgbouncer does not start")
