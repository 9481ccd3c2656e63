"""What libpq does with our parameters: nothing from its own variables for URLs of the project."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Iterator
from pathlib import Path

import psycopg2  # type: ignore[import-untyped]
import psycopg2.extensions  # type: ignore[import-untyped]
import pytest

from tests.profiles.world import World, variable

pytestmark = pytest.mark.usefixtures("no_keyring")


class Server:
    """Accepts one connection, writes down what the client says, asks for a password in clear."""

    def __init__(self) -> None:
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.socket.settimeout(5)
        self.port = self.socket.getsockname()[1]
        self.said: dict[str, str] = {}
        self.heard = b""
        self.thread = threading.Thread(target=self.serve)
        self.thread.start()

    def serve(self) -> None:
        try:
            connection, _ = self.socket.accept()
        except TimeoutError:
            return
        with connection:
            connection.settimeout(5)
            while True:
                [length] = struct.unpack("!i", connection.recv(4))
                body = connection.recv(length - 4)
                if body[:4] == struct.pack("!i", 80877103):  # SSLRequest
                    connection.sendall(b"N")
                    continue
                break
            parts = body[4:].rstrip(b"\0").decode().split("\0")
            self.said = dict(zip(parts[::2], parts[1::2], strict=True))
            connection.sendall(b"R" + struct.pack("!ii", 8, 3))  # clear-text password, please
            self.heard = connection.recv(1000)

    def close(self) -> None:
        self.socket.close()
        self.thread.join()


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    yield server
    server.close()


def connect(world: World) -> None:
    """Connect as a history does: every part of the target handed over."""
    target = world.resolve(option_profile="ci").target
    assert target.path is None
    given = {
        "host": target.host,
        "port": target.port,
        "user": target.user,
        "dbname": target.database,
        "sslmode": target.sslmode,
        "sslrootcert": target.sslrootcert,
        "require_auth": target.require_auth,
        "connect_timeout": target.connect_timeout,
    }
    if target.password is not None:
        given["password"] = target.password.reveal()
    elif not target.libpq_defaults:
        given["password"] = ""
    given = {name: value for name, value in given.items() if value is not None}
    psycopg2.connect(**{**target.query, **given}).close()


def test_nothing_leaks_into_urls_of_the_project(
    world: World, server: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    place = f"127.0.0.1:{server.port}"
    pgpass = tmp_path / "pgpass"
    pgpass.write_text("*:*:*:*:from-pgpass\n")
    pgpass.chmod(0o600)
    for name, value in {
        "PGPASSWORD": "from-variable",
        "PGPASSFILE": str(pgpass),
        "PGHOSTADDR": "192.0.2.1",
        "PGUSER": "other",
        "PGDATABASE": "other",
        "PGOPTIONS": "-c search_path=evil",
        "PGREQUIREAUTH": "password",
        "PGSSLMODE": "verify-full",
        "PGTARGETSESSIONATTRS": "standby",
        "PGCHANNELBINDING": "require",
    }.items():
        monkeypatch.setenv(name, value)
        world.environ[name] = value
    world.project(f'[profiles.ci]\nurl = "postgresql://u@{place}/d"\n')
    with pytest.raises(psycopg2.OperationalError, match="authentication method requirement"):
        connect(world)
    server.thread.join()
    assert server.said["user"] == "u"
    assert server.said["database"] == "d"
    assert "options" not in server.said
    assert b"from-" not in server.heard


def test_a_password_never_goes_out_in_clear(world: World, server: Server) -> None:
    """Even to the right place: a server that asks for clear text may be another one."""
    url = f"postgresql://u:s3cret@127.0.0.1:{server.port}/d"
    world.env(**{variable("ci", "url"): url})
    with pytest.raises(psycopg2.OperationalError, match="authentication method requirement"):
        connect(world)
    server.thread.join()
    assert b"s3cret" not in server.heard


def test_without_our_parameters_libpq_would_answer(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server above is able to catch a password."""
    monkeypatch.setenv("PGPASSWORD", "from-variable")
    with pytest.raises(psycopg2.OperationalError):
        psycopg2.connect(host="127.0.0.1", port=server.port, user="u", dbname="d")
    server.thread.join()
    assert b"from-variable" in server.heard


def test_libpq_knows_every_parameter(world: World) -> None:
    world.project('[profiles.ci]\nurl = "postgresql://u@localhost/d"\n')
    query = world.resolve(option_profile="ci").target.query
    dsn = psycopg2.extensions.make_dsn(**query)
    assert set(psycopg2.extensions.parse_dsn(dsn)) <= set(query)
