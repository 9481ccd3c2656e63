"""What the plugin costs whole test runs, beside bare pytest and its neighbours.

    python -m tests.benchmarks.overhead [CHECKOUT[:TEST_FILE] ...] [--pythons 3.11,3.13]
                                        [--install hypothesis,trio] [--rounds 5] [--rows ...]

CHECKOUT is a folder of a git checkout; it is copied and only read.  TEST_FILE is its small test
file (default: the smallest one with three tests).  Without a checkout, the rows of generated
projects remain.  What the tests of a checkout import is named with --install.

The figures go to the standard output as Markdown and to ``overhead.json`` in the work folder
(``--work``, by default in the user's cache); progress goes to the standard error.

Ratios are of medians of CPU, of user and system, of pytest and its children, start-up, reading and
saving included; the tools take turns.  *Beyond start-up* leaves out what one trivial test costs in
the same environment.  A star marks outcomes that differ from bare pytest's, bold a figure over
budget.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from tests.benchmarks.overhead.cases import generated_case, project_case, run_case, stored_bytes
from tests.benchmarks.overhead.environments import Place, find_python, prepare
from tests.benchmarks.overhead.projects import copy
from tests.benchmarks.overhead.report import Figures, as_json, as_markdown
from tests.benchmarks.overhead.rows import ROWS, Row
from tests.benchmarks.overhead.tools import BESIDE, PYTEST, TOOLS, with_beside

_START_UP = "one-test"


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    here = "{}.{}".format(*sys.version_info)
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.overhead",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("checkouts", nargs="*", metavar="CHECKOUT[:TEST_FILE]")
    parser.add_argument("--rows", default=",".join(ROWS), help=f"of {', '.join(ROWS)}")
    parser.add_argument("--tools", default="bare,ours", help=f"of {', '.join(TOOLS)}")
    parser.add_argument("--pythons", default=here, help="versions or paths (default: this one)")
    parser.add_argument("--install", default="", help="requirements for every environment")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument(
        "--beside", choices=sorted(BESIDE), help="with this plugin, in bare pytest as well"
    )
    parser.add_argument("--work", type=Path, default=cache / "flakefighters-overhead")
    options = parser.parse_args(arguments)
    for name, known in (("rows", ROWS), ("tools", TOOLS)):
        chosen = [one for one in getattr(options, name).split(",") if one]
        unknown = [one for one in chosen if one not in known]
        if unknown:
            parser.error(f"--{name}: {unknown[0]!r} is none of {', '.join(known)}")
        setattr(options, name, chosen)
    options.install = [one for one in options.install.split(",") if one]
    if "bare" not in options.tools:
        options.tools.insert(0, "bare")
    return options


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and report."""
    options = _options(arguments)
    every: list[Figures] = []
    options.work.mkdir(parents=True, exist_ok=True)

    def save() -> None:
        told = {
            "pytest": PYTEST,
            "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} CPUs",
            "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "rounds": options.rounds,
            "results": as_json(every),
        }
        (options.work / "overhead.json").write_text(json.dumps(told, indent=1) + "\n")

    try:
        for asked in options.pythons.split(","):
            python = find_python(asked)
            every.append(Figures(asked if "/" not in asked else python.parent.parent.name))
            _one_python(python, options, every[-1], save)
    except KeyboardInterrupt:
        print("interrupted: these are the figures so far", file=sys.stderr)
    print(as_markdown(every, options.rounds), end="")
    print(f"all samples: {options.work / 'overhead.json'}", file=sys.stderr)
    return 0


def _one_python(
    python: Path, options: argparse.Namespace, figures: Figures, save: Callable[[], None]
) -> None:
    print(f"Python {figures.python}", file=sys.stderr)
    folder = options.work.resolve() / f"python-{figures.python}"
    tools = [TOOLS[tool] for tool in options.tools]
    if options.beside:
        folder /= f"with-{options.beside}"
        tools = [with_beside(tool, options.beside) for tool in tools]
    folder.mkdir(parents=True, exist_ok=True)
    places = [prepare(tool, python, folder, options.install) for tool in tools]
    if not options.beside:
        figures.installed = {p.tool.name: p.size for p in places if p.tool.requirements}
    rows = [ROWS[slug] for slug in options.rows]
    print(f"  start-up: {ROWS[_START_UP].title}", file=sys.stderr)
    start = generated_case(ROWS[_START_UP], folder / "generated")
    figures.startup = run_case(start, places, options.rounds)
    for named in options.checkouts:
        project = copy(named, folder / "projects")
        for row in (row for row in rows if row.per_project):
            case = project_case(row, project)
            print(f"  {case.name}", file=sys.stderr)
            figures.results.append(run_case(case, places, options.rounds))
            save()
    for row in (row for row in rows if not row.per_project):
        _generated(row, folder / "generated", places, options.rounds, figures)
        save()


def _generated(
    row: Row, folder: Path, places: Sequence[Place], rounds: int, figures: Figures
) -> None:
    if row.slug == _START_UP and figures.startup is not None:
        figures.results.append(figures.startup)
        return
    print(f"  {row.title}", file=sys.stderr)
    case = generated_case(row, folder)
    figures.results.append(run_case(case, places, rounds))
    if row.slug == "2000-tests":
        for place in places:
            stored = stored_bytes(place, case, runs=2)
            if stored is not None:
                figures.stored[place.tool.name] = stored


if __name__ == "__main__":
    sys.exit(main())
