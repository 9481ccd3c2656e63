"""The page and the record of ``flakefighters fighters``."""

from __future__ import annotations

from typing import Final

from flakefighters.model import JOINT, Label
from flakefighters.model.scores import Score, Scores
from flakefighters.reports.page import Column, Span, Table
from flakefighters.reports.records import Record
from flakefighters.reports.words import percent

__all__ = ["scores_record", "scores_table"]

_SHOWN: Final = (Label.FLAKY, Label.GENUINE)


def scores_table(found: Scores) -> Table:
    """Flakefighters, a row each; the verdicts that counted come last."""
    columns = (
        Column("FLAKEFIGHTER"),
        Column("SAID", right=True),
        Column("PROVED", right=True, leave=3),
        Column("AGREED", right=True, leave=2),
        Column("FLAKY: PRECISION", right=True),
        Column("RECALL", right=True),
        Column("GENUINE: PRECISION", right=True),
        Column("RECALL", right=True),
        Column("FLAKY, IS GENUINE", right=True, leave=5),
        Column("GENUINE, IS FLAKY", right=True, leave=4),
        Column("UNDECIDED", right=True, leave=1),
    )
    return Table(columns, tuple(_row(one) for one in found.fighters))


def _row(one: Score) -> tuple[Span, ...]:
    return (
        Span("(all together)" if one.fighter == JOINT else one.fighter, "strong"),
        Span(str(one.said)),
        Span(str(one.proved)),
        Span(str(one.agreed), "good" if one.agreed else "faint"),
        *(Span(_share(share)) for label in _SHOWN for share in _shares(one, label)),
        Span(str(one.acquitted), "bad" if one.acquitted else "faint"),
        Span(str(one.missed), "doubt" if one.missed else "faint"),
        Span(str(one.undecided), "open" if one.undecided else "faint"),
    )


def _shares(one: Score, label: Label) -> tuple[float | None, float | None]:
    return one.precision(label), one.recall(label)


def _share(share: float | None) -> str:
    """A share in percent, "-" of nothing."""
    return "-" if share is None else percent(round(share * 10**6), 10**6)


def scores_record(found: Scores, runs: int) -> Record:
    """What ``--json`` prints; ``runs`` is how many were looked at."""
    return {
        "runs": runs,
        "failures": found.failures,
        "proved": found.proved,
        "fixed": found.fixed,
        "fighters": [
            {
                "fighter": one.fighter,
                "said": one.said,
                "proved": one.proved,
                "agreed": one.agreed,
                "flaky_is_genuine": one.acquitted,
                "genuine_is_flaky": one.missed,
                "undecided": one.undecided,
                "precision": {label.value: one.precision(label) for label in _SHOWN},
                "recall": {label.value: one.recall(label) for label in _SHOWN},
                "known": {label.value: one.known[label] for label in _SHOWN},
                "pairs": {
                    said.value: {proved.value: one.pairs[said, proved] for proved in _SHOWN}
                    for said in Label
                },
            }
            for one in found.fighters
        ],
    }
