"""Start a program and see what it cost: CPU of it and its children, and peak memory."""

from __future__ import annotations

import os
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = ["Sample", "clean_environment", "measure", "median_of"]

#: Seconds after which a program is killed and counts as failed.
DEADLINE = 1800.0

_COUNT = re.compile(r"(\d+) (passed|failed|errors?|skipped|xfailed|xpassed)")
_FOREIGN = ("PYTEST", "PYTHON", "FLAKEFIGHTERS", "COV_", "COVERAGE", "GIT_", "PIP_TARGET")


@dataclass(frozen=True, slots=True)
class Sample:
    """One run: seconds of CPU (user and system, children included), bytes at the peak."""

    cpu: float
    wall: float
    memory: int
    code: int
    #: pytest's counts: {"passed": 473, ...}.
    counts: Mapping[str, int]
    #: The last lines of what it printed.
    tail: str

    def plain(self) -> dict[str, Any]:
        """JSON values."""
        return {
            "cpu": round(self.cpu, 4),
            "wall": round(self.wall, 4),
            "memory": self.memory,
            "code": self.code,
            "counts": dict(self.counts),
        }


def clean_environment(home: Path, **further: str) -> dict[str, str]:
    """This environment without what changes pytest, Python or CI detection, and a home apart."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_FOREIGN)}
    for name in ("CI", "CONTINUOUS_INTEGRATION", "BUILD_NUMBER", "GITHUB_ACTIONS", "GITLAB_CI"):
        kept.pop(name, None)
    home.mkdir(parents=True, exist_ok=True)
    return {
        **{name: value for name, value in kept.items() if not name.startswith("XDG_")},
        "HOME": str(home),
        "PYTHONHASHSEED": "0",
        **further,
    }


def measure(command: Sequence[str], cwd: Path, environment: Mapping[str, str]) -> Sample:
    """Run ``command`` to its end."""
    with tempfile.TemporaryFile() as output:
        started = time.perf_counter()
        child = subprocess.Popen(
            command,
            cwd=cwd,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            status, usage = _wait(child.pid, started + DEADLINE)
        except BaseException:
            os.killpg(child.pid, signal.SIGKILL)
            raise
        wall = time.perf_counter() - started
        child.returncode = os.waitstatus_to_exitcode(status)  # it has been waited for
        output.seek(0)
        text = output.read().decode("utf-8", "replace")
    lines = [line for line in text.splitlines() if line.strip()]
    summary = next((line for line in reversed(lines) if _COUNT.search(line)), "")
    return Sample(
        cpu=usage.ru_utime + usage.ru_stime,
        wall=wall,
        memory=usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024),
        code=child.returncode,
        counts={name.rstrip("s") if name == "errors" else name: int(n)
                for n, name in _COUNT.findall(summary)},
        tail="\n".join(lines[-15:]),
    )  # fmt: skip


def _wait(pid: int, until: float) -> tuple[int, Any]:
    while time.perf_counter() < until:
        done, status, usage = os.wait4(pid, os.WNOHANG)
        if done:
            return status, usage
        time.sleep(0.02)
    os.killpg(pid, signal.SIGKILL)
    _, status, usage = os.wait4(pid, 0)
    return status, usage


def median_of(samples: Sequence[Sample], what: str) -> float:
    """The median of one attribute."""
    return float(statistics.median(getattr(sample, what) for sample in samples))
