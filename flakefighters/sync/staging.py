"""A new history file beside the one it is meant for, while it is being filled and checked.

It becomes the history by a link that never overwrites, or its rows are inserted into the history
that is there.  A transfer that is killed leaves such a file behind, and nothing else.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import secrets
import sqlite3
from collections.abc import Sequence
from operator import itemgetter
from pathlib import Path
from typing import Any, Final, Self

from flakefighters.errors import DatabaseError, FlakefightersError
from flakefighters.history import History, open_history
from flakefighters.history.database import TRUST_RANKS
from flakefighters.history.layout import (
    APPLICATION_ID,
    SCHEMA_VERSION,
    meta_rows,
    statements,
)
from flakefighters.history.sqlite import insert_row
from flakefighters.history.sqlite_errors import explain_sqlite
from flakefighters.model import Target, Trust
from flakefighters.originals import real

__all__ = ["Staging"]

#: Files that were not written to for so long, in seconds, are abandoned.
_ABANDONED: Final = 3600.0
_first = itemgetter(0)
_NO_LINKS: Final = (AttributeError, NotImplementedError)


class Staging:
    """A history that no other process knows of.  Use it as a context manager: its file vanishes."""

    def __init__(self, target: Path, name: str, *, via: str):
        self._target = target
        self._name = name
        #: How its runs arrive.
        self.via = via
        self._received = real.time_ns() // 1000
        #: Rows inserted so far.
        self.rows = 0
        #: Whether there are tombstones among them.
        self.has_tombstones = False
        _remove_abandoned(target)
        self.path = target.with_name(f"{target.name}-part-{secrets.token_hex(6)}")
        try:
            flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0)
            os.close(os.open(self.path, flags, 0o600))
        except OSError as error:
            raise DatabaseError(
                f"{name} cannot be created ({error.strerror})",
                remedy="check that its folder exists and can be written",
            ) from error
        self._connection: sqlite3.Connection | None = None
        try:
            self._connection = sqlite3.connect(self.path, isolation_level=None)
            self._begin()
        except BaseException as error:
            self.close()
            if isinstance(error, sqlite3.Error):
                raise explain_sqlite(error, name) from error
            raise

    def _begin(self) -> None:
        run = self.connection.execute
        # No other process sees the file, and a broken one is thrown away.
        for pragma in (
            "journal_mode = OFF",
            "synchronous = OFF",
            "locking_mode = EXCLUSIVE",
            "temp_store = MEMORY",
            "cache_size = -65536",
            f"user_version = {SCHEMA_VERSION}",
            f"application_id = {APPLICATION_ID}",
        ):
            run(f"PRAGMA {pragma}")
        run("BEGIN")
        for statement in statements("sqlite"):
            if not statement.startswith("CREATE INDEX"):
                run(statement)
        self.connection.executemany(insert_row("meta"), meta_rows())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        self.close()
        if isinstance(error, sqlite3.Error) and not isinstance(error, FlakefightersError):
            raise explain_sqlite(error, self._name) from error

    @property
    def connection(self) -> sqlite3.Connection:
        """The driver's connection; a transaction is open."""
        if self._connection is None:
            raise DatabaseError(f"{self.path.name} is closed")
        return self._connection

    # -- filling -------------------------------------------------------------------------------

    def take(self, lines: Sequence[str]) -> None:
        """Insert rows, each the JSON of an array: its table's name, then its columns."""
        # One call for all of them: one for each costs as much as inserting it.
        rows = json.loads(f"[{','.join(lines)}]")
        for table, group in itertools.groupby(rows, _first):
            self.add(table, [row[1:] for row in group])

    def add(self, table: str, rows: Sequence[Sequence[Any]]) -> None:
        """Insert rows of a table; of "trust", a run and how far it is trusted."""
        if table == "trust":
            table = "arrival"
            rows = [(run, trust, self._received, self.via) for run, trust in rows]
        self.has_tombstones = self.has_tombstones or (table == "tombstone" and bool(rows))
        self.connection.executemany(insert_row(table), rows)
        self.rows += len(rows)

    def distrust(self) -> None:
        """Believe the runs no more that another machine recorded as its own."""
        self.connection.execute(
            "UPDATE arrival SET trust = ? WHERE trust = ?",
            (TRUST_RANKS[Trust.UNTRUSTED], TRUST_RANKS[Trust.LOCAL]),
        )

    # -- ending --------------------------------------------------------------------------------

    def finish(self) -> None:
        """Add the indexes and let go of the file: it is a whole history now."""
        run = self.connection.execute
        for statement in statements("sqlite"):
            if statement.startswith("CREATE INDEX"):
                run(statement)
        run("COMMIT")
        self._let_go()

    def open(self) -> History:
        """The finished file as a history."""
        target = Target(backend="sqlite", path=self.path, display=self.path.name)
        return open_history(target, create=False)

    def count(self) -> dict[str, int]:
        """How many rows the finished file has of runs and events."""
        with contextlib.closing(sqlite3.connect(self.path)) as connection:
            return {
                table: connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]  # noqa: S608
                for table in ("run", "event")
            }

    def publish(self) -> bool:
        """Make it the history at the target; False if there is one by now, or links are not known.

        Call :meth:`finish` first.
        """
        _sync(self.path)
        try:
            os.link(self.path, self._target, follow_symlinks=False)
        except (OSError, *_NO_LINKS):
            return False
        self.path.unlink()
        _sync_folder(self._target.parent)
        return True

    def _let_go(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def close(self) -> None:
        """Remove the file, unless it was published.  Can be called twice."""
        self._let_go()
        for suffix in ("", "-journal", "-wal", "-shm"):
            self.path.with_name(self.path.name + suffix).unlink(missing_ok=True)


def _sync(path: Path) -> None:
    # Opened for writing: some systems sync nothing else.
    descriptor = os.open(path, os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _sync_folder(folder: Path) -> None:
    with contextlib.suppress(OSError):  # not every system can open a folder
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _remove_abandoned(target: Path) -> None:
    """Remove what killed transfers into the same history have left."""
    with contextlib.suppress(OSError):
        for path in target.parent.glob(f"{_literal(target.name)}-part-*"):
            with contextlib.suppress(OSError):
                if real.time() - path.lstat().st_mtime > _ABANDONED:
                    path.unlink()


def _literal(name: str) -> str:
    return "".join(f"[{character}]" if character in "*?[" else character for character in name)
