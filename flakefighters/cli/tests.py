"""Commands on tests: ``tests`` lists them, ``explain`` tells what is known of one."""

from __future__ import annotations

import itertools
import time
from collections.abc import Sequence
from typing import Annotated, Final

import typer

from flakefighters.cli.matching import matching, spellings, the_only
from flakefighters.cli.options import (
    ALL,
    AsJson,
    DatabaseUrl,
    Limit,
    Profile,
    ProjectName,
    RootDir,
    moment,
)
from flakefighters.cli.output import say, show, show_json
from flakefighters.cli.place import Asked, Place, find_place
from flakefighters.cli.rates import rated
from flakefighters.errors import NotFoundError
from flakefighters.history import History
from flakefighters.model import Project, Recheck, RunHead
from flakefighters.model.decisions import Event, standing, targets_of
from flakefighters.model.rows import Book, ExecutionRow, Flakiness, TestRow
from flakefighters.reports.decisions import decisions_page, event_record
from flakefighters.reports.details import results_page, tests_page
from flakefighters.reports.lists import tests_table
from flakefighters.reports.rechecks import recheck_page, recheck_record, today_page
from flakefighters.reports.records import Record, flakiness_record, result_record, test_record
from flakefighters.words import count

__all__ = ["explain", "list_tests"]

#: How many tests are listed unless more are asked for.
_SHOWN: Final = 30
#: Of how many tests the last failure is told where a name stands for several.
_EXPLAINED: Final = 5


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
    flaky: Annotated[
        bool, typer.Option("--flaky", help="Only tests with a failure that was flaky.")
    ] = False,
    branch: Annotated[
        str | None, typer.Option("--branch", metavar="NAME", help="Only runs of this branch.")
    ] = None,
    since: Annotated[
        str | None,
        typer.Option("--since", metavar="WHEN", help="Only runs since then: 7d, 12h, 2026-11-01."),
    ] = None,
    as_json: AsJson = False,
    limit: Annotated[
        int | None,
        typer.Option(
            "--limit", metavar="N", min=0, help="Show at most N, 0: all (30; all with --json)."
        ),
    ] = None,
    project_name: ProjectName = None,
    profile: Profile = None,
    database_url: DatabaseUrl = None,
    rootdir: RootDir = None,
) -> None:
    """List tests with failures, flake rate, verdicts.

    The most troublesome come first.
    """
    now = time.time_ns() // 1000
    start = None if since is None else moment(since, now)
    place = find_place(Asked(profile, database_url, rootdir, project_name))
    with place.history() as history:
        project = place.project(history)
        known = Book()
        if history is not None and project is not None:
            looked = ALL if every else runs
            known = history.tests(project.identity, looked, branch=branch, since=start)
        wanted = sorted((row for row in known.rows if _wanted(row, failed, flaky)), key=_trouble)
        if flaky:
            wanted = sorted(rated(known.runs, wanted), key=_chance)
        _show_tests(wanted, known.runs, limit, now, as_json=as_json)
        if not known.rows and branch is None and since is None:
            place.say_empty(history)
        elif not wanted:
            say(_none(len(known.rows), _looked_at(every, runs), flaky))


def _show_tests(
    wanted: Sequence[TestRow],
    runs: Sequence[RunHead],
    limit: int | None,
    now: int,
    *,
    as_json: bool,
) -> None:
    most = (0 if as_json else _SHOWN) if limit is None else limit
    rows = rated(runs, wanted[: most or None])
    if as_json:
        show_json([test_record(row) for row in rows])
    elif rows:
        show([tests_table(rows, now)])
        if len(rows) < len(wanted):
            say(f"and {count(len(wanted) - len(rows), 'more test')} (--limit 0 shows all)")


def _wanted(row: TestRow, failed: bool, flaky: bool) -> bool:
    return not (failed and not row.failures + row.mixed) and not (flaky and not row.flaky)


def _looked_at(every: bool, runs: int) -> str:
    if every:
        return "any run"
    return "the newest run" if runs == 1 else f"the newest {runs} runs"


def _none(known: int, where: str, flaky: bool) -> str:
    if not known:
        return "no test ran in the runs that were asked for"
    what = "was flaky" if flaky else "failed"
    return f"none of {count(known, 'test')} {what} in {where}"


def _trouble(row: TestRow) -> tuple[int, int, str]:
    return (-row.failures - row.mixed, -row.flips, row.nodeid)


def _chance(row: TestRow) -> tuple[float, float, str]:
    """The surest of chance first: by the lower end of the interval."""
    found = row.flakiness
    return (0, 0, row.nodeid) if found is None else (-found.low, -found.rate, row.nodeid)


