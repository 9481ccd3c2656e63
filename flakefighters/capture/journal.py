"""The journal: what a run knows, on disk while it runs, so that no kill can take it away.

One file of JSON lines per run, mode 0600, under ``.flakefighters/spool/``.  The first line says
which run this is and which history it is meant for; then come the suite, the ended attempts and
the tests that were begun; the last line of a run that came to its end says so.  The file is
opened, appended to and closed each time: no descriptor of ours is open while tests run.

A journal is read back as *data of an unknown machine*: bounded, and checked by the history.
"""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from flakefighters.capture import wire
from flakefighters.capture.recorder import Closed
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
from flakefighters.originals import real

__all__ = [
    "CAP",
    "Journal",
    "JournalError",
    "Recovered",
    "address_of",
    "leftovers",
    "recover",
]

FORMAT: Final = 1
CAP: Final = 200_000_000  # bytes


class JournalError(FlakefightersError):
    """A journal in the spool cannot be read."""

    slug = "journal"


class Journal:
    """Appends to the journal of the run that is going on.

    Tests may fake the file system meanwhile: it goes through the originals.
    """

    def __init__(self, folder: Path, run: str):
        self.path = folder / f"{run}.jsonl"
        self._name = str(self.path)
        self._dumps = json.JSONEncoder(ensure_ascii=True, separators=(",", ":")).encode
        self._pid = real.getpid()
        self._buffer: list[str] = []
        self.written = 0
        #: Why nothing is written any more, None as long as it is.
        self.trouble: str | None = None

    def begin(
        self,
        head: RunHead,
        project: Project,
        state: State | None,
        environment: Environment | None,
        address: str,
    ) -> None:
        """Create the file with its first line."""
        first = {
            "flakefighters": FORMAT,
            "head": wire.dump(head),
            "project": wire.dump(project),
            "state": None if state is None else wire.dump(state),
            "environment": None if environment is None else wire.dump(environment),
            "address": address,
            **owner(),
        }
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            ignore = self.path.parent.parent / ".gitignore"
            if not ignore.exists():
                ignore.write_text("*\n", encoding="utf-8")
        except OSError as error:
            self._stop(error)
            return
        self._append(first)
        self.flush(os.O_CREAT | os.O_EXCL)

    def suite(self, nodeids: Sequence[str]) -> None:
        """Tell the members of the suite, in order of their positions."""
        if nodeids:
            self._append({"suite": list(nodeids)})

    def closed(self, attempts: Iterable[Closed]) -> None:
        """Note ended attempts; they reach the disk with the next :meth:`flush`."""
        for position, durations, execution in attempts:
            if execution is None:
                self._buffer.append(f"[{position},{durations[0]},{durations[1]},{durations[2]}]\n")
            else:
                self._append({"x": [position, *durations], "execution": wire.dump(execution)})

    def started(self, position: int) -> None:
        """Note that a test has begun."""
        self._buffer.append(f"[{position}]\n")

    def end(
        self,
        head: RunHead,
        environment: Environment | None,
        state: State | None,
        seen: Mapping[str, Any],
        order: Sequence[Sequence[int]] | None,
        verdicts: Sequence[Verdict],
    ) -> None:
        """Note that the run came to its end, and all that was found."""
        self._append(
            {
                "end": True,
                "head": wire.dump(head),
                "environment": None if environment is None else wire.dump(environment),
                "state": None if state is None else wire.dump(state),
                "seen": wire.plain(seen),
                "order": order,
                "verdicts": [wire.dump(verdict) for verdict in verdicts],
            }
        )
        self.flush()

    def flush(self, flags: int = 0) -> None:
        """Bring what was noted to disk; trouble is remembered, never raised."""
        if not self._buffer or self.trouble is not None:
            return
        if real.getpid() != self._pid:  # a forked child of the tests
            self._buffer.clear()
            return
        data = "".join(self._buffer).encode("ascii")
        self._buffer.clear()
        if self.written + len(data) > CAP:
            self.trouble = f"the journal of this run is over {CAP // 1_000_000} MB"
            return
        try:
            mode = os.O_WRONLY | os.O_APPEND | getattr(os, "O_CLOEXEC", 0) | flags
            descriptor = real.os_open(self._name, mode, 0o600)
            try:
                self.written += len(data)
                while data:  # a disk that is nearly full takes a part
                    data = data[real.write(descriptor, data) :]
            finally:
                real.close(descriptor)
        except OSError as error:
            self._stop(error)

    def remove(self) -> None:
        """The run is safe in a history: drop the journal."""
        try:
            real.unlink(self._name)
        except OSError:
            return  # it was never written, or somebody was faster

    def _append(self, line: Mapping[str, Any]) -> None:
        self._buffer.append(self._dumps(line) + "\n")

    def _stop(self, error: OSError) -> None:
        self.trouble = f"cannot write {self.path.name}: {error.strerror or error}"


@dataclass(slots=True)
class Recovered:
    """A journal read back."""

    path: Path
    run: Run
    verdicts: tuple[Verdict, ...]
    #: Where it was meant to go: "local", or user@host:port/database.
    address: str
    #: It came to its end (but not into its history).
    ended: bool
    damaged: int = field(default=0)  # lines that could not be read


