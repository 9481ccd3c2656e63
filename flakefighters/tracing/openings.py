"""Which changed files were opened, and which of their folders were listed.

Files are told by what they are (device and number), so that links of any name count; those that
are not there, by their path.
"""

from __future__ import annotations

import os
import sysconfig
from collections.abc import Collection, Iterator
from stat import S_ISDIR
from types import FrameType
from typing import TYPE_CHECKING, Any, Final

from flakefighters.tracing.loading import importlibs

if TYPE_CHECKING:
    from flakefighters.tracing.audit import Listener
    from flakefighters.tracing.facts import Facts
    from flakefighters.tracing.loading import Loading
    from flakefighters.tracing.paths import Paths

__all__ = ["Openings"]

# Bound now: tests replace these by others.
_FSPATH, _FSDECODE, _GETCWD, _STAT = os.fspath, os.fsdecode, os.getcwd, os.stat
_REALPATH, _JOIN, _ISABS = os.path.realpath, os.path.join, os.path.isabs
_STDLIB: Final = tuple({sysconfig.get_path("stdlib") + os.sep, os.path.realpath(os.__file__)[:-5]})
_NEW: Final = os.O_TRUNC | os.O_EXCL

#: These read sources that they collect or report on, or hash: no business of a test.
_READERS: Final = frozenset({"_pytest", "coverage", "hypothesis", "pytest", "pytest_cov", "xdist"})
#: But this one copies files for a test.
_PYTESTER: Final = "_pytest.pytester"

#: Functions of the import system that read what is being imported, and look for it and for
#: distributions.
_IMPORTING: Final = frozenset({"get_code", "_fill_cache", "children"})
#: Modules of the standard library that read sources to show where an error or a warning arose.
_SHOWING: Final = frozenset({"traceback", "warnings"})

#: More frames than these are not looked at for each opening.
_MOST_FRAMES: Final = 500


