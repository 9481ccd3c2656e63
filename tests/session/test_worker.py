"""What is attached to reports where tests run; pytest itself runs in tests/e2e."""

from __future__ import annotations

from collections.abc import Generator
from types import SimpleNamespace
from typing import Any

import pytest

from flakefighters.capture.reports import ATTRIBUTE, attachment, describe_subtest, skip_reason
from flakefighters.session.worker import Watcher


class Item:
    config = SimpleNamespace(option=SimpleNamespace(tbstyle="auto"))
    obj = None

    def __init__(self, *marks: dict[str, Any]):
        self._marks = marks

    def iter_markers(self, name: str) -> Generator[Any, None, None]:
        yield from (SimpleNamespace(kwargs=kwargs) for kwargs in self._marks)


def made(watcher: Watcher, when: str, outcome: str = "passed") -> pytest.TestReport:
    report = pytest.TestReport(
        "a.py::a",
        ("a.py", None, "a"),
        {},
        outcome,  # type: ignore[arg-type]
        "E  no",
        when,  # type: ignore[arg-type]
    )
    hook = watcher.pytest_runtest_makereport(Item(), SimpleNamespace(excinfo=None))
    next(hook)
    with pytest.raises(StopIteration):
        hook.send(report)
    return report


def known(report: Any) -> dict[str, Any]:
    found: dict[str, Any] = getattr(report, ATTRIBUTE, {})
    return found


def test_passing_reports_are_left_alone() -> None:
    watcher = Watcher()
    for when in ("setup", "call", "teardown"):
        report = made(watcher, when)
        watcher.pytest_runtest_logreport(report)
        assert not hasattr(report, ATTRIBUTE)


def test_what_is_never_logged_comes_with_the_next_report() -> None:
    watcher = Watcher()
    setup = made(watcher, "setup")
    watcher.pytest_runtest_logreport(setup)
    made(watcher, "call", "failed")
    teardown = made(watcher, "teardown")
    watcher.pytest_runtest_logreport(teardown)
    (hidden,) = known(teardown)["hidden"]
    assert (hidden["when"], hidden["outcome"], hidden["longrepr"]) == ("call", "failed", "E  no")
    again = made(watcher, "setup")
    watcher.pytest_runtest_logreport(again)
    assert known(again) == {}


def test_reports_that_are_logged_late_are_not_hidden() -> None:
    """Some plugins run a whole attempt and log its reports afterwards."""
    watcher = Watcher()
    reports = [made(watcher, "setup"), made(watcher, "call", "failed"), made(watcher, "teardown")]
    for report in reports:
        watcher.pytest_runtest_logreport(report)
    assert [known(report).get("hidden") for report in reports] == [None, None, None]


class _Trace:
    """Stands for what was watched."""

    def attach(self, item: Any, error: Any) -> dict[str, Any]:
        del item, error
        return {"seen": True}


@pytest.mark.parametrize("outcome", ["failed", "rerun", "retried"])
def test_an_attempt_that_is_run_again_keeps_its_trace(outcome: str) -> None:
    watcher = Watcher(_Trace())  # type: ignore[arg-type]
    assert known(made(watcher, "call", outcome)).get("trace") == {"seen": True}


@pytest.mark.parametrize("outcome", ["passed", "skipped"])
def test_other_attempts_need_none(outcome: str) -> None:
    watcher = Watcher(_Trace())  # type: ignore[arg-type]
    assert "trace" not in known(made(watcher, "call", outcome))


def test_marks() -> None:
    call = SimpleNamespace(excinfo=None)
    assert "marks" not in attachment(Item(), call, 1)
    assert attachment(Item({"ignore": True}), call, 1)["marks"] == {"ignore": True}
    nearest = attachment(Item({"ignore": ["b", "a"]}, {"ignore": True}), call, 1)
    assert nearest["marks"] == {"ignore": ["a", "b"]}


def test_exceptions_have_their_whole_name() -> None:
    class OddError(Exception):
        pass

    for kind, name in [
        (ValueError, "ValueError"),
        (OddError, f"{__name__}.{OddError.__qualname__}"),
    ]:
        call = SimpleNamespace(excinfo=SimpleNamespace(type=kind, tb=None))
        assert attachment(Item(), call, 1)["exception"] == name


def test_skip_reasons() -> None:
    assert skip_reason(("a.py", 3, "Skipped: why")) == "why"
    assert skip_reason("why") == "why"
    assert skip_reason(None) is None


def test_subtests() -> None:
    class SubtestReport:
        def __init__(self, context: Any):
            self.context = context

    def told(msg: str | None, **kwargs: Any) -> str | None:
        return describe_subtest(SubtestReport(SimpleNamespace(msg=msg, kwargs=kwargs)))

    assert told("m", i=1, s="x") == "[m] (i=1, s=x)"
    assert told(None, i=1) == "(i=1)"
    assert told(None) == "(<subtest>)"
    assert describe_subtest(SubtestReport({"msg": "m", "kwargs": {}})) == "[m]"
    assert describe_subtest(SimpleNamespace()) is None
