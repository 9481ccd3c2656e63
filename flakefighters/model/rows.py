"""What the history answers when it is asked for summaries."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from flakefighters.records import NamedTuple

if TYPE_CHECKING:
    from flakefighters.model.facts import Execution, Outcome, RunHead
    from flakefighters.model.verdicts import Confidence, Label, Verdict

__all__ = ["Book", "ExecutionRow", "FailureRow", "Flakiness", "RunRow", "TestRow"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRow:
    """One run in a list: its head, and how many tests ended how."""

    run: RunHead
    #: Members of the suite.
    tests: int
    #: Tests by outcome; outcomes that did not occur are absent.
    outcomes: Mapping[Outcome, int] = field(default_factory=dict)
    #: Failures by the verdict that stands, of the last failing attempt of each test; labels that
    #: did not occur are absent.
    labels: Mapping[Label, int] = field(default_factory=dict)


class Flakiness(NamedTuple):
    """How likely an execution of a test fails without the code being at fault."""

    rate: float
    #: The interval that holds it with 90 %.
    low: float
    high: float
    #: Failures by chance, and executions without those that a broken state explains better.
    failures: int
    executions: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TestRow:
    """One test over the runs that were looked at."""

    __test__ = False  # not a test class, whatever its name says to pytest

    nodeid: str
    #: Runs in which it ran to an end (passed, failed, expected failures; not skipped).
    runs: int
    passes: int
    failures: int
    #: How often it went from passing to failing or back between runs that follow one another.
    flips: int
    #: Runs in which it both failed and passed (after reruns).
    mixed: int
    last: Outcome
    last_run: str
    #: Start of the newest run in which it failed, µs UTC; None if it never did.
    last_failure: int | None
    #: Runs by the verdict that stands on the failure, the worst one where there are several.
    flaky: int
    genuine: int
    undecided: int
    #: Runs in which it failed and no verdict was given.
    unjudged: int = 0
    #: A character of :class:`Outcome` for each run of :class:`Book`; NOT_RUN where it was not.
    outcomes: str = ""
    #: Further attempts, by the place of a run: how many passed, and failed.
    again: Mapping[int, tuple[int, int]] = field(default_factory=dict)
    #: Places of runs in which it failed and a genuine verdict stands.
    genuine_in: frozenset[int] = frozenset()
    #: Not stored: by the outcomes.
    flakiness: Flakiness | None = None


class Book(NamedTuple):
    """Tests over the newest runs, in order of node id."""

    rows: tuple[TestRow, ...] = ()
    #: The runs that were looked at, the oldest first.
    runs: tuple[RunHead, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutionRow:
    """One test in one run, with all that is known of it."""

    run: RunHead
    nodeid: str
    outcome: Outcome
    #: setup, call, teardown of the last attempt in µs (a multiple of 100).
    durations: tuple[int, int, int]
    #: Every attempt, empty if it was one and passed.
    executions: tuple[Execution, ...] = ()
    #: Every flakefighter's verdict of its failures, and the joined one.
    verdicts: tuple[Verdict, ...] = ()


class FailureRow(NamedTuple):
    """One failing report among many, with the verdict that stands on it."""

    run: str
    nodeid: str
    attempt: int
    #: Which failing report of the attempt, from 0.
    number: int
    phase: str
    subtest: str | None
    #: Names what it says; equal ones say the same.
    text: str
    exception: str | None
    signature: str
    label: Label | None = None
    confidence: Confidence | None = None
    introduced: bool = False
    reason: str = ""
    #: Whose verdict it is; empty if that is not known.
    by: str = ""
