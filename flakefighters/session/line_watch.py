"""Which lines each attempt ran: in the only process, or in each xdist worker.

The lines of an attempt are known when its teardown is over, and leave the process on the next
report that is logged: pytest-rerunfailures logs none of an attempt before that.  Most attempts are
passed ones of tests that never fail, and nothing is told of them.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

from flakefighters.capture.nodeids import Names
from flakefighters.capture.reports import outcome_of
from flakefighters.model.spectra import ranges
from flakefighters.originals import real

if TYPE_CHECKING:
    from flakefighters.tracing.session import TraceSession

__all__ = ["LINES", "TOLD", "LineWatch"]

#: The private attribute on a report: what attempts ran, as plain data.
LINES: Final = "_flakefighters_lines"
#: The key in what controller and workers tell each other.
TOLD: Final = "flakefighters_localise"

#: Attempts of one process that are told of; passed ones of a test that wait for a failure.
_MOST_ATTEMPTS: Final = 1_000
_MOST_WAITING: Final = 20
#: Lines of one attempt.
_MOST_LINES: Final = 50_000

#: That it was not begun, as no trouble is one of the tracer's own.
_NOT_WATCHED: Final = "lines are not watched in a process that runs tests"
_ONE_ID: Final = "lines are not watched: other tools hold the monitoring ids that this needs"


class LineWatch:
    """Tells what attempts at tests ran that failed, or were flaky before."""

    def __init__(self, trace: TraceSession | None, rootdir: Path, told: Mapping[str, Any]):
        """``told``: what the controller knows, see :meth:`told`."""
        self._trace = trace
        self._pid = real.getpid()
        self._flaky = frozenset(told["names"])
        self._names = Names(rootdir, Path(told["base"]), groups=bool(told["groups"]))
        #: The test that is under way, and whether an attempt at it is, and failed or passed so far.
        self._nodeid: str | None = None
        self._begun = self._failed = self._passed = self._raised = False
        #: Passed attempts at it, as long as none failed.
        self._waiting: list[dict[str, Any]] = []
        self._wanted = False
        self._outbox: list[dict[str, Any]] = []
        self._told = 0
        #: Attempts that were not told of for want of room.
        self._left = 0
        self._trouble: str | None = None

    @staticmethod
    def told(names: frozenset[str], base: Path, *, groups: bool) -> dict[str, Any]:
        """What a process must know, as values that can be sent to it.

        ``names``: tests that were flaky before, as the history has them; ``base``: what their paths
        are relative to; ``groups``: pytest-xdist adds groups to node ids.
        """
        return {"names": sorted(names), "base": str(base), "groups": groups}

    def said(self) -> dict[str, Any]:
        """What the controller must know at the end, as values that can be sent to it."""
        trouble = self._trouble
        if trouble is None and self._trace is not None and self._trace.take_lines() is None:
            trouble = self._trace.trouble or _ONE_ID
        return {"trouble": trouble or (None if self._trace else _NOT_WATCHED), "left": self._left}

    # -- hooks -------------------------------------------------------------------------------

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: Any) -> None:
        """An attempt begins; pytest-retry begins the next one before it reports the last."""
        if self._asleep:
            return
        if self._begun:
            self._close(failed=self._raised, passed=False)
        if item.nodeid != self._nodeid:
            self._nodeid, self._waiting = item.nodeid, []
            self._wanted = bool(self._flaky) and self._names(item.nodeid) in self._flaky
        self._begun, self._failed, self._passed, self._raised = True, False, False, False

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self) -> Generator[None, Any, Any]:
        """What the test raises may be known here alone."""
        try:
            return (yield)
        except BaseException:
            self._raised = True
            raise

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_makereport(self) -> Generator[None, Any, Any]:
        """How a phase ended; with the teardown the attempt is over."""
        report = yield
        if not self._asleep and report.nodeid == self._nodeid:
            outcome = outcome_of(report)
            self._failed = self._failed or outcome == "failed"
            if report.when == "call" and outcome == "passed" and not hasattr(report, "wasxfail"):
                self._passed = True
            if report.when == "teardown" and self._begun:
                self._close(failed=self._failed, passed=self._passed)
        return report

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: Any) -> None:
        """What is known leaves this process."""
        if self._outbox and not self._asleep:
            setattr(report, LINES, self._outbox)
            self._outbox = []

    def pytest_sessionfinish(self, session: Any) -> None:
        """Tell an xdist controller of trouble."""
        output = getattr(session.config, "workeroutput", None)
        if output is not None and real.getpid() == self._pid:
            output[TOLD] = self.said()

    # -- attempts ----------------------------------------------------------------------------

    @property
    def _asleep(self) -> bool:
        return self._trace is None or self._trouble is not None or real.getpid() != self._pid

    def _close(self, *, failed: bool, passed: bool) -> None:
        """The attempt is over: keep what it ran, if it may matter."""
        self._begun = False
        try:
            ran = None if self._trace is None else self._trace.take_lines()
            if ran is None or not (failed or passed):
                return
            if sum(map(len, ran.values())) > _MOST_LINES:
                self._left += 1
                return
            self._waiting.append({"test": self._nodeid, "failed": failed, "ran": _plain(ran)})
        except Exception as error:  # tests replace all kinds of things: theirs must go on
            self._trouble = f"watching lines raised {error!r:.120}"
            return
        self._wanted = self._wanted or failed
        if not self._wanted:
            del self._waiting[:-_MOST_WAITING]
            return
        room = _MOST_ATTEMPTS - self._told
        self._left += max(0, len(self._waiting) - room)
        self._outbox += self._waiting[:room]
        self._told += len(self._waiting[:room])
        self._waiting = []


def _plain(ran: Mapping[Any, set[int]]) -> list[list[Any]]:
    """Path, qualified name, first line, and lines as firsts and lasts of ranges."""
    return [
        [
            *(one.encode("utf-8", "backslashreplace").decode() for one in (code.path, code.name)),
            code.line,
            [number for pair in ranges(lines) for number in pair],
        ]
        for code, lines in ran.items()
    ]
