"""Have the tests polluted this process, so that nothing of ours can be trusted to work in it?

Tests may leave a frozen clock, a fake file system or no sockets behind.  Then the end of the
session is done in a clean child process.
"""

from __future__ import annotations

import builtins
import contextlib
import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Final

from flakefighters.originals import real

__all__ = ["World", "top_level_modules"]

#: Clocks are set now and then; by more than this (µs), and tests have done it.
_CLOCK_SET: Final = 60_000_000


class World:
    """What our work rests on, as it was at the start."""

    def __init__(self) -> None:
        self._known = self._look()
        # A conftest may have frozen time already.
        self._known |= {
            "time.time": real.time,
            "time.time_ns": real.time_ns,
            "time.monotonic": real.monotonic,
        }
        self._began, self._began_steady = real.time_ns(), real.monotonic()
        self.environ = dict(os.environ)
        self.path = list(sys.path)
        self.executable = sys.executable

    def now(self) -> int:
        """The time in µs: the start's, and what a clock says that cannot be set.

        Some tools that tests travel in time with change what the real functions return.
        """
        return self._began // 1000 + round((real.monotonic() - self._began_steady) * 1_000_000)

    def remove(self, path: str) -> None:
        """Delete a file of ours on the real disk, if it is there."""
        with contextlib.suppress(OSError):  # it was cleaned up
            real.unlink(path)

    @staticmethod
    def _look() -> dict[str, object]:
        return {
            "time.time": time.time,
            "time.time_ns": time.time_ns,
            "time.monotonic": time.monotonic,
            "open": builtins.open,
            "os.open": os.open,
            "os.stat": os.stat,
            "os.lstat": os.lstat,
            "os.scandir": os.scandir,
            "os.unlink": os.unlink,
            "os.environ": os.environ,
            "subprocess.Popen": subprocess.Popen,
            "socket.socket": _sockets(),
            "sqlite3.connect": sqlite3.connect,
            **{
                name: sys.modules.get(name)
                for name in ("os", "time", "sqlite3", "subprocess", "flakefighters.session.finish")
            },
        }

    def strange(self) -> str | None:
        """What is not as it was, None if all is."""
        now = self._look()
        for name, known in self._known.items():
            if now[name] is not known:
                return name
        if abs(real.time_ns() // 1000 - self.now()) > _CLOCK_SET:
            return "the clock"
        try:
            real.getcwd()
        except OSError:
            return "the current folder"
        return None


def _sockets() -> object:
    """Whose sockets there are; Python's own, if nobody has loaded that module so far."""
    loaded = sys.modules.get("socket")
    return "socket" if loaded is None else getattr(loaded.socket, "__module__", None)


def top_level_modules() -> Iterator[str]:
    """The names of imported modules that have no dot; anything may be a key there."""
    for name in list(sys.modules):
        if isinstance(name, str) and "." not in name:
            yield name
