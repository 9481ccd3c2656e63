"""A history in a schema of a PostgreSQL database; needs SQLAlchemy and psycopg2.

Every round trip may cost 50 ms, so statements travel together: a transaction begins, locks and
asks its first question in one message, and ends in the message that carries all its rows.
Nothing lives longer than a transaction, so a pooler in transaction mode may stand between.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import lru_cache
from typing import Any, Final

from sqlalchemy import text

from flakefighters.errors import DatabaseError, SchemaTooNewError, UnreachableError
from flakefighters.history.database import Row, render
from flakefighters.history.layout import (
    SCHEMA_PLACEHOLDER,
    SCHEMA_VERSION,
    inserting,
    lock_key,
    meta_rows,
    statements,
)
from flakefighters.history.postgres_errors import (
    explain_postgres,
    sqlstate,
)
from flakefighters.history.postgres_login import SILENCE, Line
from flakefighters.history.roles import given_trust, gives_sql, trust_sql
from flakefighters.history.sqlite_errors import too_new, too_old
from flakefighters.model import Target
from flakefighters.originals import real

__all__ = ["PostgresDatabase", "PostgresWriter"]

#: Who waits for the exclusive lock keeps later writers waiting as well: at most so long, ms.
WAIT_MS: Final = 800
#: How long to try again, in seconds.
LOCK_SECONDS: Final = 30.0
_CASTS: Final = {"hash": "::uuid", "number": "::bigint", "text": ""}

_OWNER: Final = """
SELECT pg_has_role(c.relowner, 'USAGE'), current_user FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = :schema AND c.relname = 'run'
"""
_CURATOR: Final = """
SELECT CASE WHEN pg_is_in_recovery() THEN false
  ELSE has_table_privilege(quote_ident(:schema) || '.event', 'INSERT') END, current_user
