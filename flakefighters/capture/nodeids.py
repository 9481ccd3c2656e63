"""Node ids as pytest prints them, and as the history keeps them."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Callable, Iterable
from pathlib import Path

__all__ = ["Names", "based", "offset", "own_file"]


def offset(rootdir: Path, base: Path) -> str:
    """The way from ``base`` to pytest's rootdir, "" if they are one; POSIX form."""
    try:
        relative = rootdir.relative_to(base).as_posix()
    except ValueError:
        return ""
    return "" if relative == "." else relative


def based(nodeid: str, offset: str) -> str:
    """A node id relative to the base: the path changes, the rest stays."""
    path, separator, rest = nodeid.partition("::")
    if not offset and not path.startswith(".."):
        return nodeid
    return posixpath.normpath(posixpath.join(offset, path)) + separator + rest


def own_file(nodeid: str) -> str:
    """The file that a node id names."""
    return nodeid.partition("::")[0]


class Names:
    """The node ids of one session as its history keeps them.

    Paths become relative to ``base``, secrets are taken out by ``clean``, and two tests never
    get one name.  ``arguments`` are the absolute paths that pytest was asked for: for those that
    lie outside of its rootdir its node ids do not say where they are.
    """

    def __init__(
        self,
        rootdir: Path,
        base: Path,
        arguments: Iterable[Path] = (),
        clean: Callable[[str], str] = str,
        *,
        groups: bool = False,
    ):
        """``groups``: pytest-xdist may have put "@" and a group behind node ids."""
        self._rootdir, self._base = rootdir, base
        self._offset = offset(rootdir, base)
        self._clean = clean
        self.groups = groups
        self._outside = [path for path in arguments if not path.is_relative_to(rootdir)]
        self._paths: dict[str, str | None] = {}
        #: Only names that differ from pytest's.
        self._other: dict[str, str] = {}
        self._taken: set[str] = set()
        self._own: dict[str, str] = {}

    def learn(self, nodeids: Iterable[str]) -> None:
        """Name the members of the suite, before any test can disturb the file system."""
        members = list(nodeids)
        joined = "\n".join(members)
        plain = not (self._offset or self._outside or self.groups) and ".." not in joined
        if plain and self._clean(joined) == joined:
            return
        for nodeid in members:
            self(nodeid)

    def __call__(self, nodeid: str) -> str:
        """The name of one test."""
        name = self._other.get(nodeid)
        if name is None:
            name = self._name(nodeid)
            if name != nodeid:
                name = self._only(name)
                self._other[nodeid] = name
                self._own[name] = nodeid
        return name

    def pytests(self, name: str) -> str:
        """The inverse: pytest's own node id."""
        return self._own.get(name, name)

    def _name(self, nodeid: str) -> str:
        if self.groups:
            at = nodeid.rfind("@")
            if at > max(nodeid.rfind("]"), nodeid.rfind("::")):
                nodeid = nodeid[:at]
        if self._outside:
            path, separator, rest = nodeid.partition("::")
            if path not in self._paths:
                self._paths[path] = self._find(path)
            found = self._paths[path]
            if found is not None:
                return self._clean(found + separator + rest)
        return self._clean(based(nodeid, self._offset))

    def _find(self, path: str) -> str | None:
        """Where a file outside of the rootdir is, relative to the base; None: inside."""
        if (self._rootdir / path).exists():
            return None
        for outside in self._outside:
            for place in (outside, *outside.parents):
                if (place / path).is_file():
                    return posixpath.normpath(_relative(place / path, self._base))
        return None

    def _only(self, name: str) -> str:
        """Different tests stay different, even if all that told them apart was a secret."""
        number, single = 1, name
        while single in self._taken:
            number += 1
            single = f"{name}#{number}"
        self._taken.add(single)
        return single


def _relative(path: Path, base: Path) -> str:
    return Path(os.path.relpath(path, base)).as_posix()
