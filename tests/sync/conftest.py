"""A team's history on a server, and places for local ones."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from flakefighters.history import open_history
from flakefighters.model import Target
from flakefighters.sync.tables import COLUMNS
from tests.postgres.server import PostgresServer, shared_server

TABLES = ["horizon", *reversed(list(COLUMNS))]
TABLES.insert(TABLES.index("run"), "arrival")
EMPTY = "; ".join(f"DELETE FROM flakefighters.{table}" for table in TABLES)
EMPTY += "; UPDATE flakefighters.meta SET value = '1' WHERE key = 'schema_version'"


def _server() -> PostgresServer:
    try:
        return shared_server()
    except LookupError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def server() -> PostgresServer:
    return _server()


@pytest.fixture(scope="session")
def empty_template(server: PostgresServer) -> str:
    """A database with an empty history, to be copied: quicker than to create it."""
    name = server.create_database()
    open_history(server.target(name)).close()
    return name


@pytest.fixture(scope="session")
def databases(server: PostgresServer, empty_template: str) -> Iterator[list[str]]:
    """Databases with empty histories that nobody uses: quicker still than to copy one."""
    free: list[str] = []
    yield free
    for name in free:
        server.drop_database(name)


@pytest.fixture
def new_remote(
    server: PostgresServer, empty_template: str, databases: list[str]
) -> Iterator[Callable[[], Target]]:
    """Makes targets of empty histories in PostgreSQL."""
    made: list[str] = []

    def make() -> Target:
        made.append(databases.pop() if databases else server.create_database(empty_template))
        return server.target(made[-1])

    yield make
    for name in made:
        server.ask(EMPTY, name)
        databases.append(name)


@pytest.fixture
def remote(new_remote: Callable[[], Target]) -> Target:
    """An empty history on the server."""
    return new_remote()


@pytest.fixture
def new_local(tmp_path: Path) -> Callable[[str], Target]:
    """Makes targets of files that are not there yet."""

    def make(name: str = "local.db") -> Target:
        return Target(backend="sqlite", path=tmp_path / name, display=name)

    return make


@pytest.fixture
def local(new_local: Callable[[str], Target]) -> Target:
    """A file that is not there yet."""
    return new_local("local.db")
