"""Counts, lists and times in words, for reasons and for pages."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["ago", "count", "few", "trouble"]


def count(number: int, noun: str) -> str:
    """ "1 test", "2 tests", "1,200 tests"."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def few(names: Sequence[str], most: int = 2) -> str:
    """The first names, and how many more there are."""
    shown = ", ".join(names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"


def ago(then: int, now: int) -> str:
    """The time between two moments (µs) in the largest unit that fits: "5 minutes ago"."""
    seconds = max(0, (now - then) // 1_000_000)
    for unit, size in (("day", 86_400), ("hour", 3600), ("minute", 60)):
        if seconds >= size:
            return f"{count(seconds // size, unit)} ago"
    return f"{count(seconds, 'second')} ago" if seconds else "just now"


def trouble(error: BaseException) -> str:
    """An error of any kind, as part of a line: "ValueError: what it says"."""
    return f"{type(error).__name__}: {error}"[:250]
