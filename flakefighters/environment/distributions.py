"""Which distributions are installed, from the names of their folders."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Collection, Iterator, Sequence
from typing import Final

__all__ = ["installed", "normalised", "own_files", "own_names", "owners"]

_RUNS: Final = re.compile(r"[-_.]+")
_EGG: Final = r"-py\d+(\.\d+)?(-.*)?$"
_LARGEST: Final = 4 << 20
#: The name that a project gives itself: in tables of ``pyproject.toml``, in ``setup.cfg``, in the
#: call of ``setup.py``.
_OWN_NAME: Final = (
    rb"""(?m)^[ \t]*name[ \t]*[=:][ \t]*["']?([A-Za-z0-9][\w.-]*)["']?[ \t]*,?[ \t]*\r?$"""
)
#: Installed files that no code is in: metadata, compiled bytecode.
_BESIDE: Final = r"\.(dist-info|egg-info|data)/|\.pyc$"
#: What a project installed in place has instead of a version: its code is in the work tree.
EDITABLE: Final = "editable"


def normalised(name: str) -> str:
    """A distribution's name as package indexes compare it."""
    return _RUNS.sub("-", name).lower()


def installed(path: Sequence[str] | None = None) -> dict[str, str]:
    """Normalised name to version of what lies on ``path`` (``sys.path`` by default).

    Read from the folders' names alone.  The first folder on the path wins, as in an import.
    """
    found: dict[str, str] = {}
    for folder in _folders(path):
        here: dict[str, str] = {}
        for name, version, place in _metadata(folder):
            if _in_place(place):
                version = EDITABLE
            # Two of one name in one folder are left-overs: any choice, but always the same one.
            if name not in here or version > here[name]:
                here[name] = version
        found = here | found
    return dict(sorted(found.items()))


def own_names(*sources: bytes) -> frozenset[str]:
    """Normalised names that a project gives itself in these files (``pyproject.toml``, ...)."""
    names = (
        match.decode("ascii", "replace") for one in sources for match in re.findall(_OWN_NAME, one)
    )
    return frozenset(map(normalised, names))


def own_files(
    own: Collection[str], base: str, path: Sequence[str] | None = None
) -> Iterator[tuple[str, str]]:
    """Folder on the path and file below it, of each file that the project has installed.

    ``own``: the names that it gives itself; ``base``: the folder from which it may be installed.
    """
    for folder in _folders(path):
        for name, _, place in _metadata(folder):
            origin = _read(f"{place}/direct_url.json")
            if b'"editable"' not in origin and (name in own or os.fsencode(base) in origin):
                for file in _recorded(place):
                    if not file.startswith(("/", "..")) and not re.search(_BESIDE, file):
                        yield folder, file


def owners(path: Sequence[str] | None = None) -> dict[str, tuple[str, ...]]:
    """Top-level module to the distributions that bring it.  Reads a file of each: call it once."""
    found: dict[str, set[str]] = {}
    for folder in _folders(path):
        for name, _, place in _metadata(folder):
            for module in _modules(place):
                found.setdefault(module, set()).add(name)
    return {module: tuple(sorted(names)) for module, names in found.items()}


def _folders(path: Sequence[str] | None) -> Iterator[str]:
    return iter(dict.fromkeys(sys.path if path is None else path))


def _metadata(folder: str) -> Iterator[tuple[str, str, str]]:
    """Normalised name, version and path of each distribution's metadata in ``folder``."""
    try:
        names = os.listdir(folder or ".")  # noqa: PTH208 - a path object per entry costs more
    except OSError:  # absent, or an archive
        return
    for entry in names:
        if entry.endswith(".dist-info"):
            name, _, version = entry[:-10].partition("-")
        elif entry.endswith(".egg-info"):
            name, _, version = re.sub(_EGG, "", entry[:-9]).partition("-")
            if not version:  # beside sources, seen only when tests start from there
                continue
        else:
            continue
        if name and not name.startswith("~"):  # pip's left-overs
            yield normalised(name), version, os.path.join(folder, entry)  # noqa: PTH118


def _in_place(place: str) -> bool:
    """True for a project that is installed as a link to its sources."""
    return b'"editable"' in _read(f"{place}/direct_url.json")


def _modules(place: str) -> Iterator[str]:
    text = _read(f"{place}/top_level.txt").decode("utf-8", "replace")
    if text.strip():
        yield from text.split()
        return
    for file in _recorded(place):
        head, slash, rest = file.partition("/")
        if slash:
            if head.isidentifier() and rest.endswith((".py", ".so", ".pyd", ".pyi")):
                yield head
        elif file.endswith((".py", ".so", ".pyd")):
            yield file.partition(".")[0]


def _recorded(place: str) -> Iterator[str]:
    """The files that a distribution has installed, as its metadata lists them."""
    for line in _read(f"{place}/RECORD").decode("utf-8", "replace").splitlines():
        yield line[1:].partition('"')[0] if line.startswith('"') else line.partition(",")[0]


def _read(path: str) -> bytes:
    try:
        with open(path, "rb") as stream:  # noqa: PTH123
            return stream.read(_LARGEST)
    except OSError:
        return b""
