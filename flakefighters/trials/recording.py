"""The plugin of a trial's own pytest: runs the tests asked for, in that order, and notes results.

It shares the recorder with the session that failed, so that failures can be compared.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from flakefighters.capture import wire
from flakefighters.capture.recorder import Recorder
from flakefighters.capture.redact import Redactor
from flakefighters.capture.signature import from_longrepr

__all__ = ["Recording"]


class Recording:
    """Keeps the results of the tests that were asked for."""

    def __init__(self, wanted: Sequence[str], base: str, cwd: str, redactor: Redactor):
        """``wanted``: node ids in order; ``base``: the folder that paths are relative to; ``cwd``:
        where pytest was started."""
        self._place = {nodeid: place for place, nodeid in enumerate(wanted)}
        self._base, self._cwd, self._redactor = base, cwd, redactor
        self._collected: list[str] = []
        self.recorder = Recorder(self._described, redactor)

    def _described(self, longrepr: Any, known: Mapping[str, Any]) -> tuple[str, str]:
        return from_longrepr(longrepr, known, self._base, cwd=self._cwd, redact=self._redactor)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[Any]) -> Any:
        """After all others have had their say: only what was asked for, in that order."""
        result = yield
        rest = [item for item in items if item.nodeid not in self._place]
        items[:] = sorted(
            (item for item in items if item.nodeid in self._place),
            key=lambda item: self._place[item.nodeid],
        )
        if rest:
            config.hook.pytest_deselected(items=rest)
        return result

    def pytest_collectreport(self, report: Any) -> None:
        """What cannot be collected is a failure as well."""
        if report.failed:
            self.recorder.not_collected(report)
        elif report.nodeid in self._place:
            self._collected.append(report.nodeid)

    def pytest_runtest_logreport(self, report: Any) -> None:
        """Take a result in."""
        self.recorder.report(report)

    def pytest_runtest_logfinish(self, nodeid: str) -> None:
        """The test is over."""
        self.recorder.ended(nodeid)

    def results(self) -> dict[str, Any]:
        """Outcomes and failures by node id, and the files of all loaded modules; JSON values."""
        recorder = self.recorder
        failures: dict[str, Any] = {}
        for execution in recorder.executions:
            if execution.failures:
                failures[execution.nodeid] = [
                    wire.plain(one._replace(text=one.text[-2000:])) for one in execution.failures
                ]
        return {
            "outcomes": dict(zip(recorder.suite, recorder.outcomes, strict=True)),
            "failures": failures,
            "collected": self._collected,
            "files": _loaded(),
        }


def _loaded() -> list[str]:
    files = (getattr(module, "__file__", None) for module in list(sys.modules.values()))
    return sorted({file for file in files if isinstance(file, str)})
