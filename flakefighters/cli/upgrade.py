"""The command ``upgrade``: make a history, or bring it to this version, as its owner."""

from __future__ import annotations

import typer

from flakefighters.cli.options import AsJson, DatabaseUrl, Profile, RootDir
from flakefighters.cli.output import say, show_json
from flakefighters.cli.place import Asked, find_place
from flakefighters.flow.finish import open_checked

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("upgrade")(upgrade)


def upgrade(
    as_json: AsJson = False,
    profile: Profile = None,
    database_url: DatabaseUrl = None,
    rootdir: RootDir = None,
) -> None:
    """Create the tables of a history, or bring them to this version, as their owner."""
    place = find_place(Asked(profile, database_url, rootdir, None))
    target = place.resolution.target
    with open_checked(target, place.checkout, create=True) as history:
        version = history.schema_version
    if as_json:
        show_json({"history": target.display, "schema_version": version})
    else:
        say(f"{target.display} has schema version {version}")
