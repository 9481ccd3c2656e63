"""Upkeep of a history in PostgreSQL: the exclusive lock, and who may take it."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final

from flakefighters.errors import DatabaseError
from flakefighters.history.layout import SCHEMA_VERSION, lock_key
from flakefighters.history.postgres import PostgresDatabase, PostgresWriter
from flakefighters.history.postgres_errors import explain_postgres, sqlstate
from flakefighters.originals import real

__all__ = ["PostgresUpkeep", "alone_on_server", "indexed_on_server", "need_owner_on_server"]

#: Who waits for the exclusive lock keeps later writers waiting as well: at most so long, ms.
_WAIT_MS: Final = 800
#: How long to try again, in seconds.
_LOCK_SECONDS: Final = 30.0
_LOCKED: Final = "55P03"

_OWNER: Final = """
SELECT pg_has_role(c.relowner, 'USAGE'), current_user FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = :schema AND c.relname = 'run'
"""


class PostgresUpkeep(PostgresWriter):
    """See :class:`~flakefighters.history.upkeep.Upkeep`."""

    def change(self, sql: str, **params: object) -> None:
        self._waiting.append(self._database._filled(sql, params))


@contextmanager
def alone_on_server(database: PostgresDatabase) -> Iterator[PostgresUpkeep]:
    """See :func:`flakefighters.history.upkeep.alone`."""
    if database.read_only:
        raise DatabaseError(f"{database.target.display} is opened for reading only")
    begin = (
        "BEGIN ISOLATION LEVEL READ COMMITTED; "  # noqa: S608
        f"SET LOCAL lock_timeout = '{_WAIT_MS}ms'; "
        f"SELECT pg_advisory_xact_lock({lock_key(database.target.schema)}); "
        f"SELECT value FROM {database.prefix}meta WHERE key = 'schema_version'"
    )
    try:
        version = _begin(database, begin)
        if version != SCHEMA_VERSION:
            raise database._moved(version)
        upkeep = PostgresUpkeep(database, [])
        yield upkeep
        database._send(upkeep.finish())
    except BaseException:
        database._rollback()
        raise


def _begin(database: PostgresDatabase, begin: str) -> int:
    """Take the lock, or let the writers before us end and try again; the schema's version."""
    until = real.monotonic() + _LOCK_SECONDS
    while True:
        answer = database._attempt(begin)
        if answer.error is None:
            return int(answer.value[0][0]) if answer.value else 0
        if sqlstate(answer.error) != _LOCKED or real.monotonic() > until:
            raise explain_postgres(answer.error, database.target)
        database._rollback()
        real.sleep(random.uniform(0.1, 0.3))  # noqa: S311


@contextmanager
def indexed_on_server(database: PostgresDatabase, table: str, column: str) -> Iterator[None]:
    """See :func:`flakefighters.history.upkeep.indexed`."""
    name = f"flakefighters_upkeep_{table}_{column}"
    with suppress(DatabaseError), alone_on_server(database) as upkeep:
        # One that is there was left by a prune that was killed.
        upkeep.change(f"CREATE INDEX IF NOT EXISTS {name} ON {{s}}{table} ({column})")
    try:
        yield
    finally:
        with suppress(DatabaseError), alone_on_server(database) as upkeep:
            upkeep.change(f"DROP INDEX IF EXISTS {{s}}{name}")


def need_owner_on_server(database: PostgresDatabase, what: str) -> None:
    """See :func:`flakefighters.history.upkeep.need_owner`."""
    target = database.target
    ((owner, user),) = database.query(_OWNER, schema=target.schema)
    if not owner:
        raise DatabaseError(
            f"{target.display}: {user} may not {what}, only the owner of the history may",
            remedy="name a profile or URL that logs in as the owner",
        )
