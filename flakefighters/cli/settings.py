"""Commands on settings: ``profiles`` and ``config`` show them."""

from __future__ import annotations

from collections.abc import Sequence

from flakefighters.cli.options import AsJson, DatabaseUrl, Profile, RootDir
from flakefighters.cli.output import say, show, show_json
from flakefighters.cli.place import Asked, find_ground
from flakefighters.errors import ConfigError
from flakefighters.fighters.registry import Entry, known, unknown
from flakefighters.fighters.settings import checked, fields_of
from flakefighters.profiles import Inputs, Resolution, detect, resolve
from flakefighters.profiles.views import all_settings
from flakefighters.profiles.views import profiles as all_profiles
from flakefighters.reports.settings import (
    profile_record,
    profiles_page,
    settings_page,
    settings_record,
)

__all__ = ["config", "profiles"]


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
    notes: list[str] = []
    entries = list(known(notes.append))
    fields = {one.name: fields_of(one.settings, default=one.default) for one in entries}
    view = all_settings(ground.inputs, fields)
    used, trouble = _used(ground.inputs)
    if as_json:
        show_json(settings_record(view.settings, view.files, view.notes))
    else:
        show(settings_page(view.settings, view.files))
    notes += _wrong(used, entries)
    _end([*view.notes, *notes, *(() if used is None else used.notes)], trouble)


def _used(inputs: Inputs) -> tuple[Resolution | None, ConfigError | None]:
    """What a run would use here, or why it would not start."""
    # Only in CI does a missing password lead elsewhere, and there no keyring is asked.
    in_ci = detect(inputs.environ) is not None
    try:
        return resolve(inputs, need_credentials=in_ci), None
    except ConfigError as error:
        return None, error


def _wrong(used: Resolution | None, entries: Sequence[Entry]) -> list[str]:
    """What is wrong with the settings of flakefighters."""
    notes: list[str] = []
    given = {} if used is None else used.settings.fighters
    names = [one.name for one in entries]
    for entry in entries:
        checked(entry.name, entry.settings, given.get(entry.name, {}), notes.append)
    notes += [unknown(name, one, names) for name, one in given.items() if name not in names]
    return notes


def _end(notes: Sequence[str], trouble: ConfigError | None) -> None:
    """Say each trouble once; what would stop a run ends the command, too."""
    for note in dict.fromkeys(notes):
        if note != str(trouble):
            say(note)
    if trouble is not None:
        raise trouble
