"""Child processes: those that were started, as audit events tell, and those that run now."""

from __future__ import annotations

import itertools
import os
import sys
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from flakefighters.tracing.audit import Listener

__all__ = ["Children", "process_count"]

_EVENTS: Final = (
    "subprocess.Popen",
    "os.exec",
    "os.fork",
    "os.forkpty",
    "os.posix_spawn",
    "os.spawn",
    "os.startfile",
    "os.system",
    "pty.spawn",
)

_NONE_MADE: Final = itertools.count(1)


def process_count() -> str:
    """Changes whenever a ``multiprocessing.Process`` is made; started ones often tell nothing.

    Importing the package makes none.
    """
    module = sys.modules.get("multiprocessing.process")
    return repr(getattr(module, "_process_counter", _NONE_MADE))


class Children:
    """Which child processes were started in the window (:attr:`started`), and which run now.

    The latter is known on Linux; elsewhere only that there are some, or nothing at all.  What it
    calls is bound when it is made, as tests replace files and functions of the system by others.
    """

    def __init__(self) -> None:
        self.started: set[str] = set()
        self._pid = os.getpid()
        self._listdir, self._open, self._read, self._close = os.listdir, os.open, os.read, os.close
        self._waitid = getattr(os, "waitid", None)

    def listeners(self) -> dict[str, Listener]:
        """By event."""
        return {event: self._listener(event) for event in _EVENTS}

    def _listener(self, event: str) -> Listener:
        getpid, fspath, fsdecode, separator = os.getpid, os.fspath, os.fsdecode, os.sep

        def listener(args: tuple[Any, ...], _frame: object) -> None:
            try:
                if getpid() != self._pid:
                    return  # a forked child starts another
                self.started.add(f"{event} {program(args)}".rstrip())
            except Exception:  # protects the program's own call
                self.started.add(event)

        def program(args: tuple[Any, ...]) -> str:
            """The program's name, never its arguments: they may hold secrets."""
            if event == "os.system":
                return ""
            path = args[1] if event == "os.spawn" else args[0] if args else ""
            if event == "subprocess.Popen":
                path = args[0] or (args[1] if isinstance(args[1], str) else args[1][0])
                if isinstance(path, str) and " " in path.strip():
                    return ""  # a line for a shell
            text = fsdecode(fspath(path))
            return text[text.rfind(separator) + 1 :]

        return listener

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
