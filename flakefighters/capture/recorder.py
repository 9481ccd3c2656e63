"""Turns the stream of pytest's reports into the outcomes and executions of one run.

Passing in one attempt is the common case: it costs two list items and no object.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import field
from typing import TYPE_CHECKING, Any, Final

from flakefighters.capture.reports import (
    ATTRIBUTE,
    is_subtest,
    outcome_of,
    read,
)
from flakefighters.model import Execution, Outcome, Phase
from flakefighters.records import record

if TYPE_CHECKING:
    from flakefighters.capture.reports import (
        Describe,
        Seen,
    )
    from flakefighters.model import Failure

__all__ = ["Closed", "Recorder"]

_POSITION: Final = {"setup": 0, "call": 1, "teardown": 2}
_UNIT: Final = 10_000  # durations are kept in units of 100 µs, of which a second has so many
#: A longer duration (in seconds, a year) is no duration.
_LONGEST: Final = 366 * 86_400
_SUM: Final = r"contains \d+ failed subtests?"
#: Characters of output kept of an execution.
_MOST_OUTPUT: Final = 65_536


@record
class _Open:
    """An attempt at a test that has not ended."""

    worker: str | None
    durations: list[float | None] = field(default_factory=lambda: [None, None, None])
    #: Its setup, and its call, have been reported.
    begun: bool = False
    called: bool = False
    #: Set by everything that is not a plain passed report.
    seen: list[Seen] = field(default_factory=list)
    #: What was captured up to its last report: (title, text).
    captured: Sequence[tuple[str, str]] = ()

    def reached(self, when: str, duration: Any, *, subtest: bool) -> None:
        """Note that a phase was reported, and how long it took."""
        self.begun = self.begun or when == "setup"
        self.called = self.called or (when == "call" and not subtest)
        position = _POSITION.get(when)
        if position is not None:
            longest = self.durations[position] or 0.0
            self.durations[position] = max(longest, _seconds(duration))


#: What one ended attempt adds: (position in the suite, durations in 100 µs, execution or None).
Closed = tuple[int, tuple[int, int, int], Execution | None]


class Recorder:
    """Collects what a controller (or the only process) hears of its tests."""

    def __init__(
        self, describe: Describe, clean: Callable[[str], str] = str, *, output: bool = False
    ) -> None:
        """``clean`` takes secrets out of a text; ``output``: keep what failing tests printed."""
        self._describe, self._clean, self._output = describe, clean, output
        self.suite: list[str] = []
        self._index: dict[str, int] = {}
        self._outcomes: list[str] = []
        self._durations = array("I")
        #: How many attempts have ended.
        self._attempts: dict[int, int] = {}
        #: Positions of tests of which an attempt failed.
        self._failed: set[int] = set()
        self._open: dict[tuple[str, str | None], _Open] = {}
        self._order: dict[str | None, array[int]] = {}
        self.executions: list[Execution] = []
        self.marks: dict[str, Mapping[str, Any]] = {}
        self.collection_errors: list[str] = []
        #: Some worker process died.
        self.crashed = False

    # -- what pytest tells -----------------------------------------------------------------

    def collected(self, nodeids: Iterable[str]) -> None:
        """Add members to the suite; may be called once per xdist worker."""
        for nodeid in nodeids:
            if nodeid not in self._index:
                self._index[nodeid] = len(self.suite)
                self.suite.append(nodeid)
                self._outcomes.append(Outcome.NOT_RUN.value)
                self._durations.extend((0, 0, 0))

    def not_collected(self, report: Any) -> list[Closed]:
        """Take in that a file (or folder, or class) could not be collected.

        It is an error under the collector's own node id, in the phase "setup": none of its tests
        has a name yet.  It is a member of the suite in this run alone.
        """
        nodeid = report.nodeid or "."  # the session's own has none
        if nodeid in self.collection_errors:
            return []  # another worker says the same
        self.collection_errors.append(nodeid)
        position = self._position(nodeid)
        failure = read(report, self._describe, self._clean).failure
        execution = Execution(
            nodeid=nodeid,
            attempt=1,
            outcome=Outcome.ERROR,
            failures=() if failure is None else (failure,),
            reason="it could not be collected",
        )
        self._attempts[position] = 1
        self._failed.add(position)
        self.executions.append(execution)
        self._outcomes[position] = Outcome.ERROR.value
        return [(position, (0, 0, 0), execution)]

    def started(self, nodeid: str) -> int:
        """The test's position; pytest has begun with it."""
        return self._position(nodeid)

    def report(self, report: Any, worker: str | None = None) -> list[Closed]:
        """Take one report in; return the attempts that it ended."""
        when = report.when
        closed: list[Closed] = []
        current = self._open.get((report.nodeid, worker))
        seen = self._read(report)
        subtest = is_subtest(report)
        if current is not None and _is_over(current, when, subtest):
            if seen is not None and seen.hidden:
                # What was kept back before this report belongs to the attempt before it.
                current.seen.extend(seen.hidden)
                seen = None if seen.outcome == "passed" else seen._replace(hidden=())
            closed.extend(self._close(report.nodeid, worker))
            current = self._begin(report.nodeid, worker)
            current.begun = True
        elif current is None:
            current = self._begin(report.nodeid, worker)
        current.reached(when, report.duration, subtest=subtest)
        if self._output:
            current.captured = report.sections
        if seen is not None:
            current.seen.append(seen)
            if seen.marks:
                self.marks[report.nodeid] = seen.marks
        if when == "teardown" or (seen is not None and seen.crashed):
            closed.extend(self._close(report.nodeid, worker))
        return closed

    def ended(self, nodeid: str) -> list[Closed]:
        """Pytest is done with the test (in one of its workers): close attempts left open."""
        if (nodeid, None) in self._open:
            return self._close(nodeid, None)
        return []

    def unfinished(self, reason: str) -> list[Closed]:
        """Close what is still open at the very end; it never came to its teardown."""
        closed: list[Closed] = []
        for nodeid, worker in list(self._open):
            closed.extend(self._close(nodeid, worker, reason))
        return closed

    # -- what a run needs ------------------------------------------------------------------

    @property
    def outcomes(self) -> str:
        """One character of :class:`Outcome` per member of the suite."""
        return "".join(self._outcomes)

    @property
    def durations(self) -> Sequence[int]:
        """setup, call, teardown of each member's last attempt, in units of 100 µs, flat."""
        return self._durations

    @property
    def order(self) -> list[list[int]] | None:
        """Positions in order of start, a list per worker; None if it was collection order."""
        orders = [list(order) for _, order in sorted(self._order.items(), key=str)]
        if len(orders) == 1 and all(a < b for a, b in zip(orders[0], orders[0][1:], strict=False)):
            return None
        return orders or None

    @property
    def complete(self) -> bool:
        """Every member of the suite has reported to its end."""
        missing = {Outcome.NOT_RUN.value, Outcome.UNFINISHED.value}
        return not self.collection_errors and missing.isdisjoint(self._outcomes)

    # -- inside ----------------------------------------------------------------------------

    def _read(self, report: Any) -> Seen | None:
        """The facts of a report; None for a plain pass."""
        plain = outcome_of(report) == "passed" and not hasattr(report, "wasxfail")
        if plain and getattr(report, ATTRIBUTE, None) is None:
            return None
        return read(report, self._describe, self._clean)

    def _position(self, nodeid: str) -> int:
        if nodeid not in self._index:
            self.collected([nodeid])
        return self._index[nodeid]

    def _begin(self, nodeid: str, worker: str | None) -> _Open:
        position = self._position(nodeid)
        if position not in self._attempts:
            self._attempts[position] = 0
            self._order.setdefault(worker, array("I")).append(position)
        current = self._open[nodeid, worker] = _Open(worker)
        return current

    def _close(self, nodeid: str, worker: str | None, reason: str | None = None) -> list[Closed]:
        current = self._open.pop((nodeid, worker))
        position = self._index[nodeid]
        seen = [*current.seen]
        for one in current.seen:
            seen.extend(one.hidden)
        if not current.called and not seen and reason is None:
            return []  # an attempt of which nothing but a passed setup was shown is none
        # Counted as they end: in two workers attempts at one test can go on at once.
        self._attempts[position] = number = self._attempts[position] + 1
        units = tuple(min(round((span or 0.0) * _UNIT), 2**32 - 1) for span in current.durations)
        durations = (units[0], units[1], units[2])
        self._durations[3 * position : 3 * position + 3] = array("I", durations)
        execution: Execution | None = None
        earlier: list[Closed] = []
        if seen or reason is not None or number > 1:
            execution = _execution(nodeid, number, current, seen, reason)
            if execution.failures and current.captured:
                printed = self._clean(_joined(current.captured))[-_MOST_OUTPUT:]
                execution = execution._replace(output=printed)
            if number > 1:
                earlier = self._first_pass(nodeid, position)
            self.crashed = self.crashed or any(one.crashed for one in seen)
            self.executions.append(execution)
        self._settle(position, execution)
        return [*earlier, (position, durations, execution)]

    def _first_pass(self, nodeid: str, position: int) -> list[Closed]:
        """A test with several attempts has a row for each, so for a first one that passed too."""
        if self._outcomes[position] != Outcome.PASSED.value or any(
            known.nodeid == nodeid for known in self.executions
        ):
            return []
        first = Execution(nodeid=nodeid, attempt=1, outcome=Outcome.PASSED)
        self.executions.append(first)
        return [(position, (0, 0, 0), first)]

    def _settle(self, position: int, execution: Execution | None) -> None:
        """Fold the attempt's outcome into the test's."""
        outcome = Outcome.PASSED if execution is None else execution.outcome
        if execution is not None and execution.failures:
            self._failed.add(position)
        if outcome is Outcome.PASSED and position in self._failed:
            outcome = Outcome.MIXED  # whatever lies between the failure and the pass
        self._outcomes[position] = outcome.value


