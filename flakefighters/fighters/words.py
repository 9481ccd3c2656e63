"""Small sentences that several flakefighters share."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flakefighters.model import Change, Past

__all__ = ["ago", "apart", "crossed", "few", "plural", "run_name", "where"]


def crossed(changes: Iterable[Change], since: str) -> str | None:
    """ "passed in CI (a1b2c3d), fails here", if that is what changed; the reverse; else None."""
    for change in changes:
        if change.path == "ci.vendor" and change.how in ("added", "removed"):
            there, here = ("in CI", "here") if change.how == "removed" else ("outside CI", "in CI")
            return f"passed {there} ({since}), fails {here}"
    return None


def run_name(past: Past) -> str:
    """How a run is named in a reason: its random tail."""
    return f"run {past.run.id[-4:]}"


def ago(then: int, now: int) -> str:
    """The time between two moments (µs) in the largest unit that fits."""
    seconds = max(0, (now - then) // 1_000_000)
    for unit, size in (("day", 86_400), ("hour", 3600), ("minute", 60)):
        if seconds >= size:
            return f"{plural(seconds // size, unit)} ago"
    return f"{plural(seconds, 'second')} ago" if seconds else "just now"


def apart(then: int, now: int) -> str:
    """ "5 minutes ago", or "5 minutes later" for what came after."""
    if then <= now:
        return ago(then, now)
    text = ago(now, then)
    return text if text == "just now" else text.removesuffix(" ago") + " later"


def plural(count: int, noun: str) -> str:
    """ "1 test", "2 tests"."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def where(past: Past) -> str:
    """The commit of a run as people write it, else the run."""
    return past.run.commit[:7] if past.run.commit else run_name(past)


def few(names: Sequence[str], most: int = 2) -> str:
    """The first names, and how many more there are."""
    shown = ", ".join(names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"
