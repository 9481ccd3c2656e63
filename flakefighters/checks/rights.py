"""What the server's answers mean: version, rights, exposure.  Pure functions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from flakefighters.checks.results import Check, failed, ok, skipped
from flakefighters.checks.server import TABLES, Facts, Table
from flakefighters.history.layout import SCHEMA_VERSION
from flakefighters.history.roles import ADDED, DECIDED
from flakefighters.model import Target

__all__ = ["exposure", "rights", "version"]

_OWN_SCHEMA: Final = 'keep the history in a schema of its own: schema = "flakefighters"'
_PRIMARY: Final = "use the primary server's address"


def version(number: int, encoding: str | None) -> Iterator[Check]:
    """Of the server, ``number`` as 160004 for 16.4."""
    name = f"PostgreSQL {number // 10000}.{number % 10000}"
    if number < 150000:
        yield failed("version", f"{name} is too old", "use PostgreSQL 15 or later")
    elif encoding not in (None, "UTF8"):
        yield failed(
            "version",
            f"{name}, but the database has encoding {encoding}",
            "create a database with encoding UTF8",
        )
    else:
        yield ok("version", name if encoding is None else f"{name}, encoding {encoding}")


def rights(facts: Facts, target: Target) -> Iterator[Check]:
    """What is missing for what the profile is to do, and what is too much."""
    yield from _schema(facts, target)
    much = [
        what
        for what, has in (
            ("is a superuser", facts.superuser),
            ("may ignore row-level security", facts.bypass_security and not facts.superuser),
            ("may make other roles", facts.create_roles and not facts.superuser),
            ("may read all that the server writes", facts.replication and not facts.superuser),
        )
        if has
    ]
    if much:
        yield failed(
            "rights",
            f"{facts.role} {' and '.join(much)}: whoever gets its password has more than the "
            "history",
            "make a role that may do nothing else, see `flakefighters grants`",
        )


def _schema(facts: Facts, target: Target) -> Iterator[Check]:
    name, role = target.schema, facts.role
    if not facts.schema_exists or (facts.usage and "meta" not in facts.tables):
        yield _absent(facts, target)
        return
    if not facts.usage:
        yield failed(
            "rights",
            f"{role} may not enter schema {name}",
            f"as the owner: GRANT USAGE ON SCHEMA {name} TO {role}",
        )
        return
    missing = sorted(TABLES - set(facts.tables))
    if missing:
        yield failed(
            "rights",
            f"schema {name} lacks {', '.join(missing)}: it is not whole, or not ours",
            "use another schema, or run `flakefighters upgrade` as the owner",
        )
        return
    ours = {table: facts.tables[table] for table in sorted(TABLES)}
    adds = not (target.read_only or _only_decides(ours))
    added = {table: ours[table] for table in sorted(ADDED)} if adds else {}
    refused = _refused(facts, target, ours, added)
    if refused is not None:
        yield refused
        return
    if added and facts.accepts_no_writes:
        yield failed("rights", "the server accepts no writes", _PRIMARY)
        return
    yield _version(facts, name)
    yield _enough(facts, target, list(ours.values()))


def _only_decides(tables: Mapping[str, Table]) -> bool:
    """Whether it is a curator's role: it adds decisions, and no runs."""
    decides = all(tables[table].insert for table in DECIDED)
    return decides and not any(tables[table].insert for table in ADDED)


def _refused(
    facts: Facts, target: Target, read: Mapping[str, Table], added: Mapping[str, Table]
) -> Check | None:
    """The first right that the role lacks on the tables it reads, or adds to."""
    name, role = target.schema, facts.role
    for word, tables, lacking in (
        ("SELECT", read, [table for table, may in read.items() if not may.select]),
        ("INSERT", added, [table for table, may in added.items() if not may.insert]),
    ):
        if lacking:
            some = "any table" if len(lacking) == len(tables) else ", ".join(lacking)
            return failed(
                "rights",
                f"{role} lacks {word} on {some} of schema {name}",
                f"as the owner: GRANT {word} ON ALL TABLES IN SCHEMA {name} TO {role}",
            )
    for what, lacking in (
        (f"hides {{}} from {role}", [table for table, may in read.items() if may.hidden]),
        (
            f"lets {role} add nothing to {{}}",
            [table for table, may in added.items() if may.closed],
        ),
    ):
        if lacking:
            return failed(
                "rights",
                f"row-level security {what.format(', '.join(lacking))}",
                "as the owner: give the role its rights with the SQL of `flakefighters grants`",
            )
    return None


