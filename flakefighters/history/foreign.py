"""Reading a SQLite history that somebody else made: nothing in it is believed.

The file is copied into a private folder, opened there without a way to write, and must have
exactly our tables.  Every run is loaded, its types, ids and sizes are checked and its content
hash is computed anew, before anybody gets to see it.
"""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from flakefighters.errors import DatabaseError, FlakefightersError, ForeignDatabaseError
from flakefighters.history import content, read
from flakefighters.history.database import Database
from flakefighters.history.sqlite import SqliteDatabase, check_file
from flakefighters.model import Came, Run, RunHead, State, Trust, Verdict, as_read

__all__ = ["ForeignHistory", "Limits", "open_foreign"]

_monotonic = time.monotonic

_COMMIT: Final = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_ID: Final = re.compile(r"[0-9a-f]{32}")
_BLOB: Final = re.compile(r"[0-9a-f]{16}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much a foreign file may hold; beyond that it is refused, or the run is."""

    file_bytes: int = 512 * 1024 * 1024
    runs: int = 100_000
    tests: int = 200_000  # per run
    executions: int = 100_000  # per run
    text: int = 1024 * 1024  # characters of one text
    json_depth: int = 32
    seconds: float = 300.0


def open_foreign(
    path: Path, limits: Limits | None = None, *, trust: Trust | None = None
) -> ForeignHistory:
    """Open a history that is not trusted, for reading its runs.

    ``trust`` is how far the user's own configuration believes it, see
    :func:`flakefighters.model.as_read`.

    Raises :class:`~flakefighters.errors.ForeignDatabaseError` for what is not a history of ours,
    too large, or of another schema version.
    """
    return ForeignHistory(path, limits or Limits(), trust)


class ForeignHistory:
    """A private copy of a foreign history.  Use it as a context manager."""

    def __init__(self, path: Path, limits: Limits, trust: Trust | None = None):
        self._limits = limits
        self._trust = trust
        #: Run ids (as the file spells them) to why they were refused; grows with :meth:`runs`.
        self.refused: dict[str, str] = {}
        self._until = _monotonic() + limits.seconds
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

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
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
        connection.set_progress_handler(lambda: _monotonic() > self._until, 100_000)

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
            if isinstance(name, str) and _ID.fullmatch(name):
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
            if _monotonic() > self._until:
                raise ForeignDatabaseError("reading the file takes too long")
            try:
                run = read.load(self._database, name)
                self._check(run, name)
                verdicts = self._verdicts(run)
            except FlakefightersError as error:
                self.refused[name] = error.message
            except Exception as error:  # whatever malformed data provoke in our own code
                self.refused[name] = f"malformed ({type(error).__name__})"
            else:
                yield run, verdicts

    def _verdicts(self, run: Run) -> tuple[Verdict, ...]:
        verdicts = read.verdicts(self._database, [run.head.id])
        if len(verdicts) > 10 * self._limits.executions:
            raise ForeignDatabaseError("it has too many verdicts")
        for verdict in verdicts:
            self._typed(verdict)
        return verdicts

    def _check(self, run: Run, name: str) -> None:
        """ForeignDatabaseError (or any error of malformed data) unless all is as we write it."""
        limits, head, state = self._limits, run.head, run.state
        if len(run.suite) > limits.tests or len(run.executions) > limits.executions:
            raise ForeignDatabaseError("it is too large")
        for part in (head, run.project, run.environment, state, *run.executions):
            if part is not None:
                self._typed(part)
        for text in (*run.suite, run.outcomes):
            if not isinstance(text, str):
                raise ForeignDatabaseError("a text is not a text")
        if max(map(len, run.suite), default=0) > limits.text:
            raise ForeignDatabaseError("a node id is too long")
        if not set(run.outcomes) <= set(".FEsxXR?-"):
            raise ForeignDatabaseError("an outcome is unknown")
        if not all(type(number) is int and 0 <= number < 1 << 53 for number in run.durations):
            raise ForeignDatabaseError("a duration is not a number")
        places = set(range(len(run.suite)))
        for worker in run.order or ():
            if not places.issuperset(worker):
                raise ForeignDatabaseError("an order names tests that are not there")
        self._json(run.seen, 0)
        if head.commit is not None and not _COMMIT.fullmatch(head.commit):
            raise ForeignDatabaseError("its commit is malformed")
        if head.tree is not None and not _COMMIT.fullmatch(head.tree):
            raise ForeignDatabaseError("its tree is malformed")
        if state is not None:
            _check_state(state)
        if run.environment is not None:
            made = content.environment_keys(run.environment)
            if made != (run.environment.id, run.environment.key):
                raise ForeignDatabaseError("its environment is not what its id says")
        self._check_hash(run, name)

    def _check_hash(self, run: Run, name: str) -> None:
        ((said, version),) = self._database.query(
            "SELECT content_hash, version FROM run WHERE id = :id", id=name
        )
        if version != content.RECORD_VERSION:
            raise ForeignDatabaseError("it was recorded by another version")
        files = None if run.state is None else run.state.files
        listing = None if files is None else content.listing_id(files)
        if content.content_hash(content.normal(run), listing) != said:
            raise ForeignDatabaseError("its content is not what its hash says")

    def _typed(self, part: Any) -> None:
        """Check every field of a noun by what the model says of it."""
        for each in fields(part):
            value, wanted = getattr(part, each.name), str(each.type)
            if value is None:
                fits = "None" in wanted
            elif isinstance(value, Mapping):
                self._json(value, 0)
                fits = wanted.startswith("Mapping")
            elif each.name == "failures":
                for failure in value:
                    self._typed(failure)
                fits = True
            elif each.name == "durations":
                fits = len(value) == 3 and all(n is None or type(n) is int for n in value)
            elif isinstance(value, str):
                # Enumerations are texts too, and were checked when they were made.
                fits = not wanted.startswith(("int", "bool", "Mapping"))
                fits = fits and len(value) <= self._limits.text
            elif isinstance(value, bool):
                fits = wanted.startswith("bool")
            elif isinstance(value, int):
                fits = wanted.startswith("int") and -(1 << 63) <= value < 1 << 63
            else:
                fits = False
            if not fits:
                raise ForeignDatabaseError(f"its {each.name} is malformed")

    def _json(self, value: Any, depth: int) -> None:
        if depth > self._limits.json_depth:
            raise ForeignDatabaseError("it is nested too deeply")
        if isinstance(value, Mapping):
            for key, member in value.items():
                self._json(key, depth + 1)
                self._json(member, depth + 1)
        elif isinstance(value, (list, tuple)):
            for member in value:
                self._json(member, depth + 1)
        elif isinstance(value, str) and len(value) > self._limits.text:
            raise ForeignDatabaseError("a text is too long")


def _check_state(state: State) -> None:
    if state.id != content.state_key(state.tree, state.digest):
        raise ForeignDatabaseError("its state is not what its id says")
    for path, blob in (state.files or {}).items():
        if not isinstance(blob, str) or not _BLOB.fullmatch(blob):
            raise ForeignDatabaseError("a file's id is malformed")
        if path.startswith("/") or ".." in path.split("/"):
            raise ForeignDatabaseError("a file lies outside of the project")
