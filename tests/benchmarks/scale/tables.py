"""The figures as tables in Markdown, and the line through the clones."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from flakefighters.reports.transfers import amount
from tests.benchmarks.scale.measuring import Cost

__all__ = ["clones", "fit", "tables"]

#: What is shown of the session, and of the commands.
WAITS: Final = (
    ("read at the start", "start, far"),
    ("save", "save, far"),
    ("pull of nothing", "pull of nothing"),
    ("pull of 1 run", "pull of 1 run"),
    ("pull of 20 runs", "pull of 20 runs"),
)
WORK: Final = (
    ("save, while it grows", "saving"),
    ("read at the start", "start, near"),
    ("what `tests` asks and counts", "tests, without Python's start"),
    ("`flakefighters tests`", "tests"),
    ("`flakefighters report`, HTML", "report"),
    ("`flakefighters check`", "check"),
)
_Figures = Mapping[str, Any]


def tables(found: _Figures) -> str:
    """All of them."""
    size = found["size"]
    title = "{tests:,} tests, {machines} machines, {days} days".format(**size)
    return "\n".join([f"{title}\n", *_sizes(found), *_waits(found), *_work(found), *_clones(found)])


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    lines = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    return [*lines, *("| " + " | ".join(row) + " |" for row in rows), ""]


def _sizes(found: _Figures) -> list[str]:
    tests = found["size"]["tests"]
    rows = []
    for step in found["steps"]:
        sizes = step["sizes"]
        indexes = sum(size for name, size in sizes.items() if name.endswith(", indexes"))
        kept = step.get("retained")
        rows.append(
            [
                f"{step['runs']:,}",
                amount(sizes["database"]),
                f"{sizes['run'] / step['runs'] / tests:.1f} B",
                amount(sizes["execution"] + sizes["failure"] + sizes["failure_text"]),
                amount(sizes["verdict"] + sizes["evidence"]),
                amount(indexes),
                "the same" if kept is None else amount(kept["sizes"]["database"]),
                f"{step['prune, runs']:,} in {Cost(*step['prune']).seconds:.0f} s",
            ]
        )
    heads = ["runs", "database", "a result", "failures and skips", "verdicts", "indexes"]
    return _table([*heads, "180 days of it", "pruned"], rows)


def _waits(found: _Figures) -> list[str]:
    rows = []
    for what, name in WAITS:
        costs = [Cost(*step[name]) for step in found["steps"]]
        turns = str(max(one.turns for one in costs))
        rows.append([what, turns, *(f"{one.seconds:.2f} s, {amount(one.bytes)}" for one in costs)])
    return _table(["over the slow line", "round trips", *_lengths(found)], rows)


def _lengths(found: _Figures) -> list[str]:
    return [f"{step['runs']:,} runs" for step in found["steps"]]


def _work(found: _Figures) -> list[str]:
    rows = []
    for what, name in WORK:
        costs = [Cost(*step[name]) for step in found["steps"]]
        rows.append([what, *(f"{one.client:.2f} + {one.server:.2f} s" for one in costs)])
    return _table(["CPU, client + server", *_lengths(found)], rows)


def clones(found: _Figures) -> list[tuple[str, Cost, _Figures]]:
    """Every clone of the longest history, and those of all of each: its name, cost and figures."""
    made = [(f"all of {step['runs']:,}", step["clone"]) for step in found["steps"]]
    for name, one in found["steps"][-1].items():
        if name.startswith("clone of "):
            made.append((name.removeprefix("clone of "), one))
    some = [(name, Cost(*one["cost"]), one) for name, one in made]
    return sorted(some, key=lambda one: one[2]["bytes"])


def fit(found: _Figures) -> tuple[float, float, float]:
    """CPU seconds of both sides for nothing and for each MB of a clone; the share explained."""
    known = [(one["bytes"] / 1e6, cost.client + cost.server) for _, cost, one in clones(found)]
    if len(known) < 2:
        return 0.0, 0.0, 0.0
    brought, spent = zip(*known, strict=True)
    slope, start = statistics.linear_regression(brought, spent)
    return start, slope, statistics.correlation(brought, spent) ** 2


def _clones(found: _Figures) -> list[str]:
    rows = []
    for name, cost, one in clones(found):
        rows.append(
            [
                name,
                f"{one['runs']:,}",
                f"{one['rows']:,}",
                amount(one["bytes"]),
                amount(one["file"]),
                f"{cost.seconds:.1f}",
                f"{cost.client:.1f} + {cost.server:.1f}",
            ]
        )
    heads = ["clone", "runs", "rows", "over the line", "file", "seconds", "CPU, client + server"]
    start, slope, explained = fit(found)
    said = (
        f"CPU of a clone: {start:.1f} s + {1000 * slope:.0f} ms for each MB (R² = {explained:.3f})"
    )
    return [*_table(heads, rows), said]
