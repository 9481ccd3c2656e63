"""The little that can be read of a repository without running git.

Where git is missing, or refuses a folder that belongs to another user, the project's identity
must still be the same as elsewhere, and the commit known.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

from flakefighters.records import NamedTuple
from flakefighters.state.git import is_commit

if TYPE_CHECKING:
    from flakefighters.state.disk import Disk

__all__ = ["DotGit", "listed", "main_tree", "read", "tracks"]

_SECTION: Final = r'\[\s*([\w.-]+)(?:\s+"((?:[^"\\]|\\.)*)")?\s*\]'
_LARGEST: Final = 16 << 20


class DotGit(NamedTuple):
    """HEAD, the configuration and whether the history is cut."""

    commit: str | None = None
    branch: str | None = None
    shallow: bool = False
    #: Full key ("remote.origin.url") to its first value.
    config: tuple[tuple[str, str], ...] = ()


def read(top: Path, disk: Disk) -> DotGit:
    """Look into the ``.git`` of ``top``; whatever is odd is simply not known."""
    folder = _folder(top, disk)
    if folder is None:
        return DotGit()
    common = _common(folder, disk)
    head = _text(disk, f"{folder}/HEAD").strip()
    branch = None
    commit: str | None = head
    if head.startswith("ref: "):
        reference = head[5:].strip()
        if reference.startswith("refs/heads/"):
            branch = reference.removeprefix("refs/heads/")
        commit = None
        if ".." not in reference.split("/") and not reference.startswith("/"):
            commit = _loose(disk, common, reference) or _packed(disk, common, reference)
    return DotGit(
        commit=commit if is_commit(commit) else None,
        branch=branch,
        shallow=disk.kind(f"{common}/shallow") == "file",
        config=tuple(_config(_text(disk, f"{common}/config"))),
    )


def tracks(top: Path, path: str, disk: Disk) -> bool:
    """True if the index seems to hold ``path`` (indexes of version 4 are not understood)."""
    folder = _folder(top, disk)
    index = (disk.read(f"{folder}/index", 0, _LARGEST) or b"") if folder else b""
    return path.encode("utf-8", "surrogateescape").lower() + b"\0" in index.lower()


def listed(top: Path, disk: Disk) -> frozenset[str] | None:
    """The paths that the index holds, None if it is not plain to read.

    Version 4 shortens paths, and another file can hold the rest of an index.
    """
    folder = _folder(top, disk)
    if folder is None:
        return None
    if disk.kind(f"{folder}/index") is None:
        return frozenset()  # nothing was added yet
    index = disk.read(f"{folder}/index", 0, _LARGEST) or b""
    if index[:4] != b"DIRC" or int.from_bytes(index[4:8], "big") not in (2, 3):
        return None
    sha256 = "sha256" in _text(disk, f"{_common(folder, disk)}/config")
    # Before its name an entry has ten numbers, the content's id, and flags.
    size = 40 + (32 if sha256 else 20)
    found, place = [], 12
    for _ in range(int.from_bytes(index[8:12], "big")):
        flags = int.from_bytes(index[place + size : place + size + 2], "big")
        start = place + size + (4 if flags & 0x4000 else 2)
        end = index.find(b"\0", start)
        if end < 0:
            return None
        found.append(index[start:end].decode("utf-8", "surrogateescape"))
        place += (end - place + 8) // 8 * 8
    return None if b"link" in index[place:] else frozenset(found)


def _folder(top: Path, disk: Disk) -> Path | None:
    dot = top / ".git"
    if disk.kind(str(dot)) != "file":
        return dot
    text = _text(disk, str(dot))
    if not text.startswith("gitdir: "):
        return None
    return top / text.removeprefix("gitdir: ").strip()


def _common(folder: Path, disk: Disk) -> Path:
    """Where a linked work tree finds what it shares."""
    text = _text(disk, f"{folder}/commondir").strip()
    return folder / text if text else folder


def main_tree(top: Path, disk: Disk) -> Path | None:
    """The main work tree of the repository whose linked work tree is ``top``."""
    folder = _folder(top, disk)
    if folder is None or folder == top / ".git":
        return None
    common = Path(os.path.normpath(_common(folder, disk)))
    # A submodule has no common folder, a bare repository no work tree.
    return common.parent if common.name == ".git" and common != folder else None


def _text(disk: Disk, path: str) -> str:
    return (disk.read(path, 0, _LARGEST) or b"").decode("utf-8", "replace")


def _loose(disk: Disk, common: Path, reference: str) -> str | None:
    return _text(disk, f"{common}/{reference}").strip() or None


def _packed(disk: Disk, common: Path, reference: str) -> str | None:
    for line in _text(disk, f"{common}/packed-refs").splitlines():
        commit, _, name = line.partition(" ")
        if name == reference:
            return commit
    return None


def _config(text: str) -> Iterator[tuple[str, str]]:
    """Keys and values of git's configuration format, as far as remotes need it."""
    section = ""
    for raw in text.splitlines():
        line = raw.strip()
        header = re.match(_SECTION, line)
        if header:
            name, sub = header[1].lower(), header[2]
            section = name if sub is None else f"{name}." + re.sub(r"\\(.)", r"\1", sub)
            line = line[header.end() :].strip()
        key, equals, value = line.partition("=")
        if equals and section and key[:1].isalpha():
            yield f"{section}.{key.strip().lower()}", value.strip().strip('"')
