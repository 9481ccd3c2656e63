"""A server that falls and comes again in the middle of a transfer."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import pytest

from flakefighters.errors import DatabaseError
from flakefighters.history import open_history
from flakefighters.model import Target
from tests.history.made_runs import make_run
from tests.postgres.server import PostgresServer, find_binaries, running_server
from tests.requirements import lack
from tests.sync.contents import clone_into, content, pull_into, push_to, save

RUNS = [make_run({"t.py::a": "F", "t.py::b": "."}, at=n, dirty=False) for n in range(120)]


@pytest.fixture
def server() -> Iterator[PostgresServer]:
    """A server of its own: the others' must not fall."""
    if find_binaries() is None:
        lack("PostgreSQL")
    with running_server() as server:
        yield server


def test_what_was_begun_is_taken_up_again(
    server: PostgresServer, new_local: Callable[[str], Target]
) -> None:
    mine, fresh = new_local("mine.db"), new_local("fresh.db")
    save(mine, *RUNS)
    remote = server.target(server.create_database())
    open_history(remote).close()
    fell = 0
    transfers: list[Callable[[], object]] = [
        lambda: push_to(remote, mine),
        lambda: pull_into(fresh, remote),
        lambda: clone_into(fresh, remote),
    ]
    for transfer in transfers:
        broken: list[DatabaseError] = []

        def work(transfer: Callable[[], object] = transfer) -> None:
            try:
                transfer()
            except DatabaseError as error:
                broken.append(error)  # noqa: B023 - joined before the next turn

        thread = threading.Thread(target=work)
        thread.start()
        time.sleep(0.15)
        server.restart()
        thread.join(30)
        assert not thread.is_alive()
        fell += len(broken)
        assert server.password not in "".join(map(str, broken))
        transfer()
    assert content(remote) == content(mine) == content(fresh)
    assert fell, "the server was quicker than all of them"
