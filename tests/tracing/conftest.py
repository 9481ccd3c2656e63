"""A small project in a folder, files of it that changed, and a real pytest run over it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from textwrap import dedent

import pytest

from flakefighters.capture import wire
from flakefighters.model import Process, Trace, Watch
from flakefighters.tracing.wire import read_all

ROOT = Path(__file__).parents[2]
NEW = sys.version_info >= (3, 12)


def short(name: str) -> str:
    """A qualified name without what lies between."""
    return name.replace("<locals>.", "")


@dataclass
class Outcome:
    """What a run's door wrote, its processes joined."""

    returncode: int
    stdout: str
    ways: set[str]
    #: By node id, each report with its phase.
    tests: dict[str, list[tuple[str, Trace]]]
    last: Trace

    @property
    def process(self) -> Process:
        """Of the only process, or of one of several."""
        return self.last.process

    def trace(self, test: str, attempt: int = 0) -> Trace:
        """What a test's last report says; ``test`` is the end of its node id."""
        (reports,) = (r for nodeid, r in self.tests.items() if nodeid.endswith(test))
        starts = [i for i, (when, _) in enumerate(reports) if when == "setup"] or [0]
        starts.append(len(reports))
        return reports[starts[attempt + 1] - 1][1]

    def ran(self, test: str, attempt: int = 0, *, file: str = "shop.py") -> set[str]:
        """Names of the functions of a file that a test ran."""
        return {short(code.name) for code in self.trace(test, attempt).ran if code.path == file}


@dataclass
class Project:
    """A folder with files, some of which changed."""

    path: Path
    files: set[str] = field(default_factory=set)
    packages: dict[str, str] = field(default_factory=dict)
    loose: set[str] = field(default_factory=set)
    runs: int = 0

    def write(self, name: str, source: str) -> str:
        """Write a file and return its text."""
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(source))
        return dedent(source)

    def changed(self, name: str, source: str) -> None:
        """Write a file that changed."""
        self.write(name, source)
        self.files.add(name)

    @property
    def watch(self) -> Watch:
        """What to look for."""
        return Watch(
            base=str(self.path),
            changed=frozenset(self.files),
            packages=self.packages,
            loose=frozenset(self.loose),
        )

    def run(
        self,
        *arguments: str,
        door: bool = True,
        python: str = sys.executable,
        environment: dict[str, str] | None = None,
        expect: tuple[int, ...] = (0, 1),
        everything: bool = True,
    ) -> Outcome:
        """Run pytest over the project in a process of its own."""
        self.runs += 1
        out = self.path.parent / f"out{self.runs}"
        settings = self.path.parent / f"door{self.runs}.json"
        settings.write_text(
            json.dumps(
                {
                    "watch": wire.plain(self.watch),
                    "out": str(out),
                    "all": everything,
                }
            )
        )
        env = {k: v for k, v in os.environ.items() if not k.startswith(("PYTEST", "COV"))}
        env |= {
            "PYTHONPATH": os.pathsep.join([str(ROOT), str(Path(__file__).parent)]),
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
            "PYTHONDONTWRITEBYTECODE": "1",
            "TRACE_DOOR": str(settings),
            **(environment or {}),
        }
        plugin = ("-p", "trace_door") if door else ()
        process = subprocess.run(
            [python, "-m", "pytest", *plugin, "-q", "-p", "no:cacheprovider", *arguments],
            cwd=self.path,
            env=env,
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )
        assert process.returncode in expect, process.stdout + process.stderr
        found = [json.loads(path.read_text()) for path in sorted(out.glob("*.json"))]
        tests: dict[str, list[tuple[str, Trace]]] = {}
        last = Trace(process=Process(), at=0)
        for part in found:
            results = part["results"]
            *traces, last = read_all([*(one["raw"] for one in results), part["last"]])
            for one, trace in zip(results, traces, strict=True):
                tests.setdefault(one["nodeid"], []).append((one["when"], trace))
        ways = {part["way"] for part in found}
        return Outcome(process.returncode, process.stdout, ways, tests, last)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """An empty project with its own ini-file."""
    path = tmp_path / "project"
    path.mkdir()
    (path / "pytest.ini").write_text("[pytest]\n")
    return Project(path)
