"""The page and the record of ``flakefighters fighters``."""

from __future__ import annotations

from flakefighters.model import JOINT, Label
from flakefighters.model.scores import Score, Scores
from flakefighters.reports.page import Column, Span, Table
from flakefighters.reports.records import Record
from flakefighters.reports.words import percent

__all__ = ["scores_record", "scores_table"]


def scores_table(found: Scores) -> Table:
    """Flakefighters, a row each; the verdicts that counted come last."""
    columns = (
        Column("FLAKEFIGHTER"),
        Column("SAID", right=True),
        Column("PROVED", right=True),
        Column("AGREED", right=True),
        Column("", right=True, leave=1),
        Column("FLAKY, IS GENUINE", right=True),
        Column("GENUINE, IS FLAKY", right=True),
        Column("UNDECIDED", right=True),
    )
    return Table(columns, tuple(_row(one) for one in found.fighters))


def _row(one: Score) -> tuple[Span, ...]:
    return (
        Span("(all together)" if one.fighter == JOINT else one.fighter, "strong"),
        Span(str(one.said)),
        Span(str(one.proved)),
        Span(str(one.agreed), "good" if one.agreed else "faint"),
        Span(percent(one.agreed, one.proved), "faint"),
        Span(str(one.acquitted), "bad" if one.acquitted else "faint"),
        Span(str(one.missed), "doubt" if one.missed else "faint"),
        Span(str(one.undecided), "open" if one.undecided else "faint"),
    )


def scores_record(found: Scores, runs: int) -> Record:
    """What ``--json`` prints; ``runs`` is how many were looked at."""
    return {
        "runs": runs,
        "failures": found.failures,
        "proved": found.proved,
        "fighters": [
            {
                "fighter": one.fighter,
                "said": one.said,
                "proved": one.proved,
                "agreed": one.agreed,
                "flaky_is_genuine": one.acquitted,
                "genuine_is_flaky": one.missed,
                "undecided": one.undecided,
                "pairs": {
                    said.value: {
                        proved.value: one.pairs[said, proved]
                        for proved in (Label.FLAKY, Label.GENUINE)
                    }
                    for said in Label
                },
            }
            for one in found.fighters
        ],
    }
