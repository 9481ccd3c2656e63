"""The journal: what a run knows, on disk while it runs, so that no kill can take it away.

One file of JSON lines per run, mode 0600, under ``.flakefighters/spool/``.  The first line says
which run this is and which history it is meant for; then come the suite, the ended attempts and
the tests that were begun; the last line of a run that came to its end says so.  The file is
opened, appended to and closed each time: no descriptor of ours is open while tests run.

:mod:`flakefighters.capture.recovery` reads it back.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from flakefighters.capture import wire
from flakefighters.originals import real

if TYPE_CHECKING:
    from flakefighters.capture.recorder import Closed
    from flakefighters.model import Environment, Project, RunHead, State, Verdict

__all__ = ["CAP", "FORMAT", "Journal", "lives", "make_private", "make_spool", "owner"]

FORMAT: Final = 1
#: Bytes that the journal of one run may have.
CAP: Final = 200_000_000


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
            "state": wire.plain(state),
            "environment": wire.plain(environment),
            "address": address,
            **owner(),
        }
        try:
            make_spool(self.path.parent)
        except OSError as error:
            self._stop(error)
            return
        # Under its own name there is always a whole first line: without one it is no journal.
        whole, self._name = self._name, f"{self._name}.new"
        self._append(first)
        self.flush(os.O_CREAT | os.O_EXCL)
        try:
            if self.trouble is None:
                real.replace(self._name, whole)
            else:
                self.remove()
        except OSError as error:
            self._stop(error)
        self._name = whole

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
                "environment": wire.plain(environment),
                "state": wire.plain(state),
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
            return  # it was never written, or another process was faster

    def _append(self, line: Mapping[str, Any]) -> None:
        self._buffer.append(self._dumps(line) + "\n")

    def _stop(self, error: OSError) -> None:
        self.trouble = f"cannot write {self.path.name}: {error.strerror or error}"


def make_private(folder: Path, *, ignored: bool = True) -> None:
    """Make a folder that no other user can enter, with a note to git not to look at it.

    OSError if it cannot be made.
    """
    missing = []
    place = folder
    while not os.path.isdir(place):  # noqa: PTH112
        missing.append(place)
        place = place.parent
    for place in reversed(missing):
        place.mkdir(mode=0o700, exist_ok=True)
    if ignored:
        # Not through a link, and without it there is no harm.
        with (
            contextlib.suppress(OSError),
            (folder / ".gitignore").open("x", encoding="utf-8") as file,
        ):
            file.write("*\n")


def make_spool(folder: Path) -> None:
    """Make a folder for journals within a folder of ours.  OSError if it cannot be made."""
    make_private(folder.parent)
    make_private(folder, ignored=False)


def owner() -> dict[str, Any]:
    """Which process writes a journal: enough to tell later whether it still lives."""
    return {"pid": os.getpid(), "host": real.hostname(), "since": _process_start(os.getpid())}


def _process_start(pid: int) -> str | None:
    """When a process started, in the kernel's own ticks; None where that is not known."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:
        return None
    return stat.rpartition(b")")[2].split()[19].decode("ascii", "replace")


def lives(first: Mapping[str, Any], path: Path, now: float) -> bool:
    """Whether the process that writes the journal with this first line may still be running."""
    pid = first.get("pid")
    if first.get("host") != real.hostname() or not isinstance(pid, int) or pid <= 0:
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
    """Whether a journal was written to within the last hour."""
    try:
        return now - path.lstat().st_mtime < 3600
    except OSError:
        return True