def _seconds(value: Any) -> float:
    """A duration; 0.0 for what is none: tests and plugins can alter the clock behind it."""
    usable = isinstance(value, (int, float)) and 0 <= value < _LONGEST
    return float(value) if usable else 0.0


def _is_over(current: _Open, when: str, subtest: bool) -> bool:
    """Whether a report is the first of another attempt.

    pytest-rerunfailures logs an attempt's setup after its subtests: an attempt without a setup is
    going on.  pytest-retry logs the call of each attempt within one setup and teardown.
    """
    if when == "setup":
        return current.begun
    return when == "call" and not subtest and current.called


def _joined(captured: Sequence[tuple[str, str]]) -> str:
    """Captured text below its titles; of very much of it the end, where the failure is."""
    whole = "\n".join(f"--- {title} ---\n{text.rstrip()}" for title, text in captured if text)
    return whole[-4 * _MOST_OUTPUT :]


def _execution(
    nodeid: str, number: int, current: _Open, seen: Sequence[Seen], reason: str | None
) -> Execution:
    failures = _different(one.failure for one in seen if one.failure is not None)
    outcome, why = _outcome(seen)
    if reason is not None and outcome is Outcome.PASSED:
        outcome = Outcome.UNFINISHED
    durations = [None if span is None else round(span * 1_000_000) for span in current.durations]
    return Execution(
        nodeid=nodeid,
        attempt=number,
        outcome=outcome,
        durations=(durations[0], durations[1], durations[2]),
        failures=failures,
        reason=reason or why,
        worker=current.worker,
    )


