"""Reading a SQLite history of unknown origin: nothing in it is believed.

The file is copied into a private folder, opened there without a way to write, and must have
exactly our tables.  Every run is loaded, its types, ids and sizes are checked and its content
hash is computed anew, before it is handed out.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, Self

from flakefighters.errors import DatabaseError, FlakefightersError, ForeignDatabaseError
from flakefighters.history import content, read
from flakefighters.history.database import Database
from flakefighters.history.run_checks import (
    Limits,
    check_count,
    check_run,
    check_verdicts,
    is_run_id,
)
from flakefighters.history.sqlite import SqliteDatabase, check_file
from flakefighters.model import Came, Run, RunHead, Trust, Verdict, as_read
from flakefighters.originals import real

__all__ = ["ForeignHistory", "Limits"]

_SIZE_OF_VERDICTS: Final = """
SELECT count(*), coalesce(sum(length(e.body)), 0)
  FROM verdict v LEFT JOIN evidence e ON e.id = v.evidence WHERE v.run = :run
"""


class ForeignHistory:
    """A private copy of a history that is not trusted, for reading its runs.

    Use it as a context manager.  ``trust`` is how far the user's own configuration believes it, see
    :func:`flakefighters.model.as_read`.

    Raises :class:`~flakefighters.errors.ForeignDatabaseError` for what is not a history of ours,
    too large, or of another schema version.
    """

    def __init__(self, path: Path, limits: Limits | None = None, *, trust: Trust | None = None):
        limits = limits or Limits()
        self._limits = limits
        self._trust = trust
        #: Run ids (as the file spells them) to why they were refused; grows with :meth:`runs`.
        self.refused: dict[str, str] = {}
        self._until = real.monotonic() + limits.seconds
        name = path.name
        if not check_file(path, name):
            raise DatabaseError(f"{name} does not exist")
        self._folder = tempfile.TemporaryDirectory(prefix="flakefighters-")
        try:
            copy = Path(self._folder.name) / "history.db"
            self._copy(path, copy, name)
            self._database = SqliteDatabase(copy, name=name, create=False, strict=True)
            self._bound(self._database.connection)
        except BaseException:
            self._folder.cleanup()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Remove the copy.  Can be called twice."""
        self._database.close()
        self._folder.cleanup()

    # -- opening -------------------------------------------------------------------------------

    def _copy(self, path: Path, copy: Path, name: str) -> None:
        log = path.with_name(path.name + "-wal")
        sizes = [each.lstat().st_size for each in (path, log) if each.is_file()]
        if sum(sizes) > self._limits.file_bytes:
            raise ForeignDatabaseError(
                f"{name} has {sum(sizes):,} bytes, more than {self._limits.file_bytes:,}",
                remedy="sync with the database itself instead of a file",
            )
        shutil.copyfile(path, copy, follow_symlinks=False)
        if not os.path.lexists(log):
            return
        # The writer was killed, or still runs: its last runs are in the log.
        if log.is_symlink() or not log.is_file():
            raise ForeignDatabaseError(f"{log.name} is not a plain file")
        shutil.copyfile(log, copy.with_name(copy.name + "-wal"), follow_symlinks=False)
        try:
            merged = sqlite3.connect(copy, isolation_level=None)
            try:
                merged.execute("PRAGMA trusted_schema = OFF")
                merged.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            finally:
                merged.close()
        except sqlite3.Error as error:
            raise ForeignDatabaseError(f"{name} is damaged ({error})") from error

    def _bound(self, connection: sqlite3.Connection) -> None:
        connection.execute("PRAGMA cell_size_check = ON")
        connection.execute("PRAGMA mmap_size = 0")
        connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, 64 * 1024 * 1024)
        connection.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
        connection.set_progress_handler(lambda: real.monotonic() > self._until, 100_000)

    # -- reading -------------------------------------------------------------------------------

    @property
    def database(self) -> Database:
        """The copy, to compare keys with; nothing in it has been checked."""
        return self._database

    def run_ids(self) -> tuple[str, ...]:
        """Ids of the runs in the file, those with a possible id, ascending; not checked yet."""
        ((count,),) = self._database.query("SELECT count(*) FROM run")
        if count > self._limits.runs:
            raise ForeignDatabaseError(f"the file holds {count:,} runs, too many")
        found = []
        for (name,) in self._database.query("SELECT id FROM run"):
            if is_run_id(name):
                found.append(name)
            else:
                self.refused[repr(name)[:80]] = "its id is malformed"
        return tuple(sorted(found))

    def trust(self, head: RunHead) -> Trust:
        """How far a run of the file is believed."""
        return as_read(head, Came.FILE, self._trust).trust

    @property
    def believed(self) -> bool:
        """Whether any of its runs is believed."""
        return self._trust not in (None, Trust.UNTRUSTED)

    def runs(self, ids: Sequence[str] | None = None) -> Iterator[tuple[Run, tuple[Verdict, ...]]]:
        """The runs (all if ``ids`` is None) that stand every check, with their verdicts."""
        for name in self.run_ids() if ids is None else ids:
            if real.monotonic() > self._until:
                raise ForeignDatabaseError("reading the file takes too long")
            try:
                run = read.load(self._database, name)
                check_run(run, self._limits)
                self._check_hash(run, name)
                verdicts = self._verdicts(run)
            except FlakefightersError as error:
                self.refused[name] = error.message
            except Exception as error:  # whatever malformed data provoke in our own code
                self.refused[name] = f"malformed ({type(error).__name__})"
            else:
                yield run, verdicts

    def _verdicts(self, run: Run) -> tuple[Verdict, ...]:
        # Counted first: hundreds of thousands take minutes to read.
        ((count, characters),) = self._database.query(_SIZE_OF_VERDICTS, run=run.head.id)
        check_count(count, run, self._limits)
        if characters > self._limits.evidence:
            raise ForeignDatabaseError("its evidence is too large")
        verdicts = read.verdicts(self._database, [run.head.id])
        check_verdicts(verdicts, run, self._limits)
        return verdicts

    def _check_hash(self, run: Run, name: str) -> None:
        ((said, version),) = self._database.query(
            "SELECT content_hash, version FROM run WHERE id = :id", id=name
        )
        if version != content.RECORD_VERSION:
            raise ForeignDatabaseError("it was recorded by another version")
        if content.content_hash(content.normal(run), content.listing_of(run)) != said:
            raise ForeignDatabaseError("its content is not what its hash says")
