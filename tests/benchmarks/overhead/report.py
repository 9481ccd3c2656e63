"""Figures as tables and as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.benchmarks.overhead.cases import Result
from tests.benchmarks.overhead.measuring import Sample, median_of
from tests.benchmarks.overhead.rows import Row
from tests.benchmarks.overhead.tools import TOOLS

__all__ = ["Figures", "as_json", "as_markdown"]

_HEAD = ("what", "bare", "whole run", "more CPU", "beyond start-up", "memory", "budget")


@dataclass(slots=True)
class Figures:
    """All results on one Python."""

    python: str
    results: list[Result] = field(default_factory=list)
    #: One trivial test in the same environments: the start-up that is taken off.
    startup: Result | None = None
    installed: dict[str, int] = field(default_factory=dict)
    stored: dict[str, float] = field(default_factory=dict)


def as_markdown(every: Sequence[Figures], rounds: int) -> str:
    """Tables for people: one for each Python and tool, then what went wrong."""
    blocks = []
    for figures in every:
        for name in (name for name in TOOLS if name != "bare"):
            if any(name in result.samples for result in figures.results):
                title = f"## {TOOLS[name].title}, Python {figures.python}, medians of {rounds}"
                blocks += [f"{title} rounds or more", _table(_HEAD, _rows(figures, name))]
        troubles = [
            f"- {result.case}, {name}: {trouble}"
            for result in figures.results
            for name, trouble in result.troubles.items()
        ]
        if troubles:
            blocks.append("Troubles:\n\n" + "\n".join(troubles))
    return "\n\n".join(blocks) + "\n"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [f"| {' | '.join(head)} |", "|---" * len(head) + "|"]
    return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in rows)])


def _rows(figures: Figures, name: str) -> list[list[str]]:
    rows = []
    for result in figures.results:
        bare, samples = result.samples.get("bare"), result.samples.get(name)
        if not bare:
            continue
        cpu = median_of(bare, "cpu")
        row = [result.case, f"{cpu:.2f} s"]
        if samples:
            row += _measured(result, bare, samples, figures, name)
        else:
            row += ["failed" if name in result.troubles else "-", "", "", ""]
        rows.append([*row, _budget(result.row, figures.python)])
    if name in figures.installed:
        told = f"{figures.installed[name] / 1e6:.0f} MB"
        rows.append(["installed beyond pytest", "", told, "", "", "", "85 MB"])
    if name in figures.stored:
        told = f"{figures.stored[name]:.1f} B"
        rows.append(["stored per passing test and run", "", told, "", "", "", "10 B"])
    return rows


def _measured(
    result: Result, bare: Sequence[Sample], samples: Sequence[Sample], figures: Figures, name: str
) -> list[str]:
    theirs, ours = median_of(bare, "cpu"), median_of(samples, "cpu")
    mark = " *" if name in result.troubles else ""
    ratio, more = f"{ours / theirs:.2f}{mark}", f"{ours - theirs:+.2f} s"
    limit = _ratio_limit(result.row, figures.python)
    if limit is not None and ours / theirs > limit:
        ratio = f"**{ratio}**"
    if result.row.seconds is not None and ours - theirs > result.row.seconds:
        more = f"**{more}**"
    memory = median_of(samples, "memory") / median_of(bare, "memory")
    peak = f"{memory:.2f}"
    if result.row.memory is not None and memory > result.row.memory:
        peak = f"**{peak}**"
    return [ratio, more, _beyond(theirs, ours, figures, name), peak]


def _beyond(theirs: float, ours: float, figures: Figures, name: str) -> str:
    """The ratio of what is left when both have paid for one trivial test."""
    start = figures.startup
    if start is None or name not in start.samples or "bare" not in start.samples:
        return ""
    theirs -= median_of(start.samples["bare"], "cpu")
    ours -= median_of(start.samples[name], "cpu")
    # Of a few hundredths of a second no ratio says anything.
    return f"{ours / theirs:.2f}" if theirs > 0.05 else ""


def _ratio_limit(row: Row, python: str) -> float | None:
    return row.ratio and row.ratio[1 if python.startswith("3.11") else 0]


def _budget(row: Row, python: str) -> str:
    limit = _ratio_limit(row, python)
    told = [] if limit is None else [f"{limit:.2f}"]
    told += [] if row.seconds is None else [f"+{row.seconds:.2f} s"]
    told += [] if row.memory is None else [f"memory {row.memory:.2f}"]
    return ", ".join(told)


def as_json(every: Sequence[Figures]) -> list[dict[str, Any]]:
    """All samples, as JSON values."""
    return [
        {
            "python": figures.python,
            "installed": figures.installed,
            "stored": figures.stored,
            "startup": _plain(figures.startup) if figures.startup else None,
            "results": [_plain(result) for result in figures.results],
        }
        for figures in every
    ]


def _plain(result: Result) -> Mapping[str, Any]:
    return {
        "row": result.row.slug,
        "case": result.case,
        "troubles": result.troubles,
        "samples": {
            name: [sample.plain() for sample in samples] for name, samples in result.samples.items()
        },
    }
