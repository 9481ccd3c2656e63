"""The recorder, fed with reports as pytest makes them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flakefighters.capture.recorder import Recorder
from flakefighters.capture.reports import ATTRIBUTE
from flakefighters.model import Outcome, Phase

NODEID = "tests/test_a.py::test_a"


def describe(longrepr: Any, known: Mapping[str, Any]) -> tuple[str, str]:
    return str(longrepr), "signature"


def report(
    when: str, outcome: str = "passed", nodeid: str = NODEID, **more: Any
) -> pytest.TestReport:
    known = more.pop("known", None)
    made = pytest.TestReport(
        nodeid=nodeid,
        location=("tests/test_a.py", None, "test_a"),
        keywords={},
        outcome=outcome,  # type: ignore[arg-type]
        longrepr=more.pop("longrepr", None if outcome == "passed" else "E   no"),
        when=when,  # type: ignore[arg-type]
        duration=more.pop("duration", 0.001),
    )
    for name, value in more.items():
        setattr(made, name, value)
    if known is not None:
        setattr(made, ATTRIBUTE, known)
    return made


def recorder(*nodeids: str) -> Recorder:
    made = Recorder(describe)
    made.collected(nodeids or [NODEID])
    return made


def play(made: Recorder, *outcomes: str, worker: str | None = None, nodeid: str = NODEID) -> None:
    """One attempt: the outcomes of setup, call and teardown."""
    for when, outcome in zip(("setup", "call", "teardown"), outcomes, strict=False):
        if outcome:
            made.report(report(when, outcome, nodeid), worker)


def test_a_pass_leaves_no_execution() -> None:
    made = recorder()
    play(made, "passed", "passed", "passed")
    assert made.outcomes == "."
    assert made.executions == []
    assert list(made.durations) == [10, 10, 10]
    assert made.complete
    assert made.order is None


@pytest.mark.parametrize(
    ("outcomes", "expected", "phases"),
    [
        (("passed", "failed", "passed"), "F", ["call"]),
        (("failed", "", "passed"), "E", ["setup"]),
        (("passed", "passed", "failed"), "E", ["teardown"]),
        (("passed", "failed", "failed"), "F", ["call", "teardown"]),
        (("failed", "", "failed"), "E", ["setup", "teardown"]),
        (("skipped", "", "passed"), "s", []),
        (("passed", "skipped", "passed"), "s", []),
        (("passed", "skipped", "failed"), "E", ["teardown"]),
    ],
)
def test_outcomes(outcomes: tuple[str, ...], expected: str, phases: list[str]) -> None:
    made = recorder()
    play(made, *outcomes)
    assert made.outcomes == expected
    (execution,) = made.executions
    assert [failure.phase.value for failure in execution.failures] == phases
    assert execution.outcome.value == expected


def test_attempts_of_a_rerun() -> None:
    made = recorder()
    play(made, "passed", "rerun", "passed")
    assert made.outcomes == "F"
    play(made, "passed", "passed", "passed")
    assert made.outcomes == "R"
    assert [(one.attempt, one.outcome) for one in made.executions] == [
        (1, Outcome.FAILED),
        (2, Outcome.PASSED),
    ]


def subtest(outcome: str, nodeid: str = NODEID, **more: Any) -> pytest.TestReport:
    """A report as of a subtest: of another class, with a context."""
    made = report("call", outcome, nodeid, **more)
    made.__class__ = SubtestReport
    made.context = {"msg": "one", "kwargs": {}}  # type: ignore[attr-defined]
    return made


class SubtestReport(pytest.TestReport):
    """Known by its name and its context."""


def test_a_setup_that_comes_after_subtests_is_of_the_same_attempt() -> None:
    made = recorder()
    for ended in ("failed", "passed"):
        made.report(subtest(ended))
        made.report(subtest("passed"))
        play(made, "passed", "passed", "passed")
    assert [(one.attempt, one.outcome.value) for one in made.executions] == [(1, "F"), (2, ".")]
    assert made.outcomes == "R"


def test_passing_subtests_are_one_attempt() -> None:
    made = recorder()
    made.report(subtest("passed"))
    play(made, "passed", "passed", "passed")
    assert (made.outcomes, made.executions) == (".", [])


def test_calls_within_one_setup_and_teardown_are_attempts() -> None:
    made = recorder()
    made.report(report("setup"))
    made.report(report("call", "retried", longrepr="E   no"))
    made.report(report("call", "passed"))
    made.report(report("teardown", "failed"))
    assert [(one.attempt, one.outcome.value) for one in made.executions] == [(1, "F"), (2, "E")]


def test_what_passed_is_a_pass_whatever_it_is_called() -> None:
    made = recorder()
    for called in ("passed", "rerun", "dd_efd_attempt_passed"):
        play(made, "passed", "", "")
        made.report(report("call", called, longrepr=None))
        made.report(report("teardown"))
    assert made.outcomes == "."
    assert [one.outcome for one in made.executions] == [Outcome.PASSED] * 3
    play(made, "passed", "", "")
    made.report(report("call", "rerun", longrepr=("a.py", 1, "Skipped: no")))
    made.report(report("teardown"))
    assert made.executions[-1].outcome is Outcome.SKIPPED


def test_equal_failures_of_one_subtest_are_one() -> None:
    made = recorder()
    for text in ("E   1", "E   2"):
        made.report(subtest("failed", longrepr=text))
    play(made, "passed", "passed", "passed")
    assert [one.text for one in made.executions[0].failures] == ["E   2"]


def test_the_sum_of_failed_subtests_is_no_failure_of_its_own() -> None:
    made = recorder()
    made.report(subtest("failed", longrepr="E   1"))
    play(made, "passed", "", "")
    made.report(report("call", "failed", longrepr="contains 1 failed subtest"))
    made.report(report("teardown"))
    assert [one.subtest for one in made.executions[0].failures] == ["[one]"]


def test_what_could_not_be_collected() -> None:
    made = recorder()
    broken = pytest.CollectReport("tests/test_b.py", "failed", "E   ImportError: no", None)
    (closed,) = made.not_collected(broken)
    assert made.not_collected(broken) == []  # a second worker
    assert closed == (1, (0, 0, 0), made.executions[0])
    assert made.suite == [NODEID, "tests/test_b.py"]
    assert made.outcomes == "-E"
    assert not made.complete
    (failure,) = made.executions[0].failures
    assert (failure.phase, failure.facts) == (Phase.SETUP, {"collection": True})


@pytest.mark.parametrize("duration", [float("inf"), float("nan"), -1.0, 1e300, None, "1"])
def test_durations_that_are_none(duration: Any) -> None:
    made = recorder()
    made.report(report("setup"))
    made.report(report("call", duration=duration))
    made.report(report("teardown"))
    assert list(made.durations) == [10, 0, 10]


@pytest.mark.parametrize(
    ("when", "longrepr", "exception", "limit"),
    [
        ("???", "worker 'gw0' crashed", None, "crash"),
        ("call", "E   Failed: Timeout (>1.0s) from pytest-timeout.", "Failed", "timeout"),
        ("call", "E   MemoryError", "MemoryError", "memory"),
        ("call", "E   Failed: no", "Failed", None),
    ],
)
def test_failures_that_say_more_of_the_machine(
    when: str, longrepr: str, exception: str | None, limit: str | None
) -> None:
    made = recorder()
    known = {} if exception is None else {"exception": exception}
    made.report(report(when, "failed", longrepr=longrepr, known=known))
    made.unfinished("over")
    assert made.executions[0].failures[0].facts.get("limit") == limit


def test_a_pass_and_then_a_failure() -> None:
    """Asked for twice, or in two workers: the pass is as much a fact as the failure."""
    made = recorder()
    play(made, "passed", "passed", "passed", worker="gw0")
    play(made, "passed", "failed", "passed", worker="gw1")
    assert made.outcomes == "F"
    assert [(one.attempt, one.outcome.value) for one in made.executions] == [(1, "."), (2, "F")]


def test_a_failure_a_skip_and_then_a_pass() -> None:
    made = recorder()
    play(made, "passed", "failed", "passed")
    play(made, "passed", "skipped", "passed")
    play(made, "passed", "passed", "passed")
    assert made.outcomes == "R"
    assert [one.outcome.value for one in made.executions] == ["F", "s", "."]


def test_attempts_in_two_workers_at_once() -> None:
    made = recorder()
    for when in ("setup", "call", "teardown"):
        for worker in ("gw0", "gw1"):
            failing = when == "call" and worker == "gw1"
            made.report(report(when, "failed" if failing else "passed"), worker)
    assert [(one.attempt, one.worker) for one in made.executions if one.failures] == [(2, "gw1")]


def test_crash_and_what_never_ended() -> None:
    made = recorder(NODEID, "b", "c")
    made.report(report("???", "failed", longrepr="worker 'gw0' crashed"), "gw0")
    made.report(report("setup", nodeid="b"), None)
    made.unfinished("it stopped")
    assert made.outcomes == "F?-"
    assert made.crashed
    assert not made.complete
    assert made.executions[0].reason == "the process that ran it died"
    assert made.executions[1].reason == "it stopped"


def test_hidden_failures_belong_to_the_attempt_before() -> None:
    """A plugin that shows only the last attempt: what it kept back comes with a later report."""
    plain = {"when": "call", "outcome": "failed", "longrepr": "E   first", "known": {}}
    made = recorder()
    made.report(report("setup"))
    made.report(report("teardown", known={"sequence": 0, "hidden": [plain]}))
    play(made, "passed", "passed", "passed")
    assert [one.outcome for one in made.executions] == [Outcome.FAILED, Outcome.PASSED]
    assert made.executions[0].failures[0].text == "E   first"
    assert made.executions[0].failures[0].phase is Phase.CALL
    assert made.outcomes == "R"


def test_reasons_are_cleaned() -> None:
    made = Recorder(describe, lambda text: text.replace("secret", "<secret>"))
    made.collected([NODEID, "b"])
    longrepr = ("test_a.py", 1, "Skipped: no secret")
    made.report(report("setup", "skipped", longrepr=longrepr))
    made.report(report("teardown"))
    made.report(report("call", "skipped", "b", wasxfail="as secret"))
    made.report(report("teardown", nodeid="b"))
    assert [one.reason for one in made.executions] == ["no <secret>", "as <secret>"]


def test_order() -> None:
    made = recorder("a", "b", "c")
    for nodeid in ("c", "a", "b"):
        play(made, "passed", "passed", "passed", nodeid=nodeid)
    assert made.order == [[2, 0, 1]]


when = st.sampled_from(["setup", "call", "teardown", "???"])
outcome = st.sampled_from(["passed", "failed", "skipped", "rerun"])


@given(
    st.lists(
        st.tuples(st.sampled_from("abc"), when, outcome, st.sampled_from([None, "gw0", "gw1"]))
    )
)
def test_any_stream_of_reports(stream: list[tuple[str, str, str, str | None]]) -> None:
    """Whatever plugins make of it: one letter per test, attempts counted from 1."""
    made = recorder("a", "b")
    closed = []
    for nodeid, phase, ended, worker in stream:
        closed += made.report(report(phase, ended, nodeid), worker)
    closed += made.unfinished("over")
    assert len(made.outcomes) == len(made.suite)
    assert len(made.durations) == 3 * len(made.suite)
    for nodeid in made.suite:
        numbers = [one.attempt for one in made.executions if one.nodeid == nodeid]
        assert len(numbers) == len(set(numbers))
    assert [execution for _, _, execution in closed if execution] == made.executions
    failed = {one.nodeid for one in made.executions if one.failures}
    letters = dict(zip(made.suite, made.outcomes, strict=True))
    assert all(letters[nodeid] in "FERsx?" for nodeid in failed)
