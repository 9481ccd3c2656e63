"""One server for the session, one database per test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from flakefighters.model import Target
from tests.postgres.server import PostgresServer, shared_server


@pytest.fixture(scope="session")
def postgres_server() -> PostgresServer:
    try:
        return shared_server()
    except LookupError as error:
        pytest.skip(str(error))


@pytest.fixture
def postgres_target(postgres_server: PostgresServer) -> Iterator[Target]:
    """The way to an empty database."""
    name = postgres_server.create_database()
    yield postgres_server.target(name)
    postgres_server.drop_database(name)
