"""One child process of a trial: started in a group of its own, and ended with all it started."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from flakefighters.ids import uuid7
from flakefighters.originals import real

__all__ = ["run"]

#: Set in the child, and so in whatever it starts; tells its descendants from all others.
_MARK: Final = "FLAKEFIGHTERS_TRIAL"


def run(
    command: Sequence[str], environ: Mapping[str, str], output: Path, seconds: float
) -> int | None:
    """Run ``command`` with its output in a file; its exit code, None if it was killed.

    It is killed after ``seconds``, and with it what it has started; what it leaves running is
    ended as well.
    """
    mark = uuid7()
    with output.open("wb") as stream:
        child = real.Popen(
            list(command),
            env={**environ, _MARK: mark},
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            return _wait(child, seconds)
        finally:
            _end(child, mark)


def _wait(child: subprocess.Popen[bytes], seconds: float) -> int | None:
    # Not ``wait(timeout)``, which asks a clock that tests may have stopped.
    until, pause = real.monotonic() + seconds, 0.005
    while real.monotonic() < until:
        code = child.poll()
        if code is not None:
            return code
        real.sleep(pause)
        pause = min(pause * 1.5, 0.05)
    return None


def _end(child: subprocess.Popen[bytes], mark: str) -> None:
    group = real.killpg
    if group is not None:
        with contextlib.suppress(OSError):  # nothing is left of it
            group(child.pid, signal.SIGKILL)
    if child.poll() is None:
        child.kill()
        child.wait()
    for pid in _marked(mark):
        with contextlib.suppress(OSError):
            real.kill(pid, signal.SIGKILL)


def _marked(mark: str) -> list[int]:
    """Processes that left the group and still carry the mark; known on Linux alone."""
    wanted = f"{_MARK}={mark}".encode()
    found = []
    try:
        names = os.listdir("/proc")  # noqa: PTH208
    except OSError:
        return []
    for name in names:
        if name.isdigit() and int(name) != real.getpid():
            try:
                environ = Path(f"/proc/{name}/environ").read_bytes()
            except OSError:
                continue
            if wanted in environ.split(b"\0"):
                found.append(int(name))
    return found
