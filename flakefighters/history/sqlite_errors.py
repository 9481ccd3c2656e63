"""SQLite's complaints in plain words, each with what to do."""

from __future__ import annotations

import sqlite3
from typing import Final

from flakefighters.errors import DatabaseError, ForeignDatabaseError, SchemaTooNewError
from flakefighters.history.layout import SCHEMA_VERSION

__all__ = ["damaged", "explain_sqlite", "too_new", "too_old"]

_DAMAGED: Final = (
    "move the file away (keep it, `sqlite3 FILE .recover` may save its runs), "
    "then run pytest again or `flakefighters clone`"
)


def explain_sqlite(error: sqlite3.Error, name: str) -> DatabaseError:
    """The error of our own that says what SQLite's ``error`` means for the file ``name``."""
    code = getattr(error, "sqlite_errorcode", None)
    primary = None if code is None else code & 0xFF
    text = str(error)
    if primary in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return DatabaseError(
            f"{name} is locked by another program",
            remedy="wait for it to end, or close the program that has the file open",
        )
    if primary in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_FORMAT):
        return damaged(name, text)
    if primary == sqlite3.SQLITE_FULL:
        return DatabaseError(f"no space left to write {name}", remedy="free some space")
    if primary == sqlite3.SQLITE_READONLY:
        return DatabaseError(
            f"{name} cannot be written", remedy="check the rights of the file and of its folder"
        )
    if primary in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM, sqlite3.SQLITE_IOERR):
        return DatabaseError(
            f"{name} cannot be opened or read ({text})",
            remedy="check that its folder exists, its rights, and the disk",
        )
    return DatabaseError(f"{name} cannot be used ({text})")


def damaged(name: str, how: str) -> ForeignDatabaseError:
    """The error for a file that SQLite or we cannot make sense of."""
    return ForeignDatabaseError(f"{name} is damaged or not a database ({how})", remedy=_DAMAGED)


def too_new(name: str, version: int) -> SchemaTooNewError:
    """The error for a history of a later version."""
    return SchemaTooNewError(
        f"{name} has schema version {version}, this flakefighters knows up to {SCHEMA_VERSION}",
        remedy="upgrade flakefighters (pip install --upgrade flakefighters)",
    )


def too_old(name: str, version: int) -> DatabaseError:
    """The error for a history of an earlier version that would have to be written to."""
    return DatabaseError(
        f"{name} has schema version {version}, older than this flakefighters' {SCHEMA_VERSION}",
        remedy="run `flakefighters upgrade`, for a shared history as its owner",
    )
