"""Commands on tests: ``tests`` lists them, ``explain`` tells what is known of one."""

from __future__ import annotations

import difflib
import os
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
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
from flakefighters.history import ExecutionRow, History, TestRow
from flakefighters.model import Project, Recheck
from flakefighters.reports.details import results_page
from flakefighters.reports.lists import tests_table
from flakefighters.reports.rechecks import recheck_page, recheck_record, today_page
from flakefighters.reports.records import Record, result_record, test_record

__all__ = ["register"]

#: How many names are offered for one that is not known.
_NEAREST = 5


def register(app: typer.Typer) -> None:
    """Add the commands of this group."""
    app.command("tests")(list_tests)
    app.command("explain")(explain)


def list_tests(
    runs: Annotated[
        int, typer.Option("--runs", metavar="N", min=1, help="Look at the newest N runs.")
    ] = 500,
    every: Annotated[
        bool, typer.Option("--all", help="Look at all runs, however many there are.")
    ] = False,
    failed: Annotated[
        bool, typer.Option("--failed", help="Only tests that failed in one of these runs.")
    ] = False,
    as_json: AsJson = False,
    limit: Limit = 0,
    project_name: ProjectName = None,
    profile: Profile = None,
    database_url: DatabaseUrl = None,
    rootdir: RootDir = None,
) -> None:
    """List every test with its failures, flips and verdicts, the most troublesome first."""
    place = find_place(Asked(profile, database_url, rootdir, project_name))
    with place.history() as history:
        project = None if history is None else place.project(history)
        known: Sequence[TestRow] = ()
        if history is not None and project is not None:
            known = history.test_rows(project.identity, ALL if every else runs)
        rows = sorted((row for row in known if row.failures or not failed), key=_trouble)
        rows = rows[:limit] if limit else rows
        if as_json:
            show_json([test_record(row) for row in rows])
        elif rows:
            show([tests_table(rows, time.time_ns() // 1000)])
        if not known:
            place.say_empty(history)
        elif not rows:
            where = "any run" if every else f"the newest {runs} runs"
            say(f"none of {len(known)} tests failed in {where}")


def _trouble(row: TestRow) -> tuple[int, int, str]:
    return (-row.failures, -row.flips, row.nodeid)


def explain(
    nodeid: Annotated[
        str,
        typer.Argument(
            metavar="NODEID", help="The test, as pytest prints it: tests/test_x.py::test_y"
        ),
    ],
    run: Annotated[
        str | None,
        typer.Option("--run", metavar="RUN", help="Explain its failure in this run."),
    ] = None,
    again: Annotated[
        bool,
        typer.Option("--recheck", help="Judge the failure anew by what is known today."),
    ] = False,
    as_json: AsJson = False,
    limit: Limit = 20,
    project_name: ProjectName = None,
    profile: Profile = None,
    database_url: DatabaseUrl = None,
    rootdir: RootDir = None,
) -> None:
    """Tell what is known of one test: its results, and the verdicts on its last failure."""
    place = find_place(Asked(profile, database_url, rootdir, project_name))
    with place.history() as history:
        project = None if history is None else place.project(history)
        if history is None or project is None:
            place.say_empty(history)
            raise NotFoundError(f"nothing is known of {nodeid}")
        rows = _results(history, project, place, nodeid, ALL if run else limit or ALL)
        if run is not None:
            rows = _of_run(rows, history.find(run, project.identity).id, nodeid)
        if again or any(one.failures for row in rows for one in row.executions):
            name, results = _recheck(history, rows)
        else:
            name, results = "", []
    if as_json:
        show_json(_record(rows, name, results, again=again))
    elif again:
        show(recheck_page(name[-4:], rows[0].nodeid, results))
    else:
        show(results_page(rows, time.time_ns() // 1000))
        show(today_page(name[-4:], results))


def _record(
    rows: Sequence[ExecutionRow], run: str, results: Sequence[Recheck], *, again: bool
) -> Record:
    """What ``--json`` prints; the recheck alone if that was asked for."""
    nodeid = rows[0].nodeid
    record = recheck_record(run, nodeid, results) if again or results else None
    if again and record is not None:
        return record
    found = [result_record(row) for row in rows]
    return {"nodeid": nodeid, "results": found, "recheck": record}


def _of_run(rows: tuple[ExecutionRow, ...], run: str, nodeid: str) -> tuple[ExecutionRow, ...]:
    """The results in one run; NotFoundError if there are none."""
    found = tuple(row for row in rows if row.run.id == run)
    if not found:
        raise NotFoundError(f"run {run[-4:]} has no results of {nodeid}")
    return found


def _recheck(history: History, rows: Sequence[ExecutionRow]) -> tuple[str, list[Recheck]]:
    """Judge the newest failure among ``rows`` again; returns its run as well."""
    from flakefighters.judging.recheck import recheck

    failed = next((row for row in rows if any(one.failures for one in row.executions)), rows[0])
    name = failed.run.id
    verdicts = history.verdicts([name])
    return name, recheck(history, history.load(name), failed.nodeid, verdicts)


def _results(
    history: History, project: Project, place: Place, nodeid: str, limit: int
) -> tuple[ExecutionRow, ...]:
    """The results of a test, newest first and at least one; NotFoundError offers near names."""
    for spelling in _spellings(place, nodeid):
        rows = history.executions_of(spelling, project.identity, limit)
        if rows:
            return rows
    names = [row.nodeid for row in history.test_rows(project.identity)]
    near = _near(nodeid, names)
    raise NotFoundError(
        f"no test {nodeid} in the history of {project}",
        remedy=f"did you mean {', '.join(near)}?" if near else "see `flakefighters tests`",
    )


def _spellings(place: Place, nodeid: str) -> Iterator[str]:
    """How the history may have written a node id that pytest printed, or that it wrote itself.

    Its path is relative to the checkout's base; pytest prints it relative to its rootdir, and
    people complete it relative to where they stand.
    """
    yield nodeid
    path, colons, rest = nodeid.partition("::")
    tried = {nodeid}
    for start in (place.anchor.path, place.folder, Path.cwd()):
        full = os.path.normpath(start / path)
        inside = place.checkout.relative(full)
        if inside is not None and (spelling := inside + colons + rest) not in tried:
            tried.add(spelling)
            yield spelling


def _near(nodeid: str, names: Sequence[str]) -> list[str]:
    """The known names that hold the text, else those that look like it."""
    holding = [name for name in names if nodeid.lower() in name.lower()]
    return holding[:_NEAREST] or difflib.get_close_matches(nodeid, names, _NEAREST, 0.6)
