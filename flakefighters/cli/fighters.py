"""The command ``fighters``: how often later proof agreed with each flakefighter."""

from __future__ import annotations

from typing import Annotated

import typer

from flakefighters.cli.options import AsJson, DatabaseUrl, Profile, ProjectName, RootDir
from flakefighters.cli.output import say, show, show_json
from flakefighters.cli.place import Asked, find_place
from flakefighters.fighters import builtin
from flakefighters.judging.experience import ended_by_change
from flakefighters.judging.scores import scores
from flakefighters.reports.scores import scores_record, scores_table
from flakefighters.words import count

__all__ = ["fighters"]


def fighters(
    runs: Annotated[
        int, typer.Option("--runs", metavar="N", min=1, help="Look at the newest N runs.")
    ] = 500,
    as_json: AsJson = False,
    project_name: ProjectName = None,
    profile: Profile = None,
    database_url: DatabaseUrl = None,
    rootdir: RootDir = None,
) -> None:
    """Tell how often later proof agreed with each flakefighter.

    A failure is proved by a rerun, a later run on the same state or a trial; one that was judged
    genuine also by the change that ended it.
    """
    place = find_place(Asked(profile, database_url, rootdir, project_name))
    with place.history() as history:
        project = place.project(history)
        heads = (
            ()
            if history is None or project is None
            else history.recent(project.identity, limit=runs)
        )
        given = () if history is None else history.readings([head.id for head in heads])
        fixed = () if history is None else ended_by_change(history, heads, given)
        found = scores(given, [one.name for one in builtin()], fixed)
        if as_json:
            show_json(scores_record(found, len(heads)))
        elif found.fighters:
            show([scores_table(found)])
        if not heads:
            place.say_empty(history)
        elif not as_json:
            known = count(found.failures, "failure")
            ended = f", {found.fixed} by the change that ended it" if found.fixed else ""
            where = f"in {count(len(heads), 'run')}"
            say(f"{found.proved} of {known} with a verdict proved{ended}, {where}")
