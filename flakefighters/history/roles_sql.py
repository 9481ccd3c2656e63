"""The statements that give each role its rights; ``flakefighters grants`` prints them.

Nothing is executed here.  They can be run any number of times: what they make is replaced.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from flakefighters.history.layout import COLUMNS, lock_key
from flakefighters.history.roles import ADDED, DECIDED, TRUST_POLICY, WEB_ROLES, Roles

__all__ = ["grants_sql"]

_VIEWS: Final = ("members", "runs", "executions", "tests", "failures", "verdicts")
#: What belongs to one run, and is added while the run is no more trusted than the role.
_PARTS: Final = ("execution", "failure", "verdict")
#: Of these, what is counted in the run's hash: it comes with the run, or not at all.
_HASHED: Final = ("execution", "failure")
_KINDS: Final = ("TABLES", "SEQUENCES", "ROUTINES")
#: Every policy of ours begins so.
_POLICY: Final = "flakefighters_"
_PROTECTED: Final = 0
_PR: Final = 1
_LOCAL: Final = 2
_WEB: Final = (
    "SELECT rolname FROM pg_catalog.pg_roles WHERE rolname IN "  # noqa: S608 - our own names
    f"({', '.join(repr(role) for role in WEB_ROLES)})"
)
#: What takes an advisory lock that excludes others.
_EXCLUSIVE: Final = tuple(
    f"pg_{how}advisory_{what}lock({types})"
    for how in ("", "try_")
    for what in ("", "xact_")
    for types in ("bigint", "integer, integer")
)
_SUPERUSER: Final = "(SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user)"


def grants_sql(schema: str, roles: Roles) -> str:
    """All statements, with comments, in one transaction."""
    return "\n".join(_Script(schema, roles).lines()) + "\n"


def _name(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


def _names(texts: Iterable[str]) -> str:
    return ", ".join(map(_name, texts))


def _text(text: str) -> str:
    quoted = text.replace("'", "''")
    # What a backslash means in the plain form depends on a setting of the server.
    return "E'" + quoted.replace("\\", "\\\\") + "'" if "\\" in text else f"'{quoted}'"


def _texts(texts: Iterable[str]) -> str:
    return ", ".join(map(_text, texts))


def _do(*body: str, declare: str = "") -> str:
    """An anonymous block; no name inside of it can end it."""
    text = "\n  ".join(body)
    tag = "$do$"
    while tag in text:
        tag = "$x" + tag[1:]
    head = f"DECLARE {declare}\n" if declare else ""
    return f"DO {tag}\n{head}BEGIN\n  {text}\nEND {tag};"


class _Script:
    def __init__(self, schema: str, roles: Roles):
        self._plain = schema
        self._schema = _name(schema)
        self._roles = roles
        self._writers = (roles.writer, roles.pr_writer)
        self._all = (*self._writers, roles.curator, roles.reader)
        #: The relations of the schema, as a condition on pg_class.
        self._inside = f"c.relnamespace = {_text(self._schema)}::regnamespace"

    def lines(self) -> Iterator[str]:
        yield f"-- Rights in the history of schema {self._schema}, from `flakefighters grants`."
        yield "-- Run this as the owner or an administrator, and again after each upgrade."
        yield "BEGIN;"
        yield "SET LOCAL lock_timeout = '10s';"
        yield "-- Runs that are being recorded end first."
        yield f"SELECT pg_advisory_xact_lock({lock_key(self._plain)});"
        for title, part in (
            ("Is the history there?", self._there()),
            ("The roles; none of them can log in until you let it.", self._make()),
            ("The owner, who alone may change and remove what is there", self._own()),
            ("Nothing for anybody else, above all not for a web API", self._revoke()),
            ("What each may do", self._grant()),
            ("The same for the tables of later versions", self._defaults()),
            ("Who may add which rows, and how far they are believed", self._policies()),
            ("Views show to each role what the tables show to it.", self._views()),
        ):
            yield f"\n-- {title}"
            yield from part
        yield "\nCOMMIT;"
        yield "\n-- Then let them log in, each with a password of its own that nobody else knows:"
        login = "LOGIN CONNECTION LIMIT 40 PASSWORD '...'"
        yield from (f"--   ALTER ROLE {_name(role)} {login};" for role in self._all)
        yield "-- or give the rights to roles that can:"
        yield f'--   GRANT {_name(self._roles.reader)} TO "somebody";'
        yield "-- Whoever may log in, to any database of the server's, may hold the lock that the"
        yield "-- owner takes, and so delay those who record: their runs then wait in the spool."
        yield "-- A superuser can end that, if no other program in this database needs it:"
        owner = "the owner" if self._roles.owner is None else _name(self._roles.owner)
        for function in _EXCLUSIVE:
            yield f"--   REVOKE EXECUTE ON FUNCTION pg_catalog.{function} FROM PUBLIC;"
        yield f"--   and GRANT EXECUTE on pg_advisory_xact_lock(bigint) to {owner}."

    def _there(self) -> Iterator[str]:
        yield _do(
            f"IF to_regclass({_text(f'{self._schema}.meta')}) IS NULL THEN",
            f"  RAISE EXCEPTION 'schema % holds no history yet', {_text(self._plain)}",
            "    USING HINT = 'first run `flakefighters upgrade` as its owner';",
            "END IF;",
        )

    def _make(self) -> Iterator[str]:
        owner = (self._roles.owner,) if self._roles.owner else ()
        for role in (*owner, *self._all):
            yield _do(
                "IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles "
                f"WHERE rolname = {_text(role)}) THEN",
                f"  CREATE ROLE {_name(role)} NOLOGIN;",
                "END IF;",
                "EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;  -- just made",
            )

    def _own(self) -> Iterator[str]:
        if self._roles.owner is not None:
            owner = _text(self._roles.owner)
            yield _do(
                "-- To hand something over, one must be both; a superuser is everybody.",
                f"IF NOT {_SUPERUSER} THEN",
                "  FOR one IN SELECT pg_catalog.pg_get_userbyid(c.relowner) AS role",
                f"      FROM pg_catalog.pg_class c WHERE {self._inside}",
                f"      UNION SELECT {owner}::name LOOP",
                "    BEGIN",
                "      EXECUTE format('GRANT %I TO CURRENT_USER', one.role);",
                "    EXCEPTION WHEN insufficient_privilege OR invalid_grant_operation THEN",
                "      NULL;  -- it is us, or we are in it already, or what follows is refused",
                "    END;",
                "  END LOOP;",
                "END IF;",
                "EXECUTE format('GRANT CONNECT, CREATE ON DATABASE %I TO %I', "
                f"current_database(), {owner});",
                declare="one record;",
            )
            to = _name(self._roles.owner)
            yield f"ALTER SCHEMA {self._schema} OWNER TO {to};"
            for table in COLUMNS:
                yield f"ALTER TABLE {self._schema}.{table} OWNER TO {to};"
            for view in _VIEWS:
                yield f"ALTER VIEW {self._schema}.{view} OWNER TO {to};"
        yield _do(
            "SELECT string_agg(pg_catalog.pg_get_userbyid(x.owner), ', ') INTO who FROM (",
            f"  SELECT c.relowner AS owner FROM pg_catalog.pg_class c WHERE {self._inside}",  # noqa: S608
            "  UNION SELECT n.nspowner FROM pg_catalog.pg_namespace n",
            f"  WHERE n.nspname = {_text(self._plain)}",
            f") x WHERE pg_catalog.pg_get_userbyid(x.owner) IN ({_texts(self._all)});",
            "IF who IS NOT NULL THEN",
            "  RAISE EXCEPTION 'the history belongs to %, who could remove all of it', who",
            "    USING HINT = 'name another owner: flakefighters grants --owner NAME';",
            "END IF;",
            declare="who text;",
        )

    def _revoke(self) -> Iterator[str]:
        everybody = f"PUBLIC, {_names(self._all)}"
        for kind in _KINDS:
            yield f"REVOKE ALL ON ALL {kind} IN SCHEMA {self._schema} FROM {everybody};"
        yield f"REVOKE ALL ON SCHEMA {self._schema} FROM {everybody};"
        yield _do(
            f"FOR one IN {_WEB} LOOP",
            *(
                f"  EXECUTE format('REVOKE ALL ON {what} %I FROM %I', "
                f"{_text(self._plain)}, one.rolname);"
                for what in (*(f"ALL {kind} IN SCHEMA" for kind in _KINDS), "SCHEMA")
            ),
            "END LOOP;",
            declare="one record;",
        )

    def _grant(self) -> Iterator[str]:
        schema = self._schema
        yield _do(
            f"FOREACH one IN ARRAY ARRAY[{_texts(self._all)}] LOOP",
            "  EXECUTE format('GRANT CONNECT ON DATABASE %I TO %I', current_database(), one);",
            "END LOOP;",
            declare="one text;",
        )
        yield f"GRANT USAGE ON SCHEMA {schema} TO {_names(self._all)};"
        yield f"GRANT SELECT ON ALL TABLES IN SCHEMA {schema} TO {_names(self._all)};"
        for tables, roles in ((ADDED, self._writers), (DECIDED, (self._roles.curator,))):
            listed = ",\n  ".join(f"{schema}.{table}" for table in tables)
            yield f"GRANT INSERT ON\n  {listed}\n  TO {_names(roles)};"

    def _defaults(self) -> Iterator[str]:
        """For what the owner makes in this schema; adding to it takes these statements again."""
        head = "'ALTER DEFAULT PRIVILEGES FOR ROLE %I IN SCHEMA %I"
        what = f"owner, {_text(self._plain)}"
        yield _do(
            "SELECT pg_catalog.pg_get_userbyid(c.relowner) INTO owner FROM pg_catalog.pg_class c",
            f"WHERE c.oid = {_text(f'{self._schema}.meta')}::regclass;",
            f"FOREACH one IN ARRAY ARRAY[{_texts(self._all)}] LOOP",
            f"  EXECUTE format({head} GRANT SELECT ON TABLES TO %I', {what}, one);",
            "END LOOP;",
            *(
                f"EXECUTE format({head} REVOKE ALL ON {kind} FROM PUBLIC', {what});"
                for kind in _KINDS
            ),
            f"FOR one IN {_WEB} LOOP",
            *(
                f"  EXECUTE format({head} REVOKE ALL ON {kind} FROM %I', {what}, one);"
                for kind in _KINDS
            ),
            "END LOOP;",
            declare="owner name; one text;",
        )

    def _policies(self) -> Iterator[str]:
        """Not forced: the owner migrates and prunes, and pg_dump would refuse to dump in part."""
        yield _do(
            "FOR one IN SELECT c.relname, p.polname FROM pg_catalog.pg_policy p",
            "    JOIN pg_catalog.pg_class c ON c.oid = p.polrelid",
            f"    WHERE {self._inside} AND starts_with(p.polname::text, '{_POLICY}') LOOP",
            f"  EXECUTE format('DROP POLICY %I ON %I.%I', one.polname, {_text(self._plain)}, "
            "one.relname);",
            "END LOOP;",
            declare="one record;",
        )
        for table in COLUMNS:
            yield f"ALTER TABLE {self._schema}.{table} ENABLE ROW LEVEL SECURITY;"
            yield self._policy(table, "read", "SELECT", self._all, "USING (true)")
        for table in ADDED:
            if table == "arrival":
                continue
            to = (self._roles.writer,) if table in _PARTS else self._writers
            yield self._policy(table, "add", "INSERT", to, "WITH CHECK (true)")
        yield "-- Pull requests' writer adds results only along with a run, and verdicts to no run"
        yield "-- of a protected branch or of a developer: else it could spoil them for everybody."
        for table in _PARTS:
            which = "" if table in _HASHED else f" AND a.trust IN ({_PROTECTED}, {_LOCAL})"
            check = (
                f"WITH CHECK (NOT EXISTS (\n  SELECT FROM {self._schema}.arrival a "
                f"WHERE a.run = {table}.run{which}))"
            )
            yield self._policy(table, "add_pr", "INSERT", (self._roles.pr_writer,), check)
        yield "-- 0 protected, 1 pr, 2 local, 3 untrusted: nobody can claim more than this."
        for rank, role in ((_PROTECTED, self._roles.writer), (_PR, self._roles.pr_writer)):
            name = f"{TRUST_POLICY.removeprefix(_POLICY)}{rank}"
            check = f"trust BETWEEN {rank} AND 3"
            if rank == _PR:
                # What a developer recorded does not become a pull request's run.
                check += (
                    f" AND NOT EXISTS (\n  SELECT FROM {self._schema}.arrival a "
                    f"WHERE a.run = arrival.run AND a.trust IN ({_PROTECTED}, {_LOCAL}))"
                )
            check = f"WITH CHECK ({check})"
            yield self._policy("arrival", name, "INSERT", (role,), check)
        for table in DECIDED:
            to = (self._roles.curator,)
            yield self._policy(table, "decide", "INSERT", to, "WITH CHECK (true)")

    def _policy(self, table: str, name: str, what: str, to: Iterable[str], rule: str) -> str:
        return (
            f"CREATE POLICY {_POLICY}{name} ON {self._schema}.{table} FOR {what}\n"
            f"  TO {_names(to)} {rule};"
        )

    def _views(self) -> Iterator[str]:
        for view in _VIEWS:
            yield f"ALTER VIEW {self._schema}.{view} SET (security_invoker = true);"
