"""Whether real suites run alike with and without the plugin."""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

from tests.benchmarks.layouts import LAYOUTS, environment, install, python_path
from tests.benchmarks.overhead.branches import SIZES, make_branches

_COV = ["--cov", "--cov-branch"]
MODES = {
    "plain": [],
    "xdist": ["-n", "2"],
    "randomly": ["-p", "randomly", "--randomly-seed=1"],
    "cov": [*_COV, "--cov-report=json:{out}/coverage.json"],
    # For coverage.py's own report with the tests that ran each line, see `_reported`.
    "contexts": [*_COV, "--cov-context=test"],
}
OURS = ("flakefighters.db", ".flakefighters")
_WITHOUT = ("randomly", "flaky", "socket", "asyncio")

#: What we say at the end, and what is never the same twice.
_SAID = re.compile(
    rb"^(=+ flakefighters =+\n(.*\n)*?.*|flakefighters: no failures); run .*\n", re.MULTILINE
)
_PROGRESS = re.compile(r"^([.sxXFEu,]+) +\[ *\d+%\]$", re.MULTILINE)
_PASSING = re.compile(rb"in \d+\.\d+s( \(.*?\))?|0x[0-9a-f]+|=+|/tmp/[\w./-]+")

#: A plugin that keeps some lists, for bare pytest: then the garbage collector strikes elsewhere.
_NUDGE = "KEPT = []\ndef pytest_runtest_setup():\n    KEPT.append([[] for _ in range({number})])\n"
_NUDGES = (1, 3, 10, 30)

#: Prints a hash of what coverage.py's database has of each file.
_RECORDED = """
import hashlib, json, sys
from coverage import CoverageData
data = CoverageData(sys.argv[1])
data.read()
told = {}
for name in data.measured_files():
    tests = sorted((line, sorted(who)) for line, who in data.contexts_by_lineno(name).items())
    whole = json.dumps([sorted(data.arcs(name) or ()), tests])
    told[name] = hashlib.sha256(whole.encode()).hexdigest()
print(json.dumps(told))
"""


