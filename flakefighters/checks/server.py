"""The questions that ``check`` puts to a PostgreSQL server, once it lets us in."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final

from flakefighters.checks.results import Budget
from flakefighters.errors import DatabaseError
from flakefighters.history.deadlines import patiently
from flakefighters.history.layout import COLUMNS
from flakefighters.history.postgres_errors import explain_postgres, silent
from flakefighters.history.roles import WEB_ROLES, given_trust, trust_sql
from flakefighters.model import Target, Trust

__all__ = ["TABLES", "Facts", "Line", "Table", "ask", "connect"]

#: The tables of a whole history.
TABLES: Final = frozenset(COLUMNS)
#: Whom web APIs in front of a database (PostgREST, Supabase) let in without a login.
_PUBLIC_ROLES: Final = tuple(role for role in WEB_ROLES if role != "service_role")

_ROLE: Final = """
SELECT r.rolname, r.rolsuper, r.rolbypassrls, r.rolcreaterole, r.rolreplication,
  has_database_privilege(current_database(), 'CREATE'),
  n.oid IS NOT NULL, has_schema_privilege(n.oid, 'USAGE'), has_schema_privilege(n.oid, 'CREATE'),
  current_setting('transaction_read_only') = 'on',
  EXISTS (SELECT FROM aclexplode(n.nspacl) a
    WHERE a.grantee = 0 AND a.privilege_type = 'USAGE')
FROM pg_catalog.pg_roles r LEFT JOIN pg_catalog.pg_namespace n ON n.nspname = %(schema)s
WHERE r.rolname = current_user
"""
_TABLES: Final = """
SELECT c.relname, has_table_privilege(c.oid, 'SELECT'), has_table_privilege(c.oid, 'INSERT'),
  has_table_privilege(c.oid, 'UPDATE, DELETE, TRUNCATE'),
  row_security_active(c.oid) AND 'r' <> ALL (w.what),
  row_security_active(c.oid) AND 'a' <> ALL (w.what),
  pg_has_role(c.relowner, 'USAGE')
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
-- What some policy lets us do: r read, a add.
CROSS JOIN LATERAL (
  SELECT array_agg(coalesce(x.each, p.polcmd::text)) || ARRAY[''] AS what
  FROM pg_catalog.pg_policy p LEFT JOIN unnest(ARRAY['r', 'a']) x(each) ON p.polcmd = '*'
  WHERE p.polrelid = c.oid AND p.polpermissive AND EXISTS (
    SELECT FROM unnest(p.polroles) AS r(role)
    WHERE CASE WHEN r.role = 0 THEN true ELSE pg_has_role(r.role, 'USAGE') END)
) w
WHERE n.nspname = %(schema)s AND c.relkind IN ('r', 'p')
"""
_WEB: Final = """
SELECT r.rolname FROM pg_catalog.pg_roles r, pg_catalog.pg_namespace n
WHERE n.nspname = %(schema)s AND r.rolname IN %(roles)s
  AND has_schema_privilege(r.oid, n.oid, 'USAGE')
ORDER BY r.rolname
"""
_EXPOSED: Final = """
SELECT split_part(s.setting, '=', 2)
FROM (SELECT unnest(setconfig) AS setting FROM pg_catalog.pg_db_role_setting) s
WHERE s.setting LIKE 'pgrst.db_schemas=%%'
"""


@dataclass(frozen=True, slots=True)
class Table:
    """What we may do with a table."""

    select: bool
    insert: bool
    #: Change or remove what is there.
    remove: bool
    #: Row-level security is on and no policy lets us see a row, or add one.
    hidden: bool
    closed: bool
    #: It is ours.
    own: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What the server says about us and about the schema."""

    role: str
    superuser: bool = False
    bypass_security: bool = False
    create_roles: bool = False
    replication: bool = False
    create_schemas: bool = False
    schema_exists: bool = False
    usage: bool = False
    create_tables: bool = False
    accepts_no_writes: bool = False
    #: Every role of the server may enter the schema.
    public_usage: bool = False
    tables: Mapping[str, Table] = field(default_factory=dict)
    #: Roles of a web API that may enter the schema.
    web_roles: tuple[str, ...] = ()
    #: Schemas that a web API serves, as far as the database tells.
    web_schemas: frozenset[str] = frozenset()
    #: What runs are worth that we record.
    trust: Trust = Trust.LOCAL
    #: Key to value of the history's own facts, empty if they cannot be read.
    meta: Mapping[str, str] = field(default_factory=dict)