def explain(
    nodeid: Annotated[
        str,
        typer.Argument(
            metavar="NODEID",
            help="A test as pytest takes it, a class or file of tests, or a bare name.",
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
    """Tell why a test failed, and what is known of it.

    Shows its results and the verdicts on its last failure, with evidence. A name that stands for
    several tests lists them, with the last failures of the worst.
    """
    place = find_place(Asked(profile, database_url, rootdir, project_name))
    with place.known(f"nothing is known of {nodeid!r}") as (history, project):
        only = None if run is None else history.find(run, project.identity).id
        book = _Book(history, project, place, limit or ALL, only)
        rows = book.results(nodeid)
        several = [] if rows else book.matching(nodeid)
        if len(several) > 1 and run is None and not again:
            _explain_several(book, nodeid, several, as_json=as_json)
            return
        rows = rows or book.the_one(nodeid, [row.nodeid for row in several], run)
        if not rows:
            raise NotFoundError(f"run {run} has no results of {nodeid}")
        name, results = _recheck(history, rows, again=again)
        decided = _decisions(history, project, rows)
        flakiness = book.flakiness(rows[0].nodeid)
    now = time.time_ns() // 1000
    if as_json:
        decisions = [event_record(one, now) for one in decided]
        rate = flakiness_record(flakiness)
        show_json(_record(rows, name, results, decisions, rate, again=again))
    elif again:
        show(recheck_page(name[-4:], rows[0].nodeid, results))
    else:
        show(results_page(rows, now, flakiness))
        show(decisions_page(decided, now))
        show(today_page(name[-4:], results))


def _record(
    rows: Sequence[ExecutionRow],
    run: str,
    results: Sequence[Recheck],
    decisions: Sequence[Record],
    flakiness: Record,
    *,
    again: bool,
) -> Record:
    """What ``--json`` prints; the recheck alone if that was asked for."""
    nodeid = rows[0].nodeid
    record = recheck_record(run, nodeid, results) if again or results else None
    if again and record is not None:
        return record
    found = [result_record(row) for row in rows]
    told = {"recheck": record, "decisions": decisions, "flakiness": flakiness}
    return {"nodeid": nodeid, "results": found, **told}


def _explain_several(book: _Book, asked: str, several: Sequence[TestRow], *, as_json: bool) -> None:
    """List the tests that a name stands for, and the last failures of the worst of them."""
    ranked = book.rated(sorted(several, key=_trouble))
    failing = [row for row in ranked if row.failures + row.mixed]
    failures = [row for test in failing[:_EXPLAINED] for row in book.last_failure(test.nodeid)]
    if as_json:
        records = [result_record(row) for row in failures]
        tests = [test_record(row) for row in ranked]
        show_json({"nodeid": asked, "results": records, "recheck": None, "tests": tests})
        return
    now = time.time_ns() // 1000
    left = max(0, len(failing) - _EXPLAINED)
    show(tests_page(asked, tests_table(ranked[:_SHOWN], now), failures, now, left))
    if len(ranked) > _SHOWN:
        say(f"and {count(len(ranked) - _SHOWN, 'more test')}")
    say("name one of them to see its results and the text of its failure")


def _recheck(
    history: History, rows: Sequence[ExecutionRow], *, again: bool
) -> tuple[str, list[Recheck]]:
    """Judge the newest failure among ``rows`` again; returns its run as well.

    Without a failure there is nothing to judge, unless the user asked for it (``again``).
    """
    from flakefighters.judging.recheck import recheck

    failed = next(filter(_has_failed, rows), rows[0] if again else None)
    if failed is None:
        return "", []
    name = failed.run.id
    verdicts = history.verdicts([name])
    return name, recheck(history, history.load(name), failed.nodeid, verdicts)


def _decisions(history: History, project: Project, rows: Sequence[ExecutionRow]) -> list[Event]:
    """What people decided on a test and on its newest failure, and what stands of it."""
    failed = next(filter(_has_failed, rows), None)
    failures = [] if failed is None else [f for one in failed.executions for f in one.failures]
    targets = {
        target
        for signature in ("", *(one.signature for one in failures))
        for target in targets_of(rows[0].nodeid, signature)
    }
    return list(standing(history.events(project.identity, targets)).values())


def _has_failed(row: ExecutionRow) -> bool:
    return any(one.failures for one in row.executions)


class _Book:
    """What a history tells of the tests of one project."""

    def __init__(
        self, history: History, project: Project, place: Place, limit: int, run: str | None
    ):
        self._history, self._project, self._place = history, project, place
        #: How many results are looked at, or those of which run alone.
        self._limit, self._run = limit, run
        self._known: Book | None = None

    def results(self, nodeid: str) -> tuple[ExecutionRow, ...]:
        """The results of the test of this name, newest first; empty if there is none."""
        for spelling in spellings(self._place, nodeid):
            rows = self._history.executions_of(
                spelling, self._project.identity, self._limit, run=self._run
            )
            if rows:
                return rows
        return ()

    def matching(self, asked: str) -> list[TestRow]:
        """The tests that a name stands for that is not the whole name of one."""
        if self._known is None:
            self._known = self._history.tests(self._project.identity)
        rows = self._known.rows
        names = set(matching(self._place, asked, [row.nodeid for row in rows]))
        return [row for row in rows if row.nodeid in names]

    def rated(self, rows: Sequence[TestRow]) -> list[TestRow]:
        """The tests that a name stands for, with their rates."""
        return [] if self._known is None else rated(self._known.runs, rows)

    def flakiness(self, nodeid: str) -> Flakiness | None:
        """How likely a test fails by chance."""
        found = self._history.tests(self._project.identity, only=nodeid)
        return next((row.flakiness for row in rated(found.runs, found.rows)), None)

    def the_one(
        self, asked: str, names: Sequence[str], run: str | None
    ) -> tuple[ExecutionRow, ...]:
        """The results of the only test of ``names``, or of those that failed in ``run``.

        NotFoundError if there are none or several; it offers near names.
        """
        if len(names) > 1 and run is not None:
            head = self._history.find(run, self._project.identity)
            failed = {one.nodeid for one in self._history.load(head.id).executions if one.failures}
            names = [name for name in names if name in failed] or names
        known = [row.nodeid for row in (self._known or Book()).rows]
        return self.results(the_only(asked, names, known))

    def last_failure(self, nodeid: str) -> list[ExecutionRow]:
        """The newest result of a test in which it failed, if it is among those looked at."""
        rows = self._history.executions_of(nodeid, self._project.identity, self._limit)
        return list(itertools.islice(filter(_has_failed, rows), 1))
