"""What the commands show of settings, profiles, checks, pruning and transfers."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

__all__ = [
    "Check",
    "Conflict",
    "FileView",
    "Plan",
    "ProfileView",
    "Pruned",
    "SettingView",
    "SettingsView",
    "Status",
]

Status = Literal["ok", "skipped", "failed"]


@dataclass(frozen=True, slots=True)
class Check:
    """One finding of one step."""

    #: "settings", "network", ...
    step: str
    status: Status
    #: One sentence.  Never a password.
    message: str
    #: What to do about it; beside "ok" it is advice.
    remedy: str | None = None
    #: Lines for that, ready to be pasted.
    paste: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingView:
    """One setting, its value (masked), where it was set, and what that overrides."""

    name: str  # "profiles.ci.url"
    #: None: not set.
    value: str | None
    origin: str
    variable: str
    #: What holds if nobody sets it, in words.
    default: str
    #: (origin, value) of the settings that lost.
    overrides: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FileView:
    """A file that was looked for: "read", "absent" or what is wrong with it."""

    path: Path
    status: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingsView:
    """Every setting, every file looked for, and everything that is wrong."""

    settings: tuple[SettingView, ...]
    files: tuple[FileView, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileView:
    """One profile, as listed."""

    name: str
    active: bool
    #: Why it is active, None if it is not.
    reason: str | None
    #: Where to, None if it has no URL.
    display: str | None
    read_only: bool
    #: Where its password comes from ("FLAKEFIGHTERS_PROFILES__CI__PASSWORD"), None if unknown.
    password: str | None
    #: Where its URL was set.
    origin: str | None
    #: What would stop it from being used.
    problem: str | None


@dataclass(frozen=True, slots=True)
class Plan:
    """What a policy means for one project."""

    #: Runs that started before this (µs UTC) go; None: all are kept.
    before: int | None
    #: How many runs those are.
    runs: int = 0
    #: Builds with a run that stays.
    builds: int = 0


@dataclass(slots=True)
class Pruned:
    """What was removed."""

    runs: int = 0
    #: Rows that no run needs any more, by table.
    rows: dict[str, int] = field(default_factory=dict)
    #: Bytes that the file became smaller by; None where the server looks after that itself.
    freed: int | None = None
    #: Free bytes that stay in the file, for runs to come.
    spare: int = 0


@dataclass(frozen=True, slots=True, order=True)
class Conflict:
    """A run that two histories tell differently; the one that was there is kept."""

    run: str
    #: Its content hash where it was to go, and where it came from.
    ours: str
    theirs: str
