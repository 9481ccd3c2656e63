"""Is the process still the one that it was?"""

from __future__ import annotations

import builtins
import os
import socket
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from flakefighters.originals import real
from flakefighters.session.process_pollution import World


def test_nothing_strange() -> None:
    assert World().strange() is None


@pytest.mark.parametrize(
    ("owner", "name"),
    [
        (time, "time"),
        (time, "monotonic"),
        (builtins, "open"),
        (os, "open"),
        (os, "stat"),
        (os, "unlink"),
        (subprocess, "Popen"),
        (sqlite3, "connect"),
    ],
)
def test_replaced(owner: object, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    with monkeypatch.context() as patch:
        patch.setattr(owner, name, lambda *args, **kwargs: None)
        strange = world.strange()
    assert strange is not None
    assert name in strange


def test_other_sockets(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where nobody had loaded them when the session began."""
    with monkeypatch.context() as patch:
        patch.delitem(sys.modules, "socket")
        world = World()
    assert world.strange() is None
    with monkeypatch.context() as patch:
        patch.setattr(socket, "socket", lambda *args, **kwargs: None)
        assert world.strange() == "socket.socket"


def test_purged(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    with monkeypatch.context() as patch:
        patch.delitem(sys.modules, "sqlite3")
        assert world.strange() == "sqlite3"


def test_frozen_before_us(monkeypatch: pytest.MonkeyPatch) -> None:
    """The clocks that the plugin bound first are believed, not those found later."""
    with monkeypatch.context() as patch:
        patch.setattr(time, "time", lambda: 0.0)
        patch.setattr(time, "time_ns", lambda: 0)
        strange = World().strange()
    assert strange == "time.time"


def test_a_clock_that_was_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """As time-machine does it: the real functions return another time."""
    world = World()
    before = world.now()
    assert abs(before - time.time_ns() // 1000) < 5_000_000
    monkeypatch.setattr(real, "time_ns", lambda: time.time_ns() - 10**18)
    assert world.strange() == "the clock"
    assert before <= world.now() < before + 60_000_000


def test_deleted_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    gone = tmp_path / "gone"
    gone.mkdir()
    with monkeypatch.context() as patch:
        patch.chdir(gone)
        gone.rmdir()
        strange = world.strange()
    assert strange == "the current folder"


def test_changed_environment_is_not_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    monkeypatch.setenv("PATH", "/nowhere")
    assert world.environ["PATH"] != "/nowhere"
    assert socket.socket is not None
