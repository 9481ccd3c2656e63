"""Options that several commands have, each written once."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated, Final

import typer

from flakefighters.errors import ConfigError

__all__ = ["ALL", "AsJson", "DatabaseUrl", "Limit", "Profile", "ProjectName", "RootDir", "moment"]

#: What a history is asked for when the user wants all of it.
ALL = 2**31 - 1

Profile = Annotated[
    str | None,
    typer.Option("-p", "--profile", metavar="NAME", help="Use the history of this profile."),
]
DatabaseUrl = Annotated[
    str | None,
    typer.Option("--database-url", metavar="URL", help="Use this database, no profile."),
]
RootDir = Annotated[
    str | None,
    typer.Option(
        "--rootdir", metavar="DIR", help="Look from this folder instead of the current one."
    ),
]
ProjectName = Annotated[
    str | None,
    typer.Option(
        "--project",
        metavar="NAME",
        help="Show this project (its identity or label) instead of the one in the folder.",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]
Limit = Annotated[
    int,
    typer.Option("--limit", metavar="N", min=0, help="Show at most N of them, 0: all."),
]

_AGO: Final = re.compile(r"(\d{1,6}) ?(m|min|h|d|w)(?: ago)?")
_UNITS: Final = {"m": 60, "min": 60, "h": 3600, "d": 86_400, "w": 7 * 86_400}


def moment(text: str, now: int) -> int:
    """The time, µs UTC, that ``--since`` names: "7d" before ``now``, a date, or a date and time.

    What has no time zone is UTC.  ConfigError for anything else.
    """
    ago = _AGO.fullmatch(text.strip())
    if ago is not None:
        return now - int(ago[1]) * _UNITS[ago[2]] * 1_000_000
    try:
        time = datetime.fromisoformat(text.strip().removesuffix(" UTC"))
        time = time if time.tzinfo is not None else time.replace(tzinfo=UTC)
        return round(time.timestamp() * 1_000_000)
    except (ValueError, OverflowError):
        raise ConfigError(
            f"{text!r} is no time",
            origin="--since",
            remedy="write 7d, 12h, 30min, 2026-11-01 or 2026-11-01T08:00",
        ) from None
