"""The pages of ``flakefighters runs`` and ``flakefighters tests``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from flakefighters.model import Completeness, Label, Outcome, RunHead, Trust
from flakefighters.model.rows import Flakiness, RunRow, TestRow
from flakefighters.model.trust import imported_from
from flakefighters.reports.page import Column, Span, Table, Tone
from flakefighters.reports.verdicts import WORST
from flakefighters.reports.words import ago, briefly, counts, rate, revision, short_ids, took

__all__ = ["LABEL_TONES", "OUTCOME_TONES", "runs_table", "tests_table"]

OUTCOME_TONES: dict[Outcome, Tone] = {
    Outcome.PASSED: "good",
    Outcome.FAILED: "bad",
    Outcome.ERROR: "bad",
    Outcome.UNFINISHED: "bad",
    Outcome.MIXED: "doubt",
    Outcome.XPASSED: "doubt",
}
#: A run in which a test ended so has failures of it.
_FAILED: Final = (Outcome.FAILED, Outcome.ERROR, Outcome.UNFINISHED, Outcome.MIXED)


LABEL_TONES: dict[Label, Tone] = {
    Label.GENUINE: "bad",
    Label.UNDECIDED: "open",
    Label.FLAKY: "doubt",
}


def runs_table(rows: Sequence[RunRow], now: int, *, projects: bool = False) -> Table:
    """Runs, a row each; ``now`` in µs UTC; ``projects`` adds a column for them."""
    names = short_ids(row.run.id for row in rows)
    columns = [
        Column("RUN"),
        Column("STARTED", least=10),
        Column("TOOK", right=True, leave=1),
        Column("TESTS", right=True, leave=2),
        Column("FAILED", right=True),
        Column("VERDICTS", least=9, dear=True),
        Column("COMMIT", leave=4),
        Column("BRANCH", least=8, leave=5),
        Column("NOTES", least=14),
    ]
    if projects:
        columns.insert(1, Column("PROJECT", least=10, leave=3))
    body = tuple(_run(row, names, now, projects) for row in rows)
    return Table(tuple(columns), body, narrow="cut")


def _run(row: RunRow, names: dict[str, str], now: int, projects: bool) -> tuple[Span, ...]:
    head = row.run
    failed = sum(row.outcomes.get(outcome, 0) for outcome in _FAILED)
    started = ago(head.started, now)
    cells = [
        Span(names[head.id], "strong"),
        Span(started, short=briefly(started)),
        Span(took(head.length)),
        Span(str(row.tests)),
        Span(str(failed), "bad" if failed else "good"),
        _verdicts(row.labels),
        Span(revision(head), "faint"),
        Span(head.branch or "", "faint"),
        Span(_notes(head)),
    ]
    if projects:
        cells.insert(1, Span(head.project))
    return tuple(cells)


def _verdicts(labels: Mapping[Label, int]) -> Span:
    """The verdicts that stand, "1 flaky, 2 genuine", in the colour of the worst one."""
    tone: Tone = next((LABEL_TONES[label] for label in WORST if labels.get(label)), "")
    return Span(counts({label.value: labels.get(label, 0) for label in Label}), tone)


def _number(number: int, tone: Tone) -> Span:
    return Span(str(number), tone) if number else Span("0", "faint")


def _notes(head: RunHead) -> str:
    """What sets a run apart from a whole run of one's own."""
    notes = []
    if found := imported_from(head):
        notes.append(found)
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


def tests_table(rows: Sequence[TestRow], now: int) -> Table:
    """Tests, a row each; ``now`` in µs UTC.

    In each row the runs in which the test failed are the sum of the verdicts; a column for those
    without a verdict is there if there are any.
    """
    unjudged = any(row.unjudged for row in rows)
    columns = [
        Column("RUNS", right=True),
        Column("FAILED", right=True),
        Column("FLAKY", right=True),
        Column("GENUINE", right=True),
        Column("UNDECIDED", right=True),
        *([Column("UNJUDGED", right=True)] if unjudged else []),
        Column("FLAKE RATE", right=True, leave=4),
        Column("FLIPS", right=True, leave=1),
        Column("LAST", leave=2),
        Column("LAST FAILURE", leave=3),
        Column("TEST"),
    ]
    return Table(tuple(columns), tuple(_test(row, now, unjudged) for row in rows))


def _test(row: TestRow, now: int, unjudged: bool) -> tuple[Span, ...]:
    failed = "never" if row.last_failure is None else ago(row.last_failure, now)
    return (
        Span(str(row.runs)),
        _number(row.failures + row.mixed, "bad"),
        _number(row.flaky, "doubt"),
        _number(row.genuine, "bad"),
        _number(row.undecided, "open"),
        *([_number(row.unjudged, "")] if unjudged else []),
        _rate(row.flakiness),
        _number(row.flips, "doubt"),
        Span(row.last.word, OUTCOME_TONES.get(row.last, "")),
        Span(failed, "faint" if row.last_failure is None else "", short=briefly(failed)),
        Span(row.nodeid),
    )


def _rate(found: Flakiness | None) -> Span:
    """ "7% (2-16%)"."""
    if found is None:
        return Span("")
    text = rate(found.rate)
    if not found.failures:
        return Span(text, "faint")
    return Span(f"{text} ({100 * found.low:.0f}-{rate(found.high)})", "doubt", short=text)
