"""From a target to a connection of the driver, and what is sent over it."""

from __future__ import annotations

import os
import random
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, Final

from psycopg2.extensions import (  # type: ignore[import-untyped]
    libpq_version,
    new_type,
    register_type,
)
from sqlalchemy import URL, Engine, create_engine, event
from sqlalchemy.pool import NullPool

from flakefighters.errors import DatabaseError
from flakefighters.history.database import Row
from flakefighters.history.deadlines import Answer, patiently
from flakefighters.history.postgres_errors import broken, crowded, explain_postgres, silent
from flakefighters.model import Target
from flakefighters.originals import real

__all__ = ["SILENCE", "Line"]

#: How long a server may be silent once it has answered, in seconds.
SILENCE: Final = 10.0
#: The slowest line that is waited for while much is sent, bytes per second.
SLOWEST: Final = 50_000
_TRIES: Final = 4
# UUIDs as we write them: 32 digits without hyphens.
_UUID: Final = new_type(
    (2950,), "FLAKEFIGHTERS_ID", lambda value, _: None if value is None else value.replace("-", "")
)


def _make_engine(target: Target) -> Engine:
    """An engine for ``target``; the password is read when it connects, and kept nowhere else."""
    secret = target.password
    arguments: dict[str, Any] = {
        "connect_timeout": max(2, target.connect_timeout),
        "application_name": "flakefighters",
        "client_encoding": "utf8",
        **target.query,
    }
    if libpq_version() >= 170000:
        arguments.setdefault("sslnegotiation", "postgres")
    for name in ("sslmode", "sslrootcert", "require_auth"):
        value = getattr(target, name)
        if value is not None:
            arguments[name] = value
    url = URL.create(
        "postgresql+psycopg2",
        username=target.user,
        host=target.host,
        port=target.port,
        database=target.database,
    )

    def connect() -> Any:
        import psycopg2  # type: ignore[import-untyped]

        _, given = engine.dialect.create_connect_args(url)
        # Whatever is left out libpq would take from PGHOST, PGPORT, PGUSER and the like.
        usual: dict[str, Any] = {"host": "", "port": 5432, "user": "", "dbname": ""}
        given = {**usual, **given, **arguments}
        if secret is not None:
            given["password"] = secret.reveal()
        elif not target.libpq_defaults:
            given["password"] = ""  # else libpq would look for one itself
        with _no_service():
            return psycopg2.connect(**given)

    engine = create_engine(
        url,
        creator=connect,
        poolclass=NullPool,
        isolation_level="AUTOCOMMIT",
        hide_parameters=True,
        use_native_hstore=False,
    )
    # It would ask the server four questions, one round trip each, whose answers we do not need.
    engine.dialect.initialize = _nothing  # type: ignore[method-assign]
    event.listen(engine, "connect", _prepare)  # after the dialect's own listener
    return engine


@contextmanager
def _no_service() -> Iterator[None]:
    """Keep PGSERVICE from libpq, which fails if the service of an application's tests is not known.

    No parameter says "no service".  Python's own view of the environment stays as it is.
    """
    name = os.environ.get("PGSERVICE")
    os.unsetenv("PGSERVICE")
    try:
        yield
    finally:
        if name is not None:
            os.putenv("PGSERVICE", name)


def _nothing(connection: object) -> None:
    """Ask a new connection nothing."""


def _prepare(connection: Any, _: object) -> None:
    connection.autocommit = True
    register_type(_UUID, connection)


def _log_in(engine: Engine, target: Target, seconds_left: Callable[[float], float]) -> Any:
    """A connection of the driver; ``seconds_left`` cuts seconds to what is left of them.

    Tries again where there are too many.  DatabaseError in plain words.
    """
    for attempt in range(1, _TRIES + 1):
        # libpq's own limit holds per address, and not for the look-up of the name.
        seconds = seconds_left(target.connect_timeout + 2.0)
        answer = patiently(engine.raw_connection, seconds)
        if answer.value is not None:
            connection = answer.value.dbapi_connection
            answer.value.detach()  # the pool has no part in it from now on
            return connection
        if answer.error is None:
            raise silent(target, seconds)
        error = explain_postgres(answer.error, target)
        if not crowded(error) or attempt == _TRIES:
            raise error
        # All of a matrix's jobs come at once: wait a little, each a different while.
        real.sleep(min(seconds_left(5.0), random.uniform(0.1, 0.5) * 2**attempt))  # noqa: S311
    raise AssertionError  # the last try returns or raises


class Line:
    """A connection that is never waited for without end."""

    def __init__(self, target: Target):
        self.target = target
        self._engine = _make_engine(target)
        self._connection: Any = None  # psycopg2's, it has no types

    def _connect(self) -> None:
        self._connection = _log_in(self._engine, self.target, self._seconds_left)

    @property
    def _live(self) -> Any:
        if self._connection is None:
            raise DatabaseError(f"{self.target.display} is closed")
        if self._connection.closed:  # the driver found out that it broke
            raise broken(self.target)
        return self._connection

    def _seconds_left(self, seconds: float) -> float:
        """These seconds, cut to what is left of all."""
        return seconds

    def _attempt(
        self,
        sql: str | bytes,
        longest: float = 0.0,
        params: Mapping[str, object] | None = None,
    ) -> Answer[list[Row]]:
        """One round trip: rows or an error; ``longest`` is how long the server may work on it."""
        connection = self._live
        seconds = self._seconds_left(max(longest, SILENCE) + len(sql) / SLOWEST)

        def ask() -> list[Row]:
            with connection.cursor() as cursor:
                cursor.execute(sql, params)
                return cursor.fetchall() if cursor.description else []

        answer = patiently(ask, seconds, self._cut)
        if answer.late:
            self._drop()
            raise silent(self.target, seconds)
        return answer

    def _send(self, sql: str | bytes, params: Mapping[str, object] | None = None) -> list[Row]:
        """The rows of the last statement.  DatabaseError in plain words."""
        answer = self._attempt(sql, params=params)
        if answer.error is None:
            return answer.value or []
        raise explain_postgres(answer.error, self.target)

    def _cut(self) -> None:
        """Make the driver notice that the server does not answer, whatever it waits for."""
        with suppress(Exception):  # already broken: that is what we want
            line = socket.fromfd(self._live.fileno(), socket.AF_INET, socket.SOCK_STREAM)
            try:
                line.shutdown(socket.SHUT_RDWR)
            finally:
                line.close()

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(Exception):  # a broken connection may complain once more
                connection.close()

    def _rollback(self) -> None:
        """End what is left of a transaction, or the connection if that fails."""
        try:
            if self._connection is not None:
                self._send("ROLLBACK")
        except Exception:  # the server rolls back when the connection ends
            self._drop()
        except BaseException:
            self._drop()
            raise

    def close(self) -> None:
        """Let go of it.  Can be called twice."""
        self._drop()