def _absent(facts: Facts, target: Target) -> Check:
    name, role = target.schema, facts.role
    if target.read_only:
        return failed(
            "rights",
            f"schema {name} holds no history yet",
            "let a run that may write record there first",
        )
    if facts.accepts_no_writes:
        return failed("rights", "the server accepts no writes", _PRIMARY)
    may = facts.create_tables if facts.schema_exists else facts.create_schemas
    if may:
        return ok("rights", f"no history yet; {role} may create it in schema {name}")
    return failed(
        "rights",
        f"no history yet, and {role} may not create one in schema {name}",
        "run `flakefighters upgrade` as the owner, "
        f"or, as the administrator: CREATE SCHEMA {name} AUTHORIZATION {role}",
    )


def _version(facts: Facts, name: str) -> Check:
    text = facts.meta.get("schema_version", "")
    if not text.isdigit():
        return failed("rights", f"schema {name} is not one of ours", "use another schema")
    number = int(text)
    if number == SCHEMA_VERSION:
        return ok("rights", f"schema {name} has version {number}")
    if number < SCHEMA_VERSION:
        return failed(
            "rights",
            f"schema {name} has version {number}, older than this flakefighters",
            "run `flakefighters upgrade` as the owner",
        )
    return failed(
        "rights",
        f"schema {name} has version {number}, this flakefighters knows up to {SCHEMA_VERSION}",
        "upgrade flakefighters (pip install --upgrade flakefighters)",
    )


def _enough(facts: Facts, target: Target, tables: list[Table]) -> Check:
    role, grants = facts.role, "see `flakefighters grants`"
    if not target.read_only and _only_decides({name: facts.tables[name] for name in TABLES}):
        return ok("rights", f"{role} may read, mark and quarantine; it records no runs")
    # Of a superuser more is said elsewhere.
    owns = any(may.own for may in tables) and not facts.superuser
    removes = any(may.remove for may in tables) and not facts.superuser
    if target.read_only:
        inserts = any(may.insert for may in tables)
        advice = f"the profile only reads, yet {role} may write: use a role that may not, {grants}"
        return ok("rights", f"{role} may read", advice if inserts else None)
    told = None
    if owns:
        told = (
            f"{role} owns the history: it may change and remove all that is there; let CI use a "
            f"role that only reads and adds, {grants}"
        )
    elif removes:
        told = (
            f"{role} may also change and remove what is there: a writer needs SELECT and INSERT "
            f"only, {grants}"
        )
    return ok("rights", f"{role} may read and add; its runs count as {facts.trust.value}", told)


def exposure(facts: Facts, target: Target) -> Iterator[Check]:
    """Who else can read the history."""
    name, found = target.schema, False
    if name == "public":
        found = True
        yield failed(
            "exposure",
            "the history is in schema public, which web APIs of hosted databases serve",
            _OWN_SCHEMA,
        )
    if name in facts.web_schemas and name != "public":
        found = True
        yield failed(
            "exposure",
            f"schema {name} is among those that the web API serves",
            "take it out of the exposed schemas (Supabase: project settings, API)",
        )
    if facts.web_roles and name != "public":
        found = True
        roles = ", ".join(facts.web_roles)
        yield failed(
            "exposure",
            f"the web API's roles ({roles}) may enter schema {name}",
            f"REVOKE ALL ON SCHEMA {name} FROM {roles}",
        )
    if facts.public_usage and name != "public":
        found = True
        yield failed(
            "exposure",
            f"every role of the server may enter schema {name}",
            f"REVOKE ALL ON SCHEMA {name} FROM PUBLIC",
        )
    if found:
        return
    if not facts.schema_exists:
        yield skipped("exposure", "there is no schema yet")
    else:
        yield ok("exposure", f"no web API's role, nor everybody, may enter schema {name}")
