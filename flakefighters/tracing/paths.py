"""From the name that a code object or a call gives a file to the file of the project that it is."""

from __future__ import annotations

import os
import sysconfig
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from flakefighters.model.trace import Watch
    from flakefighters.tracing.facts import Facts

__all__ = ["Paths"]

# Bound now: tests replace these by others.
_REALPATH, _JOIN, _ISFILE = os.path.realpath, os.path.join, os.path.isfile

_PACKAGE_FOLDERS: Final = (f"{os.sep}site-packages{os.sep}", f"{os.sep}dist-packages{os.sep}")

#: Programs may invent names of files without end.
_MOST_NAMES: Final = 50_000


class Paths:
    """Finds files of the project.  Safe to call from any thread; opens nothing."""

    def __init__(self, watch: Watch, facts: Facts):
        self.watch = watch
        self.base = _REALPATH(watch.base)
        self._facts = facts
        self._inside = self.base + os.sep
        try:
            self._cwd = str(Path.cwd())
        except OSError:  # it was removed
            self._cwd = self.base
        self._tops = {package: folder.strip("/") for package, folder in watch.packages.items()}
        self._found: dict[str, str | None] = {}
        self._libraries = _folders("stdlib", "platstdlib", "purelib", "platlib", but=self._inside)
        self._installs = (*_folders("purelib", "platlib", but=self._inside), *_PACKAGE_FOLDERS)

    def of(self, filename: str) -> str | None:
        """A file of the project relative to the base, with ``/``; None for any other file.

        Packages that are installed below the base are not the project's, installed copies of its
        own packages are.
        """
        try:
            return self._found[filename]
        except KeyError:
            if filename.startswith("<"):  # generated code has such names without end
                return None
        try:
            found = self._find(filename)
        except (OSError, ValueError):
            found = None
        if len(self._found) < _MOST_NAMES:
            self._found[filename] = found
        return found

    def _find(self, filename: str) -> str | None:
        copy = self.installed(filename)
        if copy is None and self.foreign(filename):
            return None
        real = _REALPATH(_JOIN(self._cwd, filename))
        below = self.below(real)
        if below is not None:
            # Not every name of generated code stands in angle brackets.
            return below if real.endswith(".py") or _ISFILE(real) else None
        copy = self.installed(real) if copy is None else copy
        if copy is not None:
            self._facts.note("installed", (copy, real))
        return copy or None

    def foreign(self, path: str) -> bool:
        """Whether a path is plainly the standard library's or an installed package's."""
        return path.startswith(self._libraries)

    def below(self, real: str) -> str | None:
        """A real path relative to the base, None if it is not the project's own."""
        if not real.startswith(self._inside) or self.foreign(real):
            return None
        inner = real[len(self._inside) :]
        if any(part in os.sep + inner for part in _PACKAGE_FOLDERS):
            return None
        return inner.replace(os.sep, "/")

    def installed(self, path: str) -> str | None:
        """The file in the checkout of which ``path`` is an installed copy, "" if unknown."""
        if not self._tops and not self.watch.copies:
            return None
        for place in self._installs:
            at = path.rfind(place)
            if at < 0:
                continue
            inner = path[at + len(place) :].replace(os.sep, "/")
            if inner in self.watch.copies:
                return self.watch.copies[inner]
            folder = self._tops.get(inner.partition("/")[0].removesuffix(".py"))
            if folder is None:
                continue
            known = inner if folder in ("", ".") else f"{folder}/{inner}"
            native = path.endswith((".so", ".pyd"))  # built of what is in the checkout
            if native or known in self.watch.changed or _ISFILE(_JOIN(self.base, known)):
                return known
        return None

    def names(self, filename: str) -> tuple[str, ...]:
        """The file that ``filename`` is, and the link to it if that is what changed."""
        real = self.of(filename)
        if real is None:
            return ()
        path = _JOIN(self._cwd, filename)
        for base in (self._inside, self.watch.base + os.sep):
            link = path[len(base) :].replace(os.sep, "/") if path.startswith(base) else real
            if link != real and link in self.watch.changed:
                return (real, link)
        return (real,)

    def module(self, frame: FrameType | None) -> str | None:
        """The file of the project whose body is under way, the innermost from ``frame`` on."""
        while frame is not None:
            code = frame.f_code
            if code.co_name == "<module>":
                found = self.of(code.co_filename)
                if found is not None:
                    return found
            frame = frame.f_back
        return None


def _folders(*names: str, but: str) -> tuple[str, ...]:
    """Folders of libraries, as they are called and as they are, without those round ``but``."""
    found = {path for name in names if (path := sysconfig.get_path(name))}
    every = {path.rstrip(os.sep) + os.sep for one in found for path in (one, _REALPATH(one))}
    return tuple(path for path in every if not but.startswith(path))
