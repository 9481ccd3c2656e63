"""Child processes that audit events do not tell of."""

from __future__ import annotations

import itertools
import os
import sys
from typing import Any, Final

__all__ = ["Children", "process_count"]

_NONE_MADE: Final = itertools.count(1)


def process_count() -> str:
    """Changes whenever a ``multiprocessing.Process`` is made; started ones often tell nothing.

    Importing the package makes none.
    """
    module = sys.modules.get("multiprocessing.process")
    return repr(getattr(module, "_process_counter", _NONE_MADE))


class Children:
    """Which child processes run now.

    Known on Linux; elsewhere only that there are some, or nothing at all.  What it calls is
    bound when it is made, as tests replace files and functions of the system by others.
    """

    def __init__(self) -> None:
        self._listdir, self._open, self._read, self._close = os.listdir, os.open, os.read, os.close
        self._waitid = getattr(os, "waitid", None)

    def living(self) -> frozenset[str]:
        """Their names, as "still running: NAME"."""
        try:
            tasks = self._listdir("/proc/self/task")
            lists = [self._text(f"/proc/self/task/{task}/children") for task in tasks]
        except OSError:
            return self._some_child()
        names = set()
        for pid in {int(word) for text in lists for word in text.split()} - _resource_tracker():
            try:
                stat = self._text(f"/proc/{pid}/stat")
            except OSError:  # ended meanwhile
                continue
            name, _, rest = stat.partition("(")[2].rpartition(")")
            if rest.split()[:1] != ["Z"]:
                names.add(f"still running: {name}")
        return frozenset(names)

    def _text(self, path: str) -> str:
        number = self._open(path, os.O_RDONLY)
        try:
            return self._read(number, 100_000).decode("utf-8", "replace")
        finally:
            self._close(number)

    def _some_child(self) -> frozenset[str]:
        if self._waitid is None:
            return frozenset()
        try:
            self._waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        except OSError:
            return frozenset()
        return frozenset(["still running: a child process"])


def _resource_tracker() -> set[int]:
    """multiprocessing's own helper, which runs no code of the project."""
    module: Any = sys.modules.get("multiprocessing.resource_tracker")
    pid = getattr(getattr(module, "_resource_tracker", None), "_pid", None)
    return {pid} if isinstance(pid, int) else set()
