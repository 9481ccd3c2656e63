"""The command ``localise``: which lines set a flaky test's failing attempts apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Final

import typer

from flakefighters.cli.matching import matching, spellings, the_only
from flakefighters.cli.options import AsJson, DatabaseUrl, Profile, ProjectName, RootDir
from flakefighters.cli.output import say, show, show_json, write
from flakefighters.cli.place import Asked, Place, find_place
from flakefighters.errors import ConfigError
from flakefighters.history import History
from flakefighters.history.spectra import spectra
from flakefighters.judging.localise import localise as rank
from flakefighters.measures.spectra import METRICS
from flakefighters.model import Project, Trust
from flakefighters.model.spectra import Localised, Spectrum
from flakefighters.reports.localisation import localised_csv, localised_page, localised_record
from flakefighters.words import count

__all__ = ["localise"]

_HOW: Final = "run pytest with --flakefighters-localise and --flakefighters-reruns"
#: How many tests a project is looked through for a name.
_MOST_TESTS: Final = 100_000


def localise(
    nodeid: Annotated[
        str,
        typer.Argument(metavar="NODEID", help="A test as pytest takes it, or a bare name."),
    ],
    metric: Annotated[
        str, typer.Option("--metric", metavar="NAME", help=f"{', '.join(METRICS)}.")
    ] = "ochiai",
    functions: Annotated[
        bool | None,
        typer.Option("--functions/--lines", help="Rank functions, or lines (default)."),
    ] = None,
    runs: Annotated[
        int, typer.Option("--runs", metavar="N", min=1, help="Join the newest N runs.")
    ] = 50,
    as_json: AsJson = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV instead of text.")] = False,
    limit: Annotated[
        int, typer.Option("--limit", metavar="N", min=0, help="Show at most N of them, 0: all.")
    ] = 20,
    project_name: ProjectName = None,
    profile: Profile = None,
    database_url: DatabaseUrl = None,
    rootdir: RootDir = None,
) -> None:
    """Rank the lines that set a flaky test's failing attempts apart from its passing ones.

    What they ran is known of runs with --flakefighters-localise. Lines are joined over runs in
    which their file was the same, functions over all runs.
    """
    if metric not in METRICS:
        raise ConfigError(
            f"unknown metric {metric!r}",
            origin="--metric",
            remedy=f"choose one of {', '.join(METRICS)}",
        )
    if as_json and as_csv:
        raise ConfigError("--json and --csv are two formats", remedy="choose one of them")
    place = find_place(Asked(profile, database_url, rootdir, project_name))
    with place.known(f"nothing is known of {nodeid!r}") as (history, project):
        known = _spectra(history, project, runs)
        name = _the_one(place, history, project, nodeid, known)
    mine = {run: told[name] for run, told in known.items() if name in told}
    found = rank(name, mine, metric)
    if as_json or as_csv or (found.failed and found.passed):
        _show(found, functions, limit or None, as_json=as_json, as_csv=as_csv)
    if not (found.failed and found.passed):
        say(_missing(found))


def _missing(found: Localised) -> str:
    """Why there is nothing to compare, and how to get it."""
    attempts = found.failed + found.passed
    if not attempts:
        return f"nothing is known of what {found.nodeid} ran: {_HOW}"
    missing = "passed" if found.failed else "failed"
    tried = count(attempts, "attempt")
    return f"none of the {tried} at {found.nodeid} whose lines are known {missing}: {_HOW}"


def _show(
    found: Localised, functions: bool | None, most: int | None, *, as_json: bool, as_csv: bool
) -> None:
    units = ("lines", "functions")
    cut = found._replace(lines=found.lines[:most], functions=found.functions[:most])
    if as_json:
        chosen = units if functions is None else units[functions : functions + 1]
        show_json(localised_record(cut, chosen))
    elif as_csv:
        write(localised_csv(cut.functions if functions else cut.lines))
    else:
        show(localised_page(found, functions=bool(functions), most=most))


def _spectra(history: History, project: Project, runs: int) -> Mapping[str, Mapping[str, Spectrum]]:
    """What is known of the newest runs, those left out that nobody believes."""
    heads = history.recent(project.identity, limit=runs)
    believed = [head.id for head in heads if head.trust is not Trust.UNTRUSTED]
    return spectra(history.database, believed, history.unreadable)


def _the_one(
    place: Place,
    history: History,
    project: Project,
    asked: str,
    known: Mapping[str, Mapping[str, Spectrum]],
) -> str:
    """The test that a name stands for; NotFoundError if there is none, or several."""
    names = sorted({name for told in known.values() for name in told})
    for some in (names, sorted(history.all_tests(project.identity, _MOST_TESTS))):
        exact = [one for one in spellings(place, asked) if one in some]
        found: Sequence[str] = exact[:1] or matching(place, asked, some)
        if found:
            break
    return the_only(asked, found, some)
