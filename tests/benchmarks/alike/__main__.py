"""Whether real suites run alike with and without the plugin."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

MODES = {
    "plain": [],
    "xdist": ["-n", "2"],
    "cov": ["--cov", "--cov-branch", "--cov-report=json:{out}/coverage.json"],
}
OURS = ("flakefighters.db", ".flakefighters")


def main() -> int:
    """Run all of them and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--modes", default=",".join(MODES))
    asked = parser.parse_args()
    print("| suite | mode | tests | exit | differs in |\n|---|---|---|---|---|")
    worst = 0
    for folder in asked.folders:
        for mode in asked.modes.split(","):
            bare = _run(asked.python, folder, mode, ours=False)
            ours = _run(asked.python, folder, mode, ours=True)
            differs = [name for name in bare if bare[name] != ours[name]]
            worst = worst or bool(differs)
            tests = len(bare["outcomes"])
            what = ", ".join(differs) or "nothing"
            print(f"| {folder.name} | {mode} | {tests} | {bare['exit']} | {what} |", flush=True)
            for name in differs:
                print(f"  {name}: {_first(bare[name], ours[name])}", file=sys.stderr)
    return int(worst)


def _run(python: str, folder: Path, mode: str, *, ours: bool) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as place:
        work, out = Path(place, "work"), Path(place, "out")
        shutil.copytree(folder, work, symlinks=True)
        out.mkdir()
        git = ["git", "-c", "user.name=a", "-c", "user.email=a@b"]
        subprocess.run([*git, "init", "-q"], cwd=work, check=True)
        subprocess.run([*git, "add", "-A", "-f"], cwd=work, check=True)
        subprocess.run([*git, "commit", "-q", "-m", "all"], cwd=work, check=True)
        source = work / "src" if (work / "src").is_dir() else work
        environ = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("PYTEST_", "FLAKEFIGHTERS")) and name != "CI"
        }
        environ |= {"PYTHONPATH": f"{source}", "PYTHONDONTWRITEBYTECODE": "1"}
        arguments = [argument.format(out=out) for argument in MODES[mode]]
        switch = "--flakefighters" if ours else "-pno:flakefighters"
        done = subprocess.run(
            [
                *(python, "-m", "pytest", "-q", f"--junit-xml={out}/junit.xml", switch),
                *("-p", "no:randomly", "-p", "no:flaky", "-p", "no:socket", "-p", "no:asyncio"),
                *arguments,
            ],
            cwd=work,
            env=environ,
            capture_output=True,
            check=False,
        )
        coverage = out / "coverage.json"
        return {
            "exit": done.returncode,
            "outcomes": _outcomes(out / "junit.xml"),
            "coverage": _coverage(coverage) if coverage.exists() else None,
            "files": sorted(_files(work)),
        }


def _outcomes(report: Path) -> dict[str, str]:
    found: dict[str, str] = {}
    if not report.exists():
        return found
    for case in ET.parse(report).iter("testcase"):
        kinds = [one.tag for one in case if one.tag in ("failure", "error", "skipped")]
        found[f"{case.get('classname')}.{case.get('name')}"] = ",".join(kinds) or "passed"
    return found


def _coverage(report: Path) -> dict[str, Any]:
    files = json.loads(report.read_text("utf-8"))["files"]
    return {name: (one["executed_lines"], one["missing_lines"]) for name, one in files.items()}


def _files(work: Path) -> list[str]:
    return [
        path.relative_to(work).as_posix()
        for path in work.rglob("*")
        if path.relative_to(work).parts[0] not in (*OURS, ".git", ".hypothesis", ".pytest_cache")
    ]


def _first(bare: Any, ours: Any) -> str:
    if isinstance(bare, dict) and isinstance(ours, dict):
        names = [name for name in {*bare, *ours} if bare.get(name) != ours.get(name)]
        return "; ".join(f"{n}: {bare.get(n)} -> {ours.get(n)}"[:160] for n in sorted(names)[:3])
    if isinstance(bare, list) and isinstance(ours, list):
        return str(sorted(set(bare) ^ set(ours))[:5])
    return f"{bare} -> {ours}"[:300]


if __name__ == "__main__":
    sys.exit(main())
