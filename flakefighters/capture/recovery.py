"""Reading a journal back, as data of an unknown machine: bounded, typed, never through a link.

A user who can write into a project's folder can leave a file there that looks like a journal.  What
is not a plain file, or holds more than a run can, is a :class:`JournalError`, whatever it is.
Whether the run makes sense is for the history to say.
"""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import field
from pathlib import Path
from typing import Any, BinaryIO, Final

from flakefighters.capture import wire
from flakefighters.capture.journal import CAP, FORMAT
from flakefighters.errors import FlakefightersError
from flakefighters.ids import storable, unstorable
from flakefighters.model import (
    Completeness,
    Environment,
    Execution,
    Outcome,
    Project,
    Run,
    RunHead,
    State,
    Verdict,
)
from flakefighters.records import record

__all__ = [
    "JournalError",
    "Recovered",
    "heading",
    "open_plain",
    "parse",
    "recover",
]

#: What one line may have: bytes, and values.  Of one byte of JSON Python can make dozens.
_LINE: Final = 64_000_000
_VALUES: Final = 4_000_000
#: A first line has a head, the files that were edited, and the distributions.
_FIRST_LINE: Final = 16_000_000
_TESTS: Final = 200_000
_EXECUTIONS: Final = 100_000
_ADDRESS: Final = 1_000
#: Whatever malformed data provoke while they are read.
_MALFORMED: Final = (
    *(ValueError, TypeError, KeyError, IndexError, AttributeError),
    *(OverflowError, RecursionError, MemoryError, PermissionError),
)


class JournalError(FlakefightersError):
    """A journal in the spool cannot be read."""

    slug = "journal"


@record
class Recovered:
    """A journal read back."""

    path: Path
    run: Run
    verdicts: tuple[Verdict, ...]
    #: Where it was meant to go: "local", or user@host:port/database.
    address: str
    #: It came to its end (but not into its history).
    ended: bool
    damaged: int = field(default=0)  # lines that could not be used


class _UnknownTestError(ValueError):
    """A line speaks of a test that was never told."""


def open_plain(path: Path, owners: Collection[int] | None = None) -> BinaryIO:
    """Open a plain file for reading, of one of ``owners`` (None: all users), without waiting.

    OSError if it cannot be opened, ValueError for anything that is no plain file of theirs.
    """
    _check_plain(os.lstat(path), owners)  # first: to open a device can do things
    flags = os.O_RDONLY
    for name in ("O_CLOEXEC", "O_NOFOLLOW", "O_NONBLOCK", "O_BINARY"):
        flags |= getattr(os, name, 0)
    descriptor = os.open(path, flags)
    try:
        _check_plain(os.fstat(descriptor), owners)  # it may be another one by now
        return os.fdopen(descriptor, "rb")
    except BaseException:
        os.close(descriptor)
        raise


def _check_plain(facts: os.stat_result, owners: Collection[int] | None) -> None:
    if not stat.S_ISREG(facts.st_mode):
        raise ValueError("it is not a plain file")
    if owners is not None and facts.st_uid not in owners:
        raise ValueError(f"it belongs to another user (uid {facts.st_uid})")
    if facts.st_size > CAP * 5 // 4:
        raise ValueError(f"it has {facts.st_size:,} bytes, more than any run writes")


def parse(line: bytes, largest: int = _LINE) -> Any:
    """One line as a JSON value; ValueError if it is none, or holds too much."""
    if len(line) > largest:
        raise ValueError(f"a line has over {largest:,} bytes")
    if line.count(b",") + line.count(b"[") + line.count(b"{") > _VALUES:
        raise ValueError(f"a line holds over {_VALUES:,} values")
    try:
        return json.loads(line)
    except RecursionError:
        raise ValueError("a line is nested too deeply") from None
    except ValueError as error:  # it would show what the line says
        raise ValueError(f"a line is no JSON ({type(error).__name__})") from None


def heading(path: Path, owners: Collection[int] | None = None) -> dict[str, Any]:
    """The first line of a journal, of this version or a later one: see its ``flakefighters``.

    Raises:
        JournalError: if it is no journal, or not of one of ``owners``.
        OSError: if it cannot be read this time.
    """
    try:
        with open_plain(path, owners) as file:
            return _heading(file)
    except _MALFORMED as error:
        raise _unreadable(path, error) from None


def _heading(file: BinaryIO) -> dict[str, Any]:
    line = parse(file.readline(_FIRST_LINE + 1), _FIRST_LINE)
    version = line.get("flakefighters") if isinstance(line, dict) else None
    if type(version) is not int or version < FORMAT:
        raise ValueError("it is not a journal")
    address = line.setdefault("address", "local")
    if version == FORMAT and not (
        isinstance(address, str) and address.isprintable() and 0 < len(address) <= _ADDRESS
    ):
        raise ValueError("the history that it is meant for is malformed")
    return dict(line)


