"""The command ``bisect``: the commit that broke a test."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Annotated, Final

import typer

from flakefighters.cli.confirm import elsewhere, evidence_for, failure_of, keep
from flakefighters.cli.options import AsJson, DatabaseUrl, Profile, ProjectName, RootDir
from flakefighters.cli.output import say, show, show_json
from flakefighters.cli.place import Asked, Place, find_place
from flakefighters.errors import ConfigError, NotFoundError
from flakefighters.history import History
from flakefighters.ids import short
from flakefighters.judging.evidence import gather
from flakefighters.model import (
    JOINT,
    Arm,
    Bisection,
    Confidence,
    Label,
    Outcome,
    Past,
    Project,
    Result,
    Run,
    Step,
    Trial,
    Use,
    Verdict,
    standing,
)
from flakefighters.reports.trials import bisected_page, bisected_record
from flakefighters.session.bench import bench_here
from flakefighters.state.checkout import Checkout
from flakefighters.trials.bench import Bench
from flakefighters.trials.bisection import bisect as narrow
from flakefighters.trials.experiments import Budget, alike, result_of
from flakefighters.trials.questions import Question, questions
from flakefighters.trials.runs import Lab

__all__ = ["bisect"]

_HISTORY_RUNS: Final = 200
_PATIENCE: Final = 10
_START_UP: Final = 10.0


def bisect(
    nodeid: Annotated[str, typer.Argument(metavar="NODEID", help="A test as pytest takes it.")],
    good: Annotated[
        str | None,
        typer.Option("--good", metavar="COMMIT", help="Where it passed; else the history tells."),
    ] = None,
    bad: Annotated[str, typer.Option("--bad", metavar="COMMIT", help="Where it fails.")] = "HEAD",
    seconds: Annotated[
        float, typer.Option("--seconds", metavar="S", min=1, help="Take at most S seconds.")
    ] = 600.0,
    as_json: AsJson = False,
    project_name: ProjectName = None,
    profile: Profile = None,
    database_url: DatabaseUrl = None,
    rootdir: RootDir = None,
) -> None:
    """Find the commit that broke a test.

    Looks between the commit on which it last passed and the one that is checked out, first in the
    history, then by running it in copies of the commits between. Your work tree and your
    repository are not touched.
    """
    place = find_place(Asked(profile, database_url, rootdir, project_name))
    checkout = place.checkout
    with place.known(f"nothing is known of {nodeid!r}") as (history, project):
        run, question = _question(place, history, project, nodeid)
        known = _known(place, history, run, question)
        bench = bench_here(place.anchor.path, checkout.base, run.head, place.resolution.settings)
    ends = _end(place, bad, "--bad"), _good(place, good, known)
    budget = Budget(seconds, time.monotonic)
    found = narrow(
        *ends,
        checkout.midpoints,
        known.get,
        _attempt(Lab(bench, checkout), checkout, question, budget),
        lambda: budget.left > 0,
    )
    verdict = _verdict(place, question, found)
    saved = "" if verdict is None else keep(place, [verdict])
    if as_json:
        show_json(bisected_record(question.nodeid, found, verdict))
        return
    about = {one: checkout.described(one) for one in found.candidates}
    show(bisected_page(question.nodeid, found, about, _ago(place)))
    if saved:
        say(f"verdict in run {short(run.head.id)}{saved}")


def _attempt(
    lab: Lab, checkout: Checkout, question: Question, budget: Budget
) -> Callable[[str], Step]:
    """How a commit is tried."""
    plain = question._replace(elsewhere=None)
    usual = question.usual([question.nodeid])

    def attempt(commit: str) -> Step:
        say(f"trying {commit[:7]}")
        limit = min(_PATIENCE * usual + _START_UP, max(1.0, budget.left))
        seen = lab.elsewhere([question.nodeid], checkout.tree_of(commit), limit)
        trial = Trial(arm=Arm.COPY, result=Result.NOTHING)
        result, note = result_of(plain, seen, question.signatures[0], trial, None)
        return Step(commit, result, note=note)

    return attempt


def _question(
    place: Place, history: History, project: Project, nodeid: str
) -> tuple[Run, Question]:
    """The newest failure of the test, as a question."""
    head, names = failure_of(place, history, project, [nodeid])
    if len(names) > 1:
        raise NotFoundError(
            f"{nodeid} stands for {len(names)} tests that failed",
            remedy=f"name one of {', '.join(names[:5])}",
        )
    run = history.load(head.id)
    verdicts = [*standing(history.verdicts([head.id])).values()]
    found = questions(run, verdicts, Bench(python=(), which="all"), named=names)
    if not found:
        raise NotFoundError(f"{names[0]} passed in the end in run {short(head.id)}")
    return run, found[0]._replace(elsewhere=elsewhere(place, run))


def _known(place: Place, history: History, run: Run, question: Question) -> Mapping[str, Step]:
    """What runs on clean commits know of the test, by commit."""
    evidence = evidence_for(place, history, run)
    past = gather(evidence, place.checkout, [question.nodeid], limit=_HISTORY_RUNS).past
    found: dict[str, Step] = {}
    for one in past.get(question.nodeid, ()):
        step = _step(one, run, question)
        if step is not None and evidence.believes(one.run, Use.BASELINE):
            found.setdefault(step.commit, step)
    return found


def _step(past: Past, run: Run, question: Question) -> Step | None:
    head = past.run
    if head.commit is None or head.dirty is not False:
        return None
    if head.environment_key != run.head.environment_key:
        return None
    if past.outcome is Outcome.PASSED:
        return Step(head.commit, Result.PASSED, head.id)
    if any(alike(one, other) for one in question.signatures for other in past.signatures):
        return Step(head.commit, Result.ALIKE, head.id)
    return None


def _end(place: Place, name: str, option: str) -> str:
    commit = place.checkout.commit_of(name)
    if commit is None:
        raise ConfigError(f"git does not know the commit {name}", origin=option)
    return commit


def _good(place: Place, name: str | None, known: Mapping[str, Step]) -> str:
    """The nearest commit on which it passed."""
    if name is not None:
        return _end(place, name, "--good")
    for commit in place.checkout.ancestors():
        if commit in known and known[commit].result is Result.PASSED:
            return commit
    more = " in this shallow clone" if place.checkout.shallow else ""
    raise NotFoundError(
        f"no commit is known on which it passed{more}", remedy="name one with --good"
    )


def _ago(place: Place) -> Callable[[str], int | None]:
    """How many commits ago one was."""
    ancestors = place.checkout.ancestors()
    return lambda commit: ancestors.index(commit) if commit in ancestors else None


def _verdict(place: Place, question: Question, found: Bisection) -> Verdict | None:
    """What the bisection proves of the failure."""
    commit = found.broken_by
    if commit is None or question.elsewhere is not None or found.reason is not None:
        return None
    was = question.verdicts[0]
    about = place.checkout.described(commit)
    subject = "" if about is None else f" {about[0]!r}"
    return Verdict(
        label=Label.GENUINE,
        fighter=JOINT,
        version=1,
        confidence=Confidence.PROVED,
        reason=f"broken by {commit[:7]}{subject[:80]}",
        evidence={
            "by": "bisect",
            "was": was.label.value,
            "was_at": was.at,
            "commit": commit,
            "steps": [[one.commit, one.result.value, one.run] for one in found.steps[:16]],
        },
        run=was.run,
        nodeid=was.nodeid,
        attempt=was.attempt,
        index=was.index,
        at=time.time_ns() // 1000,
    )
