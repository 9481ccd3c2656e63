"""A pytest plugin of the benchmark: notes outcomes and verdicts, and fails chosen tests.

It is loaded in every run, so that it is no difference between any two of them.  What it does is
told by ``VERDICTS_OUT``, the JSON file that it leaves, and ``VERDICTS_INJECT``, a JSON file of
node ids and names of exceptions: such a test runs to its end and raises the exception then, for a
cause that is in no file.  Instead of an exception it may name a kind of flakiness, see ``_KINDS``;
what lasts from one process to the next is in the folder ``VERDICTS_STATE``.  ``VERDICTS_WORLD`` is
a JSON file of absolute paths and texts: modules are loaded from these texts, though other ones lie
on the disk.  So tests fail just as they will once the texts are committed, and not by a change.
"""

from __future__ import annotations

import importlib.machinery
import json
import linecache
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
        self._item = ""
        self._seen: set[str] = set()
        self._asked: frozenset[str] = frozenset()
        self._held: list[socket.socket] = []

    def fails(self, kind: str, item: str) -> bool:
        """Ask once for each attempt of a test."""
        self._ran += item not in self._seen
        self._seen.add(item)
        self._item = item
        return bool(getattr(self, kind)())

    def clock(self) -> bool:
        """After a certain day."""
        return time.time() > float((self._state / "day").read_text())

    def seed(self) -> bool:
        """A number that is drawn anew each time."""
        return self._again(0.5)

    def race(self) -> bool:
        """Two threads, one of which rarely comes first."""
        return self._again(0.2)

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

    def disk(self) -> bool:
        """A disk that is full as long as the session runs."""
        return not self._trial

    def outage(self) -> bool:
        """A service that is down as long as the session runs."""
        return not self._trial

    def service(self) -> bool:
        """A service that stays down."""
        return True

    def zone(self) -> bool:
        """A session in which it is another day elsewhere."""
        return not self._trial

    def wait(self) -> bool:
        """Something that is mostly ready in time."""
        return self._again(0.2)

    def network(self) -> bool:
        """A connection that is mostly not reset."""
        return self._again(0.2)

    def _again(self, often: float) -> bool:
        """The first time, and then so often."""
        first, self._asked = self._item not in self._asked, self._asked | {self._item}
        return (first and not self._trial) or _CHANCE.random() < often

    def error(self, kind: str) -> Exception:
        """What such a test raises; numbers differ each time."""
        number = _CHANCE.randrange(20_000, 60_000)
        errors = {
            "clock": ValueError(f"the certificate has expired ({time.strftime('%Y-%m-%d')})"),
            "disk": OSError(28, f"No space left on device: '/tmp/pytest-of-ci/{number}/data'"),
            "file": FileExistsError(17, f"File exists: '/tmp/pytest-of-ci/{number}/left-over.tmp'"),
            "network": ConnectionResetError(104, "Connection reset by peer"),
            "outage": ConnectionRefusedError(111, f"Connection refused: localhost:{number}"),
            "port": OSError(98, f"Address already in use: port {number}"),
            "wait": TimeoutError(f"not ready after 5.{number} seconds"),
        }
        told = {"seed": f"assert 0.{number} < 0.2", "order": "assert [1, 2] == [2]"}
        return errors.get(kind) or AssertionError(told.get(kind, f"flaky by {kind}"))


def _another_world(texts: dict[str, str]) -> None:
    """Load these files from these texts."""
    real = importlib.machinery.SourceFileLoader.get_data

    def get_data(loader: Any, path: str) -> bytes:
        return texts[path].encode() if path in texts else real(loader, path)

    loaders: Any = importlib.machinery.SourceFileLoader
    loaders.get_data = get_data
    for path, text in texts.items():  # for the code in tracebacks
        linecache.cache[path] = (len(text), None, text.splitlines(keepends=True), path)


def pytest_configure(config: pytest.Config) -> None:
    """Add the part that remembers."""
    world = os.environ.get("VERDICTS_WORLD")
    if world:
        _another_world(json.loads(Path(world).read_text("utf-8")))
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
        if error is not None and self._kinds.fails(error, item.nodeid):
            raise self._kinds.error(error)
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
