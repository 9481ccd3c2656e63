"""One server for the session, one database per test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from flakefighters.model import Target
from tests.postgres.server import PostgresServer, running_server


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    try:
        manager = running_server()
        server = manager.__enter__()
    except LookupError as error:
        pytest.skip(str(error))
    try:
        yield server
    finally:
        manager.__exit__(None, None, None)


@pytest.fixture
def postgres_target(postgres_server: PostgresServer) -> Iterator[Target]:
    """The way to an empty database."""
    name = postgres_server.create_database()
    yield postgres_server.target(name)
    postgres_server.drop_database(name)