def main() -> int:
    """Run all of them and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--modes", default=",".join(MODES))
    parser.add_argument("--changes", default="none")
    parser.add_argument("--layouts", default=LAYOUTS[0], help=f"of {', '.join(LAYOUTS)}")
    asked = parser.parse_args()
    print("| suite | layout | changed | mode | tests | exit | differs in |\n" + "|---" * 7 + "|")
    worst = 0
    for folder in asked.folders:
        for layout in asked.layouts.split(","):
            for changed in asked.changes.split(","):
                for mode in asked.modes.split(","):
                    worst |= _compare(asked.python, folder.resolve(), layout, changed, mode)
    return worst


def _compare(python: str, folder: Path, layout: str, changed: str, mode: str) -> int:
    def run(mode: str, *, ours: bool, nudge: int = 0) -> dict[str, Any]:
        return _run(python, work, layout, mode, ours=ours, nudge=nudge)

    with tempfile.TemporaryDirectory() as name:
        work = Path(name, "work")
        shutil.copytree(folder, work, symlinks=True)
        make_branches(work)
        if layout != LAYOUTS[0]:
            python = environment(python, Path(name, "environment"))
            install(python, work, layout)
        if changed in SIZES:  # the tests pass on the state before
            run("plain", ours=True)
            subprocess.run(["git", "checkout", "-q", "-f", changed], cwd=work, check=True)
        ours = run(mode, ours=True)
        for left in OURS:
            _remove(work / left)
        bare = run(mode, ours=False)
        differs = [what for what in bare if bare[what] != ours[what]]
        also = False
        for number in _NUDGES if differs else ():
            again = run(mode, ours=False, nudge=number)
            also = also or all(again[what] == ours[what] for what in differs)
    what = ", ".join(differs) or "nothing"
    if also:
        what += " (bare pytest alike, with a few more objects alive)"
    tests, status = len(bare["outcomes"]), bare["exit"]
    print(
        f"| {folder.name} | {layout} | {changed} | {mode} | {tests} | {status} | {what} |",
        flush=True,
    )
    for name in differs:
        print(f"  {name}: {_first(bare[name], ours[name])}", file=sys.stderr)
    return int(bool(differs) and not also)


def _run(
    python: str, work: Path, layout: str, mode: str, *, ours: bool, nudge: int
) -> dict[str, Any]:
    before = set(_files(work))
    with tempfile.TemporaryDirectory() as place:
        out = Path(place)
        environ = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("PYTEST_", "FLAKEFIGHTERS")) and name != "CI"
        }
        paths = [*python_path(work, layout), str(out), *filter(None, [environ.get("PYTHONPATH")])]
        environ |= {
            "PYTHONPATH": os.pathsep.join(paths),
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONHASHSEED": "0",
            "COVERAGE_FILE": f"{out}/coverage.data",
        }
        switches = ["--flakefighters" if ours else "-pno:flakefighters"]
        if nudge:
            (out / "nudging.py").write_text(_NUDGE.format(number=nudge))
            switches.append("-pnudging")
        without = [f"-pno:{name}" for name in _WITHOUT if name != mode]
        arguments = [argument.format(out=out) for argument in MODES[mode]]
        done = subprocess.run(
            [
                *(python, "-m", "pytest", "-q", f"--junit-xml={out}/junit.xml", *switches),
                *(*without, *arguments),
            ],
            cwd=work,
            env=environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
        left = sorted(set(_files(work)) - before)
        for name in left:
            _remove(work / name)
        return {
            "exit": done.returncode,
            "outcomes": _outcomes(out / "junit.xml"),
            "coverage": _reported(python, work, out) if mode in ("cov", "contexts") else None,
            "files": left,
            "output": _printed(done.stdout),
        }


def _printed(output: bytes) -> list[str]:
    """The lines that pytest printed without ours, as far as they are the same each time."""
    text = _PASSING.sub(b"", _SAID.sub(b"", output)).decode("utf-8", "replace")
    lines = text.splitlines()
    # Letters come in another order each time where two processes run the tests.
    letters = "".join(sorted("".join(match[1] for match in _PROGRESS.finditer(text))))
    return [letters, *(line for line in lines if not _PROGRESS.fullmatch(line))]


def _reported(python: str, work: Path, out: Path) -> dict[str, Any]:
    """coverage.py's report of a run, and of each file all arcs and the tests of each line."""
    report, data = out / "report.json", out / "coverage.data"
    told: dict[str, Any] = {}
    command = [
        python,
        "-m",
        "coverage",
        "json",
        "-q",
        "-i",
        f"--data-file={data}",
        "-o",
        str(report),
    ]
    subprocess.run(command, cwd=work, capture_output=True, check=False)
    if report.exists():
        found = json.loads(report.read_text("utf-8"))
        told = {**found["files"], "totals": found["totals"]}
    recorded = subprocess.run(
        [python, "-c", _RECORDED, data], cwd=work, capture_output=True, check=False
    )
    told["recorded"] = json.loads(recorded.stdout or b"{}")
    return told


def _outcomes(report: Path) -> dict[str, str]:
    found: dict[str, str] = {}
    if not report.exists():
        return found
    for case in ET.parse(report).iter("testcase"):
        kinds = [one.tag for one in case if one.tag in ("failure", "error", "skipped")]
        found[f"{case.get('classname')}.{case.get('name')}"] = ",".join(kinds) or "passed"
    return found


def _files(work: Path) -> list[str]:
    return [
        path.relative_to(work).as_posix()
        for path in work.rglob("*")
        if path.relative_to(work).parts[0] not in (*OURS, ".git", ".hypothesis", ".pytest_cache")
    ]


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _first(bare: Any, ours: Any) -> str:
    if isinstance(bare, dict) and isinstance(ours, dict):
        names = sorted(name for name in {*bare, *ours} if bare.get(name) != ours.get(name))
        return "; ".join(f"{n}: {_first(bare.get(n), ours.get(n))}"[:300] for n in names[:3])
    if isinstance(bare, list) and isinstance(ours, list):
        return str([one for one in [*bare, *ours] if (one in bare) != (one in ours)][:5])
    return f"{bare} -> {ours}"[:300]


if __name__ == "__main__":
    sys.exit(main())
