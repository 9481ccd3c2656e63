"""Reading much from PostgreSQL at once: one snapshot, rows streamed as lines of text.

A question here has one column of text, one line per row (JSON, which has no line breaks).  It is
sent as COPY: no other way moves rows as fast, and the whole answer costs one round trip.  Where a
server or something before it refuses COPY, the same lines come through a cursor.
"""

from __future__ import annotations

import queue
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from flakefighters.errors import UnreachableError
from flakefighters.history.postgres import PostgresDatabase
from flakefighters.history.postgres_errors import broken, explain_postgres, silent, sqlstate
from flakefighters.history.postgres_login import SILENCE
from flakefighters.originals import real

__all__ = ["Snapshot", "snapshot"]

#: Bytes that are handed over at once; the driver gives us one row after the other.
CHUNK: Final = 1 << 20
#: How many such chunks may wait.
_AHEAD: Final = 4
#: Rows per round trip where COPY is refused.
FETCH: Final = 5000
_COPY: Final = b"COPY (%b) TO STDOUT"

_BEGIN: Final = (
    "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; "
    # Hosted databases stop statements after seconds; a copy may need minutes.
    "SET LOCAL statement_timeout = 0"
)
#: Features that the server lacks, syntax it does not know, rights that only COPY needs.
_REFUSED: Final = ("0A000", "42601", "42501")


@contextmanager
def snapshot(database: PostgresDatabase) -> Iterator[Snapshot]:
    """All that is asked within sees the database as it is now, whatever is written meanwhile."""
    database._send(_BEGIN)
    try:
        yield Snapshot(database)
        database._send("COMMIT")
    except BaseException:
        database._rollback()
        raise


class Snapshot:
    """Questions within one transaction that reads."""

    def __init__(self, database: PostgresDatabase):
        self._database = database
        self._copy = True
        #: Bytes that have come so far.
        self.bytes = 0

    def lines(self, sql: str, **params: object) -> Iterator[list[str]]:
        """The rows of a question with one column of JSON text, some at a time.

        ``sql`` as in ``database.py``.  UnreachableError after some seconds of silence.
        """
        filled = self._database._filled(sql, params)
        if self._copy:
            chunks = self._copied(filled)
            try:
                first = next(chunks, None)
            except _CopyRefusedError:
                self._copy = False
                self._database._rollback()
                self._database._send(_BEGIN)
            else:
                if first is not None:
                    yield first
                    yield from chunks
                return
        yield from self._fetched(filled)

    # -- COPY ----------------------------------------------------------------------------------

    def _copied(self, question: bytes) -> Iterator[list[str]]:
        database = self._database
        stream = _Stream(database._live, _COPY % question)
        try:
            for chunk in stream.chunks(database._seconds_left(SILENCE)):
                self.bytes += len(chunk)
                # The only escape that JSON's own leave over; each line ends with a line feed.
                yield chunk.decode("utf-8").replace("\\\\", "\\").split("\n")[:-1]
        except _CopyRefusedError:
            raise
        except TimeoutError:
            raise silent(database.target, SILENCE) from None
        except _StreamError as error:
            explained = explain_postgres(error.original, database.target)
            if sqlstate(error.original) is None and not isinstance(explained, UnreachableError):
                # The driver has no words for a line that breaks in the middle of a COPY.
                explained = broken(database.target)
            raise explained from None
        finally:
            if not stream.done:
                stream.stop(database._cut)
                database._drop()

    # -- a cursor ------------------------------------------------------------------------------

    def _fetched(self, question: bytes) -> Iterator[list[str]]:
        database = self._database
        name = "flakefighters_rows"
        database._send(f"DECLARE {name} NO SCROLL CURSOR FOR ".encode() + question)
        while rows := database._send(f"FETCH FORWARD {FETCH} FROM {name}"):
            lines = [row[0] for row in rows]
            self.bytes += sum(map(len, lines))
            yield lines
        database._send(f"CLOSE {name}")


class _StreamError(Exception):
    """Carries the driver's error out of its thread."""

    def __init__(self, original: Exception):
        super().__init__()
        self.original = original


class _CopyRefusedError(_StreamError):
    """The server does not do COPY."""


class _Stream:
    """One COPY, read by a thread of its own: the driver waits in C, and we must not.

    It is the file that the driver writes to.
    """

    def __init__(self, connection: Any, sql: bytes):
        self.done = False
        self._connection = connection
        self._sql = sql
        self._waiting: queue.Queue[bytes | Exception | None] = queue.Queue(_AHEAD)
        self._stopped = real.Event()
        self._parts: list[bytes] = []
        self._size = 0
        self._thread = real.Thread(target=self._run, name="flakefighters-copy", daemon=True)

    def chunks(self, seconds: float) -> Iterator[bytes]:
        """What comes, whole lines.  TimeoutError if nothing does for ``seconds`` seconds."""
        self._thread.start()
        some = False
        while True:
            try:
                chunk = self._waiting.get(timeout=seconds)
            except queue.Empty:
                raise TimeoutError from None
            if chunk is None:
                self.done = True
                self._thread.join()
                return
            if isinstance(chunk, Exception):
                # The server's own refusal leaves the connection usable.
                self.done = sqlstate(chunk) is not None
                if not some and sqlstate(chunk) in _REFUSED:
                    raise _CopyRefusedError(chunk)
                raise _StreamError(chunk)
            some = True
            yield chunk

    def write(self, data: bytes) -> int:
        """Take one row from the driver."""
        self._parts.append(data)
        self._size += len(data)
        if self._size >= CHUNK:
            self._hand_over()
        return len(data)

    def stop(self, cut: Any) -> None:
        """Let go: end the connection, and the thread with it."""
        self._stopped.set()
        cut()
        with self._waiting.mutex:
            self._waiting.queue.clear()
            self._waiting.not_full.notify_all()
        if self._thread.ident is not None:
            self._thread.join(1.0)

    def _run(self) -> None:
        try:
            with self._connection.cursor() as cursor:
                cursor.copy_expert(self._sql, self, CHUNK)
            self._hand_over()
            self._put(None)
        except Exception as error:  # handed to the reader
            self._put(error.with_traceback(None))

    def _hand_over(self) -> None:
        if self._parts:
            self._put(b"".join(self._parts))
            self._parts.clear()
            self._size = 0

    def _put(self, item: bytes | Exception | None) -> None:
        while not self._stopped.is_set():
            try:
                self._waiting.put(item, timeout=0.5)
                return
            except queue.Full:
                continue
        if not isinstance(item, Exception):
            raise UnreachableError("nobody reads any more")
