"""A history in one SQLite file, with the standard library alone."""

from __future__ import annotations

import os
import sqlite3
import stat
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext, suppress
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from flakefighters.errors import DatabaseError, ForeignDatabaseError
from flakefighters.history.database import render
from flakefighters.history.layout import (
    APPLICATION_ID,
    COLUMNS,
    SCHEMA_VERSION,
    inserting,
    meta_rows,
    statements,
)
from flakefighters.history.sqlite_errors import damaged, explain_sqlite, too_new, too_old
from flakefighters.model import Trust
from flakefighters.originals import real

if TYPE_CHECKING:
    from flakefighters.history.database import Row

__all__ = ["SqliteDatabase", "check_file", "insert_row"]

_MAGIC: Final = b"SQLite format 3\x00"
_REMEDY: Final = "choose another file for the history"

# What SQLite says when it cannot make its files beside the database.
_NO_ROOM: Final = (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY)

#: How long to wait for other writers, in seconds.
LOCK_SECONDS: Final = 15.0


def check_file(path: Path, name: str) -> bool:
    """True if there is a file to open, False if there is none.

    ForeignDatabaseError for a link, a folder, or what is plainly not one of our files; nothing
    is opened by SQLite for that.
    """
    try:
        facts = os.lstat(path)
    except FileNotFoundError:
        return False
    except OSError as error:
        raise DatabaseError(f"{name} cannot be used ({error.strerror})", remedy=_REMEDY) from error
    if stat.S_ISLNK(facts.st_mode):
        raise ForeignDatabaseError(f"{name} is a link; a history is a plain file", remedy=_REMEDY)
    if stat.S_ISDIR(facts.st_mode):
        raise ForeignDatabaseError(f"{name} is a folder", remedy=_REMEDY)
    if not stat.S_ISREG(facts.st_mode):
        raise ForeignDatabaseError(f"{name} is not a plain file", remedy=_REMEDY)
    if facts.st_size == 0:
        return True
    try:
        with path.open("rb") as file:
            header = file.read(100)
    except OSError as error:
        raise DatabaseError(f"{name} cannot be read ({error.strerror})") from error
    if not header.startswith(_MAGIC) or len(header) < 100:
        raise ForeignDatabaseError(f"{name} is not a SQLite database", remedy=_REMEDY)
    # 0 until the first transaction of a new history is in the file itself.
    if int.from_bytes(header[68:72], "big") not in (0, APPLICATION_ID):
        raise _foreign(name)
    return True


@lru_cache(maxsize=64)
def _rendered(sql: str) -> str:
    return render(sql, "", lambda _, name: f"(SELECT value FROM json_each(:{name}))")  # noqa: S608


def insert_row(table: str) -> str:
    """The statement that inserts a row unless its key is there."""
    marks = ", ".join("?" * len(COLUMNS[table]))
    return f"{inserting(table)}({marks}) ON CONFLICT DO NOTHING"


