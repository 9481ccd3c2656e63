"""What the commands show of settings, profiles and checks."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

__all__ = ["Check", "FileView", "ProfileView", "SettingView", "SettingsView", "Status"]

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
