"""A pytest plugin of the benchmark: notes outcomes and verdicts, and fails chosen tests.

It is loaded in every run, so that it is no difference between any two of them.  What it does is
told by ``VERDICTS_OUT``, the JSON file that it leaves, and ``VERDICTS_INJECT``, a JSON file of
node ids and names of exceptions: such a test runs to its end and raises the exception then, for a
cause that is in no file.  Instead of an exception it may name a kind of flakiness, see ``_KINDS``;
what lasts from one process to the next is in the folder ``VERDICTS_STATE``.
"""

from __future__ import annotations

import json
import os
import random
import socket
import time
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

_CHANCE = random.SystemRandom()


class _Kinds:
    """Ways in which tests are flaky; each method says whether the test fails now."""

    def __init__(self, state: Path) -> None:
        self._state = state
        self._trial = "FLAKEFIGHTERS_TRIAL" in os.environ
        self._ran = 0
        self._held: list[socket.socket] = []

    def fails(self, kind: str) -> bool:
        """Ask once per test and process."""
        self._ran += 1
        return bool(getattr(self, kind)())

    def clock(self) -> bool:
        """After a certain day."""
        return time.time() > float((self._state / "day").read_text())

    def seed(self) -> bool:
        """A number that is drawn anew each time."""
        return not self._trial or _CHANCE.random() < 0.5

    def race(self) -> bool:
        """Two threads, one of which rarely comes first."""
        return not self._trial or _CHANCE.random() < 0.2

    def order(self) -> bool:
        """Where another test ran before it."""
        return self._ran > 1 or not self._trial

    def port(self) -> bool:
        """A port that another test of the session still holds."""
        if not self._held and not self._trial:
            holder = socket.socket()
            holder.bind(("127.0.0.1", 0))
            holder.listen()
            (self._state / "port").write_text(str(holder.getsockname()[1]))
            self._held.append(holder)
        with socket.socket() as mine:
            return mine.connect_ex(("127.0.0.1", int((self._state / "port").read_text()))) == 0

    def file(self) -> bool:
        """A file in the project that an earlier test has left."""
        left = Path("left-over.tmp")
        if not self._trial:
            left.touch()
        return left.exists()

    def outage(self) -> bool:
        """A service that is down as long as the session runs."""
        return not self._trial

    def service(self) -> bool:
        """A service that stays down."""
        return True


def pytest_configure(config: pytest.Config) -> None:
    """Add the part that remembers."""
    out = os.environ.get("VERDICTS_OUT")
    if out:
        inject = os.environ.get("VERDICTS_INJECT")
        chosen = json.loads(Path(inject).read_text("utf-8")) if inject else {}
        state = Path(os.environ.get("VERDICTS_STATE", "."))
        if "FLAKEFIGHTERS_TRIAL" in os.environ:
            out = os.devnull  # the session's own notes are not a trial's
        config.pluginmanager.register(_Notes(out, chosen, state), "verdicts-notes")


class _Notes:
    def __init__(self, out: str, chosen: dict[str, str], state: Path) -> None:
        self._kinds = _Kinds(state)
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
        if error in _ERRORS:
            raise _ERRORS[error]
        if error is not None and self._kinds.fails(error):
            raise AssertionError(f"flaky by {error}")
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