class Line:
    """An open connection that is never waited for without end."""

    def __init__(self, connection: Any, target: Target, budget: Budget):
        self._connection = connection  # psycopg2's, it has no types
        self._target, self._budget = target, budget

    def ask(self, sql: str, params: Mapping[str, object] | None = None) -> list[tuple[Any, ...]]:
        """Rows of the last statement.  DatabaseError in plain words."""

        def run() -> list[tuple[Any, ...]]:
            with self._connection.cursor() as cursor:
                cursor.execute(sql, params)
                return list(cursor.fetchall()) if cursor.description else []

        seconds = self._budget.left(10.0)
        answer = patiently(run, seconds, self._cut)
        if answer.late:
            raise silent(self._target, seconds)
        if answer.error is not None:
            raise explain_postgres(answer.error, self._target)
        return answer.value or []

    def process(self, *, transaction: bool = True) -> tuple[int, int]:
        """Of the server process: the id told at login, and that of the one that answers now.

        DatabaseError if there is no answer, or no transaction.
        """
        begin = "BEGIN; " if transaction else ""
        try:
            ((now,),) = self.ask(f"{begin}SELECT pg_backend_pid()")
        finally:
            if transaction:
                with suppress(DatabaseError):  # it is the first error that counts
                    self.ask("ROLLBACK")
        return int(self._connection.info.backend_pid), int(now)

    @property
    def version(self) -> int:
        """160004 for 16.4."""
        return int(self._connection.info.server_version)

    @property
    def encoding(self) -> str | None:
        """The database's, None if a pooler hides it."""
        found = self._connection.info.parameter_status("server_encoding")
        return None if found is None else str(found)

    def _cut(self) -> None:
        # Already broken: that is what we want.
        with suppress(Exception), socket.socket(fileno=os.dup(self._connection.fileno())) as line:
            line.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Let go of it."""
        with suppress(Exception):  # a broken connection may complain once more
            self._connection.close()


def connect(target: Target, budget: Budget) -> Line:
    """Log in.  DatabaseError in plain words; ImportError if the driver cannot be loaded."""
    from flakefighters.history.postgres_login import log_in, make_engine

    return Line(log_in(make_engine(target), target, budget.left), target, budget)


def ask(line: Line, schema: str) -> Facts:
    """Everything about rights and exposure.  DatabaseError if the server does not answer."""
    ((role, *flags),) = line.ask(_ROLE, {"schema": schema})
    given = [bool(flag) for flag in flags]
    tables = {
        name: Table(*map(bool, rights)) for name, *rights in line.ask(_TABLES, {"schema": schema})
    }
    meta: dict[str, str] = {}
    if given[6] and "meta" in tables and tables["meta"].select:
        quoted = schema.replace('"', '""')
        meta = dict(line.ask(f'SELECT key, value FROM "{quoted}".meta'))  # noqa: S608 - quoted
    web = line.ask(_WEB, {"schema": schema, "roles": _PUBLIC_ROLES})
    served = line.ask(_EXPOSED)
    ((rank,),) = line.ask(trust_sql(schema))
    return Facts(
        role=str(role),
        superuser=given[0],
        bypass_security=given[1],
        create_roles=given[2],
        replication=given[3],
        create_schemas=given[4],
        schema_exists=given[5],
        usage=given[6],
        create_tables=given[7],
        accepts_no_writes=given[8],
        public_usage=given[9],
        tables=tables,
        web_roles=tuple(name for (name,) in web),
        web_schemas=frozenset(
            name.strip() for (names,) in served for name in str(names).split(",")
        ),
        trust=given_trust(rank),
        meta=meta,
    )
