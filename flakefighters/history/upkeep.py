"""Removing rows: alone, a little at a time, so that saving a run never waits for long.

Writers take the history's lock together, upkeep takes it for itself.  So within a transaction of
upkeep no writer can begin to use a row that was not used before.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Final, Protocol

from flakefighters.history.content import to_json
from flakefighters.history.database import Database, Writer
from flakefighters.history.sqlite import SqliteDatabase, SqliteWriter
from flakefighters.originals import real

__all__ = ["Pace", "Upkeep", "alone", "indexed", "need_owner", "remove_runs"]

#: How long one transaction should take, in seconds; half of what is promised.
TARGET: Final = 0.4
#: Between two of them, in seconds.  Others poll for a SQLite file's lock every 0.1 s.
PAUSE: Final = 0.15
_MOST: Final = 5000
#: What belongs to a run, in an order in which it can be removed before the run.
_PARTS: Final = ("verdict", "failure", "execution", "arrival")


class Upkeep(Writer, Protocol):
    """A transaction that is alone."""

    def change(self, sql: str, **params: object) -> None:
        """Update or delete; may wait until the end to do so, in order with what is inserted."""
        ...


def alone(database: Database) -> AbstractContextManager[Upkeep]:
    """Begin a transaction that no other writer is beside.

    DatabaseError if the others do not let go of the lock for long, or we lack the right.
    """
    if isinstance(database, SqliteDatabase):
        return _alone_in_file(database)
    from flakefighters.history.postgres import PostgresDatabase
    from flakefighters.history.upkeep_postgres import alone_on_server

    assert isinstance(database, PostgresDatabase)
    return alone_on_server(database)


def need_owner(database: Database, what: str) -> None:
    """DatabaseError unless we may do ``what`` ("prune"): on a server only the owner may."""
    if not isinstance(database, SqliteDatabase):
        from flakefighters.history.postgres import PostgresDatabase
        from flakefighters.history.upkeep_postgres import need_owner_on_server

        assert isinstance(database, PostgresDatabase)
        need_owner_on_server(database, what)


def indexed(database: Database, table: str, column: str) -> AbstractContextManager[None]:
    """Help a server to find the rows of ``table`` by ``column`` while what they refer to goes.

    It looks for them for each row that goes.  A file does not, see below.
    """
    if isinstance(database, SqliteDatabase):
        return nullcontext()
    from flakefighters.history.postgres import PostgresDatabase
    from flakefighters.history.upkeep_postgres import indexed_on_server

    assert isinstance(database, PostgresDatabase)
    return indexed_on_server(database, table, column)


class _SqliteUpkeep(SqliteWriter):
    def change(self, sql: str, **params: object) -> None:
        self.query(sql, **params)


@contextmanager
def _alone_in_file(database: SqliteDatabase) -> Iterator[Upkeep]:
    # Without an index SQLite would look through all rows that could refer to each row that goes.
    database.connection.execute("PRAGMA foreign_keys = OFF")
    try:
        with database.writing("SELECT 1") as writer:
            yield _SqliteUpkeep(database, writer.answer)
    finally:
        database.connection.execute("PRAGMA foreign_keys = ON")


class Pace:
    """How many rows to remove at once so that it takes about :data:`TARGET` seconds."""

    def __init__(self, size: int = 20):
        self.size = size

    @contextmanager
    def batch(self, database: Database) -> Iterator[Upkeep]:
        """A transaction of :attr:`size` rows; others get a chance after it."""
        began = real.monotonic()
        with alone(database) as upkeep:
            yield upkeep
        took = max(real.monotonic() - began, 0.001)
        # Never more than twice as many: the first rows may have been the small ones.
        self.size = max(1, min(int(self.size * min(TARGET / took, 2.0)), _MOST))
        real.sleep(PAUSE)


def remove_runs(upkeep: Upkeep, runs: Sequence[str]) -> None:
    """Remove whole runs; what they share with others stays."""
    ids = to_json(list(runs))
    for table in _PARTS:
        upkeep.change(f"DELETE FROM {{s}}{table} WHERE run IN {{hash:ids}}", ids=ids)  # noqa: S608
    upkeep.change("DELETE FROM {s}run WHERE id IN {hash:ids}", ids=ids)
