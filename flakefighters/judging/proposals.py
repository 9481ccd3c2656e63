"""Which tests to quarantine, and which to release, by what their history says."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from flakefighters.model import Outcome, Trust
from flakefighters.model.decisions import MARK, OFF, QUARANTINE, Event, expired, targets_of
from flakefighters.model.rows import ExecutionRow, TestRow
from flakefighters.records import NamedTuple

__all__ = ["RELEASE", "Proposal", "passes_since", "to_quarantine", "to_settle"]

#: So many passes in a row, since it is in quarantine, and a test is proposed for release.
RELEASE: Final = 30
#: In so many runs it must have been flaky to be proposed for quarantine.
_OFTEN: Final = 2
_FAILED: Final = (Outcome.FAILED, Outcome.ERROR, Outcome.MIXED, Outcome.UNFINISHED)


class Proposal(NamedTuple):
    """One thing to do about one test, and why."""

    #: "quarantine", "release" or "decide again".
    what: str
    target: str
    why: str


def passes_since(rows: Iterable[ExecutionRow], at: int) -> int:
    """How often a test has passed, without a failure, up to now; since ``at`` (µs UTC).

    Rows come newest first.  Runs that nobody believes count for nothing.
    """
    number = 0
    for row in rows:
        if row.run.started < at or row.outcome in _FAILED:
            break
        number += row.outcome is Outcome.PASSED and row.run.trust is not Trust.UNTRUSTED
    return number


def to_settle(
    quarantined: Sequence[Event], passed: Mapping[str, int], today: str
) -> list[Proposal]:
    """What to do about tests in quarantine: those that pass, and those whose time is over."""
    found = []
    for one in quarantined:
        times = passed.get(one.target, 0)
        if times >= RELEASE:
            found.append(Proposal("release", one.target, f"passed {times} times in quarantine"))
        elif expired(one, today):
            why = f"the quarantine expired after {one.text('until')}"
            found.append(Proposal("decide again", one.target, why))
    return found


def to_quarantine(
    rows: Iterable[TestRow], stand: Mapping[tuple[str, str], Event]
) -> list[Proposal]:
    """Tests that were flaky in several runs, the worst first.

    Left out are those in quarantine, in force or not, and those that a person marked as genuine.
    """
    wanted = []
    for row in rows:
        targets = targets_of(row.nodeid)
        held = [stand[QUARANTINE, one] for one in targets if (QUARANTINE, one) in stand]
        marks = [stand[MARK, one].state for one in targets if (MARK, one) in stand]
        if row.flaky < _OFTEN or "genuine" in marks or any(one.state != OFF for one in held):
            continue
        wanted.append(row)
    wanted.sort(key=lambda row: (-row.flaky, row.nodeid))
    return [Proposal("quarantine", row.nodeid, _why(row)) for row in wanted]


def _why(row: TestRow) -> str:
    why = f"flaky in {row.flaky} of {row.runs} runs"
    others = ((row.genuine, "genuine"), (row.undecided, "undecided"))
    more = " and ".join(f"{word} in {number}" for number, word in others if number)
    return f"{why}, {more}" if more else why
