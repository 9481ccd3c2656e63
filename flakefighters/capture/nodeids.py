"""Node ids as pytest prints them, and as the history keeps them."""

from __future__ import annotations

import posixpath
from pathlib import Path

__all__ = ["based", "offset", "own_file"]


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
