"""Commands on runs: ``runs`` lists them, ``show`` shows one."""

from __future__ import annotations

import time
from typing import Annotated

import typer

from flakefighters.cli.options import (
    ALL,
    AsJson,
    DatabaseUrl,
    Limit,
    Profile,
    ProjectName,
    RootDir,
)
from flakefighters.cli.output import say, show, show_json
from flakefighters.cli.place import Asked, Place, find_place
from flakefighters.errors import NotFoundError
from flakefighters.history import History
from flakefighters.model import RunHead
from flakefighters.model.rows import RunRow
from flakefighters.reports.details import run_page
from flakefighters.reports.lists import runs_table
from flakefighters.reports.records import run_record, whole_run_record

__all__ = ["runs", "show_run"]


def runs(
    as_json: AsJson = False,
    limit: Limit = 20,
    all_projects: Annotated[
        bool, typer.Option("--all-projects", help="List the runs of every project.")
    ] = False,
    project_name: ProjectName = None,
    profile: Profile = None,
    database_url: DatabaseUrl = None,
    rootdir: RootDir = None,
) -> None:
    """List the newest runs, newest first."""
    place = find_place(Asked(profile, database_url, rootdir, project_name))
    with place.history() as history:
        rows: tuple[RunRow, ...] = ()
        project = None if all_projects else place.project(history)
        if history is not None and (all_projects or project is not None):
            identity = None if project is None else project.identity
            rows = history.run_rows(identity, limit or ALL)
        if as_json:
            show_json([run_record(row) for row in rows])
        elif rows:
            show([runs_table(rows, time.time_ns() // 1000, projects=all_projects)])
        if not rows:
            place.say_empty(history)
    place.say_waiting()


def show_run(
    run: Annotated[
        str | None,
        typer.Argument(metavar="RUN", help="Its id or the last digits of it; the newest run."),
    ] = None,
    tracebacks: Annotated[
        bool, typer.Option("--tracebacks", help="Show the text of every failure.")
    ] = False,
    as_json: AsJson = False,
    limit: Limit = 100,
    project_name: ProjectName = None,
    profile: Profile = None,
    database_url: DatabaseUrl = None,
    rootdir: RootDir = None,
) -> None:
    """Show one run: its failures and verdicts.

    Tells where it ran, and of the tests that did not simply pass. Without RUN it is the newest one.
    """
    place = find_place(Asked(profile, database_url, rootdir, project_name))
    with place.history() as history:
        head = _wanted(place, history, run)
        assert history is not None
        whole = history.load(head.id)
        verdicts = history.verdicts([head.id])
    if as_json:
        show_json(whole_run_record(whole, verdicts))
        return
    now = time.time_ns() // 1000
    show(run_page(whole, verdicts, now, limit=limit, tracebacks=tracebacks))
    hidden = len(whole.executions) - limit
    if limit and hidden > 0:
        say(f"and {hidden} more (--limit 0 shows all)")


def _wanted(place: Place, history: History | None, run: str | None) -> RunHead:
    """The run that was named, else the newest one.  NotFoundError if it is not there."""
    if history is None:
        what = "no run" if run is None else f"no run {run}"
        raise NotFoundError(f"{what}: there is no history yet, looked from {place}")
    if run is not None:
        return history.find(run.strip().lower())
    project = place.project(history)
    newest = () if project is None else history.recent(project.identity, limit=1)
    if not newest:
        place.say_empty(history)
        raise NotFoundError("there is no run to show")
    return newest[0]
