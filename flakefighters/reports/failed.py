"""The failures of one run, as reports tell them: with causes, evidence in words, and diffs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from flakefighters.model import Failure, Label, Run, Verdict
from flakefighters.model.rows import TestRow
from flakefighters.records import NamedTuple
from flakefighters.reports.causes import cause, change
from flakefighters.reports.evidence import evidence_lines
from flakefighters.reports.junit import first_line
from flakefighters.reports.verdicts import Given, by_failure

__all__ = ["Diff", "Failed", "failed", "ranked"]

#: What readers want to see first; None is a failure without a verdict.
_RANKS: Final = (Label.GENUINE, Label.UNDECIDED, None, Label.FLAKY)


class Diff(NamedTuple):
    """What happened to a file between the run that a failure is compared with and this one."""

    path: str
    #: Unified, without the lines that name the file.
    lines: Sequence[str]
    #: How many lines more there are.
    more: int = 0


class Failed(NamedTuple):
    """One failure: a report of the last failing attempt at a test."""

    nodeid: str
    phase: str
    subtest: str | None
    exception: str | None
    #: The line that says what was wrong.
    message: str
    text: str
    signature: str
    label: Label | None
    confidence: str
    introduced: bool
    reason: str
    #: The label of an earlier verdict, if it was another one.
    was: Label | None
    cause: str
    #: The change that it touched, empty if none is named.
    change: str
    evidence: Sequence[str]
    #: Each flakefighter's verdict in a line.
    said: Sequence[str]
    #: How each attempt ended, if there were several.
    attempts: Sequence[str]
    diffs: Sequence[Diff] = ()
    #: The same test in the runs that were looked at.
    row: TestRow | None = None


def failed(
    run: Run,
    verdicts: Sequence[Verdict],
    rows: Mapping[str, TestRow],
    diffs: Mapping[tuple[str, str], Sequence[Diff]],
) -> list[Failed]:
    """The failures of a run, those first that people must look at.

    ``diffs`` are by node id and the run compared with.
    """
    given = by_failure(verdicts)
    found = []
    for nodeid, mine in run.by_test.items():
        last = next((one for one in reversed(mine) if one.failures), None)
        for index, failure in enumerate(() if last is None else last.failures):
            assert last is not None
            found.append(
                _failed(
                    (nodeid, failure),
                    given.get((nodeid, last.attempt, index)),
                    [one.outcome.word for one in mine] if len(mine) > 1 else [],
                    diffs,
                )._replace(row=rows.get(nodeid))
            )
    return ranked(found)


def ranked(found: Sequence[Failed]) -> list[Failed]:
    """Genuine ones first; those of one cause and change together."""
    return sorted(
        found,
        key=lambda one: (_RANKS.index(one.label), one.cause, one.change, one.nodeid),
    )


def _failed(
    what: tuple[str, Failure],
    given: Given | None,
    attempts: Sequence[str],
    diffs: Mapping[tuple[str, str], Sequence[Diff]],
) -> Failed:
    nodeid, failure = what
    given = given or Given(None, None)
    stands = given.stands
    evidence = {} if stands is None else stands.evidence
    return Failed(
        nodeid=nodeid,
        phase="collection" if failure.facts.get("collection") else failure.phase.value,
        subtest=failure.subtest,
        exception=failure.exception,
        message=first_line(failure.text) or failure.exception or "",
        text=failure.text,
        signature=failure.signature,
        label=None if stands is None else stands.label,
        confidence="" if stands is None else stands.confidence.value,
        introduced=stands is not None and stands.introduced,
        reason="" if stands is None else stands.reason,
        was=given.was,
        cause=cause(str(evidence.get("by") or ""), None if stands is None else stands.label),
        change=change(evidence),
        evidence=list(evidence_lines(evidence)),
        said=[f"{one.fighter}: {one.label.value} - {one.reason}" for one in given.said],
        attempts=attempts,
        diffs=diffs.get((nodeid, str(evidence.get("baseline") or "")), ()),
    )
