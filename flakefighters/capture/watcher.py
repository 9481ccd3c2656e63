"""What runs beside the tests themselves: in the only process, or in each xdist worker.

It touches nothing but the reports: no file, no thread, no time.
"""

from __future__ import annotations

import os
from collections.abc import Generator
from typing import Any

import pytest

from flakefighters.capture.reports import ATTRIBUTE, attachment

__all__ = ["Watcher"]


class Watcher:
    """Attaches to each report that did not pass what its own process alone knows."""

    def __init__(self) -> None:
        self._getpid = os.getpid
        self._pid = os.getpid()
        self._sequence = 0
        #: Failing reports that were made and not logged yet: a plugin that runs tests again on
        #: its own (``flaky``) shows only the last attempt.
        self._pending: dict[int, Any] = {}

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_makereport(
        self, item: Any, call: Any
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        report = yield
        if report.outcome != "passed" or hasattr(report, "wasxfail"):
            self._sequence += 1
            setattr(report, ATTRIBUTE, attachment(item, call, self._sequence))
            if report.outcome == "failed":
                self._pending[self._sequence] = report
        return report

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: Any) -> None:
        if not self._pending or self._getpid() != self._pid:
            return
        known = getattr(report, ATTRIBUTE, None)
        sequence = self._sequence + 1
        if known is not None:
            sequence = known["sequence"]
            self._pending.pop(sequence, None)
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
