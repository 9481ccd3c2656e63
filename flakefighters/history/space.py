"""Giving the space of removed rows back to the disk, and making sure that they are gone."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final

from flakefighters.errors import DatabaseError
from flakefighters.history.database import Database
from flakefighters.history.sqlite import SqliteDatabase
from flakefighters.history.sqlite_errors import explain_sqlite
from flakefighters.originals import real

__all__ = ["give_back", "rewrite"]

#: Writers wait while a file is made smaller: larger ones keep their room for runs to come.
MOST: Final = 256 * 1024 * 1024
#: Not worth the while: free bytes, and their share of the file.
_LEAST, _SHARE = 64 * 1024, 0.1
#: How long to wait for others who read, in seconds.
_LOCK_SECONDS: Final = 10.0


def give_back(database: Database) -> tuple[int | None, int]:
    """Make the file smaller if that is worth the while and quickly done.

    Returns by how many bytes it became smaller (None on a server, which looks after that itself),
    and how many bytes in it are free.
    """
    if not isinstance(database, SqliteDatabase):
        return None, 0
    size, free = _sizes(database)
    if free < max(_LEAST, _SHARE * size) or size - free > MOST:
        return 0, free
    with suppress(sqlite3.OperationalError), _impatient(database):
        # Where it is in use, the next prune tries again.
        database.connection.execute("VACUUM")
        _empty_log(database, 0.0)
    now, free = _sizes(database)
    return size - now, free


def rewrite(database: Database) -> None:
    """Leave no byte of removed rows in the file or in the log beside it.

    DatabaseError if another program keeps us from it; the rows are removed all the same.
    """
    if not isinstance(database, SqliteDatabase):
        return
    try:
        database.connection.execute("VACUUM")
    except sqlite3.Error as error:
        raise _kept(error) from error
    with _impatient(database):
        if not _empty_log(database, _LOCK_SECONDS):
            raise _kept(None)


def _kept(error: sqlite3.Error | None) -> DatabaseError:
    said = "another program reads it" if error is None else explain_sqlite(error, "it").message
    return DatabaseError(
        f"what was purged is removed, but its bytes are still in the file ({said})",
        remedy="end the programs that have the history open, then purge again",
    )


@contextmanager
def _impatient(database: SqliteDatabase) -> Iterator[None]:
    """Do not wait for readers: meanwhile writers would wait too."""
    ((usual,),) = database.connection.execute("PRAGMA busy_timeout").fetchall()
    database.connection.execute("PRAGMA busy_timeout = 200")
    try:
        yield
    finally:
        database.connection.execute(f"PRAGMA busy_timeout = {usual}")


def _empty_log(database: SqliteDatabase, seconds: float) -> bool:
    """Move all of the log into the file and empty it; False if others keep us from it."""
    until = real.monotonic() + seconds
    while True:
        rows = database.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        if not rows or rows[0][0] == 0:
            return True
        if real.monotonic() >= until:
            return False
        real.sleep(0.1)


def _sizes(database: SqliteDatabase) -> tuple[int, int]:
    """Bytes of the file, and of its free pages."""
    (page,), (pages,), (free,) = (
        database.connection.execute(f"PRAGMA {name}").fetchone()
        for name in ("page_size", "page_count", "freelist_count")
    )
    return page * pages, page * free
