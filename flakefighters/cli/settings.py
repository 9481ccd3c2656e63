"""Commands on settings: ``init`` writes them, ``profiles`` and ``config`` show them."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from flakefighters.cli import files
from flakefighters.cli.options import AsJson, DatabaseUrl, Profile, RootDir
from flakefighters.cli.output import say, show, show_json
from flakefighters.cli.place import Asked, Ground, find_ground
from flakefighters.errors import ConfigError
from flakefighters.profiles import Inputs, Resolution, all_settings, detect, resolve
from flakefighters.profiles import profiles as all_profiles
from flakefighters.profiles.example import text
from flakefighters.reports.settings import (
    profile_record,
    profiles_page,
    settings_page,
    settings_record,
)

__all__ = ["register"]

_FILE = "profiles.toml"


def register(app: typer.Typer) -> None:
    """Add the commands of this group."""
    app.command("init")(init)
    app.command("profiles")(profiles)
    app.command("config")(config)


def init(
    force: Annotated[
        bool, typer.Option("--force", help="Write over a profiles.toml that is there.")
    ] = False,
    yes: Annotated[
        bool, typer.Option("--yes", help="Add the history to .gitignore without asking.")
    ] = False,
    rootdir: RootDir = None,
) -> None:
    """Write a commented profiles.toml, and offer to let git ignore the history."""
    ground = find_ground(Asked(rootdir=rootdir))
    path = ground.anchor.path / _FILE
    if files.write_new(path, text(), over=force):
        say(f"wrote {path}: read it, commit it; it may hold no passwords")
    else:
        say(f"{path} is there already, as `init` writes it")
    if ground.inputs.environ.get("FLAKEFIGHTERS_PROFILES_FILE", "").strip():
        say("FLAKEFIGHTERS_PROFILES_FILE is set: that file is read instead")
    _ignore(ground, yes)


def _ignore(ground: Ground, yes: bool) -> None:
    """Keep the history out of git, if the user wants it."""
    if not ground.checkout.has_git:
        return
    path = ground.anchor.path / ".gitignore"
    lines = files.not_ignored(path)
    if not lines:
        say(f"{path} has {' and '.join(files.IGNORED)} already")
        return
    what = f"{' and '.join(lines)} to {path}"
    if not yes:
        if not (sys.stdin.isatty() and sys.stderr.isatty()):
            say(f"not done: add {what}, or let --yes do it, so that no history is committed")
            return
        if not typer.confirm(f"Add {what}?", default=True, err=True):
            say(f"not done: {path} is as it was")
            return
    files.ignore(path, lines)
    say(f"added {what}")


def profiles(as_json: AsJson = False, profile: Profile = None, rootdir: RootDir = None) -> None:
    """List every profile, and tell which one is used here and why."""
    ground = find_ground(Asked(profile=profile, rootdir=rootdir))
    views = all_profiles(ground.inputs, ask_keyring=True)
    used, trouble = _used(ground.inputs)
    if as_json:
        show_json([profile_record(view) for view in views])
    else:
        show(profiles_page(views, None if used is None else f"used here: {used.header()}"))
    _end([] if used is None else used.notes, trouble)


def config(
    as_json: AsJson = False,
    profile: Profile = None,
    database_url: DatabaseUrl = None,
    rootdir: RootDir = None,
) -> None:
    """Show every setting, where it was set, and what it overrides; no passwords."""
    ground = find_ground(Asked(profile, database_url, rootdir))
    view = all_settings(ground.inputs)
    used, trouble = _used(ground.inputs)
    if as_json:
        show_json(settings_record(view.settings, view.files, view.notes))
    else:
        show(settings_page(view.settings, view.files))
    _end([*view.notes, *(() if used is None else used.notes)], trouble)


def _used(inputs: Inputs) -> tuple[Resolution | None, ConfigError | None]:
    """What a run would use here, or why it would not start."""
    # Only in CI does a missing password lead elsewhere, and there no keyring is asked.
    in_ci = detect(inputs.environ) is not None
    try:
        return resolve(inputs, need_credentials=in_ci), None
    except ConfigError as error:
        return None, error


def _end(notes: Sequence[str], trouble: ConfigError | None) -> None:
    """Say each trouble once; what would stop a run ends the command, too."""
    for note in dict.fromkeys(notes):
        if note != str(trouble):
            say(note)
    if trouble is not None:
        raise trouble
