"""Removing rows: alone, a little at a time, so that saving a run never waits for long.

Writers take the history's lock together, upkeep takes it for itself.  So within a transaction of
upkeep no writer can begin to use a row that was not used before.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from flakefighters.history.content import to_json
from flakefighters.history.database import Database, Writer
from flakefighters.history.layout import PARTS
from flakefighters.originals import real

__all__ = ["Pace", "remove_runs"]

#: How long one transaction should take, in seconds; half of what is promised.
TARGET: Final = 0.4
#: Between two of them, in seconds.  Others poll for a SQLite file's lock every 0.1 s.
PAUSE: Final = 0.15
_MOST: Final = 5000


class Pace:
    """How many rows to remove at once so that it takes about :data:`TARGET` seconds."""

    def __init__(self, size: int = 20):
        self.size = size

    @contextmanager
    def batch(self, database: Database) -> Iterator[Writer]:
        """A transaction of :attr:`size` rows; others get a chance after it."""
        began = real.monotonic()
        with database.alone() as upkeep:
            yield upkeep
        took = max(real.monotonic() - began, 0.001)
        # Never more than twice as many: the first rows may have been the small ones.
        self.size = max(1, min(int(self.size * min(TARGET / took, 2.0)), _MOST))
        real.sleep(PAUSE)


def remove_runs(upkeep: Writer, runs: Sequence[str]) -> None:
    """Remove whole runs; what they share with others stays."""
    ids = to_json(list(runs))
    for table in PARTS:
        upkeep.change(f"DELETE FROM {{s}}{table} WHERE run IN {{hash:ids}}", ids=ids)  # noqa: S608
    upkeep.change("DELETE FROM {s}run WHERE id IN {hash:ids}", ids=ids)
