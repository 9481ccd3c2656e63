"""Measure how well flake rates are calibrated: ``python -m tests.benchmarks.flip_rate``."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from flakefighters.fighters.flip_rate import Settings
from flakefighters.measures.failure_rate import BREAKS, LASTS, PRIOR
from tests.benchmarks.flip_rate.plot import svg
from tests.benchmarks.flip_rate.simulation import RUNS, Found, measure, tail

__all__ = ["FIGURES", "figures", "model", "table"]

#: Where the picture of the documentation and its numbers are.
FIGURES: Final = Path(__file__).resolve().parents[3] / "docs" / "figures"
NAME: Final = "flip-rate-calibration"


def model() -> dict[str, Any]:
    """The parameters that the figures were made with."""
    return {
        "prior": list(PRIOR),
        "breaks": BREAKS,
        "lasts": LASTS,
        "settings": Settings()._asdict(),
    }


def figures(tests: int, seed: int = 1) -> dict[str, Any]:
    """All numbers, as JSON values; ``tests`` is how many flaky ones are simulated."""
    once, middle = tail()
    return {
        "model": model(),
        "tests": tests,
        "seed": seed,
        "tail": {"failed_once": round(once, 3), "median": middle},
        "windows": [_window(measure(runs, tests, seed)) for runs in RUNS],
    }


def _window(found: Found) -> dict[str, Any]:
    every = found.chance + found.broken
    return {
        "runs": found.runs,
        "intervals": {
            str(level): round(hits / found.rates, 3) for level, hits in found.covered.items()
        },
        # What was said of the failures of a class, how many were by chance, and their share.
        "chance": [
            [round(said / all_, 3), round(chance / all_, 3), round(all_ / every, 4)]
            for all_, chance, said in found.said
            if all_ > 0.001 * every
        ],
        "precision": round(found.precision, 4),
        "recall": round(found.recall, 3),
    }


def table(found: Mapping[str, Any]) -> str:
    """The table of the documentation."""
    lines = [
        "| earlier runs | intervals of 50 % | of 90 % | of 99 % | precision | recall |",
        "|---|---|---|---|---|---|",
    ]
    for one in found["windows"]:
        some = [f"{100 * one['intervals'][level]:.0f} %" for level in ("0.5", "0.9", "0.99")]
        voice = [f"{100 * one['precision']:.1f} %", f"{100 * one['recall']:.0f} %"]
        lines.append(f"| {' | '.join([str(one['runs']), *some, *voice])} |")
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.flip_rate",
        description="Simulate histories of tests, and see how often what is said of them is so.",
    )
    parser.add_argument(
        "--tests", type=int, default=1500, help="flaky tests for each number of runs (1500)"
    )
    parser.add_argument("--seed", type=int, default=1, help="of the random numbers (1)")
    parser.add_argument(
        "--into", type=Path, metavar="FOLDER", help="write the picture and its numbers there"
    )
    asked = parser.parse_args()
    found = figures(asked.tests, asked.seed)
    print(table(found))
    once, middle = found["tail"].values()
    print(f"\nof flaky tests that fail in 10,000 runs {once:.1%} fail once; median {middle:.0f}")
    if asked.into is not None:
        asked.into.mkdir(parents=True, exist_ok=True)
        (asked.into / f"{NAME}.json").write_text(json.dumps(found, indent=1) + "\n", "utf-8")
        (asked.into / f"{NAME}.svg").write_text(svg(found), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
