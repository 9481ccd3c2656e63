"""A proxy that delays, goes silent or cuts: faults of a network, on demand."""

from __future__ import annotations

import contextlib
import queue
import socket
import threading
import time
from types import TracebackType
from typing import Self

__all__ = ["SlowLine"]


class SlowLine:
    """Forwards 127.0.0.1:``port`` to another port; ``delay`` seconds each way.

    Counts the bytes sent to the server and received from it, and how often the direction turned
    to it (round trips).
    """

    def __init__(self, to: int, *, delay: float = 0.0):
        self.delay = delay
        self.sent = 0
        self.received = 0
        self.turns = 0
        #: Swallow everything from now on, and answer nothing.
        self.silent = False
        #: Close everything after this many more bytes to the server.
        self.cut_after: int | None = None
        self._to = to
        self._last = ""
        self._sockets: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._closed = False

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._closed = True
        self._listener.close()
        self.cut()

    def cut(self) -> None:
        """Break every connection."""
        for each in self._sockets:
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()
        self._sockets.clear()

    def reset(self) -> None:
        """Count from nothing."""
        self.sent = self.received = self.turns = 0
        self._last = ""

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            if self.silent:
                self._sockets.append(client)
                continue
            server = socket.create_connection(("127.0.0.1", self._to))
            for each in (client, server):
                each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._sockets.append(each)
            self._pump("up", client, server)
            self._pump("down", server, client)

    def _pump(self, way: str, source: socket.socket, into: socket.socket) -> None:
        line: queue.SimpleQueue[tuple[float, bytes]] = queue.SimpleQueue()

        def read() -> None:
            while True:
                try:
                    data = source.recv(65536)
                except OSError:
                    data = b""
                line.put((time.monotonic() + self.delay, data))
                if not data:
                    return
                if way == "up":
                    self.sent += len(data)
                    self.turns += self._last != "up"
                else:
                    self.received += len(data)
                self._last = way

        def write() -> None:
            while True:
                when, data = line.get()
                time.sleep(max(0.0, when - time.monotonic()))
                if self.silent:
                    continue
                if way == "up" and self.cut_after is not None:
                    data, self.cut_after = data[: self.cut_after], self.cut_after - len(data)
                try:
                    into.sendall(data)
                    if not data:
                        into.shutdown(socket.SHUT_WR)
                        return
                except OSError:
                    return
                if self.cut_after is not None and self.cut_after <= 0:
                    self.cut()
                    return

        threading.Thread(target=read, daemon=True).start()
        threading.Thread(target=write, daemon=True).start()
