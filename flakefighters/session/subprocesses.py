"""Running another program with functions that were bound before any test could replace them.

A fake file system replaces ``os`` inside of the standard library too, so ``subprocess`` is of no
use then; the functions of the real ``os`` that were bound earlier still are.
"""

from __future__ import annotations

import os
import select
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence

__all__ = ["Beside"]


class Beside:
    """Starts programs; make it before the tests run."""

    def __init__(self) -> None:
        self._popen = subprocess.Popen
        self._posix = hasattr(os, "posix_spawn")
        if self._posix:
            self._spawn, self._pipe, self._waitpid = os.posix_spawn, os.pipe, os.waitpid
            self._read, self._write, self._close = os.read, os.write, os.close
            self._select, self._kill = select.select, os.kill
            self._dup2 = os.POSIX_SPAWN_DUP2
            self._silence = (os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0)
        self._monotonic = time.monotonic

    def run(
        self, command: Sequence[str], environ: Mapping[str, str], data: bytes, seconds: float
    ) -> bytes:
        """Run ``command`` with ``data`` on its standard input and return its standard output.

        It starts in the current folder, if there is one.  ``TimeoutError`` after ``seconds``; the
        program is killed then, as in any other trouble.
        """
        if self._posix:
            return self._run(command, environ, data, seconds)
        child = self._popen(
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

    def _run(
        self, command: Sequence[str], environ: Mapping[str, str], data: bytes, seconds: float
    ) -> bytes:
        until = self._monotonic() + seconds
        theirs, to_them = self._pipe()
        from_them, their_output = self._pipe()
        try:
            pid = self._spawn(
                command[0],
                list(command),
                dict(environ),
                file_actions=[
                    (self._dup2, theirs, 0),
                    (self._dup2, their_output, 1),
                    self._silence,
                ],
            )
        except BaseException:
            self._close(to_them)
            self._close(from_them)
            raise
        finally:
            self._close(theirs)
            self._close(their_output)
        try:
            try:
                while data:
                    data = data[self._write(to_them, data) :]
            except BrokenPipeError:
                pass  # it ended already: what it said is read below
            finally:
                self._close(to_them)
            return self._answer(from_them, until, seconds)
        except BaseException:
            self._kill(pid, signal.SIGKILL)
            raise
        finally:
            self._close(from_them)
            self._waitpid(pid, 0)

    def _answer(self, from_them: int, until: float, seconds: float) -> bytes:
        parts: list[bytes] = []
        while True:
            left = until - self._monotonic()
            if left <= 0 or not self._select([from_them], [], [], left)[0]:
                raise TimeoutError(f"no answer within {seconds:.0f} s")
            part = self._read(from_them, 65536)
            if not part:
                return b"".join(parts)
            parts.append(part)
