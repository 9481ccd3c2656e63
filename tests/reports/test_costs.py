"""What tests cost: red builds, and the time of their runs."""

from __future__ import annotations

from flakefighters.model import Label, Outcome, RunHead
from flakefighters.model.rows import FailureRow, TestRow
from flakefighters.reports.costs import costs, labels_of

MINUTE = 60_000_000


def head(name: str, build: str | None = None) -> RunHead:
    return RunHead(id=name, project="p", started=0, ended=10 * MINUTE, build=build)


def row(nodeid: str, outcomes: str) -> TestRow:
    failures = sum(map(outcomes.count, "FE?"))
    return TestRow(
        nodeid=nodeid,
        runs=len(outcomes),
        failures=failures,
        mixed=outcomes.count("R"),
        last=Outcome(outcomes[-1]),
        last_run="",
        last_failure=None,
        outcomes=outcomes,
        passes=0,
        flips=0,
        flaky=0,
        genuine=0,
        undecided=0,
    )


def failure(run: str, nodeid: str, label: Label | None, attempt: int = 1) -> FailureRow:
    return FailureRow(run, nodeid, attempt, 0, "call", None, "t", None, "", label)


def test_a_red_run_is_shared_by_what_failed_in_it() -> None:
    runs = [head("1"), head("2"), head("3")]
    found = costs(runs, [row("a", "FF."), row("b", "F.."), row("c", "R-s")], {})
    assert (found["a"].builds, found["a"].alone, found["a"].spent) == (2, 1, 15 * MINUTE)
    assert (found["b"].builds, found["b"].alone, found["b"].spent) == (1, 0, 5 * MINUTE)
    assert "c" not in found


def test_runs_of_one_build_are_one_build() -> None:
    runs = [head("1", "b"), head("2", "b")]
    found = costs(runs, [row("a", "FF"), row("b", ".F")], {})
    assert (found["a"].builds, found["a"].alone) == (1, 0)


def test_a_genuine_failure_costs_nothing() -> None:
    runs = [head("1"), head("2")]
    labels = labels_of([failure("1", "a", Label.GENUINE), failure("2", "a", Label.FLAKY)])
    found = costs(runs, [row("a", "FF")], labels)
    assert (found["a"].builds, found["a"].spent) == (1, 10 * MINUTE)


def test_the_last_attempt_speaks_and_of_several_failures_the_worst() -> None:
    rows = [
        failure("1", "a", Label.GENUINE, 1),
        failure("1", "a", Label.FLAKY, 2),
        failure("1", "a", Label.UNDECIDED, 2),
        failure("1", "b", None),
    ]
    assert labels_of(rows) == {("1", "a"): Label.UNDECIDED}
