"""The database of pytest-flakefighters 0.7 as runs.

It is copied, opened without a way to write, and asked for columns of text and numbers.  Columns
that hold pickles (``coverage``, ``params``) are never named in a question: nothing is unpickled.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, Final

from flakefighters.errors import ForeignDatabaseError, NotFoundError
from flakefighters.ids import h256
from flakefighters.importing.parts import Bounds, Result, Told, moment
from flakefighters.importing.runs import Found, digest_of
from flakefighters.model import Outcome
from flakefighters.originals import real

__all__ = ["peer_runs"]

_KIND: Final = "pytest-flakefighters"
_MAGIC: Final = b"SQLite format 3\x00"
_OUTCOMES: Final = {
    "passed": Outcome.PASSED,
    "failed": Outcome.FAILED,
    "skipped": Outcome.SKIPPED,
}
_RUNS: Final = "SELECT id, start_time, created_at, root, commit_sha FROM run ORDER BY id"
_TESTS: Final = """
SELECT t.id, t.fspath, t.name, t.skipped, e.id, e.outcome, substr(e.report, 1, :text),
  e.start_time, e.end_time, x.id, x.name
FROM test t LEFT JOIN test_execution e ON e.test_id = t.id
  LEFT JOIN test_exception x ON x.execution_id = e.id
WHERE t.run_id = :run
  AND (x.id IS NULL OR x.id = (SELECT min(y.id) FROM test_exception y WHERE y.execution_id = e.id))
