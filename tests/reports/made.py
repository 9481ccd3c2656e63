"""Runs with the worst numbers that a list may have to show."""

from __future__ import annotations

from flakefighters.model import Completeness, Label, Outcome, RunHead, Trust
from flakefighters.model.rows import RunRow

__all__ = ["summaries"]


def summaries() -> list[RunRow]:
    """One run with nothing, and one with everything, in long names and large numbers."""
    now = 10**15
    bare = RunHead(id="0" * 32, project="p", started=now)
    full = RunHead(
        id="1" * 32,
        project="gitlab.example.org/a-group/a-subgroup/a-project",
        started=now - 59 * 60_000_000,
        ended=now + 10**12,
        commit="a1b2c3d" * 5,
        dirty=True,
        branch="feature/a-name-that-does-not-end-before-the-terminal-does",
        job="a job (ubuntu-latest, 3.13)",
        pr="12345",
        completeness=Completeness.INTERRUPTED,
        selection={"keyword": "x"},
        trust=Trust.PROTECTED,
    )
    return [
        RunRow(run=bare, tests=0),
        RunRow(
            run=full,
            tests=123_456,
            outcomes={Outcome.FAILED: 100_000, Outcome.MIXED: 23_456},
            labels=dict.fromkeys(Label, 33_333),
        ),
    ]