def owner() -> dict[str, Any]:
    """Which process writes a journal: enough to tell later whether it still lives."""
    return {"pid": os.getpid(), "host": socket.gethostname(), "since": _process_start(os.getpid())}


def _process_start(pid: int) -> str | None:
    """When a process started, in the kernel's own ticks; None where that is not known."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:
        return None
    return stat.rpartition(b")")[2].split()[19].decode("ascii", "replace")


def _lives(first: Mapping[str, Any], path: Path, now: float) -> bool:
    """Whether the process that writes this journal may still be running."""
    pid = first.get("pid")
    if first.get("host") != socket.gethostname() or not isinstance(pid, int) or pid <= 0:
        return _touched(path, now)  # another machine's: only time can tell
    since = first.get("since")
    if pid == os.getpid():  # ours, or that of a process before us in a container like this one
        return since is None or since == _process_start(pid)
    if os.name == "nt":  # there, os.kill does what its name says
        return _touched(path, now)
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        pass
    return since is None or _process_start(pid) in (None, since)


def _touched(path: Path, now: float) -> bool:
    """Whether somebody has written to a journal within the last hour."""
    try:
        return now - path.stat().st_mtime < 3600
    except OSError:
        return True


def leftovers(folder: Path, now: float) -> Iterator[Path]:
    """Journals in the spool whose runs are over, oldest first."""
    try:
        paths = sorted(path for path in folder.iterdir() if path.suffix == ".jsonl")
    except OSError:
        return
    for path in paths:
        try:
            first = _first_line(path)
        except (OSError, ValueError):
            continue
        if not _lives(first, path, now):
            yield path


def address_of(path: Path) -> str:
    """The history that a journal is meant for, by its first line alone."""
    try:
        return str(_first_line(path).get("address", "local"))
    except (OSError, ValueError):  # recover() will say so
        return "local"


def _first_line(path: Path) -> dict[str, Any]:
    with path.open("rb") as file:
        line = json.loads(file.readline(1_000_000))
    if not isinstance(line, dict) or line.get("flakefighters") != FORMAT:
        raise ValueError("not a journal of this version")
    return line


def recover(path: Path) -> Recovered:
    """Read a journal back as far as it goes; :class:`JournalError` if it has no beginning."""
    try:
        if path.is_symlink() or path.stat().st_size > 2 * CAP:
            raise ValueError("it is a link, or far too large")
        with path.open("rb") as file:
            return _Reader(path, file).recovered()
    except (OSError, ValueError, KeyError, TypeError, IndexError, AttributeError) as error:
        raise JournalError(
            f"the journal {path.name} cannot be read: {type(error).__name__}: {error}",
            remedy="remove the file to be rid of this message",
        ) from None


class _Reader:
    """Plays a journal again."""

    def __init__(self, path: Path, lines: Iterable[bytes]):
        self.path = path
        self.suite: list[str] = []
        self.outcomes: list[str] = []
        self.durations: list[int] = []
        self.executions: list[Execution] = []
        self.begun: dict[int, bool] = {}
        self.sequence: list[int] = []
        self.last: Mapping[str, Any] = {}
        self.damaged = 0
        stream = iter(lines)
        first = json.loads(next(stream, b"null"))
        if not isinstance(first, dict) or first.get("flakefighters") != FORMAT:
            raise ValueError("it is not a journal of this version")
        self.first = first
        for line in stream:
            try:
                self._take(json.loads(line))
            except (ValueError, KeyError, TypeError, IndexError):
                self.damaged += 1  # the end was cut off in the middle of a line

    def _take(self, line: Any) -> None:
        if isinstance(line, list):
            position = self._position(line[0])
            if len(line) == 1:
                if position not in self.begun:
                    self.sequence.append(position)
                self.begun[position] = True
            else:
                self._ended(position, line[1:4], Outcome.PASSED)
        elif "suite" in line:
            members = [unstorable(storable(str(nodeid))) for nodeid in line["suite"]]
            self.suite.extend(members)
            self.outcomes.extend(Outcome.NOT_RUN.value * len(members))
            self.durations.extend([0] * 3 * len(members))
        elif "x" in line:
            execution = wire.load(Execution, line["execution"])
            position, *durations = line["x"]
            self._ended(self._position(position), durations, execution.outcome)
            self.executions.append(execution)
        elif line.get("end"):
            self.last = line

    def _position(self, value: Any) -> int:
        """A member of the suite; ValueError for anything else."""
        if (
            isinstance(value, bool)
            or not isinstance(value, int)
            or not 0 <= value < len(self.suite)
        ):
            raise ValueError("no such position")
        return value

    def _ended(self, position: int, durations: Sequence[int], outcome: Outcome) -> None:
        spans = [int(value) for value in durations]
        if len(spans) != 3:
            raise ValueError("expected three durations")
        self.begun[position] = False
        before = self.outcomes[position]
        if outcome is Outcome.PASSED and before in "FER":
            outcome = Outcome.MIXED
        self.outcomes[position] = outcome.value
        self.durations[3 * position : 3 * position + 3] = spans

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
            head = wire.changed(head, completeness=Completeness.INTERRUPTED)
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
            address=str(self.first.get("address", "local")),
            ended=ended,
            damaged=self.damaged,
        )
