"""What a report tells, gathered from a history."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from flakefighters import __version__
from flakefighters.cli.diffs import diffs
from flakefighters.cli.place import Place
from flakefighters.cli.rates import rated
from flakefighters.errors import NotFoundError
from flakefighters.history import History
from flakefighters.history.overview import failure_rows, times
from flakefighters.model import JOINT, Project, Run, Verdict, standing
from flakefighters.model.decisions import standing as decided
from flakefighters.model.rows import Book, FailureRow
from flakefighters.records import NamedTuple
from flakefighters.reports.costs import costs, labels_of
from flakefighters.reports.failed import Failed, failed
from flakefighters.reports.html.data import (
    Look,
    group_size,
    look_record,
    run_record,
    visible,
)
from flakefighters.reports.records import Record, test_record
from flakefighters.reports.report_csv import run_csv, tests_csv
from flakefighters.reports.session import Told, session_record
from flakefighters.state.git import Git

__all__ = ["Chosen", "Report", "gather"]

#: Outcomes for which pytest ends with 1.
_BAD = frozenset("FE?")


class Chosen(NamedTuple):
    """What a report is asked for."""

    run: str | None = None
    runs: int = 500
    branch: str | None = None
    #: µs UTC, and as the user wrote it.
    since: int | None = None
    since_text: str | None = None

    def words(self) -> str:
        """How runs were chosen, to stand behind their number."""
        branch = "" if self.branch is None else f" of branch {self.branch}"
        return branch + ("" if self.since_text is None else f" since {self.since_text}")


@dataclass(frozen=True)
class Report:
    """One run, and the tests of its project over many runs."""

    chosen: Chosen
    place: Mapping[str, str | bool | None]
    project: Project
    run: Run
    verdicts: Sequence[Verdict]
    failed: Sequence[Failed]
    book: Book
    look: Look
    now: int

    def standing(self) -> list[Verdict]:
        """The verdicts that count."""
        return list(standing(self.verdicts).values())

    def html_record(self) -> dict[str, Any]:
        """What the page's script reads."""
        return {
            "version": __version__,
            "made": self.now // 1_000_000,
            "history": visible(str(self.place["history"])),
            "project": visible(self.project._asdict()),
            "run": run_record(self.run, self.failed),
            "look": look_record(self.look),
        }

    def json_record(self) -> Record:
        """As ``--flakefighters-json`` tells a run, with the tests that failed before."""
        exit_code = self.run.head.context.get("exit_status")
        told = Told(
            run=self.run,
            joint=self.standing(),
            said=[one for one in self.verdicts if one.fighter != JOINT],
            profile=self.place,
            saved=True,
        )
        red = int(not _BAD.isdisjoint(self.run.outcomes))
        record = session_record(told, exit_code if isinstance(exit_code, int) else red)
        rows = [row for row in self.book.rows if row.failures + row.mixed]
        record["looked_at"] = {
            "runs": len(self.book.runs),
            "branch": self.chosen.branch,
            "since_us": self.chosen.since,
            "tests": [test_record(row) for row in rows],
        }
        return record

    def csv(self) -> str:
        """The tests of the run that was named, else those of all runs."""
        if self.chosen.run is not None:
            return run_csv(self.run, self.failed)
        return tests_csv(self.book.rows, self.costs)

    @cached_property
    def costs(self) -> Mapping[str, Any]:
        labels = labels_of(self.look.failures)
        return costs(self.book.runs, self.book.rows, labels)


def gather(place: Place, chosen: Chosen, now: int, *, whole: bool, counted: bool) -> Report:
    """Read what a report tells; NotFoundError if there is no such run, or none at all.

    ``whole`` is all that HTML shows, ``counted`` what tests cost.
    """
    with place.known("there is no run to report") as (history, project):
        named = None if chosen.run is None else history.find(chosen.run, project.identity)
        book = history.tests(
            project.identity, chosen.runs, branch=chosen.branch, since=chosen.since
        )
        # Of a test that never failed there is nothing to tell, and that is most of them.
        some = rated(book.runs, [row for row in book.rows if row.failures + row.mixed])
        rates = {row.nodeid: row for row in some}
        book = book._replace(rows=tuple(rates.get(row.nodeid, row) for row in book.rows))
        if named is None and not book.runs:
            raise NotFoundError("no run fits what was asked for", remedy="see `flakefighters runs`")
        run = history.load((named or book.runs[-1]).id)
        verdicts = history.verdicts([run.head.id])
        rows = {row.nodeid: row for row in book.rows}
        return Report(
            chosen=chosen,
            place=_where(place),
            project=project,
            run=run,
            verdicts=verdicts,
            failed=failed(run, verdicts, rows, _diffs(place, history, run, verdicts)),
            book=book,
            look=_look(history, project, book, chosen, now, whole=whole, counted=counted),
            now=now,
        )


def _where(place: Place) -> Mapping[str, str | bool | None]:
    resolution = place.resolution
    return {
        "name": resolution.profile,
        "reason": resolution.reason,
        "history": resolution.target.display,
        "recorded_to": resolution.record_to.display,
        "read_only": resolution.target.read_only,
    }


def _diffs(
    place: Place, history: History, run: Run, verdicts: Sequence[Verdict]
) -> Mapping[tuple[str, str], Any]:
    if not place.checkout.has_git or run.head.project != place.own.identity:
        return {}
    return diffs(history, Git(place.checkout.base), run, verdicts)


def _look(
    history: History,
    project: Project,
    book: Book,
    chosen: Chosen,
    now: int,
    *,
    whole: bool,
    counted: bool,
) -> Look:
    ids = [head.id for head in book.runs]
    failures: list[FailureRow] = failure_rows(history, ids) if whole or counted else []
    if not whole:
        return Look(project=project, book=book, failures=failures, now=now)
    group = group_size(len(book.rows), len(ids))
    spent = times(history, ids, group)
    return Look(
        project=project,
        book=book,
        failures=failures,
        texts=history.lessons.texts(sorted({one.text for one in failures})),
        run_times=spent.runs,
        test_times=spent.tests,
        group=group,
        events=list(decided(history.events(project.identity)).values()),
        chosen=chosen.words(),
        now=now,
    )
