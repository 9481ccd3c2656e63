"""How often verdicts are right, on real projects' suites.

    python -m tests.benchmarks.verdicts run REPOSITORY... --python PYTHON --results FILE
    python -m tests.benchmarks.verdicts summary FILE...

See README.md beside this file.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from tests.benchmarks.verdicts.fixes import reversed_fixes
from tests.benchmarks.verdicts.flaky import flaky_half
from tests.benchmarks.verdicts.genuine import genuine_half
from tests.benchmarks.verdicts.histories import PLACES, Past
from tests.benchmarks.verdicts.results import as_markdown, load, wrong
from tests.benchmarks.verdicts.setups import SETUPS
from tests.benchmarks.verdicts.suite import Suite


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.verdicts")
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", help="run both halves, or what of them is not done yet")
    run.add_argument("repositories", nargs="+", type=Path, help="git repositories to clone")
    run.add_argument("--python", default=sys.executable, help="has flakefighters and pytest-cov")
    run.add_argument("--results", type=Path, default=Path("verdicts.jsonl"))
    run.add_argument("--work", type=Path, default=Path(tempfile.gettempdir()) / "verdicts")
    run.add_argument("--commit", default="HEAD", help="where mutants start and the replay ends")
    run.add_argument("--mutants", type=int, default=60, help="per project")
    run.add_argument("--fixes", type=int, default=10, help="to reverse, per project")
    run.add_argument("--setup", choices=SETUPS, default=SETUPS[0])
    run.add_argument("--commits", type=int, default=20, help="to replay, per project")
    run.add_argument("--apart", type=int, default=1, help="commits between last pass and failure")
    run.add_argument("--seed", type=int, default=1)
    run.add_argument("--kinds", action="store_true", help="flaky as people know it, not by errors")
    run.add_argument("--confirm", action="store_true", help="put every failure on trial")
    run.add_argument("--history", type=int, default=0, help="earlier runs in which tests failed")
    run.add_argument("--history-on", choices=PLACES, default=PLACES[0], help="commits of these")
    run.add_argument("--fighters", default="", help="names of flakefighters, with commas")
    run.add_argument("--pytest", default="", help="more arguments of pytest, in one word")
    summary = commands.add_parser("summary", help="print the tables")
    summary.add_argument("results", nargs="+", type=Path)
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run or sum up; 1 if a genuine failure was called flaky."""
    options = _options(arguments)
    if options.command == "run":
        version = _output([options.python, "-c", "import sys; print(sys.version.split()[0])"])
        for repository in options.repositories:
            _one(repository, version, options)
    paths = [options.results] if options.command == "run" else options.results
    records = load(paths)
    print(as_markdown(records), end="")
    mistakes = wrong(records)
    for record, failure in mistakes:
        print(f"\nWRONG {record['project']} {record['python']} {failure['nodeid']}")
        print(f"  {record['operator']} in {record['path']}:{record['line']}", *record["diff"])
        print(f"  {failure['reason']}")
    return int(bool(mistakes))


def _one(repository: Path, version: str, options: argparse.Namespace) -> None:
    work = options.work.resolve() / version
    arguments = tuple(options.pytest.split())
    suite = Suite(
        repository,
        work,
        options.python,
        arguments,
        setup=options.setup,
        fighters=options.fighters,
        confirm=options.confirm and not options.history,
    )
    past = Past(options.history, options.history_on) if options.history else None
    both = {"past": past, "confirm": options.confirm}
    finished = {
        record["key"]
        for record in load([options.results])
        if (record["project"], record["python"]) == (suite.name, version)
    }

    def records() -> Iterator[dict[str, Any]]:
        done = finished.__contains__
        if options.mutants:
            yield from genuine_half(
                suite, options.commit, options.mutants, options.seed, done, **both
            )
        if options.fixes and past is None:
            yield from reversed_fixes(suite, options.commit, options.fixes, done)
        if options.commits:
            asked = options.commits, options.seed, options.apart
            yield from flaky_half(suite, options.commit, *asked, done, kinds=options.kinds, **both)

    for record in records():
        with options.results.open("a", encoding="utf-8") as file:
            whole = {"project": suite.name, "python": version, **record}
            file.write(json.dumps(whole) + "\n")


def _output(command: Sequence[str]) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


if __name__ == "__main__":
    sys.exit(main())
