"""Runs whose rows make no sense: they are left out, and named.

One bad row must not stop all readers: each writer of a shared history can write one, and so
can a damaged disk.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from flakefighters.ids import short

__all__ = ["MALFORMED", "Unreadable", "unreadable_note"]

#: What data that are not as we write them provoke in our code.
MALFORMED: Final = (
    ValueError,
    TypeError,
    KeyError,
    IndexError,
    AttributeError,
    OverflowError,
    RecursionError,
)


class Unreadable:
    """The runs of one history that could not be read so far, each with the reason."""

    def __init__(self) -> None:
        self.runs: dict[str, str] = {}

    @contextmanager
    def tolerated(self, runs: str | Iterable[str], what: str) -> Iterator[None]:
        """Note a run, or several, if the block meets data that make no sense, and go on."""
        try:
            yield
        except MALFORMED:
            self.note(runs, what)

    def note(self, runs: str | Iterable[str], what: str) -> None:
        """Note that ``what`` of a run, or of several, makes no sense."""
        for run in [runs] if isinstance(runs, str) else runs:
            self.runs.setdefault(run, what)


def unreadable_note(runs: Mapping[str, str]) -> str | None:
    """One line on all runs that cannot be read; None if there are none."""
    if not runs:
        return None
    names = sorted(runs)
    shown = ", ".join(short(name) for name in names[:3])
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    one = len(names) == 1
    why = ", ".join(dict.fromkeys(runs[name] for name in names))
    return (
        f"run{'' if one else 's'} {shown}{more} cannot be read and {'is' if one else 'are'} "
        f"left out: damaged {why}"
    )