"""


class PostgresDatabase(Line):
    """See :class:`~flakefighters.history.database.Database`."""

    def __init__(self, target: Target, *, create: bool = True, deadline: float | None = None):
        super().__init__(target)
        self.read_only = target.read_only
        self._until = None if deadline is None else real.monotonic() + deadline
        schema = '"' + target.schema.replace('"', '""') + '"'
        self._schema = schema
        self.prefix = f"{schema}."
        self._rendered = lru_cache(maxsize=128)(self._render)
        self._connect()
        try:
            self._check_server()
            rows = self._meta()
            if rows is None:
                if not create or self.read_only:
                    raise DatabaseError(
                        f"{target.display} holds no history yet",
                        remedy="let a run that may write record there first, "
                        "or run `flakefighters upgrade` as the owner",
                    )
                self._create()
                rows = self._meta() or [("", None), ("given", "0")]
            found: dict[str, Any] = dict(rows)
            self.trust = given_trust(found.pop(""))
            self.gives_trust = found.pop("given") == "1"
            self.meta: Mapping[str, str] = found
            self._check_version(self.meta)
        except BaseException:
            self.close()
            raise

    # -- opening -------------------------------------------------------------------------------

    def _check_server(self) -> None:
        info = self._live.info
        if info.server_version < 150000:
            raise DatabaseError(
                f"{self.target.display}: PostgreSQL {info.server_version // 10000} is too old",
                remedy="use PostgreSQL 15 or later",
            )
        encoding = info.parameter_status("server_encoding")
        if encoding not in (None, "UTF8"):
            raise DatabaseError(
                f"{self.target.display}: the database has encoding {encoding}",
                remedy="create a database with encoding UTF8",
            )

    def _meta(self) -> list[Row] | None:
        """The rows of ``meta``, then the rank of the trust that our role was given, and whether
        any role was given some.

        None if there is no such table.
        """
        sql = (
            f"SELECT key, value FROM {self.prefix}meta UNION ALL "  # noqa: S608
            f"SELECT '', ({trust_sql(self.target.schema)})::text UNION ALL "
            f"SELECT 'given', ({gives_sql(self.target.schema)})::text"
        )
        answer = self._attempt(sql)
        if answer.error is None:
            return answer.value or []
        if sqlstate(answer.error) in ("42P01", "3F000"):
            return None
        raise explain_postgres(answer.error, self.target)

    def _create(self) -> None:
        """Create schema and tables in one transaction; others who try meanwhile wait for it."""
        name = self.target.schema.replace("'", "''")
        begin = (
            "BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL lock_timeout = '9s'; "  # noqa: S608
            f"SELECT pg_advisory_xact_lock({lock_key(self.target.schema)}); "
            f"SELECT (SELECT count(*) FROM pg_catalog.pg_namespace n WHERE n.nspname = '{name}'), "
            "(SELECT count(*) FROM pg_catalog.pg_tables t "
            f"WHERE t.schemaname = '{name}' AND t.tablename = 'meta')"
        )
        try:
            ((schemas, metas),) = self._send(begin)
            if not metas:
                made = [
                    statement.replace(SCHEMA_PLACEHOLDER, self._schema)
                    for statement in statements("postgresql")
                ]
                # Even "if not exists" asks for the right to create schemas.
                made = made[1:] if schemas else made
                made.append(inserting("meta", self.prefix) + ", ".join(map(str, meta_rows())))
                self._send("; ".join(made))
            self._send("COMMIT")
        except BaseException as error:
            self._rollback()
            if isinstance(error, DatabaseError) and "lacks rights" in error.message:
                raise DatabaseError(
                    f"{self.target.display} holds no history yet, and {self.target.user} "
                    "may not create one",
                    remedy="run `flakefighters upgrade` as the owner of the database",
                ) from None
            raise

    def _check_version(self, meta: Mapping[str, str]) -> None:
        version = int(meta.get("schema_version", 0))
        if version > SCHEMA_VERSION and (
            int(meta.get("oldest_reader", version)) > SCHEMA_VERSION or not self.read_only
        ):
            raise too_new(self.target.display, version)

    # -- using ---------------------------------------------------------------------------------

    def _seconds_left(self, seconds: float) -> float:
        if self._until is None:
            return seconds
        left = self._until - real.monotonic()
        if left <= 0:
            raise UnreachableError(f"{self.target.display}: the time for the history is up")
        return min(seconds, left)

    def _render(self, sql: str) -> str:
        def members(kind: str, name: str) -> str:
            return (
                f"(SELECT value{_CASTS[kind]} "  # noqa: S608
                f"FROM json_array_elements_text(CAST(:{name} AS json)))"
            )

        return str(text(render(sql, self.prefix, members)).compile(dialect=self._engine.dialect))

    def _filled(self, sql: str, params: Mapping[str, object]) -> bytes:
        with self._live.cursor() as cursor:
            return bytes(cursor.mogrify(self._rendered(sql), params))

    def query(self, sql: str, **params: object) -> list[Row]:
        return self._send(self._filled(sql, params))

    @contextmanager
    def writing(self, sql: str, **params: object) -> Iterator[PostgresWriter]:
        if self.read_only:
            raise DatabaseError(f"{self.target.display} is opened for reading only")
        # Every role can hold the lock: then this says so before the time is up.
        longest = int(800 * self._seconds_left(SILENCE))
        begin = (
            f"BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL lock_timeout = {longest}; "
            f"SELECT pg_advisory_xact_lock_shared({lock_key(self.target.schema)}); "
        )
        # The version is looked at under the lock, by the statement after it.
        question = (
            f"SELECT m.value, q.* FROM {{s}}meta m LEFT JOIN ({sql}) q ON true "  # noqa: S608
            "WHERE m.key = 'schema_version'"
        )
        try:
            rows = self._send(begin.encode() + self._filled(question, params))
            version = int(rows[0][0]) if rows else 0
            if version != SCHEMA_VERSION:
                raise self._moved(version)
            answer = [row[1:] for row in rows if any(member is not None for member in row[1:])]
            writer = PostgresWriter(self, answer or [row[1:] for row in rows[:1]])
            yield writer
            self._send(writer.finish())
        except BaseException:
            self._rollback()
            raise

    @contextmanager
    def alone(self) -> Iterator[PostgresWriter]:
        if self.read_only:
            raise DatabaseError(f"{self.target.display} is opened for reading only")
        try:
            version = self._lock()
            if version != SCHEMA_VERSION:
                raise self._moved(version)
            writer = PostgresWriter(self, [])
            yield writer
            self._send(writer.finish())
        except BaseException:
            self._rollback()
            raise

    def _lock(self) -> int:
        """Take the exclusive lock, or let the writers before us end and try again.

        Returns the schema's version.
        """
        begin = (
            f"BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL lock_timeout = '{WAIT_MS}ms'; "  # noqa: S608
            f"SELECT pg_advisory_xact_lock({lock_key(self.target.schema)}); "
            f"SELECT value FROM {self.prefix}meta WHERE key = 'schema_version'"
        )
        until = real.monotonic() + LOCK_SECONDS
        while True:
            answer = self._attempt(begin)
            if answer.error is None:
                return int(answer.value[0][0]) if answer.value else 0
            if sqlstate(answer.error) != "55P03" or real.monotonic() > until:
                raise explain_postgres(answer.error, self.target)
            self._rollback()
            real.sleep(random.uniform(0.1, 0.3))  # noqa: S311

    @contextmanager
    def indexed(self, table: str, column: str) -> Iterator[None]:
        name = f"flakefighters_upkeep_{table}_{column}"
        with suppress(DatabaseError), self.alone() as writer:
            # One that is there was left by a prune that was killed.
            writer.change(f"CREATE INDEX IF NOT EXISTS {name} ON {{s}}{table} ({column})")
        try:
            yield
        finally:
            with suppress(DatabaseError), self.alone() as writer:
                writer.change(f"DROP INDEX IF EXISTS {{s}}{name}")

    def need_owner(self, what: str) -> None:
        ((owner, user),) = self.query(_OWNER, schema=self.target.schema)
        if not owner:
            raise DatabaseError(
                f"{self.target.display}: {user} may not {what}, only the owner of the history may",
                remedy="name a profile or URL that logs in as the owner",
            )

    def curator(self) -> tuple[bool, str]:
        ((may, user),) = self.query(_CURATOR, schema=self.target.schema)
        return bool(may), str(user)

    def _moved(self, version: int) -> SchemaTooNewError | DatabaseError:
        if version > SCHEMA_VERSION:
            return too_new(self.target.display, version)
        return too_old(self.target.display, version)


class PostgresWriter:
    """See :class:`~flakefighters.history.database.Writer`.  Rows wait for the end."""

    def __init__(self, database: PostgresDatabase, answer: list[Row]):
        self._database = database
        self.answer = answer
        self._waiting: list[bytes] = []

    def query(self, sql: str, **params: object) -> list[Row]:
        return self._database.query(sql, **params)

    def insert(self, table: str, rows: Sequence[Row]) -> None:
        if not rows:
            return
        row_of_marks = "(" + ", ".join(["%s"] * len(rows[0])) + ")"
        with self._database._live.cursor() as cursor:
            values = b",".join([cursor.mogrify(row_of_marks, row) for row in rows])
        head = inserting(table, self._database.prefix)
        self._waiting.append(head.encode() + values + b" ON CONFLICT DO NOTHING")

    def change(self, sql: str, **params: object) -> None:
        self._waiting.append(self._database._filled(sql, params))

    def finish(self) -> bytes:
        """The message that carries all rows and ends the transaction."""
        return b"; ".join([*self._waiting, b"COMMIT"])
