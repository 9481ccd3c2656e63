"""From a target to a connection of the driver."""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from psycopg2.extensions import (  # type: ignore[import-untyped]
    libpq_version,
    new_type,
    register_type,
)
from sqlalchemy import URL, Engine, create_engine, event
from sqlalchemy.pool import NullPool

from flakefighters.history.deadlines import patiently
from flakefighters.history.postgres_errors import crowded, explain_postgres, silent
from flakefighters.model import Target
from flakefighters.originals import real

__all__ = ["log_in", "make_engine"]

_TRIES: Final = 4
# UUIDs as we write them: 32 digits without hyphens.
_UUID: Final = new_type(
    (2950,), "FLAKEFIGHTERS_ID", lambda value, _: None if value is None else value.replace("-", "")
)


def make_engine(target: Target) -> Engine:
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


def log_in(engine: Engine, target: Target, seconds_left: Callable[[float], float]) -> Any:
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
