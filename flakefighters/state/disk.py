"""Reading the disk with functions bound early, and git's names for content.

Tests replace ``os`` and ``open`` in loaded modules (pyfakefs), so everything here goes through
:mod:`flakefighters.originals`.
"""

from __future__ import annotations

import hashlib
import os
import stat
from itertools import islice
from typing import Final

from flakefighters import ids
from flakefighters.originals import real

__all__ = ["EXECUTABLE", "SHORT", "Disk", "Hasher", "blob_id", "with_mode"]

#: The mode that git gives to a file which may be executed.
EXECUTABLE: Final = "100755"

#: Digits of a blob id that file maps keep.
SHORT: Final = 16
#: Files up to this size are hashed whole; of larger ones the size, the head and the tail.
_WHOLE: Final = 8 << 20
#: All that is hashed whole in one reading of a state; beyond it, short heads and tails.
_TOTAL: Final = 64 << 20
_EDGE: Final = 64 << 10
_SHORT_EDGE: Final = 4 << 10


def blob_id(content: bytes, digits: int = 40) -> str:
    """The id that git gives to ``content``, in a repository whose ids have ``digits`` digits."""
    new = hashlib.sha256 if digits == 64 else hashlib.sha1
    return new(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


def with_mode(name: str, path: str, mode: str) -> str:
    """What file maps have of a file: its id, or another one if it may be executed.

    Python files are imported all the same, and their contents are looked up by their ids.
    """
    if mode != EXECUTABLE or path.endswith((".py", ".pyw")):
        return name
    return ids.h128("executable", name)[:SHORT]


class Disk:
    """The few ways in which this room looks at the file system.  Errors mean absence."""

    _has_modes: Final = os.name == "posix"

    def kind(self, path: str) -> str | None:
        """``file``, ``folder``, ``link`` or ``other``; None if there is nothing."""
        try:
            mode = real.lstat(path).st_mode
        except (OSError, ValueError):
            return None
        if stat.S_ISREG(mode):
            return "file"
        if stat.S_ISDIR(mode):
            return "folder"
        return "link" if stat.S_ISLNK(mode) else "other"

    def size(self, path: str) -> int | None:
        """Bytes of a regular file, None for anything else."""
        try:
            found = real.lstat(path)
        except (OSError, ValueError):
            return None
        return found.st_size if stat.S_ISREG(found.st_mode) else None

    def mode(self, path: str) -> str:
        """The mode that git would give to a file."""
        try:
            mode = real.lstat(path).st_mode
        except (OSError, ValueError):
            return ""
        executable = stat.S_ISREG(mode) and mode & stat.S_IXUSR and self._has_modes
        return EXECUTABLE if executable else "100644"

    def edited(self, path: str) -> int | None:
        """When a regular file was written last, in µs since the epoch; None for anything else."""
        try:
            found = real.lstat(path)
        except (OSError, ValueError):
            return None
        return found.st_mtime_ns // 1000 if stat.S_ISREG(found.st_mode) else None

    def read(self, path: str, start: int = 0, length: int = -1) -> bytes | None:
        """``length`` bytes (all by default) of a file from ``start``, None if unreadable."""
        try:
            with real.open(path, "rb") as stream:
                if start:
                    stream.seek(start)
                return stream.read(length)
        except (OSError, ValueError):
            return None

    def target(self, path: str) -> bytes | None:
        """Where a symbolic link points, as git stores it."""
        try:
            return real.readlink(path).replace(os.sep, "/").encode("utf-8", "surrogateescape")
        except (OSError, ValueError, NotImplementedError):
            return None

    def entries(self, path: str, most: int | None = None) -> list[tuple[str, bool, bool]] | None:
        """Name, is folder, is link of what a folder holds, in order of name.

        None if it is unreadable, or holds more than ``most``.
        """
        try:
            with real.scandir(path) as found:
                some = list(found if most is None else islice(found, most + 1))
            if most is not None and len(some) > most:
                return None
            return sorted(
                (entry.name, entry.is_dir(follow_symlinks=False), entry.is_symlink())
                for entry in some
            )
        except (OSError, ValueError):
            return None


class Hasher:
    """Names file contents within a budget; deterministic if asked in the same order."""

    def __init__(self, disk: Disk, *, digits: int = 40, text: bool = False, total: int = _TOTAL):
        """``digits`` of the repository's ids; ``text``: git turns CRLF into LF when it stores."""
        self._disk = disk
        self._digits = digits
        self._text = text
        self._left = total

    def name(self, path: str) -> str | None:
        """The first 16 digits of the blob id of a file or link, None if there is neither.

        Of files too large to be read whole it is a name made of size, head and tail.
        """
        size = self._disk.size(path)
        if size is None:
            target = self._disk.target(path) if self._disk.kind(path) == "link" else None
            return None if target is None else blob_id(target, self._digits)[:SHORT]
        edge = _SHORT_EDGE if size > self._left else _EDGE
        if size > 2 * _SHORT_EDGE and size > min(_WHOLE, self._left):
            return self._outline(path, size, edge)
        content = self._disk.read(path)
        if content is None:
            # It cannot be read, so no test can either; it is there all the same.
            return blob_id(b"unreadable %d" % size)[:SHORT]
        self._left -= len(content)
        if self._text and b"\r\n" in content and b"\0" not in content[:8000]:
            content = content.replace(b"\r\n", b"\n")
        return blob_id(content, self._digits)[:SHORT]

    def _outline(self, path: str, size: int, edge: int) -> str:
        head = self._disk.read(path, 0, edge) or b""
        tail = self._disk.read(path, max(edge, size - edge), edge) or b""
        return blob_id(b"outline %d " % size + head + tail)[:SHORT]
