"""Which files are which modules, in a work tree seen from several folders."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import field

from flakefighters.records import record

__all__ = ["Found", "Modules", "folder_of"]

_COMPILED = (".so", ".pyd", ".pyx")


def folder_of(path: str) -> str:
    """The folder of a path; empty for what lies at the top."""
    return path.rpartition("/")[0]


@record
class Found:
    """What a dotted name led to."""

    files: list[str] = field(default_factory=list)
    #: Where the whole name leads ("src/shop/tax", also for a package), None if not to its end.
    key: str | None = None


class Modules:
    """An index of paths by the module that they are.

    A *key* is a module's path without its ending; a package's key is its folder.
    """

    def __init__(self, paths: Iterable[str], copies: Mapping[str, str]):
        """``copies``: paths of installed files to those of which they are copies."""
        self._files: dict[str, list[str]] = {}
        self._packages: set[str] = set()
        self._folders: set[str] = set()
        for path in paths:
            self._add(path, path)
        for copy, path in copies.items():
            self._add(copy, path)
        #: First part of an absolute name to the folders from which it could be imported.
        self._tops: dict[str, set[str]] = {}
        for key in self._files:
            folder, _, name = key.rpartition("/")
            if name and folder not in self._packages:
                self._tops.setdefault(name, set()).add(folder)

    def _add(self, path: str, file: str) -> None:
        folder, _, name = path.rpartition("/")
        stem, _, _ = name.partition(".")
        if name == "__init__.py":
            self._packages.add(folder)
            key = folder
        elif name.endswith(".py"):
            key = path[:-3]
        elif name.endswith(_COMPILED):
            key = f"{folder}/{stem}" if folder else stem
        else:
            return
        self._files.setdefault(key, []).append(file)
        while folder and folder not in self._folders:
            self._folders.add(folder)
            folder = folder_of(folder)

    def root_of(self, path: str) -> str:
        """The folder from which the top-level package of ``path`` is imported."""
        folder = folder_of(path)
        while folder and folder in self._packages:
            folder = folder_of(folder)
        return folder

    def packages_of(self, path: str) -> Iterator[str]:
        """The ``__init__`` files that run before ``path``, innermost first."""
        folder = folder_of(path)
        while folder in self._packages:
            yield from self._files[folder]
            if not folder:
                return
            folder = folder_of(folder)

    def at(self, key: str) -> list[str]:
        """The files that are the module ``key``."""
        return self._files.get(key, [])

    def is_package(self, key: str) -> bool:
        """True if a folder holds an ``__init__.py``."""
        return key in self._packages

    def below(self, folder: str, parts: Sequence[str]) -> Found:
        """Follow a dotted name from ``folder``, through namespace packages too."""
        found = Found()
        key = folder
        for part in parts:
            key = f"{key}/{part}" if key else part
            if key in self._files:
                found.files.extend(self._files[key])
            elif key not in self._folders:
                return found
        found.key = key
        return found

    def absolute(self, parts: Sequence[str], roots: Iterable[str]) -> list[Found]:
        """Follow an absolute name from every root that has it.

        If none has it, from any folder where a package of that name begins: an editable
        installation or a tool may have put it on the path.
        """
        if not parts:
            return []
        places = [self.below(root, parts) for root in roots]
        found = [place for place in places if place.files or place.key is not None]
        if any(place.files for place in found) or parts[0] in sys.stdlib_module_names:
            return found
        elsewhere = [self.below(root, parts) for root in self._elsewhere(parts)]
        return found + [place for place in elsewhere if place.files]

    def _elsewhere(self, parts: Sequence[str]) -> list[str]:
        """Folders from which an absolute name leads to something, namespaces included."""
        roots = set()
        for count, part in enumerate(parts):
            above = "/".join(parts[:count])
            for folder in self._tops.get(part, ()):
                if not above:
                    roots.add(folder)
                elif f"/{folder}".endswith(f"/{above}"):
                    roots.add(folder[: -len(above)].rstrip("/"))
        return sorted(roots)