def _primary(error: sqlite3.Error) -> int:
    """SQLite's result code without the details in its higher bytes."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def _foreign(name: str) -> ForeignDatabaseError:
    return ForeignDatabaseError(f"{name} is the database of another program", remedy=_REMEDY)


class SqliteDatabase:
    """See :class:`~flakefighters.history.database.Database`."""

    #: A user who can write the file can write anything.
    trust = Trust.LOCAL
    gives_trust = False

    def __init__(
        self,
        path: Path,
        *,
        name: str,
        create: bool = True,
        read_only: bool = False,
        strict: bool = False,
        seconds: float = LOCK_SECONDS,
    ):
        self.read_only = read_only or strict
        self._strict = strict
        self._name = name
        self._seconds = seconds
        there = check_file(path, name)
        if not there and (self.read_only or not create):
            raise DatabaseError(
                f"{name} does not exist",
                remedy="run pytest once to create it, or `flakefighters clone`",
            )
        if not there:
            self._touch(path)
        self._connection: sqlite3.Connection | None = None
        self.meta: Mapping[str, str] = {}
        try:
            with self._explained():
                try:
                    self._open(path, self._mode(path), create)
                except sqlite3.OperationalError as error:
                    # A folder that we cannot write has no room for the files that SQLite keeps
                    # beside a file in WAL mode; without a log they are not needed.
                    alone = not path.with_name(path.name + "-wal").exists()
                    if not (self.read_only and alone and _primary(error) in _NO_ROOM):
                        raise
                    self._open(path, "immutable=1", create)
        except BaseException:
            self._drop()
            raise

    # -- opening -------------------------------------------------------------------------------

    def _mode(self, path: Path) -> str:
        if self._strict:
            return "immutable=1"
        if not self.read_only:
            return "mode=rw"
        # SQLite would make its files beside it, with the rights of a file that nobody may write:
        # they stay behind, and its owner could not write any more.
        alone = not path.with_name(path.name + "-wal").exists()
        return "immutable=1" if alone and not os.access(path, os.W_OK) else "mode=ro"

    def _open(self, path: Path, mode: str, create: bool) -> None:
        self._drop()
        self._connection = sqlite3.connect(
            f"{_uri(path)}?{mode}",
            uri=True,
            timeout=self._seconds,
            isolation_level=None,
        )
        self._prepare(create=create)
        self.meta = dict(self._execute("SELECT key, value FROM meta"))

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _touch(self, path: Path) -> None:
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0)
        try:
            os.close(os.open(path, flags, 0o600))
        except FileExistsError:  # another process was faster
            return
        except OSError as error:
            raise DatabaseError(
                f"{self._name} cannot be created ({error.strerror})",
                remedy="check that its folder exists and can be written",
            ) from error

    def _prepare(self, *, create: bool) -> None:
        self._execute("PRAGMA trusted_schema = OFF")
        self._execute("PRAGMA foreign_keys = ON")
        # Tables first: another process may be creating them, together with the application's id.
        if self._execute("SELECT count(*) FROM sqlite_master") == [(0,)]:
            if self.read_only or not create:
                raise DatabaseError(f"{self._name} is empty", remedy="run pytest once to fill it")
            self._create()
        self._check_schema()
        if not self.read_only:
            self._use_wal()
            # With a WAL, NORMAL can lose the last runs in a power cut, but never damage the file.
            self._execute("PRAGMA synchronous = NORMAL")
        self._execute("PRAGMA temp_store = MEMORY")

    def _create(self) -> None:
        # Not in WAL mode yet: the header of the file itself tells from now on whose it is.
        self._execute("BEGIN EXCLUSIVE")
        try:
            if self._execute("SELECT count(*) FROM sqlite_master") == [(0,)]:
                for statement in statements("sqlite"):
                    self._execute(statement)
                self.connection.executemany(insert_row("meta"), meta_rows())
                self._execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
                self._execute(f"PRAGMA application_id = {APPLICATION_ID}")
            self._execute("COMMIT")
        except BaseException:
            self._rollback()
            raise

    def _check_schema(self) -> None:
        if self._number("application_id") != APPLICATION_ID:
            raise _foreign(self._name)
        while True:
            version = self._number("user_version")
            try:
                self._check_version(version)
                return
            except ForeignDatabaseError:
                # Another process may have brought it to a new version meanwhile.
                if self._number("user_version") == version:
                    raise

    def _check_version(self, version: int) -> None:
        if version < 1 or (self._strict and version != SCHEMA_VERSION):
            raise ForeignDatabaseError(f"{self._name} has schema version {version}, not ours")
        if version > SCHEMA_VERSION:
            oldest = self._execute("SELECT value FROM meta WHERE key = 'oldest_reader'")
            if not oldest or int(oldest[0][0]) > SCHEMA_VERSION or not self.read_only:
                raise too_new(self._name, version)
        self._check_objects(version)

    def _check_objects(self, version: int) -> None:
        """ForeignDatabaseError for tables and the like that are not ours, or are lacking."""
        made = statements("sqlite", min(version, SCHEMA_VERSION))
        ours = {each.split()[2]: each.strip() for each in made}
        for kind, name, sql in self._execute("SELECT type, name, sql FROM sqlite_master"):
            expected = ours.pop(name, None)
            if sql is None or sql == expected or (version > SCHEMA_VERSION and not self._strict):
                continue
            dangerous = kind in ("trigger", "view") or "VIRTUAL" in sql.upper()
            if self._strict or dangerous or expected is not None:
                raise ForeignDatabaseError(
                    f"{self._name} holds a {kind} {name!r} that is not ours",
                    remedy="do not use this file; if you made it yourself, drop it",
                )
        if ours:
            raise ForeignDatabaseError(
                f"{self._name} lacks {', '.join(sorted(ours))}",
                remedy="move the file away, then run pytest again or `flakefighters clone`",
            )

    def _use_wal(self) -> None:
        """Switch to a write-ahead log; SQLite does not wait by itself for others who do so too."""
        until = real.monotonic() + self._seconds
        while True:
            try:
                self._execute("PRAGMA journal_mode = WAL")
                return
            except sqlite3.OperationalError as error:
                busy = _primary(error) in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
                if not busy or real.monotonic() > until:
                    raise
            real.sleep(0.01)

    # -- using ---------------------------------------------------------------------------------

    @property
    def connection(self) -> sqlite3.Connection:
        """The driver's connection, for what SQL cannot say."""
        if self._connection is None:
            raise DatabaseError(f"{self._name} is closed")
        return self._connection

    def _execute(self, sql: str, params: Mapping[str, object] | None = None) -> list[Row]:
        return self.connection.execute(sql, params or {}).fetchall()

    def _number(self, pragma: str) -> int:
        return int(self._execute(f"PRAGMA {pragma}")[0][0])

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise explain_sqlite(error, self._name) from error
        except UnicodeDecodeError as error:
            raise damaged(self._name, "a text is not UTF-8") from error

    def _rollback(self) -> None:
        with suppress(sqlite3.Error):  # SQLite rolls back by itself after some errors
            self._execute("ROLLBACK")

    def query(self, sql: str, **params: object) -> list[Row]:
        with self._explained():
            return self._execute(_rendered(sql), params)

    @contextmanager
    def writing(self, sql: str, **params: object) -> Iterator[SqliteWriter]:
        if self.read_only:
            raise DatabaseError(
                f"{self._name} is opened for reading only",
                remedy="check the rights of the file and of its folder",
            )
        with self._explained():
            self._execute("BEGIN IMMEDIATE")
            try:
                version = self._number("user_version")
                if version != SCHEMA_VERSION:
                    moved = too_new if version > SCHEMA_VERSION else too_old
                    raise moved(self._name, version)
                yield SqliteWriter(self, self.query(sql, **params))
                self._execute("COMMIT")
            except BaseException:
                self._rollback()
                raise

    @contextmanager
    def alone(self) -> Iterator[SqliteWriter]:
        # Without an index SQLite would look through all rows that may refer to each row that goes.
        self._execute("PRAGMA foreign_keys = OFF")
        try:
            with self.writing("SELECT 1") as writer:  # there is never another one
                yield writer
        finally:
            self._execute("PRAGMA foreign_keys = ON")

    def indexed(self, table: str, column: str) -> nullcontext[None]:  # noqa: ARG002
        return nullcontext()  # see ``alone``

    def need_owner(self, what: str) -> None:
        """A file belongs to whoever can write it."""

    def curator(self) -> tuple[bool, str]:
        return True, ""

    def close(self) -> None:
        if self._connection is None:
            return
        connection, self._connection = self._connection, None
        # The file alone is the database: it can be copied, or uploaded by a CI job.  Others may
        # have it open; then the last one to close does this.
        with suppress(sqlite3.Error):
            if not self.read_only:
                connection.execute("PRAGMA busy_timeout = 500")
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.close()


def _uri(path: Path) -> str:
    """A file's address as SQLite wants it (``Path.as_uri`` takes milliseconds to load)."""
    text = path.absolute().as_posix()
    for sign in "%?#":  # the first one first: the others put it in
        text = text.replace(sign, f"%{ord(sign):02x}")
    return f"file://{text}" if text.startswith("/") else f"file:///{text}"


class SqliteWriter:
    """See :class:`~flakefighters.history.database.Writer`."""

    def __init__(self, database: SqliteDatabase, answer: list[Row]):
        self._database = database
        self.answer = answer

    def query(self, sql: str, **params: object) -> list[Row]:
        return self._database.query(sql, **params)

    def insert(self, table: str, rows: Sequence[Row]) -> None:
        if rows:
            self._database.connection.executemany(insert_row(table), rows)

    def change(self, sql: str, **params: object) -> None:
        self._database.query(sql, **params)
