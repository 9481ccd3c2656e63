"""Options that several commands have, each written once."""

from __future__ import annotations

from typing import Annotated

import typer

__all__ = ["ALL", "AsJson", "DatabaseUrl", "Limit", "Profile", "ProjectName", "RootDir"]

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
