"""What a trial is told of its session."""

from __future__ import annotations

import socket
import sys

import pytest

from flakefighters.session.bench import held


@pytest.mark.skipif(sys.platform == "win32", reason="asks /dev/fd")
def test_a_port_that_the_process_holds() -> None:
    before = held()
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.create_connection(server.getsockname()) as client,
    ):
        assert held() == "the session still holds a port"
        client.send(b"still open")
    assert held() == before
