"""What goes into the choice of a database, and what comes out of it."""

from __future__ import annotations

import enum
import os
from collections.abc import Mapping
from dataclasses import field
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from flakefighters.records import NamedTuple, record

if TYPE_CHECKING:
    from flakefighters.model import Target
    from flakefighters.model.choice import Given
    from flakefighters.profiles.ci import CiInfo

__all__ = ["Inputs", "Origin", "Resolution", "Settings", "Source"]


class Source(enum.IntEnum):
    """The kinds of places that a setting can come from, first one wins."""

    COMMAND_LINE = 0
    VARIABLE = 1
    PROFILES_FILE = 2
    PYPROJECT = 3
    USER_FILE = 4
    BUILT_IN = 5
    KEYRING = 6  # fills in a missing password only


class Origin(NamedTuple):
    """Where a value was set: "profiles.toml:3", "FLAKEFIGHTERS_PROFILE", "built in"."""

    source: Source
    text: str
    #: True for a file inside the project: it may not hold passwords nor loosen TLS.
    in_project: bool = False

    def __str__(self) -> str:
        return self.text


@record
class Inputs:
    """All that the choice depends on.  Nothing else is read from the process.

    It has no ``repr`` of its own: a traceback that shows variables must not show passwords.
    """

    anchor: Path
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)
    #: ``--flakefighters-profile`` or ``-p``, and ``--flakefighters-database-url``.
    option_profile: str | None = None
    option_url: str | None = None
    #: The options as the user spells them, for messages.
    option_profile_name: str = "--flakefighters-profile"
    option_url_name: str = "--flakefighters-database-url"
    #: True if the URL option was not typed by the user but stands in ``addopts`` of a file in the
    #: project: then it is trusted no more than other files of the project.
    option_url_in_project: bool = False
    #: The folder that holds the user's ``profiles.toml``; None: the platform's usual one.
    user_config_dir: Path | None = None
    #: The outermost folder of the project (git's top level), None: the anchor.
    project_root: Path | None = None


class Settings(NamedTuple):
    """The settings that say what is done, not where: validated, of the chosen profile."""

    #: The project's identity if one is configured.
    project: str | None = None
    #: Names of variables that belong to the environment's key.
    state_env: tuple[str, ...] = ()
    #: Names of variables whose values are secrets, besides those whose names say so.
    secret_env: tuple[str, ...] = ()
    keep_runs: int | None = None
    #: In builds of days; None keeps everything.
    keep_days: int | None = None
    store_output: str = "none"  # or "failures"
    confirm: str = "off"  # or "undecided", "all"
    confirm_exclude: tuple[str, ...] = ()
    confirm_seconds: int | None = None
    confirm_tests: int = 20
    #: By the name of a flakefighter and of its setting.
    fighters: Mapping[str, Mapping[str, Given]] = MappingProxyType({})
    #: How the statistical ones are joined: "any", "majority" or "all".
    statistics: str = "any"
    on_error: str = "warn"  # or "fail"
    #: What undecided failures of quarantined tests do to the exit code.
    quarantine_undecided: str = "fail"  # or "pass"


class Resolution(NamedTuple):
    """The chosen histories, and why."""

    #: The history to read evidence from.
    target: Target
    #: The history to record the run in; another one if ``target`` is read-only.
    record_to: Target
    #: The profile's name; None for a URL given on the command line.
    profile: str | None
    #: "CI detected: GitHub Actions", "--flakefighters-profile", "default_profile in …:1", ...
    reason: str
    settings: Settings = Settings()
    #: One-line warnings.
    notes: tuple[str, ...] = ()
    ci: CiInfo | None = None

    def header(self) -> str:
        """One line for people: the profile, why, and where to.  Never a password."""
        name = "database URL" if self.profile is None else f"profile {self.profile}"
        line = f"{name} ({self.reason}) -> {self.target.display}"
        if self.record_to != self.target:
            record = self.record_to
            line += f", read-only; recording to {record.profile} -> {record.display}"
        return line
