"""What each test ran, passing ones too, from where tests run to the controller.

Only loaded if a flakefighter that was asked for needs it.  The functions of a test travel with the
report of its teardown, as a private attribute that is gone before other plugins write the report:
a set of bits in hexadecimal digits, and the names of functions that are new to the controller.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator, Mapping
from typing import TYPE_CHECKING, Any, Final

import pytest

from flakefighters.capture.reports import outcome_of, worker_of
from flakefighters.model import Coverage, Outcome

if TYPE_CHECKING:
    from flakefighters.judging.baselines import Lookback
    from flakefighters.model.trace import Code
    from flakefighters.session.protocols import SessionView
    from flakefighters.state.checkout import Checkout
    from flakefighters.tracing.session import TraceSession

__all__ = ["Listener", "Teller", "watched"]

_ATTRIBUTE: Final = "_flakefighters_ran"
#: Bytes that all sets together may have: 20,000 tests in a project of 25,000 functions.
MOST_BYTES: Final = 64_000_000

_RAN: Final = frozenset(one.value for one in (Outcome.PASSED, Outcome.FAILED, Outcome.ERROR))
_UNREADABLE: Final = (AttributeError, LookupError, TypeError, ValueError)
_CANNOT_READ: Final = "what came with a report cannot be read"
_FAILED: Final = frozenset(one.value for one in (Outcome.FAILED, Outcome.ERROR))


class Teller:
    """Attaches what each test ran; in the only process, or in each xdist worker."""

    def __init__(self, trace: TraceSession) -> None:
        self._trace = trace
        #: Attempts that are over and not reported yet, by node id.
        self._ended: dict[str, tuple[set[int], Mapping[int, Code]] | None] = {}
        #: Functions that the controller knows by name.
        self._told: set[int] = set()

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_makereport(
        self, item: Any, call: Any
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        report = yield
        if report.when == "teardown":
            self._ended[report.nodeid] = self._trace.covered(item)
        elif call.excinfo is not None and outcome_of(report) == "failed":
            self._trace.inherit(call.excinfo.value)
        return report

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: Any) -> None:
        if report.when != "teardown" or self._trace.asleep:
            return
        try:
            ended = self._ended.pop(report.nodeid)
        except KeyError:  # made in a child process
            return
        if ended is None:
            setattr(report, _ATTRIBUTE, {"unknown": True})
        else:
            ran, codes = ended
            new = ran - self._told
            self._told |= new
            setattr(report, _ATTRIBUTE, written(ran, {number: codes[number] for number in new}))


def written(ran: set[int], new: Mapping[int, Code]) -> dict[str, Any]:
    """What to attach: plain data."""
    bits = bytearray((max(ran, default=0) >> 3) + 1)
    for number in ran:
        bits[number >> 3] |= 1 << (number & 7)
    return {"ran": bits.hex(), "new": [[one, _name(code)] for one, code in sorted(new.items())]}


def _name(code: Code) -> str:
    """A function as node ids are written: "shop/tax.py::Tax.rate"."""
    # Names of files may hold bytes that are no text, which xdist does not carry.
    return f"{code.path}::{code.name}".encode("utf-8", "backslashreplace").decode()


class Listener:
    """Collects on the controller what each test ran; the last attempt counts."""

    def __init__(self, mode: str) -> None:
        """``mode``: how execution is watched."""
        #: Why nothing can be known; None if it can.
        self.unknown: str | None = None
        if mode == "off":
            self.unknown = "--flakefighters-trace=off"
        elif not hasattr(sys, "monitoring"):
            version = f"{sys.version_info.major}.{sys.version_info.minor}"
            self.unknown = f"Python {version} does not tell which functions run (3.12 does)"
        #: By worker and node id, bits as the worker counts functions.
        self._ran: dict[str, tuple[str | None, bytes]] = {}
        self._names: dict[str | None, dict[int, str]] = {}
        self._bytes = 0

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: Any) -> None:
        told = vars(report).pop(_ATTRIBUTE, None)
        if told is None or self.unknown is not None:
            return
        worker = worker_of(report)
        try:
            self._take(report.nodeid, worker, told)
        except _UNREADABLE:
            self.unknown = _CANNOT_READ

    def _take(self, nodeid: str, worker: str | None, told: Mapping[str, Any]) -> None:
        if "unknown" in told:
            self.unknown = "functions were not watched in all tests"
            return
        bits = bytes.fromhex(told["ran"])
        self._names.setdefault(worker, {}).update(
            (int(one), str(name)) for one, name in told["new"]
        )
        self._bytes += len(bits)
        self._ran[nodeid] = (worker, bits)
        if self._bytes > MOST_BYTES:
            self.unknown = "the tests ran too many functions to keep them"
            self._ran, self._names = {}, {}

    def coverage(self, session: SessionView) -> Coverage | None:
        """What the tests ran, if one failed; a note of the session if that is not known."""
        recorder = session.recorder
        outcomes = dict(zip(recorder.suite, recorder.outcomes, strict=True))
        failed = {one for one, outcome in outcomes.items() if outcome in _FAILED}
        if not failed:
            return None
        if self.unknown is None and not failed & self._ran.keys():
            self.unknown = "the functions that failing tests ran were not seen"
        found = None
        if self.unknown is None:
            try:
                found = self._joined(outcomes, session.names)
            except _UNREADABLE:
                self.unknown = _CANNOT_READ
        if found is None:
            session.notes.append(f"coverage_independence has nothing to go by: {self.unknown}")
            return None
        return found._replace(failed=frozenset(map(session.names, failed)))

    def _joined(self, outcomes: Mapping[str, str], name: Callable[[str], str]) -> Coverage:
        """What the tests ran that passed or failed in the end; workers count in their own ways."""
        numbers: dict[str, int] = {}
        numbered = {
            worker: {own: numbers.setdefault(unit, len(numbers)) for own, unit in units.items()}
            for worker, units in self._names.items()
        }
        ran = {
            name(nodeid): _renumbered(bits, numbered[worker], len(numbers))
            for nodeid, (worker, bits) in self._ran.items()
            if outcomes.get(nodeid) in _RAN
        }
        return Coverage(ran=ran, units=tuple(numbers))


def _renumbered(bits: bytes, numbers: Mapping[int, int], count: int) -> int:
    """A set of functions by the numbers that all workers share."""
    found = bytearray((count >> 3) + 1)
    for place, byte in enumerate(bits):
        while byte:
            number = numbers[8 * place + (byte & -byte).bit_length() - 1]
            found[number >> 3] |= 1 << (number & 7)
            byte &= byte - 1
    return int.from_bytes(found, "little")


def watched(lookback: Lookback, checkout: Checkout, ran: Listener) -> Lookback:
    """What to watch to know what each test ran."""
    if ran.unknown is not None:
        return lookback
    from flakefighters.judging.baselines import packages_of

    watch = lookback.watch
    # Where nothing changed nobody has asked yet which installed copies are the project's.
    packages = watch.packages or packages_of(checkout.files() or {})
    return lookback._replace(watch=watch._replace(packages=packages, each_test=True))
