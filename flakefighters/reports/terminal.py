"""Verdicts as lines for a terminal.  Nothing here prints."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from flakefighters.model import Label, Verdict
from flakefighters.reports.escape import escape

__all__ = ["COLOURS", "Line", "closing", "details", "verdict_line"]

COLOURS: Final[Mapping[Label, str]] = {
    Label.FLAKY: "yellow",
    Label.GENUINE: "red",
    Label.UNDECIDED: "cyan",
}


@dataclass(frozen=True, slots=True)
class Line:
    """A line that begins with a coloured word."""

    word: str
    colour: str
    rest: str


def verdict_line(
    verdict: Verdict, nodeid: str, *, place: str | None = None, where: str = "terminal"
) -> Line:
    """ "FLAKY node id - reason"; ``place`` names the phase or the subtest if it is not the call."""
    reason = verdict.reason if place is None else f"{place}: {verdict.reason}"
    if verdict.introduced:
        reason += " (new: introduced here?)"
    return Line(
        verdict.label.value.upper(),
        COLOURS[verdict.label],
        f" {escape(nodeid, where)} - {escape(reason, where)}",
    )


def closing(verdicts: Sequence[Verdict], what_became: str) -> str:
    """ "1 flaky, 1 genuine; run 51be saved to ci"."""
    counts = Counter(verdict.label for verdict in verdicts)
    parts = [f"{counts[label]} {label.value}" for label in Label if counts[label]]
    return f"{', '.join(parts) or 'no failures'}; {what_became}"


def details(verdict: Verdict, where: str = "terminal") -> str:
    """One flakefighter's verdict and evidence, on one indented line."""
    evidence = json.dumps(dict(verdict.evidence), ensure_ascii=True, sort_keys=True)
    text = (
        f"    {verdict.fighter}: {verdict.label.value} ({verdict.confidence.value})"
        f" - {verdict.reason} {evidence}"
    )
    return escape(text, where)
