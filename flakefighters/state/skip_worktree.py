"""Tracked files that git was told to look away from: ``git status`` is silent about them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

__all__ = ["COMMAND", "parse"]

COMMAND: Final = ("ls-files", "-v", "--stage", "-z")

#: Tags in lower case are ``assume-unchanged``, S is ``skip-worktree``.
_ENTRY: Final = re.compile(rb"(?:^|\0)([a-z]|S) 100\d{3} ([0-9a-f]+) 0\t([^\0]+)")


def parse(output: bytes) -> Iterator[tuple[str, str, bool]]:
    """Path, blob id in the index, and whether the file may be left out of the work tree."""
    for match in _ENTRY.finditer(output):
        tag, name, path = match.groups()
        yield path.decode("utf-8", "surrogateescape"), name.decode(), tag in b"Ss"