ORDER BY t.id, e.id, x.id LIMIT :most
"""
_FRAMES: Final = """
SELECT substr(path, 1, 2000), substr(statement, 1, 2000) FROM traceback_entry
WHERE exception_id = :exception ORDER BY id LIMIT 200
"""


def peer_runs(path: Path, project: str, bounds: Bounds, refused: dict[str, str]) -> Iterator[Found]:
    """The runs in the file; those that make no sense are added to ``refused``."""
    with tempfile.TemporaryDirectory(prefix="flakefighters-") as private:
        copy = _copy(path, Path(private), 8 * bounds.file_bytes)
        connection = sqlite3.connect(f"{copy.as_uri()}?mode=ro&immutable=1", uri=True)
        try:
            _bound(connection, bounds.seconds)
            rows = connection.execute(_RUNS + " LIMIT ?", [bounds.runs + 1]).fetchall()
            if len(rows) > bounds.runs:
                raise ForeignDatabaseError(f"{path.name} holds more than {bounds.runs:,} runs")
            for row in rows:
                try:
                    yield _found(connection, row, project, bounds)
                except (ValueError, TypeError, AttributeError, OverflowError) as error:
                    refused[f"{path.name}, run {row[0]!r}"[:100]] = f"malformed ({error})"
        except sqlite3.Error as error:
            raise ForeignDatabaseError(
                f"{path.name} is no database of pytest-flakefighters 0.7 ({error})"
            ) from error
        finally:
            connection.close()


def _copy(path: Path, private: Path, most: int) -> Path:
    if not os.path.lexists(path):
        raise NotFoundError(f"no such file: {path}")
    if path.is_symlink() or not path.is_file():
        raise ForeignDatabaseError(f"{path.name} is not a plain file")
    log = path.with_name(f"{path.name}-wal")
    if log.is_symlink() or (os.path.lexists(log) and not log.is_file()):
        raise ForeignDatabaseError(f"{log.name} is not a plain file")
    if sum(one.stat().st_size for one in (path, log) if one.exists()) > most:
        raise ForeignDatabaseError(f"{path.name} has more than {most:,} bytes")
    with path.open("rb") as file:
        if file.read(len(_MAGIC)) != _MAGIC:
            raise ForeignDatabaseError(f"{path.name} is not a SQLite database")
    copy = private / "peer.db"
    shutil.copyfile(path, copy, follow_symlinks=False)
    if log.exists():  # the peer still runs, or was killed: its last runs are there
        shutil.copyfile(log, copy.with_name(f"{copy.name}-wal"), follow_symlinks=False)
        with closing(sqlite3.connect(copy, isolation_level=None)) as merged:
            merged.execute("PRAGMA trusted_schema = OFF")
            merged.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return copy


def _bound(connection: sqlite3.Connection, seconds: float) -> None:
    for pragma in ("trusted_schema = OFF", "cell_size_check = ON", "mmap_size = 0"):
        connection.execute(f"PRAGMA {pragma}")
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, 64 * 1024 * 1024)
    connection.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
    until = real.monotonic() + seconds
    connection.set_progress_handler(lambda: real.monotonic() > until, 100_000)
    tables = dict(connection.execute("SELECT name, type FROM sqlite_master"))
    needed = ("run", "test", "test_execution", "test_exception", "traceback_entry")
    if any(tables.get(name) != "table" for name in needed):
        raise ForeignDatabaseError(
            "it is no database of pytest-flakefighters 0.7", remedy="its tables are not there"
        )


def _found(
    connection: sqlite3.Connection, row: tuple[Any, ...], project: str, bounds: Bounds
) -> Found:
    number, start, created, root, commit = row
    root = _text(root)
    started = moment(start) or moment(created)
    if not started:
        raise ValueError("it has no time")
    rows = connection.execute(
        _TESTS, {"run": number, "text": bounds.text, "most": bounds.tests + 1}
    ).fetchall()
    if len(rows) > bounds.tests:
        raise ValueError("it has too many tests")
    results = [_result(connection, one, root) for one in rows]
    ends = [at for one in rows if (at := moment(one[8])) is not None]
    sha = _text(commit).lower()
    digest = h256(started, sha, [[one.nodeid, str(one.outcome)] for one in results])
    return Found(
        name=f"run {number}",
        digest=digest_of(_KIND, project, [digest]),
        kind=_KIND,
        started=started,
        ended=max(ends, default=started),
        results=results,
        commit=sha if len(sha) in (40, 64) and not set(sha) - set("0123456789abcdef") else None,
    )


def _result(connection: sqlite3.Connection, row: tuple[Any, ...], root: str) -> Result:
    _, path, name, skipped, execution, said, report, begin, end, exception, kind = row
    nodeid = _nodeid(_text(path), _text(name), root)
    if execution is None or skipped:
        return Result(nodeid, Outcome.SKIPPED if skipped else Outcome.NOT_RUN)
    outcome = _OUTCOMES.get(_text(said))
    if outcome is None:
        raise ValueError(f"an outcome is {_text(said)[:40]!r}")
    began, ended = moment(begin), moment(end)
    spent = ended - began if began and ended and 0 <= ended - began < 10**12 else 0
    told: tuple[Told, ...] = ()
    if outcome is Outcome.FAILED:
        frames: list[tuple[str, str]] = []
        source = None
        if exception is not None:
            for place, statement in connection.execute(_FRAMES, {"exception": exception}):
                frames.append((_below(_text(place), root), ""))
                source = _text(statement).strip() or None
        text = _text(report)
        message = "\n".join(line[1:].strip() for line in text.splitlines() if line[:2] == "E ")
        told = (Told(_text(kind) or None, message, text, tuple(frames), source),)
    return Result(nodeid, outcome, spent, told)


def _nodeid(path: str, name: str, root: str) -> str:
    """The peer's name is a node id of pytest's in some versions, and a function's in others."""
    return name if "::" in name else f"{_below(path, root)}::{name}"


def _below(path: str, root: str) -> str:
    path, root = path.replace("\\", "/"), root.replace("\\", "/").rstrip("/")
    return path[len(root) + 1 :] if root and path.startswith(root + "/") else path


def _text(value: object) -> str:
    """A text; what is none, such as a pickle in its place, is left unread."""
    return value if isinstance(value, str) else ""
