"""Progress of a transfer on stderr, if that is a terminal."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from flakefighters.reports.transfers import amount

if TYPE_CHECKING:
    from flakefighters.sync import Progress

__all__ = ["meter"]

#: Seconds between two changes of the line.
_PAUSE: Final = 0.1
_CLEAR: Final = "\r\x1b[K"


@contextmanager
def meter() -> Iterator[Callable[[Progress], None]]:
    """What shows progress in one line, which is gone at the end."""
    stream = sys.stderr
    if not stream.isatty():
        yield lambda progress: None  # noqa: ARG005
        return
    shown = 0.0

    def show(progress: Progress) -> None:
        nonlocal shown
        now = time.monotonic()
        if now - shown < _PAUSE:
            return
        shown = now
        unit = "runs" if progress.step in ("sending", "checking", "looking") else "rows"
        text = f"{progress.step}: {progress.rows:,}"
        if progress.total is not None:
            text += f" of {progress.total:,}"
        text += f" {unit}"
        if progress.bytes:
            text += f", {amount(progress.bytes)}"
        stream.write(_CLEAR + text)
        stream.flush()

    try:
        yield show
    finally:
        if shown:
            stream.write(_CLEAR)
            stream.flush()