def _unreadable(path: Path, error: BaseException) -> JournalError:
    known = isinstance(error, ValueError) and type(error) in (ValueError, _UnknownTestError)
    what = str(error) if known else getattr(error, "strerror", None) or type(error).__name__
    return JournalError(
        f"the journal {path.name} cannot be read: {what}",
        remedy="remove the file if you do not know it",
    )


def recover(path: Path, owners: Collection[int] | None = None) -> Recovered:
    """Read a journal back as far as it goes.

    Raises:
        JournalError: if it has no beginning, or anything but its end is malformed.
        OSError: if it cannot be read this time.
    """
    try:
        with open_plain(path, owners) as file:
            first = _heading(file)
            if first["flakefighters"] != FORMAT:
                raise ValueError("a later version of flakefighters wrote it")
            return _Reader(path, first, _lines(file)).recovered()
    except _MALFORMED as error:
        raise _unreadable(path, error) from None


def _lines(file: BinaryIO) -> Iterator[bytes]:
    while line := file.readline(_LINE + 1):
        yield line


class _Reader:
    """Plays a journal again."""

    def __init__(self, path: Path, first: dict[str, Any], lines: Iterator[bytes]):
        self.path = path
        self.suite: list[str] = []
        self.outcomes: list[str] = []
        self.durations: list[int] = []
        self.executions: list[Execution] = []
        self.begun: dict[int, bool] = {}
        self.last: Mapping[str, Any] = {}
        self.damaged = 0
        self.first = first
        for line in lines:
            try:
                self._take(parse(line))
            except _UnknownTestError:
                self.damaged += 1  # it was not collected, only run
            except _MALFORMED:
                if line.endswith(b"\n"):
                    raise
                self.damaged += 1  # the end was cut off in the middle of a line

    def _take(self, line: Any) -> None:
        if isinstance(line, list):
            position = self._position(line[0])
            if len(line) == 1:
                self.begun[position] = True
            else:
                self._ended(position, line[1:], Outcome.PASSED)
        elif not isinstance(line, dict):
            raise TypeError("expected an object")
        elif "suite" in line:
            self._told(line["suite"])
        elif "x" in line:
            execution = wire.load(Execution, line["execution"])
            position, *durations = line["x"]
            self._ended(self._position(position), durations, execution.outcome)
            self.executions.append(execution)
            if len(self.executions) > _EXECUTIONS:
                raise ValueError("it has too many executions")
        elif line.get("end"):
            self.last = line

    def _told(self, suite: Any) -> None:
        if not isinstance(suite, list) or not all(isinstance(nodeid, str) for nodeid in suite):
            raise TypeError("expected a list of node ids")
        if len(self.suite) + len(suite) > _TESTS:
            raise ValueError("it has too many tests")
        self.suite.extend(unstorable(storable(nodeid)) for nodeid in suite)
        self.outcomes.extend(Outcome.NOT_RUN.value * len(suite))
        self.durations.extend([0] * 3 * len(suite))

    def _position(self, value: Any) -> int:
        """A member of the suite; ValueError for anything else."""
        if type(value) is not int or not 0 <= value < _TESTS:
            raise ValueError("a position is malformed")
        if value >= len(self.suite):
            raise _UnknownTestError("no such position")
        return value

    def _ended(self, position: int, durations: Sequence[Any], outcome: Outcome) -> None:
        if len(durations) != 3 or any(type(span) is not int for span in durations):
            raise ValueError("expected three durations")
        self.begun[position] = False
        before = self.outcomes[position]
        if outcome is Outcome.PASSED and before in "FER":
            outcome = Outcome.MIXED
        self.outcomes[position] = outcome.value
        self.durations[3 * position : 3 * position + 3] = durations

    def recovered(self) -> Recovered:
        head = wire.load(RunHead, self.last.get("head") or self.first["head"])
        ended = bool(self.last)
        if not ended:
            for position, open_ in self.begun.items():
                if open_ and self.outcomes[position] == Outcome.NOT_RUN.value:
                    self.outcomes[position] = Outcome.UNFINISHED.value
                    self.executions.append(
                        Execution(
                            nodeid=self.suite[position],
                            attempt=1,
                            outcome=Outcome.UNFINISHED,
                            reason="the run ended during this test",
                        )
                    )
            head = head._replace(completeness=Completeness.INTERRUPTED)
        state = self.last.get("state") or self.first.get("state")
        environment = self.last.get("environment") or self.first.get("environment")
        run = Run(
            head=head,
            project=wire.load(Project, self.first["project"]),
            state=None if state is None else wire.load(State, state),
            environment=None if environment is None else wire.load(Environment, environment),
            suite=self.suite,
            outcomes="".join(self.outcomes),
            durations=self.durations,
            order=self.last.get("order"),
            executions=self.executions,
            seen=self.last.get("seen") or {},
        )
        return Recovered(
            path=self.path,
            run=run,
            verdicts=tuple(wire.load(Verdict, one) for one in self.last.get("verdicts", ())),
            address=self.first["address"],
            ended=ended,
            damaged=self.damaged,
        )
