"""Child processes, and what they leave running."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest

from flakefighters.trials.processes import run

_LINGER = """
import os, subprocess, sys, time
child = subprocess.Popen(
    [sys.executable, "-c", "import time; time.sleep(60)"], start_new_session={apart}
)
open(sys.argv[1], "w").write(str(child.pid))
{then}
"""


def lives(pid: int) -> bool:
    for _ in range(50):
        try:
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return False
        except OSError:
            return False
        time.sleep(0.05)
    return True


def test_exit_codes_and_output(tmp_path: Path) -> None:
    out = tmp_path / "out"
    program = [sys.executable, "-c", "import sys; print('said'); sys.exit(3)"]
    assert run(program, dict(os.environ), out, 20) == 3
    assert out.read_text().strip() == "said"


def test_a_slow_one_is_killed(tmp_path: Path) -> None:
    program = [sys.executable, "-c", "import time; time.sleep(60)"]
    began = time.monotonic()
    assert run(program, dict(os.environ), tmp_path / "out", 0.5) is None
    assert time.monotonic() - began < 10


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="asks /proc")
@pytest.mark.parametrize("apart", [False, True])
@pytest.mark.parametrize("then", ["time.sleep(60)", ""])
def test_children_of_children_end_with_it(tmp_path: Path, apart: bool, then: str) -> None:
    told = tmp_path / "pid"
    program = [sys.executable, "-c", _LINGER.format(apart=apart, then=then), str(told)]
    run(program, dict(os.environ), tmp_path / "out", 2)
    assert not lives(int(told.read_text()))
