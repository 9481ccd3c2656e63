"""Files opened and child processes started, as the interpreter's audit events tell them.

An audit hook cannot be removed: one is added per process, on first use, and it costs a
dictionary look-up per event.  Without a listener it does nothing.  What it calls must not
raise, since an exception there would stop the program's own call.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable
from types import FrameType
from typing import Any, Final

__all__ = ["Audit"]

Listener = Callable[[tuple[Any, ...]], None]

#: Events to listeners; emptied at the end of a session.
_listeners: Final[dict[str, Listener]] = {}
_installed: Final[list[Callable[[str, tuple[Any, ...]], None]]] = []

_PING: Final = "flakefighters.ping"

_CHILD_EVENTS: Final = (
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


def _install() -> None:
    listener_of = _listeners.get

    def hook(event: str, args: tuple[Any, ...]) -> None:
        listener = listener_of(event)
        if listener is not None:
            listener(args)

    if not _installed:
        sys.addaudithook(hook)
        _installed.append(hook)


class Audit:
    """What was opened and started in the window; windows as in a tracer."""

    def __init__(
        self, data: Iterable[str], relative: Callable[[str], str], loose: Iterable[str] = ()
    ):
        """``data``: absolute paths of files and folders to look for; ``loose``: of files that do
        not count any more once this process has written them.

        ``relative`` makes of such a path the one to report.
        """
        self.opened: set[str] = set()
        #: What was opened, and the code that was under way then as files and names, the innermost
        #: first; of the whole session.
        self.openers: set[tuple[str, tuple[tuple[str, str], ...]]] = set()
        self.children: set[str] = set()
        #: What to report, by path as given and by real path.
        self._data: dict[str, str] = {}
        loose = tuple(loose)
        self._loose = {relative(path) for path in loose}
        for path in (*data, *loose):
            self._data[path] = self._data[os.path.realpath(path)] = relative(path)
        self._names = {path[path.rfind(os.sep) + 1 :] for path in self._data}
        self._pid = os.getpid()
        self._heard = False

    def start(self) -> None:
        """Listen."""
        _install()
        _listeners[_PING] = self._ping
        sys.audit(_PING)
        for event in _CHILD_EVENTS:
            _listeners[event] = self._child_listener(event)
        if self._data:
            listener = self._open_listener()
            for event in ("open", "os.listdir", "os.scandir", "sqlite3.connect"):
                _listeners[event] = listener

    def listen(self, event: str, listener: Listener) -> None:
        """Call ``listener``, which must not raise, with the arguments of each ``event``."""
        _listeners[event] = listener

    def begin(self) -> None:
        """Open a new window."""
        self.opened = set()
        self.children = set()

    def trouble(self) -> str | None:
        """Whether another audit hook kept ours out."""
        return None if self._heard else "audit events cannot be heard"

    def stop(self) -> None:
        """Listen no more."""
        _listeners.clear()

    def _ping(self, _args: tuple[Any, ...]) -> None:
        self._heard = True

    def _open_listener(self) -> Listener:
        # Bound now: tests replace these by others.
        fspath, fsdecode = os.fspath, os.fsdecode
        realpath, join, getcwd = os.path.realpath, os.path.join, os.getcwd
        separator, data, names = os.sep, self._data, self._names
        current = sys._getframe
        loose, anew = self._loose, os.O_TRUNC | os.O_EXCL
        written: set[str] = set()

        def listener(args: tuple[Any, ...]) -> None:
            frame: FrameType | None
            try:
                path = args[0]
                if path.__class__ is int:
                    return
                if path.__class__ is not str:
                    path = getcwd() if path is None else fsdecode(fspath(path))
                path = path.rstrip(separator)
                if path[path.rfind(separator) + 1 :] not in names and path not in ("", ".", ".."):
                    return
                found = data.get(path) or data.get(realpath(join(getcwd(), path)))
                if found in loose and len(args) > 2 and args[2] & anew:
                    written.add(found)
                if found is not None and found not in written:
                    self.opened.add(found)
                    codes: dict[tuple[str, str], None] = {}
                    frame = current(2)  # below this and the hook
                    while frame is not None:
                        codes[frame.f_code.co_filename, frame.f_code.co_name] = None
                        frame = frame.f_back
                    self.openers.add((found, tuple(codes)))
            except Exception:  # noqa: S110 - the program's own call to open() must go on
                pass

        return listener

    def _child_listener(self, event: str) -> Listener:
        getpid, fspath, fsdecode, separator = os.getpid, os.fspath, os.fsdecode, os.sep

        def listener(args: tuple[Any, ...]) -> None:
            try:
                if getpid() != self._pid:
                    return  # a forked child starts another
                self.children.add(f"{event} {program(args)}".rstrip())
            except Exception:  # protects the program's own call
                self.children.add(event)

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
