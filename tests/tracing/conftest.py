"""A small project in a folder, its changed units, and a real pytest run over it."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from flakefighters.tracing import FileWatch, Touched, UnitSpan, Watch

ROOT = Path(__file__).parents[3]


def units_of(source: str, names: Iterable[str] | None = None) -> tuple[UnitSpan, ...]:
    """Spans of the functions and classes of these qualified names; None: of all functions."""
    found: list[UnitSpan] = []

    def walk(node: ast.AST, prefix: str) -> None:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                name = prefix + child.name
                wanted = not isinstance(child, ast.ClassDef) if names is None else name in names
                if wanted:
                    first = min([child.lineno, *(d.lineno for d in child.decorator_list)])
                    found.append(UnitSpan(name, first, child.end_lineno or first))
                walk(child, name + ".")
            else:
                walk(child, prefix)

    walk(ast.parse(source), "")
    return tuple(found)


@dataclass
class Outcome:
    """What a run's door wrote, its processes joined."""

    returncode: int
    stdout: str
    ways: set[str]
    ambient: Touched
    tests: dict[str, list[dict[str, Any]]]

    def touched(self, test: str, attempt: int = 0) -> Touched:
        """What a test's last report says; ``test`` is the end of its node id."""
        (reports,) = (r for nodeid, r in self.tests.items() if nodeid.endswith(test))
        starts = [i for i, r in enumerate(reports) if r["when"] == "setup"] + [len(reports)]
        return Touched.from_json(reports[starts[attempt + 1] - 1])

    def units(self, test: str, attempt: int = 0) -> set[str | int]:
        """Names and lines of the units that a test touched."""
        return {unit for _, unit in self.touched(test, attempt).units}


@dataclass
class Project:
    """A folder with files, some of whose units changed."""

    path: Path
    files: dict[str, FileWatch] = field(default_factory=dict)
    data: set[str] = field(default_factory=set)
    everything: bool = False
    runs: int = 0

    def write(self, name: str, source: str) -> str:
        """Write a file and return its text."""
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(source))
        return dedent(source)

    def changed(self, name: str, source: str, *units: str, lines: Iterable[int] = ()) -> None:
        """Write a Python file in which these units and module lines changed."""
        text = self.write(name, source)
        spans = units_of(text, units)
        assert {span.name for span in spans} == set(units)
        self.files[str(self.path / name)] = FileWatch(spans, frozenset(lines))

    @property
    def watch(self) -> Watch:
        """What changed."""
        return Watch(
            base=str(self.path),
            files=self.files,
            data=frozenset(str(self.path / name) for name in self.data),
            everything=self.everything,
        )

    def run(
        self,
        *arguments: str,
        mode: str = "auto",
        door: bool = True,
        environment: dict[str, str] | None = None,
        expect: tuple[int, ...] = (0, 1),
    ) -> Outcome:
        """Run pytest over the project in a process of its own."""
        self.runs += 1
        out = self.path.parent / f"out{self.runs}"
        settings = self.path.parent / f"door{self.runs}.json"
        settings.write_text(
            json.dumps({"watch": self.watch.to_json(), "mode": mode, "out": str(out), "all": True})
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
            [sys.executable, "-m", "pytest", *plugin, "-q", "-p", "no:cacheprovider", *arguments],
            cwd=self.path,
            env=env,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert process.returncode in expect, process.stdout + process.stderr
        found = [json.loads(path.read_text()) for path in sorted(out.glob("*.json"))]
        tests: dict[str, list[dict[str, Any]]] = {}
        ambient = Touched()
        for part in found:
            tests |= part["tests"]
            ambient |= Touched.from_json(part["ambient"])
        return Outcome(
            process.returncode, process.stdout, {part["way"] for part in found}, ambient, tests
        )


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """An empty project with its own ini-file."""
    path = tmp_path / "project"
    path.mkdir()
    (path / "pytest.ini").write_text("[pytest]\n")
    return Project(path)


@pytest.fixture
def make_units() -> Callable[..., tuple[UnitSpan, ...]]:
    """:func:`units_of`, for tests of single modules."""
    return units_of
