"""Which tests are proposed for quarantine and for release."""

from __future__ import annotations

from typing import Any

from flakefighters.judging.proposals import RELEASE, passes_since, to_quarantine, to_settle
from flakefighters.model import Outcome, RunHead, Trust
from flakefighters.model.decisions import MARK, QUARANTINE, Event, standing
from flakefighters.model.rows import ExecutionRow, TestRow


def result(at: int, outcome: Outcome = Outcome.PASSED, **head: Any) -> ExecutionRow:
    run = RunHead(id=f"{at:032x}", project="p", started=at, **head)
    return ExecutionRow(run=run, nodeid="t.py::a", outcome=outcome, durations=(0, 0, 0))


def row(nodeid: str, flaky: int, **more: Any) -> TestRow:
    counts = {"genuine": 0, "undecided": 0, **more}
    return TestRow(
        nodeid=nodeid,
        runs=40,
        passes=40 - flaky,
        failures=flaky,
        flips=flaky,
        mixed=0,
        last=Outcome.PASSED,
        last_run="0" * 32,
        last_failure=None,
        flaky=flaky,
        **counts,
    )


def event(target: str, state: str, kind: str = QUARANTINE, **value: str) -> Event:
    return Event("1", "p", kind, target, {"state": state, **value}, "Ada", 10)


def test_passes_in_a_row_since_then() -> None:
    assert passes_since([], 5) == 0
    assert passes_since([result(9), result(8), result(4)], 5) == 2
    assert passes_since([result(9), result(8, Outcome.FAILED), result(7)], 5) == 1
    assert passes_since([result(9), result(8, Outcome.SKIPPED), result(7)], 5) == 2
    assert passes_since([result(9), result(8, trust=Trust.UNTRUSTED)], 5) == 1


def test_release_and_expiry() -> None:
    held = [
        event("a", "on", until="2026-11-30"),
        event("b", "on"),
        event("c", "on", until="2026-12-01"),
    ]
    found = to_settle(held, {"b": RELEASE, "c": RELEASE - 1}, "2026-12-01")
    assert [(one.what, one.target) for one in found] == [("decide again", "a"), ("release", "b")]
    assert found[1].why == "passed 30 times in quarantine"


def test_who_is_proposed_for_quarantine() -> None:
    rows = [row("t.py::a", 2), row("t.py::b[1]", 5, undecided=1), row("t.py::c", 1)]
    found = to_quarantine(rows, {})
    assert [one.target for one in found] == ["t.py::b[1]", "t.py::a"]
    assert found[0].why == "flaky in 5 of 40 runs, undecided in 1"
    for decided, left in (
        (event("t.py::b", "on", until="2020-01-01"), ["t.py::a"]),
        (event("t.py::b", "off"), ["t.py::b[1]", "t.py::a"]),
        (event("t.py::a", "genuine", MARK), ["t.py::b[1]"]),
        (event("t.py::a", "flaky", MARK), ["t.py::b[1]", "t.py::a"]),
    ):
        found = to_quarantine(rows, standing([decided]))
        assert [one.target for one in found] == left
