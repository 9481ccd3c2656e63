"""What the plugin costs, beside bare pytest and its neighbours, on real suites.

    python -m tests.benchmarks.overhead [--suites sqlparse,jinja2,attrs,click] [--pythons 3.11,3.13]
                                        [--rounds 5] [--sizes last,fifty,all] [--tools ...]
                                        [--beside xdist|cov]

It makes virtual environments and fetches suites with pip into a work folder (``--work``, by
default in the user's cache), which later runs use again.  The figures go to the standard output
as Markdown and to ``overhead.json`` in the work folder; progress goes to the standard error.

CPU is user and system time of pytest and its children, memory the largest resident set of one of
them.  Runs of the tools are interleaved; ratios are of medians.  *Beyond start-up* leaves out what
one trivial test costs in the same environment.  A star marks outcomes that differ from bare
pytest's.  The sizes say how far the state is from the one in which flakefighters last saw the
tests pass; the others do not look at it (but for the peer, which compares with the last commit)
and run with the first size only.
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

from tests.benchmarks.overhead.cases import (
    micro_cases,
    run_case,
    stored_bytes,
    suite_case,
)
from tests.benchmarks.overhead.environments import Place, find_python, prepare
from tests.benchmarks.overhead.report import Figures, as_json, as_markdown
from tests.benchmarks.overhead.suites import SIZES, SUITES, checkout
from tests.benchmarks.overhead.tools import BESIDE, PYTEST, TOOLS, with_beside


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    here = "{}.{}".format(*sys.version_info)
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.overhead",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )

    def several(name: str, known: Sequence[str], default: str) -> None:
        parser.add_argument(f"--{name}", default=default, help=f"of {', '.join(known)}")

    several("suites", list(SUITES), ",".join(SUITES))
    several("sizes", list(SIZES), ",".join(SIZES))
    several("tools", list(TOOLS), ",".join(TOOLS))
    parser.add_argument("--pythons", default=here, help="versions or paths (default: this one)")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument(
        "--beside", choices=sorted(BESIDE), help="with this plugin, in bare pytest as well"
    )
    parser.add_argument("--no-micro", action="store_true", help="suites only")
    parser.add_argument("--work", type=Path, default=cache / "flakefighters-overhead")
    options = parser.parse_args(arguments)
    for name, known in (("suites", SUITES), ("sizes", SIZES), ("tools", TOOLS)):
        chosen = [one for one in getattr(options, name).split(",") if one]
        unknown = [one for one in chosen if one not in known]
        if unknown:
            parser.error(f"--{name}: {unknown[0]!r} is none of {', '.join(known)}")
        setattr(options, name, chosen)
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
    places = [prepare(tool, python, folder) for tool in tools]
    if not options.beside:
        figures.installed = {p.tool.name: p.size for p in places if p.tool.requirements}
    for suite in options.suites:
        _one_suite(suite, python, folder / "suites", places, options, figures)
        save()
    if not options.no_micro:
        _micro(folder / "micro", places, options, figures)
        save()


def _one_suite(
    suite: str,
    python: Path,
    folder: Path,
    places: Sequence[Place],
    options: argparse.Namespace,
    figures: Figures,
) -> None:
    ready = checkout(SUITES[suite], python, folder)
    one = micro_cases(folder / f"{suite}-startup")["one"]
    one.python_path = ready.python_path
    print(f"  {suite}: start-up", file=sys.stderr)
    figures.startup[suite] = run_case(one, places, options.rounds)
    for number, size in enumerate(options.sizes):
        case = suite_case(ready, size)
        figures.changed[case.name] = ready.changed[size]
        print(f"  {case.name}", file=sys.stderr)
        asked = [p for p in places if number == 0 or p.tool.name in ("bare", "ours")]
        figures.suites.append(run_case(case, asked, options.rounds))
    ready.switch("base")


def _micro(
    folder: Path, places: Sequence[Place], options: argparse.Namespace, figures: Figures
) -> None:
    cases = micro_cases(folder)
    for case in cases.values():
        print(f"  {case.name}", file=sys.stderr)
        # The short ones are cheap to repeat, and noisy.
        rounds = options.rounds * (1 if case is cases["many"] else 3)
        figures.micro.append(run_case(case, places, rounds))
    for place in places:
        stored = stored_bytes(place, cases["many"], runs=2)
        if stored is not None:
            figures.stored[place.tool.name] = stored


if __name__ == "__main__":
    sys.exit(main())
