"""A line to a server that breaks, or falls silent, after so many bytes from the server."""

from __future__ import annotations

import contextlib
import socket
import threading
from types import TracebackType
from typing import Self

__all__ = ["BadLine"]


class BadLine:
    """Forwards 127.0.0.1:``port`` to another port, until ``after`` bytes came from there."""

    def __init__(self, to: int, after: int, *, silent: bool = False):
        self._to = to
        self._after = after
        self._silent = silent
        self._open: list[socket.socket] = []
        #: Bytes that came from the server, over all connections.
        self.received = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._listener.close()
        self._cut()

    def _cut(self) -> None:
        for each in self._open:
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()
        self._open.clear()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", self._to))
            self._open += [client, server]
            threading.Thread(target=self._up, args=(client, server), daemon=True).start()
            threading.Thread(target=self._down, args=(server, client), daemon=True).start()

    def _up(self, client: socket.socket, server: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := client.recv(65536):
                server.sendall(data)
            server.shutdown(socket.SHUT_WR)

    def _down(self, server: socket.socket, client: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := server.recv(4096):
                left = self._after - self.received
                self.received += len(data)
                client.sendall(data[: max(0, left)])
                if len(data) >= left:
                    if not self._silent:
                        self._cut()
                    return
            client.shutdown(socket.SHUT_WR)
