"""Running another program with functions that no test has replaced.

A fake file system replaces ``os`` inside of the standard library too, so ``subprocess`` is of no
use then; the originals still are.
"""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from typing import Any, Final

from flakefighters.originals import real

__all__ = ["run"]

# What posix_spawn is asked for; taken from ``os`` while it is the real one.
_DUP2: Final[int] = getattr(os, "POSIX_SPAWN_DUP2", -1)
_SILENCE: Final[tuple[Any, ...]] = (
    getattr(os, "POSIX_SPAWN_OPEN", -1),
    2,
    os.devnull,
    os.O_WRONLY,
    0,
)


def run(command: Sequence[str], environ: Mapping[str, str], data: bytes, seconds: float) -> bytes:
    """Run ``command`` with ``data`` on its standard input and return its standard output.

    It starts in the current folder, if there is one.  ``TimeoutError`` after ``seconds``; the
    program is killed then, as in any other trouble.
    """
    if real.posix_spawn is not None:
        return _run(command, environ, data, seconds)
    child = real.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=dict(environ),
    )
    try:
        return child.communicate(data, timeout=seconds)[0]
    except subprocess.TimeoutExpired:
        raise TimeoutError(f"no answer within {seconds:.0f} s") from None
    finally:
        child.kill()
        child.wait()


def _run(command: Sequence[str], environ: Mapping[str, str], data: bytes, seconds: float) -> bytes:
    until = real.monotonic() + seconds
    theirs, to_them = real.pipe()
    from_them, their_output = real.pipe()
    try:
        pid = real.posix_spawn(
            command[0],
            list(command),
            dict(environ),
            file_actions=[
                (_DUP2, theirs, 0),
                (_DUP2, their_output, 1),
                _SILENCE,
            ],
        )
    except BaseException:
        real.close(to_them)
        real.close(from_them)
        raise
    finally:
        real.close(theirs)
        real.close(their_output)
    try:
        try:
            while data:
                data = data[real.write(to_them, data) :]
        except BrokenPipeError:
            pass  # it ended already: what it said is read below
        finally:
            real.close(to_them)
        return _answer(from_them, until, seconds)
    except BaseException:
        real.kill(pid, signal.SIGKILL)
        raise
    finally:
        real.close(from_them)
        real.waitpid(pid, 0)


def _answer(from_them: int, until: float, seconds: float) -> bytes:
    parts: list[bytes] = []
    while True:
        left = until - real.monotonic()
        if left <= 0 or not real.select([from_them], [], [], left)[0]:
            raise TimeoutError(f"no answer within {seconds:.0f} s")
        part = real.read(from_them, 65536)
        if not part:
            return b"".join(parts)
        parts.append(part)
