"""The command ``mark``: what a person says of a test, or of failures with one signature."""

from __future__ import annotations

from typing import Annotated

import typer

from flakefighters.cli.deciding import sit_down
from flakefighters.cli.options import AsJson, DatabaseUrl, Profile, ProjectName, RootDir
from flakefighters.cli.output import show, show_json
from flakefighters.cli.place import Asked
from flakefighters.errors import ConfigError, NotFoundError
from flakefighters.model.decisions import MARK, MARKS, NO_MARK, standing
from flakefighters.reports.decisions import decision_text, event_record
from flakefighters.reports.page import Span, line

__all__ = ["mark"]


def mark(
    target: Annotated[
        str,
        typer.Argument(
            metavar="NODEID|SIGNATURE",
            help="A test as pytest takes it, or the first digits of a signature's id.",
        ),
    ],
    state: Annotated[
        str | None, typer.Argument(metavar="flaky|genuine|fixed", help="What it is.")
    ] = None,
    reason: Annotated[
        str | None, typer.Option("--reason", metavar="TEXT", help="Why, for the others.")
    ] = None,
    undo: Annotated[bool, typer.Option("--undo", help="Take the mark back.")] = False,
    as_json: AsJson = False,
    project_name: ProjectName = None,
    profile: Profile = None,
    database_url: DatabaseUrl = None,
    rootdir: RootDir = None,
) -> None:
    """Say what you know of a test: it is shown with every later verdict, and proves nothing."""
    if undo == (state is not None):
        raise ConfigError(
            "a mark is one of flaky, genuine and fixed, or --undo",
            remedy="write `flakefighters mark NODEID flaky --reason ...`",
        )
    if state is not None and state not in MARKS:
        raise ConfigError(f"{state!r} is no mark", remedy=f"choose one of {', '.join(MARKS)}")
    with sit_down(Asked(profile, database_url, rootdir, project_name), "mark tests") as desk:
        about = desk.test_or_signature(target)
        stands = standing(desk.events).get((MARK, about))
        if undo and (stands is None or stands.state == NO_MARK):
            raise NotFoundError(f"{about} has no mark")
        event = desk.decide(MARK, about, state or NO_MARK, reason=reason)
        if as_json:
            show_json(event_record(event, desk.now))
        else:
            show([line(Span(about, "strong"), f" {decision_text(event, desk.now)}")])
