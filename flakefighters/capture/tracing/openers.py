"""Whose code opened a changed data file: who may have kept what was in it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypeAlias

from flakefighters.capture.tracing.lookup import Lookup

__all__ = ["Opened", "openers", "read_at_import"]

#: A file, and the code that was under way when it was opened, as files and names, the innermost
#: first.
Opened: TypeAlias = tuple[str, tuple[tuple[str, str], ...]]


def openers(opened: Iterable[Opened], lookup: Lookup) -> Iterator[tuple[str, str]]:
    """What was opened, with each file of the project that may have kept it ("": none is known)."""
    for path, codes in opened:
        for file in _keepers(codes, lookup):
            yield path, file


def _keepers(codes: Iterable[tuple[str, str]], lookup: Lookup) -> Iterable[str]:
    """Not what a test reads by itself: that it keeps nothing for others is what makes it a test."""
    ours = [(file, name) for file, name in codes if lookup.ours(file) is not None]
    if ours and ours[0][1].startswith("test"):
        return ("<test>",)
    return lookup.below(file for file, _ in ours) or ("",)


def read_at_import(opened: Iterable[Opened], lookup: Lookup) -> Iterator[tuple[str, str]]:
    """What modules of the project opened while they were imported, with their files."""
    for path, codes in opened:
        for file, name in codes:
            ours = lookup.ours(file) if name == "<module>" else None
            if ours is not None:
                yield path, ours
                break
