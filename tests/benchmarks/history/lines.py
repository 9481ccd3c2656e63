"""What the parts of the benchmark share: histories to fill, tables to print."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence

from flakefighters.history import open_history
from flakefighters.model import Run, Target, Verdict

__all__ = ["fill", "say", "table"]


def say(text: str) -> None:
    """Progress, on the standard error."""
    print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)


def table(title: str, heads: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """A table in Markdown, on the standard output."""
    say("")
    print(f"{title}\n")
    print("| " + " | ".join(heads) + " |\n|" + "---|" * len(heads))
    for row in rows:
        print("| " + " | ".join(map(str, row)) + " |")
    print(flush=True)


def fill(target: Target, runs: Iterable[tuple[Run, list[Verdict]]], total: int) -> None:
    """Save runs over one connection."""
    with open_history(target) as history:
        for number, (run, verdicts) in enumerate(runs, 1):
            history.save(run, verdicts)
            say(f"saving {number} of {total} runs to {target.backend}")
