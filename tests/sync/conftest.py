"""A team's history on a server, and places for local ones."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from flakefighters.history import open_history
from flakefighters.model import Target
from tests.postgres.server import PostgresServer, shared_server


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


@pytest.fixture
def new_remote(server: PostgresServer, empty_template: str) -> Iterator[Callable[[], Target]]:
    """Makes targets of empty histories in PostgreSQL."""
    made: list[str] = []

    def make() -> Target:
        made.append(server.create_database(empty_template))
        return server.target(made[-1])

    yield make
    for name in made:
        server.drop_database(name)


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
