"""What runs beside the tests themselves: in the only process, or in each xdist worker.

It touches nothing but the reports: no file, no thread, no time.
"""

from __future__ import annotations

import os
from collections.abc import Generator
from typing import TYPE_CHECKING, Any

import pytest

from flakefighters.capture.reports import ATTRIBUTE, attachment, outcome_of, state_env

if TYPE_CHECKING:
    from flakefighters.tracing.session import TraceSession

__all__ = ["TraceHooks", "Watcher"]


class TraceHooks:
    """Tells the tracers where an attempt begins and ends; only registered if something changed."""

    def __init__(self, trace: TraceSession) -> None:
        self._trace = trace

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self) -> Generator[None, Any, Any]:
        self._trace.begin()
        try:
            return (yield)
        finally:
            self._trace.end()

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self) -> None:
        self._trace.setup()

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(self, fixturedef: Any, request: Any) -> Generator[None, Any, Any]:
        return (yield from self._trace.fixture_setup(fixturedef, request))

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_terminal_summary(self, terminalreporter: Any) -> Generator[None, Any, Any]:
        result = yield
        if self._trace.trouble is not None:
            from flakefighters.session.printing import warning

            note = f"{self._trace.trouble} (--flakefighters-trace=off keeps it out of the way)"
            terminalreporter.line(warning(note, "terminal"), yellow=True)
        return result

    def pytest_unconfigure(self) -> None:
        self._trace.stop()


class Watcher:
    """Attaches to each report that did not pass what its own process alone knows."""

    def __init__(self, trace: TraceSession | None = None) -> None:
        """``trace`` watches what changed; None if nothing did, or nothing is to be watched."""
        self._trace = trace
        self._getpid = os.getpid
        self._pid = os.getpid()
        #: Reports of the attempt that is going on, and how many were made before them.
        self._made: list[Any] = []
        self._before = 0
        #: Failing reports that were made and not logged yet: a plugin that runs tests again on
        #: its own (``flaky``) shows only the last attempt.
        self._pending: dict[int, Any] = {}

    def pytest_sessionfinish(self, session: Any) -> None:
        """Tell an xdist controller what only workers have seen: the markers."""
        output = getattr(session.config, "workeroutput", None)
        if output is not None:
            output["flakefighters_state_env"] = state_env(session.items)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_makereport(
        self, item: Any, call: Any
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        report = yield
        if report.when == "setup":
            self._before += len(self._made)
            self._made.clear()
        self._made.append(report)
        if report.outcome != "passed" or hasattr(report, "wasxfail"):
            sequence = self._before + len(self._made)
            known = attachment(item, call, sequence)
            setattr(report, ATTRIBUTE, known)
            # One that is run again may have another outcome by now ("rerun", "retried").
            if self._trace is not None and outcome_of(report) == "failed":
                error = None if call.excinfo is None else call.excinfo.value
                known["trace"] = self._trace.attach(item, error)
            if report.outcome == "failed":
                self._pending[sequence] = report
        return report

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: Any) -> None:
        if not self._pending or self._getpid() != self._pid:
            return
        known = getattr(report, ATTRIBUTE, None)
        if known is not None:
            sequence = known["sequence"]
            self._pending.pop(sequence, None)
        else:
            sequence = self._number(report)
        hidden = [
            made
            for number, made in self._pending.items()
            if number < sequence and made.nodeid == report.nodeid
        ]
        if hidden:
            known = known or {"sequence": 0}
            known["hidden"] = [_plain(made) for made in hidden]
            setattr(report, ATTRIBUTE, known)
            for made in hidden:
                del self._pending[getattr(made, ATTRIBUTE)["sequence"]]

    def _number(self, report: Any) -> int:
        """When a plain report was made: some plugins log an attempt's reports after its end."""
        for index, made in enumerate(self._made, self._before + 1):
            if made is report:
                return index
        return self._before + len(self._made) + 1


def _plain(report: Any) -> dict[str, Any]:
    """A report as plain data that xdist can carry; the traceback as text."""
    return {
        "when": report.when,
        "outcome": report.outcome,
        "longrepr": report.longreprtext,
        "known": {
            key: value for key, value in getattr(report, ATTRIBUTE).items() if key != "hidden"
        },
    }
