"""The command ``grants``: SQL that gives each role its rights in a history on PostgreSQL."""

from __future__ import annotations

import sys
from dataclasses import asdict
from typing import Annotated

import typer

from flakefighters.cli.options import AsJson, DatabaseUrl, Profile, RootDir
from flakefighters.cli.output import say, show_json, write
from flakefighters.cli.place import Asked, find_ground
from flakefighters.errors import ConfigError

__all__ = ["grants"]

_Role = str | None


def grants(
    schema: Annotated[
        str | None,
        typer.Option(
            "--schema", metavar="NAME", help="The history's schema (default: the profile's)."
        ),
    ] = None,
    owner: Annotated[
        _Role,
        typer.Option(
            "--owner",
            metavar="ROLE",
            help="Who migrates and prunes (default: whoever owns the tables).",
        ),
    ] = None,
    writer: Annotated[
        _Role,
        typer.Option("--writer", metavar="ROLE", help="Who records runs of protected branches."),
    ] = None,
    pr_writer: Annotated[
        _Role,
        typer.Option("--pr-writer", metavar="ROLE", help="Who records runs of pull requests."),
    ] = None,
    curator: Annotated[
        _Role, typer.Option("--curator", metavar="ROLE", help="Who marks and quarantines.")
    ] = None,
    reader: Annotated[
        _Role, typer.Option("--reader", metavar="ROLE", help="Who reads and copies.")
    ] = None,
    as_json: AsJson = False,
    profile: Profile = None,
    database_url: DatabaseUrl = None,
    rootdir: RootDir = None,
) -> None:
    """Print SQL that gives each role its rights in the history; nothing is executed."""
    from flakefighters.history.roles import Roles
    from flakefighters.history.roles_sql import grants_sql

    name = schema if schema is not None else _schema(Asked(profile, database_url, rootdir))
    roles = Roles.named(
        name, owner=owner, writer=writer, pr_writer=pr_writer, curator=curator, reader=reader
    )
    sql = grants_sql(name, roles)
    if as_json:
        show_json({"schema": name, "roles": asdict(roles), "sql": sql})
        return
    write(sql)
    if sys.stdout.isatty():
        say("nothing was executed: pipe this into psql as the owner, or paste it into an editor")


def _schema(asked: Asked) -> str:
    """The schema of the profile's history, of ``ci`` if none is named."""
    from flakefighters.profiles import detect
    from flakefighters.profiles.selection import Selector

    if asked.profile is None and asked.database_url is None:
        asked = Asked("ci", None, asked.rootdir)
    inputs = find_ground(asked).inputs
    # Neither server nor keyring are asked.
    selector = Selector.read(inputs, detect(inputs.environ))
    name, _ = selector.active()
    fields = selector.fields(name)
    if (fields.url or "").strip().lower().startswith("sqlite:"):
        raise ConfigError(
            f"profile {selector.label(name)} is a SQLite file, where there are no roles",
            remedy="name a profile whose history is in PostgreSQL, or --schema",
        )
    return fields.schema_
