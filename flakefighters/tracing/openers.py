"""Whose code opened a changed data file: who may have kept what was in it."""

from __future__ import annotations

import os
import sysconfig
from collections.abc import Iterable, Iterator
from typing import Final, TypeAlias

from flakefighters.tracing.lookup import Lookup

_LIBRARY: Final = sysconfig.get_path("stdlib") + os.sep
#: Packages that read settings of their own, which are no business of a test.
_READ_SETTINGS: Final = frozenset({"_pytest", "coverage", "pytest", "pytest_cov", "xdist"})

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
    codes = list(codes)
    if _package(codes) in _READ_SETTINGS:
        return ("<settings>",)
    ours = [(file, name) for file, name in codes if lookup.ours(file) is not None]
    if ours and ours[0][1].startswith("test"):
        return ("<test>",)
    return lookup.below(file for file, _ in ours) or ("",)


def _package(codes: Iterable[tuple[str, str]]) -> str | None:
    """The installed package whose code is the innermost, below that of the standard library."""
    for file, _ in codes:
        parts = file.replace(os.sep, "/").split("/")
        for place in ("site-packages", "dist-packages"):
            if place in parts:
                return parts[parts.index(place) + 1]
        if not file.startswith(("<frozen", _LIBRARY)):
            return None
    return None


def read_at_import(opened: Iterable[Opened], lookup: Lookup) -> Iterator[tuple[str, str]]:
    """What modules of the project opened while they were imported, with their files."""
    for path, codes in opened:
        for file, name in codes:
            ours = lookup.ours(file) if name == "<module>" else None
            if ours is not None:
                yield path, ours
                break
