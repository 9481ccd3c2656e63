"""Who may do what in a history on PostgreSQL, and how far the runs of each are believed.

The policies of the table ``arrival`` are the one place that says so: the server keeps to them, and
the client reads there what it may claim.  ``roles_sql.py`` makes them.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, fields
from typing import Final

from flakefighters.errors import ConfigError
from flakefighters.history.database import TRUST_RANKS
from flakefighters.model import Trust

__all__ = [
    "ADDED",
    "DECIDED",
    "TRUST_POLICY",
    "WEB_ROLES",
    "Roles",
    "given_trust",
    "gives_sql",
    "trust_sql",
]

#: The policies of ``arrival`` that let rows in: this, and the least rank of trust that may be
#: claimed.
TRUST_POLICY: Final = "flakefighters_trust_"
#: Whom web APIs in front of a database (PostgREST, Supabase) let in.
WEB_ROLES: Final = ("anon", "authenticated", "service_role")

#: The tables to which recording a run adds.
ADDED: Final = (
    "project",
    "test",
    "suite",
    "listing",
    "state",
    "environment",
    "sequence",
    "failure_text",
    "evidence",
    "run",
    "execution",
    "failure",
    "verdict",
    "arrival",
)
#: The tables to which deciding something about runs adds.
DECIDED: Final = ("event",)

# What PostgreSQL stores of a name; it would cut longer ones without a word.
_LONGEST: Final = 63
_NO_NAMES: Final = ("public", "none", "current_role", "current_user", "session_user")


@dataclass(frozen=True, slots=True, kw_only=True)
class Roles:
    """The names of the roles that the rights are given to."""

    #: Migrates, prunes and purges; None: the owner of the tables.
    owner: str | None = None
    #: Records the runs of protected branches.
    writer: str
    #: Records the runs of pull requests.
    pr_writer: str
    #: Marks and quarantines.
    curator: str
    #: Reads and copies.
    reader: str

    @classmethod
    def named(
        cls,
        schema: str,
        *,
        owner: str | None = None,
        writer: str | None = None,
        pr_writer: str | None = None,
        curator: str | None = None,
        reader: str | None = None,
    ) -> Roles:
        """Those given, the others called after the schema.  ConfigError for impossible names."""
        roles = cls(
            owner=owner,
            writer=writer or f"{schema}_writer",
            pr_writer=pr_writer or f"{schema}_pr_writer",
            curator=curator or f"{schema}_curator",
            reader=reader or f"{schema}_reader",
        )
        _check(schema, "schema")
        seen: dict[str, str] = {}
        for each in fields(roles):
            name, option = getattr(roles, each.name), each.name.replace("_", "-")
            if name is None:
                continue
            _check(name, f"--{option}")
            if name.startswith("pg_") or name.lower() in _NO_NAMES:
                raise ConfigError(f"no role can be called {name}", origin=f"--{option}")
            if name in seen:
                raise ConfigError(
                    f"{name} cannot be {option} and {seen[name]} at once",
                    origin=f"--{option}",
                    remedy="give each task a role of its own",
                )
            seen[name] = option
        return roles


def _check(name: str, origin: str) -> None:
    odd = any(
        unicodedata.category(character) in ("Cc", "Cf", "Cs", "Zl", "Zp") for character in name
    )
    if not name or odd:
        raise ConfigError("a name is empty or holds invisible characters", origin=origin)
    if len(name.encode()) > _LONGEST:
        raise ConfigError(
            f"{name} is longer than {_LONGEST} bytes, which PostgreSQL would cut",
            origin=origin,
            remedy="give a shorter name",
        )


def trust_sql(schema: str) -> str:
    """A question for the least rank of trust that the current role may claim; NULL: none is given.

    It can be asked of any database, whether it has a history or not.  A superuser is a member of
    every role, and may claim anything, but was given nothing.
    """
    return (
        f"SELECT min(substr(p.polname::text, {len(TRUST_POLICY) + 1})::int) "  # noqa: S608
        f"{_policies(schema)} AND pg_catalog.pg_has_role(r.role, 'USAGE') "
        "AND NOT (SELECT u.rolsuper FROM pg_catalog.pg_roles u WHERE u.rolname = current_user)"
    )


def gives_sql(schema: str) -> str:
    """A question for 1 if there is any role whose runs are trusted more than others, else 0."""
    return f"SELECT least(count(*), 1) {_policies(schema)}"


def _policies(schema: str) -> str:
    literal = "'" + schema.replace("'", "''") + "'"
    return (
        "FROM pg_catalog.pg_policy p JOIN pg_catalog.pg_class c ON c.oid = p.polrelid "
        "JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "
        "CROSS JOIN LATERAL unnest(p.polroles) AS r(role) "
        f"WHERE n.nspname = {literal} AND c.relname = 'arrival' "
        f"AND pg_catalog.starts_with(p.polname::text, '{TRUST_POLICY}')"
    )


def given_trust(rank: str | int | None) -> Trust:
    """What the answer to :func:`trust_sql` means; without such a role, a run is ``local``."""
    if rank is None:
        return Trust.LOCAL
    return next((trust for trust, at in TRUST_RANKS.items() if at == int(rank)), Trust.LOCAL)
