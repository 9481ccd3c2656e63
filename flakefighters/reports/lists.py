"""The pages of ``flakefighters runs`` and ``flakefighters tests``."""

from __future__ import annotations

from collections.abc import Sequence

from flakefighters.model import Completeness, Label, Outcome, RunHead, Trust
from flakefighters.reports.page import Column, Span, Table, Tone
from flakefighters.reports.summaries import RunSummary, Tally
from flakefighters.reports.words import ago, revision, short_ids, took

__all__ = ["OUTCOME_TONES", "runs_table", "tests_table"]

OUTCOME_TONES: dict[Outcome, Tone] = {
    Outcome.PASSED: "good",
    Outcome.FAILED: "bad",
    Outcome.ERROR: "bad",
    Outcome.UNFINISHED: "bad",
    Outcome.MIXED: "doubt",
    Outcome.XPASSED: "doubt",
}


def runs_table(rows: Sequence[RunSummary], now: int, *, projects: bool = False) -> Table:
    """Runs, a row each; ``now`` in µs UTC; ``projects`` adds a column for them."""
    names = short_ids(row.run.id for row in rows)
    columns = [
        Column("RUN"),
        Column("STARTED"),
        Column("TOOK", right=True),
        Column("TESTS", right=True),
        Column("FAILED", right=True),
        Column("FLAKY", right=True),
        Column("GENUINE", right=True),
        Column("UNDECIDED", right=True),
        Column("COMMIT"),
        Column("BRANCH"),
        Column("NOTES"),
    ]
    if projects:
        columns.insert(1, Column("PROJECT"))
    return Table(tuple(columns), tuple(_run(row, names, now, projects) for row in rows))


def _run(row: RunSummary, names: dict[str, str], now: int, projects: bool) -> tuple[Span, ...]:
    head = row.run
    failed = row.outcomes.get(Outcome.FAILED, 0) + row.outcomes.get(Outcome.ERROR, 0)
    cells = [
        Span(names[head.id], "strong"),
        Span(ago(head.started, now)),
        Span(took(None if head.ended is None else head.ended - head.started)),
        Span(str(row.tests)),
        Span(str(failed), "bad" if failed else "good"),
        _number(row.labels.get(Label.FLAKY, 0), "doubt"),
        _number(row.labels.get(Label.GENUINE, 0), "bad"),
        _number(row.labels.get(Label.UNDECIDED, 0), ""),
        Span(revision(head), "faint"),
        Span(head.branch or "", "faint"),
        Span(_notes(head)),
    ]
    if projects:
        cells.insert(1, Span(head.project))
    return tuple(cells)


def _number(number: int, tone: Tone) -> Span:
    return Span(str(number), tone) if number else Span("0", "faint")


def _notes(head: RunHead) -> str:
    """What sets a run apart from a whole run of one's own."""
    notes = []
    if head.completeness is not Completeness.COMPLETE:
        notes.append(head.completeness.value)
    if head.selection:
        notes.append("selection")
    if head.pr:
        notes.append(f"pull request {head.pr}")
    if head.job:
        notes.append(f"job {head.job}")
    if head.trust is not Trust.LOCAL:
        notes.append(head.trust.value)
    return ", ".join(notes)


def tests_table(rows: Sequence[Tally], now: int) -> Table:
    """Tests, a row each; ``now`` in µs UTC."""
    columns = (
        Column("RUNS", right=True),
        Column("FAILED", right=True),
        Column("FLIPS", right=True),
        Column("FLAKY", right=True),
        Column("GENUINE", right=True),
        Column("UNDECIDED", right=True),
        Column("LAST"),
        Column("LAST FAILURE"),
        Column("TEST"),
    )
    return Table(columns, tuple(_test(row, now) for row in rows))


def _test(row: Tally, now: int) -> tuple[Span, ...]:
    never = row.last_failure is None
    return (
        Span(str(row.runs)),
        _number(row.failures, "bad"),
        _number(row.flips, "doubt"),
        _number(row.flaky, "doubt"),
        _number(row.genuine, "bad"),
        _number(row.undecided, ""),
        Span(row.last.word, OUTCOME_TONES.get(row.last, "")),
        Span("never", "faint") if never else Span(ago(row.last_failure or 0, now)),
        Span(row.nodeid),
    )
