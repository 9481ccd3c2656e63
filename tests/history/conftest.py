"""The same tests on both databases."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from flakefighters.history import History, open_history
from flakefighters.model import Target
from tests.postgres.server import PostgresServer, shared_server


@pytest.fixture(scope="session")
def filled_template() -> str:
    """A PostgreSQL database with an empty history, to be copied: quicker than to create it."""
    server = _server()
    name = server.create_database()
    open_history(server.target(name)).close()
    return name


def _server() -> PostgresServer:
    try:
        return shared_server()
    except LookupError as error:
        pytest.skip(str(error))


@pytest.fixture
def sqlite_target(tmp_path: Path) -> Target:
    path = tmp_path / "history.db"
    return Target(backend="sqlite", path=path, display="history.db")


@pytest.fixture(params=["sqlite", "postgresql"])
def backend(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def new_target(
    backend: str, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[Callable[[], Target]]:
    """Makes targets of empty histories, each another one."""
    made: list[str] = []

    def make() -> Target:
        if backend == "sqlite":
            made.append("")
            name = f"history{len(made)}.db"
            return Target(backend="sqlite", path=tmp_path / name, display=name)
        server = _server()
        made.append(server.create_database(request.getfixturevalue("filled_template")))
        return server.target(made[-1])

    yield make
    if backend == "postgresql":
        for name in made:
            _server().drop_database(name)


@pytest.fixture
def history(new_target: Callable[[], Target]) -> Iterator[History]:
    """An open, empty history."""
    with open_history(new_target()) as opened:
        yield opened
