"""Runs that are forked are what runs of a new interpreter are."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

import pytest

from tests import warm

ASKS = """
import os, signal, sys, threading, tempfile
print(sys.argv[1:], sys.path[:2], os.getcwd(), sorted(os.environ.items()))
print(sys.flags, sys.stdin.isatty(), sys.stdout.isatty(), sys.stdout.encoding)
print(sorted(name for name in sys.modules if name.startswith(("flakefighters", "sqlalchemy"))))
print(threading.active_count(), signal.getsignal(signal.SIGINT), tempfile.gettempdir())
print(sorted(os.listdir("/proc/self/fd")))
print("error", file=sys.stderr)
sys.exit(int(os.environ.get("CODE", 7)))
"""


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    (tmp_path / "asks.py").write_text(ASKS)
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "LANG": "C.UTF-8",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONPATH": str(tmp_path),
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
    }


@pytest.mark.parametrize("merged", [False, True])
def test_as_in_a_new_interpreter(
    tmp_path: Path, env: dict[str, str], monkeypatch: pytest.MonkeyPatch, merged: bool
) -> None:
    folder = tmp_path / "here"
    folder.mkdir()
    forked = warm.run(["-p", "asks", "-x"], cwd=folder, env=env, merged=merged)
    monkeypatch.setenv(warm.VARIABLE, "1")
    monkeypatch.setattr(warm, "_server", None)
    new = warm.run(["-p", "asks", "-x"], cwd=folder, env=env, merged=merged)
    assert (forked.returncode, forked.stdout) == (new.returncode, new.stdout)
    assert (forked.stderr or b"") == (new.stderr or b"")
    assert forked.returncode == 7


def test_a_signal_and_a_limit(tmp_path: Path, env: dict[str, str]) -> None:
    (tmp_path / "kills.py").write_text("import os\nos.kill(os.getpid(), 9)\n")
    assert warm.run(["-p", "kills"], cwd=tmp_path, env=env).returncode == -9
    (tmp_path / "waits.py").write_text("import time\ntime.sleep(60)\n")
    start = time.monotonic()
    with pytest.raises(TimeoutError):
        warm.run(["-p", "waits"], cwd=tmp_path, env=env, timeout=0.5)
    assert time.monotonic() - start < 30
    assert warm.run(["-p", "asks"], cwd=tmp_path, env=env | {"CODE": "0"}).returncode == 0


def test_settings_of_python_ask_for_a_new_interpreter(
    tmp_path: Path, env: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(warm, "_server", None)
    done = warm.run(["-p", "asks"], cwd=tmp_path, env=env | {"PYTHONOPTIMIZE": "1"})
    assert isinstance(done, subprocess.CompletedProcess)
    assert b"optimize=1" in done.stdout
