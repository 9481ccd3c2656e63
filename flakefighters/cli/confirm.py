"""The command ``confirm``: put failures of a run on trial, and keep what that proves."""

from __future__ import annotations

import re
import socket
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final

import typer

from flakefighters.cli.deciding import author
from flakefighters.cli.matching import matching, no_test, spellings
from flakefighters.cli.options import AsJson, DatabaseUrl, Profile, ProjectName, RootDir
from flakefighters.cli.output import say, show, show_json
from flakefighters.cli.place import Asked, Place, find_place
from flakefighters.environment.here import unlike
from flakefighters.errors import ConfigError, FlakefightersError, NotFoundError
from flakefighters.history import Evidence, History, came
from flakefighters.ids import h128, short
from flakefighters.judging.untracked import asked_for_in
from flakefighters.model import Project, Run, RunHead, Verdict, standing
from flakefighters.reports.trials import confirmed_page, confirmed_record
from flakefighters.session.bench import bench_here
from flakefighters.session.trials import OnTrial, prepare_trials
from flakefighters.words import count

__all__ = ["confirm", "elsewhere", "evidence_for", "failure_of", "keep"]

_RUN: Final = re.compile(r"[0-9a-fA-F-]{4,36}")
#: So many runs are looked at for the last failure of a test.
_LOOKED_AT: Final = 200
_HISTORY_RUNS: Final = 50


def confirm(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[RUN | NODEID...]",
            help="A run, or tests as pytest takes them; without any the newest run.",
            show_default=False,
        ),
    ] = None,
    every: Annotated[
        bool,
        typer.Option("--all", help="Every failure that is not proved, not undecided ones alone."),
    ] = False,
    times: Annotated[
        int,
        typer.Option(
            "--times", metavar="N", min=1, max=100, help="Run a test alone up to N times."
        ),
    ] = 3,
    tests: Annotated[
        int, typer.Option("--tests", metavar="N", min=1, help="Put at most N tests on trial.")
    ] = 20,
    seconds: Annotated[
        float, typer.Option("--seconds", metavar="S", min=1, help="Take at most S seconds.")
    ] = 120.0,
    as_json: AsJson = False,
    project_name: ProjectName = None,
    profile: Profile = None,
    database_url: DatabaseUrl = None,
    rootdir: RootDir = None,
) -> None:
    """Settle failures by experiment: run the tests again.

    Each test is run alone, after the tests that ran before it, and on the state on which it last
    passed, in fresh processes. What that proves is kept in the history. Your work tree and your
    repository are not changed, but for what the tests themselves do.
    """
    place = find_place(Asked(profile, database_url, rootdir, project_name))
    limits = {"times": times, "tests": tests, "seconds": seconds}
    trial, tested = _trial(place, names or [], every, limits)
    found = trial.conduct(place.checkout, say, tested)
    for note in found.notes:
        say(note)
    saved = keep(place, found.verdicts)
    if as_json:
        show_json(confirmed_record(trial.run.head.id, found.verdicts))
        return
    show(confirmed_page(found.verdicts))
    what = f"{found.settled} of {count(len(found.verdicts), 'failure')} proved"
    if not trial.asked:
        what = _nothing(trial.run, every)
    say(f"run {short(trial.run.head.id)}: {what}{saved}")


def _trial(
    place: Place, names: Sequence[str], every: bool, limits: Mapping[str, Any]
) -> tuple[OnTrial, str | None]:
    """What is to be put on trial, and the tree that was tested if it is not checked out."""
    with place.known("there is no run to confirm") as (history, project):
        head, nodeids = failure_of(place, history, project, names)
        run = history.load(head.id)
        tested = _tested(place, head)
        settings = place.resolution.settings
        bench = bench_here(place.anchor.path, place.checkout.base, head, settings)
        which = "all" if every or nodeids else "undecided"
        bench = bench._replace(which=which, **limits)
        verdicts = [*standing(history.verdicts([head.id])).values()]
        trial = prepare_trials(
            run,
            verdicts,
            evidence_for(place, history, run),
            place.checkout,
            bench,
            marks={},
            limit=_HISTORY_RUNS,
            named=nodeids,
            elsewhere=elsewhere(place, run),
        )
        return trial, tested


def _nothing(run: Run, every: bool) -> str:
    if not any(one.failures for one in run.executions):
        return "nothing failed"
    more = "" if every else " (--all takes every failure that is not proved)"
    return f"no failure to put on trial{more}"


def failure_of(
    place: Place, history: History, project: Project, names: Sequence[str]
) -> tuple[RunHead, list[str]]:
    """The run, and the tests of it that were named; NotFoundError if they are not there."""
    if len(names) == 1 and _RUN.fullmatch(names[0]):
        return history.find(names[0], project.identity), []
    recent = history.recent(project.identity, limit=_LOOKED_AT if names else 1)
    if not recent:
        raise NotFoundError("there is no run to confirm")
    if not names:
        return recent[0], []
    known = [row.nodeid for row in history.test_rows(project.identity)]
    wanted = {one for name in names for one in _tests(place, name, known)}
    for head in recent:
        run = history.load(head.id)
        failed = {one.nodeid for one in run.executions if one.failures} & wanted
        if failed:
            return head, sorted(failed)
    raise NotFoundError(f"no failure of {', '.join(names)} in the newest {len(recent)} runs")


def _tests(place: Place, name: str, known: Sequence[str]) -> list[str]:
    exact = [one for one in spellings(place, name) if one in known]
    found = exact or matching(place, name, known)
    if not found:
        raise no_test(name, known)
    return found


def _tested(place: Place, head: RunHead) -> str | None:
    """The tree to copy, None if the run's state is checked out; ConfigError if it is not here."""
    checkout = place.checkout
    if checkout.state is not None and head.state == checkout.state.id:
        return None
    commit, tree = head.commit, head.tree
    contained = head.dirty is False and commit is not None and commit in checkout.ancestors()
    if contained and tree is not None and checkout.tree_of(commit or "") == tree:
        return tree
    name = commit[:7] if commit else "its state"
    raise ConfigError(
        f"run {short(head.id)} tested another state than the one that is checked out",
        remedy=f"check out {name}, or run pytest here and confirm that run",
    )


def evidence_for(place: Place, history: History, run: Run) -> Evidence:
    """What the history knows, for a run in it."""
    return Evidence(
        judged=run.head,
        sources=[(history, came(history, place.resolution.record_to))],
        commits=place.checkout.ancestors,
    )


def elsewhere(place: Place, run: Run) -> str | None:
    """Why a pass here proves nothing of that run; None if it was made in a place like this."""
    ci, origin = place.resolution.ci, run.head.origin
    if origin.get("ci") != (None if ci is None else ci.vendor):
        return "the run was in CI" if origin.get("ci") else "the run was not in CI"
    if origin.get("host") != h128(socket.gethostname())[:12]:
        return "the run was on another machine"
    return unlike(run, lambda: asked_for_in(place.checkout).names)


def keep(place: Place, verdicts: Sequence[Verdict]) -> str:
    """Keep the verdicts, with who tried; returns what to add to the closing line."""
    if not verdicts:
        return ""
    who = author(place)
    verdicts = [one._replace(evidence={**one.evidence, "who": who}) for one in verdicts]
    target = place.resolution.target
    if target.read_only:
        return f"; not saved, as {target.profile or target.display} is read-only"
    try:
        with place.history() as history:
            if history is not None:
                history.add_verdicts(verdicts)
    except FlakefightersError as error:
        say(f"what was found is not saved: {error}", "bad")
        return "; not saved"
    return f"; saved to {target.profile or target.display}"
