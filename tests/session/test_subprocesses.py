"""Programs that are started without the help of what tests may have replaced."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest

from flakefighters.session import subprocesses

FOLDER = Path("/proc/self/fd")
ECHO = "import sys; data = sys.stdin.buffer.read(); sys.stdout.buffer.write(data[::-1])"


def run(script: str, data: bytes = b"", seconds: float = 30) -> bytes:
    return subprocesses.run([sys.executable, "-c", script], dict(os.environ), data, seconds)


def test_there_and_back() -> None:
    assert run(ECHO, b"abc") == b"cba"
    assert len(run(ECHO, b"x" * 500_000)) == 500_000


def test_no_answer() -> None:
    start = time.monotonic()
    with pytest.raises(TimeoutError):
        run("import time; time.sleep(60)", seconds=0.3)
    assert time.monotonic() - start < 20


def test_it_ends_without_reading() -> None:
    assert run("print('early', end='')", b"x" * 500_000) == b"early"


def test_no_such_program() -> None:
    with pytest.raises(OSError, match="nowhere"):
        subprocesses.run(["/nowhere/python"], {}, b"", 1)


def test_nothing_is_left_open() -> None:
    if not FOLDER.exists():
        pytest.skip("no /proc here")
    before = len(list(FOLDER.iterdir()))
    run("print(1)")
    with pytest.raises(OSError):
        subprocesses.run(["/nowhere/python"], {}, b"", 1)
    assert len(list(FOLDER.iterdir())) == before
