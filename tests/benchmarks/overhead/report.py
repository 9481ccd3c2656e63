"""Figures as tables and as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.benchmarks.overhead.cases import Result
from tests.benchmarks.overhead.measuring import Sample, median_of
from tests.benchmarks.overhead.tools import TOOLS

__all__ = ["Figures", "as_json", "as_markdown"]


@dataclass(slots=True)
class Figures:
    """All results on one Python."""

    python: str
    suites: list[Result] = field(default_factory=list)
    #: One trivial test among the suite's dependencies: the start-up that is taken off.
    startup: dict[str, Result] = field(default_factory=dict)
    micro: list[Result] = field(default_factory=list)
    changed: dict[str, int] = field(default_factory=dict)
    installed: dict[str, int] = field(default_factory=dict)
    stored: dict[str, float] = field(default_factory=dict)


def as_markdown(every: Sequence[Figures], rounds: int) -> str:
    """Tables for people."""
    return "\n\n".join(block for figures in every for block in _tables(figures, rounds)) + "\n"


def _tables(figures: Figures, rounds: int) -> list[str]:
    names = [name for name in TOOLS if name != "bare" and _seen(figures, name)]
    blocks = [f"## Python {figures.python}, medians of {rounds} rounds, ratios to bare pytest"]
    if figures.suites:
        blocks.append(_suites(figures, names))
    if figures.micro:
        blocks.append(_micro(figures, names))
    troubles = [
        f"- {result.case}, {name}: {trouble}"
        for result in [*figures.suites, *figures.micro]
        for name, trouble in result.troubles.items()
    ]
    if troubles:
        blocks.append("Troubles:\n\n" + "\n".join(troubles))
    return blocks


def _seen(figures: Figures, name: str) -> bool:
    every = [*figures.suites, *figures.micro]
    return any(name in result.samples or name in result.troubles for result in every)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _suites(figures: Figures, names: Sequence[str]) -> str:
    head = ["suite (changed since the baseline)", "bare CPU s", "bare MB"]
    for name in names:
        head += [f"{name}: CPU", "beyond start-up", "memory"]
    rows = []
    for result in figures.suites:
        bare = result.samples.get("bare")
        if not bare:
            continue
        files = figures.changed.get(result.case)
        row = [
            result.case + (f", {files} files" if files is not None else ""),
            f"{median_of(bare, 'cpu'):.2f}",
            f"{median_of(bare, 'memory') / 1e6:.0f}",
        ]
        start = figures.startup.get(result.case.partition(" ")[0])
        for name in names:
            row += _ratios(result, start, name)
        rows.append(row)
    return _table(head, rows)


def _ratios(result: Result, start: Result | None, name: str) -> list[str]:
    samples, bare = result.samples.get(name), result.samples["bare"]
    if not samples:
        return ["failed" if name in result.troubles else "-", "", ""]
    mark = " *" if name in result.troubles else ""
    whole = f"{_ratio(samples, bare, 'cpu'):.2f}{mark}"
    beyond = ""
    if start is not None and name in start.samples and "bare" in start.samples:
        ours = median_of(samples, "cpu") - median_of(start.samples[name], "cpu")
        theirs = median_of(bare, "cpu") - median_of(start.samples["bare"], "cpu")
        beyond = f"{ours / theirs:.2f}" if theirs > 0 else ""
    return [whole, beyond, f"{_ratio(samples, bare, 'memory'):.2f}"]


def _ratio(samples: Sequence[Sample], bare: Sequence[Sample], what: str) -> float:
    return median_of(samples, what) / median_of(bare, what)


def _micro(figures: Figures, names: Sequence[str]) -> str:
    rows = []
    for result in figures.micro:
        bare = result.samples.get("bare")
        if not bare:
            continue
        cpu = median_of(bare, "cpu")
        row = [f"{result.case}: CPU", f"{cpu:.2f} s"]
        extra = [f"{result.case}: extra CPU", ""]
        memory = [f"{result.case}: memory", f"{median_of(bare, 'memory') / 1e6:.0f} MB"]
        for name in names:
            samples = result.samples.get(name)
            if not samples:
                failed = "failed" if name in result.troubles else "-"
                row.append(failed)
                extra.append(failed)
                memory.append(failed)
                continue
            mark = " *" if name in result.troubles else ""
            row.append(f"{_ratio(samples, bare, 'cpu'):.2f}{mark}")
            extra.append(f"{median_of(samples, 'cpu') - cpu:.2f} s")
            memory.append(f"{_ratio(samples, bare, 'memory'):.2f}")
        rows += [row, extra, memory]
    rows.append(
        ["installed beyond pytest", "", *(_or_none(figures.installed, n, 1e6, "MB") for n in names)]
    )
    rows.append(
        [
            "stored per passing test and run",
            "",
            *(_or_none(figures.stored, name, 1, "B") for name in names),
        ]
    )
    return _table(["what", "bare", *names], rows)


def _or_none(values: Mapping[str, float], name: str, unit: float, suffix: str) -> str:
    return f"{values[name] / unit:.1f} {suffix}" if name in values else "-"


def as_json(every: Sequence[Figures]) -> list[dict[str, Any]]:
    """All samples, as JSON values."""
    return [
        {
            "python": figures.python,
            "changed": figures.changed,
            "installed": figures.installed,
            "stored": figures.stored,
            "suites": [_plain(result) for result in figures.suites],
            "startup": {name: _plain(result) for name, result in figures.startup.items()},
            "micro": [_plain(result) for result in figures.micro],
        }
        for figures in every
    ]


def _plain(result: Result) -> dict[str, Any]:
    return {
        "case": result.case,
        "troubles": result.troubles,
        "samples": {
            name: [sample.plain() for sample in samples] for name, samples in result.samples.items()
        },
    }
