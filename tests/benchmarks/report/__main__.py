"""What a report in HTML costs: seconds to make it, its bytes, seconds until it stands there.

    python -m tests.benchmarks.report [--tests 10000] [--runs 500] [--failing 0.002]

A SQLite history is made first, which takes minutes; ``--keep FILE`` keeps it for the next time.
The browser is Chromium without a window; without one only the making is measured.
"""

from __future__ import annotations

import argparse
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from flakefighters.history import open_history
from flakefighters.model import Target
from tests.benchmarks.history.made import PROJECT, made_runs
from tests.reports.browser import running_browser

_READY = """
const timing = performance.getEntriesByType("navigation")[0];
return [timing.responseEnd, timing.domContentLoadedEventEnd, timing.loadEventEnd];
"""
_VIEWS = ("#run", "#tests", "#grid", "#trends", "#quarantine", "#run")
_GO = """
const from = performance.now();
location.hash = arguments[0];
return new Promise((done) => addEventListener("hashchange", () =>
  requestAnimationFrame(() => setTimeout(() => done(performance.now() - from))), { once: true }));
"""


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.report", description=__doc__)
    parser.add_argument("--tests", type=int, default=10_000)
    parser.add_argument("--runs", type=int, default=500)
    parser.add_argument("--failing", type=float, default=0.002, help="share of results")
    parser.add_argument("--kinds", type=int, default=2000, help="different failures")
    parser.add_argument("--keep", type=Path, help="a history to make, or to use again")
    return parser.parse_args(arguments)


def _make(path: Path, options: argparse.Namespace) -> None:
    with open_history(Target(backend="sqlite", path=path, display=str(path))) as history:
        made = made_runs(options.runs, options.tests, failing=options.failing, kinds=options.kinds)
        for number, (run, verdicts) in enumerate(made, 1):
            history.save(run, verdicts)
            if number % 50 == 0:
                print(f"{number} runs", file=sys.stderr)


def _written(history: Path, page: Path) -> float:
    command = [sys.executable, "-m", "flakefighters", "report", "-o", str(page)]
    command += ["--database-url", f"sqlite:///{history}", "--project", PROJECT.identity]
    start = time.monotonic()
    subprocess.run([*command, "--rootdir", str(page.parent)], check=True, capture_output=True)
    return time.monotonic() - start


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, and print a table."""
    options = _options(arguments)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        history = (options.keep or folder / "history.db").absolute()
        if not history.exists():
            _make(history, options)
        page = folder / "report.html"
        times = [_written(history, page) for _ in range(3)]
        memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
        print("| what | figure |\n|---|---|")
        print(f"| tests, runs | {options.tests:,}, {options.runs:,} |")
        print(f"| making it, median of 3 | {sorted(times)[1]:.1f} s |")
        print(f"| memory for that | {memory / 1024:.0f} MB |")
        print(f"| its size | {page.stat().st_size / 1e6:.1f} MB |")
        if shutil.which("chromium") and shutil.which("chromedriver"):
            _look(page, folder)
    return 0


def _look(page: Path, folder: Path) -> None:
    with running_browser(folder) as browser:
        browser.resize(1200, 900)
        opened = []
        for _ in range(3):
            browser.open(page)
            opened.append(browser.run(_READY)[1] / 1000)
        print(f"| opening it, median of 3 | {sorted(opened)[1]:.2f} s |")
        for view in _VIEWS[1:]:
            print(f"| view {view} | {browser.run(_GO, view) / 1000:.2f} s |")


if __name__ == "__main__":
    sys.exit(main())
