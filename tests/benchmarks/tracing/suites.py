"""What the tracing benchmarks share: suites, sizes of change, and a pytest run over them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent
from typing import Any

from flakefighters.capture import wire
from flakefighters.model import Watch

ROOT = Path(__file__).parents[3]
DOOR = ROOT / "tests" / "tracing"

#: Sizes of change, smallest first.
SIZES = ("one file", "20 %", "everything")


@dataclass(frozen=True)
class Suite:
    """A project's tests."""

    name: str
    path: Path
    arguments: tuple[str, ...] = ()

    def files(self) -> list[Path]:
        """Its Python files, the package's first."""
        found = [
            p
            for p in sorted(self.path.rglob("*.py"))
            if not {"docs", "examples", ".venv", "build", "bench"} & set(p.parts)
        ]
        return sorted(found, key=lambda p: ("tests" in p.parts, p))


def watch_of(suite: Suite, size: str) -> Watch:
    """A change of this size: whole files, chosen by position, the same each time."""
    names = [path.relative_to(suite.path).as_posix() for path in suite.files()]
    own = [name for name in names if "test" not in name]
    step = {"one file": len(names), "20 %": 5, "everything": 1}[size]
    chosen = own[len(own) // 2 :][:1] if size == "one file" else names[::step]
    return Watch(base=str(suite.path), changed=frozenset(chosen))


@dataclass(frozen=True)
class Result:
    """One run: CPU seconds, and what the door found if it was there."""

    cpu: float
    output: str
    found: dict[str, Any]


def run(suite: Suite, watch: Watch | None, *options: str, everything_told: bool = False) -> Result:
    """Run a suite, bare where ``watch`` is None."""
    with tempfile.TemporaryDirectory() as folder:
        settings, out = Path(folder, "door.json"), Path(folder, "out")
        value = {"out": str(out), "all": everything_told}
        if watch is not None:
            settings.write_text(json.dumps({**value, "watch": wire.plain(watch)}))
        paths = [str(suite.path / "src"), str(suite.path), os.environ.get("PYTHONPATH", "")]
        environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join([str(ROOT), str(DOOR), *paths]),
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
            "PYTHONHASHSEED": "0",
            "TRACE_DOOR": str(settings),
        }
        environment.pop("PYTHONDONTWRITEBYTECODE", None)  # caches are part of a usual run
        door = () if watch is None else ("-p", "trace_door")
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *door]
        process = subprocess.Popen(
            [*command, *suite.arguments, *options],
            cwd=suite.path,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert process.stdout is not None
        output = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode not in (0, 1):
            raise SystemExit(output)
        found = [json.loads(path.read_text()) for path in out.glob("*.json")]
        return Result(usage.ru_utime + usage.ru_stime, output, found[0] if found else {})


def trivial(folder: Path, count: int = 2000) -> Suite:
    """``count`` tests that do nothing, and a file that changed beside them."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "pytest.ini").write_text("[pytest]\n")
    (folder / "shop.py").write_text("def a(): pass\ndef b(): pass\ndef c(): pass\n")
    body = "".join(f"def test_{n}(): pass\n" for n in range(count))
    (folder / "test_trivial.py").write_text("import shop\n" + body)
    return Suite("2,000 trivial tests", folder)


CALLS = """
    def leaf(x):
        return x + 1

    def middle(x):
        y = leaf(x)
        return leaf(y)

    def branch(n):
        if n < 2:
            return n
        return branch(n - 1) + branch(n - 2)
"""


def calls(folder: Path) -> Suite:
    """Tests that do nothing but call small functions, all of them changed."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "pytest.ini").write_text("[pytest]\n")
    (folder / "hot.py").write_text(dedent(CALLS))
    (folder / "cold.py").write_text("def a(): pass\ndef b(): pass\ndef c(): pass\n")
    (folder / "test_calls.py").write_text(
        dedent(
            """
            import hot, cold, pytest
            @pytest.mark.parametrize("n", range(20))
            def test_calls(n):
                for x in range(20_000): hot.middle(x)
                hot.branch(17)
            """
        )
    )
    return Suite("call-heavy", folder)
