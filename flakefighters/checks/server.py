"""The questions that ``check`` puts to a PostgreSQL server, once it lets us in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from flakefighters.history.layout import COLUMNS
from flakefighters.history.roles import WEB_ROLES, given_trust, trust_sql
from flakefighters.model import Trust

if TYPE_CHECKING:
    from flakefighters.checks.line import ServerLine

__all__ = ["TABLES", "Facts", "Table", "ask"]

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


def ask(line: ServerLine, schema: str) -> Facts:
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
