"""The command ``upgrade``: make a history, or bring it to this version, as its owner."""

from __future__ import annotations

from typing import Annotated

import typer

from flakefighters.cli.options import AsJson, DatabaseUrl, Profile, RootDir
from flakefighters.cli.output import say, show_json
from flakefighters.cli.place import Asked, find_place

__all__ = ["upgrade"]


def upgrade(
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be done, and change nothing.")
    ] = False,
    as_json: AsJson = False,
    profile: Profile = None,
    database_url: DatabaseUrl = None,
    rootdir: RootDir = None,
) -> None:
    """Create the tables of a history, or bring them to this version, as their owner."""
    from flakefighters.history import migrations

    place = find_place(Asked(profile, database_url, rootdir, None))
    target = place.resolution.target
    path = target.path
    tracked = path is not None and path.exists() and place.checkout.is_tracked(path)
    done = migrations.upgrade(target, dry_run=dry_run, tracked=tracked)
    if as_json:
        record: dict[str, object] = {
            "history": target.display,
            "schema_version": done.before if dry_run else done.after,
            "before": done.before,
            "steps": [{"version": step.version, "what": step.what} for step in done.steps],
        }
        show_json(record)
        return
    for step in done.steps:
        say(f"{'would go on' if dry_run else 'went on'} to version {step.version}: {step.what}")
    say(f"{target.display} has schema version {done.before if dry_run else done.after}")
    if done.steps and not dry_run and target.backend == "postgresql":
        say("roles get their rights in what is new with the SQL of `flakefighters grants`")
