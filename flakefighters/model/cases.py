"""What was seen before, what a flakefighter may look at, and what came of judging again."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from flakefighters.model.changes import Changes, Reach, Touching
from flakefighters.model.experience import Coverage, Experience
from flakefighters.model.facts import Environment, Execution, Failure, Outcome, RunHead
from flakefighters.model.trust import Use, believed
from flakefighters.model.verdicts import Verdict

if TYPE_CHECKING:
    from flakefighters.model.decisions import Event

__all__ = ["Baseline", "Case", "Flakefighter", "Level", "Need", "Past", "Recheck", "Revision"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """One earlier result of one test."""

    run: RunHead
    outcome: Outcome
    #: Outcomes of its attempts if there were several or it did not pass.
    attempts: tuple[Outcome, ...] = ()
    #: Signature ids of its failures, in order.
    signatures: tuple[str, ...] = ()
    #: Labels given to those failures at the time, by the joined verdict.
    labels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """The nearest recorded pass of a test, and what changed since."""

    past: Past
    changes: Changes
    #: What the execution had to do with these changes; None if it was not watched.
    touching: Touching | None = None


class Need(enum.StrEnum):
    """What a flakefighter wants to be collected."""

    HISTORY = "history"
    BASELINE = "baseline"
    REACH = "reach"
    TRACE = "trace"
    #: What people marked.
    MARKS = "marks"
    #: Earlier failures of the project whose label is known: :class:`Experience`.
    EXPERIENCE = "experience"
    #: What every test of the run ran, passing ones too: :class:`Coverage`.
    COVERAGE = "coverage"


class Level(enum.IntEnum):
    """How much a flakefighter's word weighs beside that of others, the heaviest first.

    A level speaks only where those above it leave a failure undecided (docs/verdicts.md).
    """

    PROOF = 0  # the same state was seen to do both
    EVIDENCE = 1  # what the execution touched, and what came of failures like it
    MARK = 2  # what people said
    STATISTICS = 3  # what was learned from other failures and runs


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """All that a flakefighter may look at about one failure.  Nothing else: it is recheckable."""

    head: RunHead
    nodeid: str
    execution: Execution
    failure: Failure
    index: int
    environment: Environment | None
    #: Every attempt at this test in this run, in order.
    attempts: tuple[Execution, ...] = ()
    #: Earlier results of this test, best evidence first.
    past: tuple[Past, ...] = ()
    #: Ids of environments with the same key whose distributions equal ours.
    comparable: frozenset[str] = frozenset()
    baseline: Baseline | None = None
    #: Passes on other states: having touched nothing that differs from any of them is as good.
    others: tuple[Baseline, ...] = ()
    #: The nearest pass on another state that was never seen to fail, for a failure on a state
    #: that has passed as well: what came in since then may have brought the flakiness.
    stable: Baseline | None = None
    #: Without a baseline: what the execution had to do with what git says is being changed, and
    #: by whom ("this pull request").
    changing: Touching | None = None
    changed_by: str = ""
    #: The same since a pass of the test's function with other parameters, if there is one.
    sibling: Past | None = None
    #: Commits that changed what it touched of the changes since the baseline, by path and unit.
    commits: Mapping[tuple[str, str | None], tuple[str, ...]] = field(default_factory=dict)
    #: Files that the test's imports lead to, asked for where execution was not watched.
    reach: Reach | None = None
    #: Those of these runs whose commit is an ancestor of what is checked out, though they are of a
    #: pull request.
    merged: frozenset[str] = frozenset()
    #: By the id of an earlier run: variables that code asks for and that had other values there.
    varied: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    #: False if the history could not be read.
    history: bool = True
    #: Of a test without a believed pass: the pass that is known and not believed, as a sentence.
    not_believed: str | None = None
    #: False if there are more runs than were looked at.
    searched: bool = True
    #: The test's own file, relative to the base.
    own_file: str | None = None
    #: Loaded code that no state tells of and that was edited since earlier runs, with the time.
    untracked_code: tuple[tuple[str, int], ...] = ()
    #: The same of data files that git ignores and that this execution may have read.
    loose: tuple[tuple[str, int], ...] = ()
    #: A file that git ignores and that it misses.
    missing: str | None = None
    #: Whether it may draw from a random generator that a seed of the run sets.
    draws: bool = True
    #: How that file differs from the newest recorded state ("is new since run 9f3c"), None if it
    #: does not or there is no such state.
    own_change: str | None = None
    #: The failure's signature as the history names it.
    signature: str = ""
    #: How many tests failed, were executed, and share this failure's signature in this run.
    failing: int = 0
    executed: int = 0
    same_signature: int = 0
    #: What the project's earlier failures teach; None if no flakefighter asked for it.
    experience: Experience | None = None
    #: What people decided on this test and on failures like this one, and what stands of it.
    marks: tuple[Event, ...] = ()
    #: What the tests of this run ran; None if it was not watched, or no flakefighter asked for it.
    coverage: Coverage | None = None

    def believes(self, past: Past, use: Use) -> bool:
        """Whether the verdict may use an earlier result so."""
        return believed(past.run, use, self.head, merged=past.run.id in self.merged)


class Flakefighter(Protocol):
    """A strategy from evidence to verdict."""

    @property
    def name(self) -> str: ...

    @property
    def version(self) -> int: ...

    @property
    def level(self) -> Level: ...

    @property
    def needs(self) -> frozenset[Need]: ...

    def judge(self, case: Case) -> Verdict | None:
        """Return a verdict, or None if this flakefighter has nothing to say of the case."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Recheck:
    """A failure judged again."""

    before: Verdict
    #: By the runs that were seen at the time: the same verdict; None if some of them were pruned.
    as_then: Verdict | None
    #: By all runs that are known now.
    now: Verdict
    #: Runs that were not seen at the time and hold results of the test, newest first.
    later: tuple[str, ...]
    #: How many of the runs seen at the time are gone.
    pruned: int = 0

    @property
    def differs(self) -> bool:
        """Whether today's verdict is another one, and not for want of runs that were pruned."""
        return not self.pruned and self.now.label is not self.before.label


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """A verdict that would be another one now that more runs are known."""

    #: The verdict that counts until now.
    before: Verdict
    now: Verdict
    #: The runs that make the difference, newest first.
    by: tuple[str, ...]
