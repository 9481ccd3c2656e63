"""The pages of ``flakefighters profiles`` and ``flakefighters config``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from flakefighters.model.views import FileView, ProfileView, SettingView
from flakefighters.reports.page import Block, Column, Line, Span, Table, line

__all__ = [
    "profile_record",
    "profiles_page",
    "settings_page",
    "settings_record",
]


def profiles_page(profiles: Sequence[ProfileView], used: str | None) -> Iterator[Block]:
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


def profile_record(profile: ProfileView) -> dict[str, Any]:
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


def settings_page(settings: Sequence[SettingView], files: Sequence[FileView]) -> Iterator[Block]:
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
    settings: Sequence[SettingView], files: Sequence[FileView], notes: Sequence[str]
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
