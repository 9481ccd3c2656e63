"""The command ``report``: what a run, or a project over many runs, looks like."""

from __future__ import annotations

import enum
import sys
import time
from pathlib import Path
from typing import Annotated

import typer

from flakefighters.cli.files import write_new
from flakefighters.cli.options import (
    DatabaseUrl,
    Profile,
    ProjectName,
    RootDir,
    moment,
)
from flakefighters.cli.output import say, write
from flakefighters.cli.place import Asked, find_place
from flakefighters.cli.report_data import Chosen, Report, gather
from flakefighters.errors import ConfigError
from flakefighters.reports.records import dumps

__all__ = ["report"]


class Format(enum.StrEnum):
    """How a report is written."""

    HTML = "html"
    MARKDOWN = "markdown"
    JSON = "json"
    JUNIT = "junit"
    CSV = "csv"


#: The format that a file's name asks for.
_ENDINGS = {
    ".html": Format.HTML,
    ".htm": Format.HTML,
    ".md": Format.MARKDOWN,
    ".json": Format.JSON,
    ".xml": Format.JUNIT,
    ".csv": Format.CSV,
}


def report(
    run: Annotated[
        str | None,
        typer.Argument(metavar="RUN", help="Its id or the last digits of it; the newest run."),
    ] = None,
    wanted: Annotated[
        Format | None,
        typer.Option("--format", help="How it is written (by the name of FILE, else markdown)."),
    ] = None,
    output: Annotated[
        str | None,
        typer.Option("-o", "--output", metavar="FILE", help="Write to this file."),
    ] = None,
    runs: Annotated[
        int, typer.Option("--runs", metavar="N", min=1, help="Look at the newest N runs.")
    ] = 500,
    branch: Annotated[
        str | None, typer.Option("--branch", metavar="NAME", help="Only runs of this branch.")
    ] = None,
    since: Annotated[
        str | None,
        typer.Option("--since", metavar="WHEN", help="Only runs since then: 7d, 12h, 2026-11-01."),
    ] = None,
    project_name: ProjectName = None,
    profile: Profile = None,
    database_url: DatabaseUrl = None,
    rootdir: RootDir = None,
) -> None:
    """Write a report: what is wrong with a run, and which tests cost most.

    In HTML it is one file with both; the other formats tell of one run, CSV of tests.
    """
    now = time.time_ns() // 1000
    form = wanted or _by_name(output)
    if form is Format.HTML and output is None and sys.stdout.isatty():
        raise ConfigError(
            "a report in HTML is nothing for a terminal",
            origin="--format",
            remedy="name a file with -o report.html",
        )
    start = None if since is None else moment(since, now)
    place = find_place(Asked(profile, database_url, rootdir, project_name))
    chosen = Chosen(run, runs, branch, start, since)
    made = gather(place, chosen, now, whole=form is Format.HTML, counted=form is Format.CSV)
    text = _written(made, form)
    if output is None:
        write(text)
    else:
        write_new(Path(output), text, over=True)
        say(f"written to {output}")


def _by_name(output: str | None) -> Format:
    ending = "" if output is None else Path(output).suffix.lower()
    return _ENDINGS.get(ending, Format.MARKDOWN)


def _written(made: Report, form: Format) -> str:
    if form is Format.HTML:
        from flakefighters.reports.html import page

        return page(f"flakefighters: {made.project.label}", made.html_record())
    if form is Format.CSV:
        return made.csv()
    if form is Format.JSON:
        return dumps(made.json_record())
    if form is Format.JUNIT:
        from flakefighters.reports.junit_file import run_junit

        return run_junit(made.run, made.standing())
    from flakefighters.reports.markdown import run_markdown

    return run_markdown(made.run, made.failed)
