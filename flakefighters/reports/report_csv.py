"""Tests as a table for spreadsheets: over many runs, or in one."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence

from flakefighters.model import Outcome, Run
from flakefighters.model.rows import TestRow
from flakefighters.reports.costs import Cost
from flakefighters.reports.escape import escape
from flakefighters.reports.failed import Failed
from flakefighters.reports.words import iso

__all__ = ["run_csv", "table", "tests_csv"]

_TESTS = (
    *("nodeid", "runs", "passed", "failed", "passed_after_reruns", "flips"),
    *("flaky", "genuine", "undecided", "unjudged", "rate", "low", "high"),
    *("red_builds", "red_alone", "lost_seconds", "last_outcome", "last_failure"),
)
_RUN = (
    *("nodeid", "outcome", "seconds", "verdict", "confidence", "introduced", "cause", "reason"),
    *("exception", "message"),
)


def tests_csv(rows: Iterable[TestRow], costs: Mapping[str, Cost]) -> str:
    """A line for each test, those first that cost most."""
    none = Cost()
    ranked = sorted(
        ((row, costs.get(row.nodeid, none)) for row in rows),
        key=lambda pair: (-pair[1].spent, -pair[0].failures, pair[0].nodeid),
    )
    return table(_TESTS, (_test(row, cost) for row, cost in ranked))


def _test(row: TestRow, cost: Cost) -> Sequence[object]:
    found = row.flakiness
    rates = ("", "", "") if found is None else (found.rate, found.low, found.high)
    return (
        *(row.nodeid, row.runs, row.passes, row.failures, row.mixed, row.flips),
        *(row.flaky, row.genuine, row.undecided, row.unjudged),
        *(round(one, 6) if isinstance(one, float) else one for one in rates),
        *(cost.builds, cost.alone, round(cost.spent / 1e6, 1)),
        *(row.last.word, iso(row.last_failure) or ""),
    )


def run_csv(run: Run, failures: Sequence[Failed]) -> str:
    """A line for each test of a run, with the first of its failures."""
    said: dict[str, Failed] = {}
    for one in failures:
        said.setdefault(one.nodeid, one)
    return table(
        _RUN,
        (
            (nodeid, Outcome(letter).word, spent / 1e4, *_failure(said.get(nodeid)))
            for nodeid, letter, spent in zip(run.suite, run.outcomes, _spent(run), strict=True)
        ),
    )


def _spent(run: Run) -> list[int]:
    flat = run.durations
    return [sum(flat[at : at + 3]) for at in range(0, len(flat), 3)]


def _failure(one: Failed | None) -> Sequence[object]:
    if one is None:
        return ("",) * 7
    label = "" if one.label is None else one.label.value
    introduced = "yes" if one.introduced else ""
    return (label, one.confidence, introduced, one.cause, one.reason, one.exception, one.message)


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Rows for a spreadsheet; no text in them is a formula there."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(head)
    writer.writerows([_cell(value) for value in row] for row in rows)
    return file.getvalue()


def _cell(value: object) -> object:
    if value is None:
        return ""
    return escape(value, "csv") if isinstance(value, str) else value