class Openings:
    """Notes the facts ``opened`` and ``read_at_import``; what the window opened is in
    :attr:`opened`.
    """

    def __init__(self, paths: Paths, facts: Facts, loading: Loading):
        self._paths = paths
        self._loading = loading
        self._facts = facts
        self.opened: set[str] = set()
        #: Whether a test is under way: pytest then reads for it, or to report on it.
        self.testing = False
        #: Loose files that this process has written.
        self._written: set[str] = set()
        watch = paths.watch
        self._wanted = watch.changed | watch.loose
        self._folders = {name.rpartition("/")[0] or "." for name in watch.changed}
        self._basenames = {name.rpartition("/")[2] for name in self._wanted | self._folders}
        self._inodes: dict[tuple[int, int], list[str]] | None = None
        #: Changed repositories within this one, of which no files are known.
        self._repositories: list[str] = []

    def listeners(self) -> dict[str, Listener]:
        """By event."""
        return {
            "open": self._opened,
            "ctypes.dlopen": self._opened,
            "os.listdir": self._listed,
            "os.scandir": self._listed,
            "sqlite3.connect": self._connected,
            "import": self._imported,
        }

    def _opened(self, args: tuple[Any, ...], frame: FrameType) -> None:
        path = args[0]
        if path.__class__ is not int:  # of a descriptor its own opening has told
            flags = args[2] if len(args) > 2 and args[2].__class__ is int else 0
            self._look(path, frame, flags)

    def _listed(self, args: tuple[Any, ...], frame: FrameType) -> None:
        self._look(_GETCWD() if args[0] is None else args[0], frame, folder=True)

    def _connected(self, args: tuple[Any, ...], frame: FrameType) -> None:
        self._look(_database(_FSDECODE(_FSPATH(args[0]))), frame)

    def _imported(self, args: tuple[Any, ...], frame: FrameType) -> None:
        if args[1] is not None:  # an extension module
            self._look(args[1], frame, native=True)
            self._loading.loaded(args[1], frame)

    def _look(
        self,
        path: Any,
        frame: FrameType,
        flags: int = 0,
        *,
        folder: bool = False,
        native: bool = False,
    ) -> None:
        """Note a path if it is of a changed file, or of the folder of one."""
        if path.__class__ is not str and path.__class__ is not int:
            path = _FSDECODE(_FSPATH(path))
        found = self._which(path, folder)
        if not found:
            return
        frames = list(_outwards(frame))
        for name in found:
            if name in self._paths.watch.loose:
                if flags & _NEW:
                    self._written.add(name)
                if name in self._written:
                    continue
            text = folder or name.endswith(".py") or str(path).endswith(".py")
            if native or self._is_reading(frames, text):
                self.opened.add(name)
                for opener in self._openers(frames):
                    self._facts.note("opened", (name, opener))
                body = self._paths.module(frame)
                if body is not None:
                    self._facts.note("read_at_import", (name, body))

    def _which(self, path: Any, folder: bool) -> list[str]:
        """The changed files that a path leads to; of folders if ``folder``."""
        if path.__class__ is str:
            if path.endswith(".pyc"):
                return []
            copy = self._paths.installed(path)
            if copy is not None:
                self._paths.of(path)  # which notes the copy
                return [copy] if copy in (self._folders if folder else self._wanted) else []
            if self._paths.foreign(path):
                return []
        names = self._folders if folder else self._wanted
        if self._inodes is None:
            self._inodes = self._identify()
        try:
            status = _STAT(path)
        except (OSError, ValueError):
            return [] if path.__class__ is int else self._by_name(path, names, there=False)
        same = self._inodes.get((status.st_dev, status.st_ino), ())
        found = [one for one in same if one in names]
        if found or path.__class__ is int:
            return found
        return self._by_name(path, names, there=True)

    def _by_name(self, path: str, names: Collection[str], *, there: bool) -> list[str]:
        base = path.rstrip(os.sep).rpartition(os.sep)[2]
        if base not in self._basenames and not self._repositories:
            return []
        real = self._paths.below(_REALPATH(_JOIN(_GETCWD(), path)))
        if real is not None:
            found = [one for one in self._repositories if real.startswith(f"{one}/")]
            if found or real in names:
                return found or [real]
        if not there and not _ISABS(path):  # relative to the descriptor of a folder, perhaps
            return [name for name in names if name.rpartition("/")[2] == base]
        return []

    def _identify(self) -> dict[tuple[int, int], list[str]]:
        found: dict[tuple[int, int], list[str]] = {}
        for name in self._wanted | self._folders:
            try:
                status = _STAT(_JOIN(self._paths.base, name))
            except (OSError, ValueError):
                continue  # it is gone
            found.setdefault((status.st_dev, status.st_ino), []).append(name)
            if S_ISDIR(status.st_mode) and name in self._wanted:
                self._repositories.append(name)
        return found

    def _is_reading(self, frames: list[FrameType], text: bool) -> bool:
        """Whether this is more than an import, and than what pytest does for itself.

        ``text``: of a Python file, or a listing of a folder.
        """
        at = 0
        while at < len(frames) and importlibs(frames[at].f_code.co_filename):
            if frames[at].f_code.co_name in _IMPORTING:
                return False
            at += 1
        for frame in frames[at:]:
            if not frame.f_code.co_filename.startswith(("<frozen", *_STDLIB)) or _library(frame):
                module = str(frame.f_globals.get("__name__") or "")
                package = module.partition(".")[0]
                if package not in _READERS or module == _PYTESTER:
                    return True
                return self.testing and not text and not package.endswith(("coverage", "_cov"))
            if text and frame.f_globals.get("__name__") in _SHOWING:
                return False
        return True

    def _ours(self, frame: FrameType) -> str | None:
        return self._paths.of(frame.f_code.co_filename)

    def _openers(self, frames: list[FrameType]) -> set[str]:
        """Files of the project whose code is under way: each may keep what it reads."""
        ours = [(file, f.f_code.co_name) for f in frames if (file := self._ours(f)) is not None]
        if ours and ours[0][1].startswith("test"):
            # That it keeps nothing for others is what makes it a test.
            return {"<test>"}
        return {file for file, _ in ours} or {""}


def _outwards(inner: FrameType) -> Iterator[FrameType]:
    frame: FrameType | None = inner
    for _ in range(_MOST_FRAMES):
        if frame is None:
            return
        yield frame
        frame = frame.f_back


def _library(frame: FrameType) -> bool:
    """Installed packages may lie below the folder of the standard library."""
    return f"{os.sep}site-packages{os.sep}" in frame.f_code.co_filename


def _database(name: str) -> str:
    """The file of a database, also where a URI names it."""
    if not name.startswith("file:"):
        return name
    path = name[5:].partition("#")[0].partition("?")[0]
    if path.startswith("//"):
        path = "/" + path[2:].partition("/")[2]
    if "%" not in path:
        return path
    from urllib.parse import unquote  # as in state/urls.py

    return unquote(path)
