"""The pages of ``flakefighters profiles`` and ``flakefighters config``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol

from flakefighters.reports.page import Block, Column, Line, Span, Table, line

__all__ = [
    "FileFound",
    "ProfileFound",
    "SettingFound",
    "profile_record",
    "profiles_page",
    "settings_page",
    "settings_record",
]


class SettingFound(Protocol):
    """One setting."""

    @property
    def name(self) -> str:
        """ "profiles.ci.url"."""

    @property
    def value(self) -> str | None:
        """As typed, passwords masked; None: not set."""

    @property
    def origin(self) -> str:
        """Where it was set."""

    @property
    def variable(self) -> str:
        """The variable that sets it."""

    @property
    def default(self) -> str:
        """What holds if nobody sets it, in words."""

    @property
    def overrides(self) -> tuple[tuple[str, str], ...]:
        """Origin and value of what lost."""


class FileFound(Protocol):
    """A file that was looked for."""

    @property
    def path(self) -> Path:
        """Where."""

    @property
    def status(self) -> str:
        """ "read", "absent", or what is wrong with it."""


class ProfileFound(Protocol):
    """One profile."""

    @property
    def name(self) -> str:
        """As the first source writes it."""

    @property
    def active(self) -> bool:
        """Whether the settings choose it."""

    @property
    def reason(self) -> str | None:
        """Why."""

    @property
    def display(self) -> str | None:
        """Where to."""

    @property
    def read_only(self) -> bool:
        """Evidence only."""

    @property
    def password(self) -> str | None:
        """Where its password comes from."""

    @property
    def origin(self) -> str | None:
        """Where its URL was set."""

    @property
    def problem(self) -> str | None:
        """What would stop it from being used."""


def profiles_page(profiles: Sequence[ProfileFound], used: str | None) -> Iterator[Block]:
    """Every profile, and in ``used`` a line on what a run would do here."""
    columns = ("", "PROFILE", "HISTORY", "ACCESS", "PASSWORD", "FROM", "NOTES")
    rows = []
    for one in profiles:
        remote = one.display is not None and not one.display.startswith("sqlite:")
        password = one.password or ("not set" if remote else "")
        rows.append(
            (
                Span("*" if one.active else "", "good"),
                Span(one.name, "strong" if one.active else ""),
                Span(one.display or "none", "" if one.display else "faint"),
                Span("read" if one.read_only else "read, write"),
                Span(password, "" if one.password else "faint"),
                Span(one.origin or "", "faint"),
                Span(one.problem or "", "doubt"),
            )
        )
    yield Table(tuple(map(Column, columns)), tuple(rows), narrow="stack")
    if used is not None:
        yield Line()
        yield line(used)


def profile_record(profile: ProfileFound) -> dict[str, Any]:
    """A profile as JSON values."""
    return {
        "name": profile.name,
        "active": profile.active,
        "reason": profile.reason,
        "database": profile.display,
        "read_only": profile.read_only,
        "password_from": profile.password,
        "origin": profile.origin,
        "problem": profile.problem,
    }


def settings_page(settings: Sequence[SettingFound], files: Sequence[FileFound]) -> Iterator[Block]:
    """Every setting, then every file that was looked for."""
    columns = ("SETTING", "VALUE", "FROM", "OVERRIDES")
    rows = []
    for one in settings:
        if one.value is None:
            value = Span(f"not set ({one.default})", "faint")
        else:
            value = Span(one.value, "faint" if one.origin == "built in" else "")
        lost = "; ".join(f"{was} in {where}" for where, was in one.overrides)
        where = "" if one.value is None else one.origin
        rows.append((Span(one.name), value, Span(where), Span(lost, "faint")))
    yield Table(tuple(map(Column, columns)), tuple(rows), narrow="stack")
    yield Line()
    yield Table(
        (Column("FILE LOOKED FOR"), Column("STATUS")),
        tuple((Span(str(one.path)), Span(one.status)) for one in files),
    )


def settings_record(
    settings: Sequence[SettingFound], files: Sequence[FileFound], notes: Sequence[str]
) -> dict[str, Any]:
    """The same as JSON values."""
    return {
        "settings": [
            {
                "name": one.name,
                "value": one.value,
                "origin": one.origin,
                "variable": one.variable,
                "default": one.default,
                "overrides": [{"origin": where, "value": was} for where, was in one.overrides],
            }
            for one in settings
        ],
        "files": [{"path": str(one.path), "status": one.status} for one in files],
        "notes": list(notes),
    }