def _different(failures: Iterable[Failure]) -> tuple[Failure, ...]:
    """The failures, without those that cannot be told apart: one subtest in many threads.

    The last of them knows most of what the test has run.  Under xdist pytest's report of the call
    fails as well if a subtest has failed, and says nothing but that.
    """
    found = {(one.phase, one.subtest, one.signature): one for one in failures}.values()
    parts = any(one.subtest is not None for one in found)
    return tuple(one for one in found if not (parts and _is_a_sum(one)))


def _is_a_sum(failure: Failure) -> bool:
    whole = failure.phase is Phase.CALL and failure.subtest is None
    return whole and re.fullmatch(_SUM, failure.text.strip()) is not None


def _outcome(seen: Sequence[Seen]) -> tuple[Outcome, str | None]:
    """How an attempt ended, from its reports that were not plain passes."""
    failed = [one for one in seen if one.failure is not None]
    if any(one.crashed for one in failed):
        return Outcome.FAILED, "the process that ran it died"
    if any(one.phase is Phase.CALL for one in failed):
        return Outcome.FAILED, None
    if failed:
        return Outcome.ERROR, None
    for one in seen:
        if one.subtest is not None:
            continue
        if one.wasxfail is not None:
            expected = Outcome.XFAILED if one.outcome == "skipped" else Outcome.XPASSED
            return expected, one.wasxfail or None
        if one.outcome == "skipped":
            return Outcome.SKIPPED, one.reason
    return Outcome.PASSED, None
