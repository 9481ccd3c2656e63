"""The command ``check``: step by step, what works on the way to a history and what does not."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

import typer

from flakefighters.cli.options import AsJson, DatabaseUrl, RootDir
from flakefighters.cli.output import show, show_json
from flakefighters.cli.place import Asked, Ground, find_ground
from flakefighters.errors import ConfigError
from flakefighters.reports.checks import check_lines, check_record, check_sum

__all__ = ["check", "examine_here"]


def check(
    profile: Annotated[
        str | None,
        typer.Argument(metavar="PROFILE", help="The profile; the one in use if left out."),
    ] = None,
    as_json: AsJson = False,
    database_url: DatabaseUrl = None,
    rootdir: RootDir = None,
) -> None:
    """Check settings, network, TLS, login, rights and exposure, with a remedy for each."""
    if profile is not None and database_url is not None:
        raise ConfigError("either a profile or a database URL", origin="--database-url")
    ground = find_ground(Asked(profile, database_url, rootdir))
    if not examine_here(ground, as_json=as_json):
        raise typer.Exit(1)


def examine_here(ground: Ground, *, as_json: bool = False, talk: bool = False) -> bool:
    """Check, print each finding as it comes, and return whether all is well.

    ``talk``: it is no answer to a question, and goes to stderr.
    """
    from flakefighters.checks import examine

    checkup = examine(
        replace(ground.inputs, option_profile_name="the command line"), ground.checkout
    )
    found = []
    for one in checkup.checks:
        found.append(one)
        if not as_json:
            show(check_lines(one), talk=talk)
    if as_json:
        show_json(check_record(checkup.profile, checkup.reason, checkup.display, found))
    else:
        show(check_sum(found), talk=talk)
    return all(one.status != "failed" for one in found)
