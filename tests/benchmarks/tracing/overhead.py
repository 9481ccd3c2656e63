"""CPU of a test suite watched, as a ratio to the same suite without us.

    python -m tests.benchmarks.tracing.overhead [--rounds 7] [PROJECT [PYTEST ARGUMENT ...]]

Without a project: 2,000 trivial tests and a call-heavy suite, made in a temporary folder.  Runs
are interleaved; figures are medians of user plus system time, children included, with the ratio
of the minima behind them, which a busy machine disturbs less.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from pathlib import Path

from tests.benchmarks.tracing.suites import SIZES, Suite, calls, run, trivial, watch_of


def measure(suite: Suite, rounds: int, sizes: tuple[str, ...]) -> dict[str, list[float]]:
    """CPU seconds of each round by size of change; "bare" without us."""
    watches = {"bare": None, **{size: watch_of(suite, size) for size in sizes}}
    seconds: dict[str, list[float]] = {name: [] for name in watches}
    for number in range(rounds + 1):
        for name, watch in watches.items():
            cpu = run(suite, watch).cpu
            if number:  # the first round fills caches
                seconds[name].append(cpu)
    return seconds


def ratio(values: list[float], bare: list[float]) -> str:
    """Of the medians, and of the minima."""
    return (
        f"{statistics.median(values) / statistics.median(bare):.2f} ({min(values) / min(bare):.2f})"
    )


def main() -> None:
    """Measure and print a line per suite."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--size", action="append", choices=SIZES)
    parser.add_argument("project", nargs="?", type=Path)
    parser.add_argument("arguments", nargs=argparse.REMAINDER)
    options = parser.parse_args()
    sizes = tuple(options.size or SIZES)
    with tempfile.TemporaryDirectory() as folder:
        if options.project:
            path = options.project.resolve()
            suites = [Suite(path.name, path, tuple(options.arguments))]
        else:
            suites = [trivial(Path(folder, "trivial")), calls(Path(folder, "calls"))]
        for suite in suites:
            seconds = measure(suite, options.rounds, sizes)
            bare = seconds.pop("bare")
            ratios = " · ".join(f"{size} {ratio(cpu, bare)}" for size, cpu in seconds.items())
            version = ".".join(map(str, sys.version_info[:2]))
            typical = statistics.median(bare)
            print(f"{version} {suite.name} ({typical:.2f} s bare): {ratios}", flush=True)


if __name__ == "__main__":
    main()
