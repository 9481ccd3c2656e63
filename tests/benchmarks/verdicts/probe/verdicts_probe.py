"""A pytest plugin of the benchmark: notes outcomes and verdicts, and fails chosen tests.

It is loaded in every run, so that it is no difference between any two of them.  What it does is
told by ``VERDICTS_OUT``, the JSON file that it leaves, and ``VERDICTS_INJECT``, a JSON file of
node ids and names of exceptions: such a test runs to its end and raises the exception then, for a
cause that is in no file.
"""

from __future__ import annotations

import json
import os
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

_ERRORS = {
    "ConnectionError": ConnectionResetError("[Errno 104] Connection reset by peer"),
    "TimeoutError": TimeoutError("timed out after 5.0 seconds"),
    "AssertionError": AssertionError("expected 200, the server said 503"),
    "OSError": OSError(28, "No space left on device"),
}


def pytest_configure(config: pytest.Config) -> None:
    """Add the part that remembers."""
    out = os.environ.get("VERDICTS_OUT")
    if out:
        inject = os.environ.get("VERDICTS_INJECT")
        chosen = json.loads(Path(inject).read_text("utf-8")) if inject else {}
        config.pluginmanager.register(_Notes(out, chosen), "verdicts-notes")


class _Notes:
    def __init__(self, out: str, chosen: dict[str, str]) -> None:
        self._out = os.open(out, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        self._write, self._close, self._dumps = os.write, os.close, json.dumps
        self._chosen = chosen
        self._outcomes: dict[str, str] = {}
        self._errors: dict[str, str] = {}
        self._verdicts: list[dict[str, Any]] = []

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, Any, Any]:
        result = yield
        error = self._chosen.get(item.nodeid)
        if error is not None:
            raise _ERRORS[error]
        return result

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self._outcomes[report.nodeid] = "collection"
            self._errors[report.nodeid] = str(report.longreprtext)[-300:]

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self._outcomes[report.nodeid] = "failed"
            self._errors.setdefault(report.nodeid, str(report.longreprtext)[-300:])
        elif report.when == "call" and report.passed:
            self._outcomes.setdefault(report.nodeid, "passed")

    @pytest.hookimpl(optionalhook=True)
    def pytest_flakefighters_verdict(self, config: pytest.Config, verdict: Any) -> None:
        self._verdicts.append(
            {
                "nodeid": verdict.nodeid,
                "label": str(verdict.label),
                "confidence": str(verdict.confidence),
                "reason": verdict.reason,
                "evidence": dict(verdict.evidence),
            }
        )

    @pytest.hookimpl(trylast=True)
    def pytest_unconfigure(self) -> None:
        told = {
            "outcomes": self._outcomes,
            "errors": self._errors,
            "verdicts": self._verdicts,
        }
        data = self._dumps(told).encode()
        while data:
            data = data[self._write(self._out, data) :]
        self._close(self._out)
