"""What happened: runs, executions, failures, and where they took place."""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

from flakefighters.records import NamedTuple

__all__ = [
    "Completeness",
    "Environment",
    "Execution",
    "Failure",
    "Outcome",
    "Phase",
    "Project",
    "Run",
    "RunHead",
    "State",
    "Trust",
]


class Outcome(enum.StrEnum):
    """How one attempt at a test ended; the value is its character in a run's outcomes."""

    PASSED = "."  # a passed call report and no failing phase
    FAILED = "F"  # the call failed, a subtest failed, or XPASS(strict)
    ERROR = "E"  # setup or teardown failed, and the call did not
    SKIPPED = "s"
    XFAILED = "x"
    XPASSED = "X"
    MIXED = "R"  # of a test, not of an attempt: several attempts, the last one passed
    UNFINISHED = "?"  # started, never ended: a crash, a kill, os._exit
    NOT_RUN = "-"  # collected, never started: -x, --maxfail, an interrupt

    @property
    def word(self) -> str:
        """The outcome as people write it."""
        return _OUTCOME_WORDS[self]


_OUTCOME_WORDS: Final = {
    Outcome.PASSED: "passed",
    Outcome.FAILED: "failed",
    Outcome.ERROR: "error",
    Outcome.SKIPPED: "skipped",
    Outcome.XFAILED: "xfailed",
    Outcome.XPASSED: "xpassed",
    Outcome.MIXED: "passed after reruns",
    Outcome.UNFINISHED: "unfinished",
    Outcome.NOT_RUN: "not run",
}


class Phase(enum.StrEnum):
    """The part of an execution that a report speaks of."""

    SETUP = "setup"
    CALL = "call"
    TEARDOWN = "teardown"


class Completeness(enum.StrEnum):
    """How much of what was collected a run has reported."""

    COMPLETE = "complete"  # every selected test has reported
    PARTIAL = "partial"  # stopped early: -x, --maxfail, pytest.exit, collection errors
    INTERRUPTED = "interrupted"  # Ctrl-C, a kill, a crash: recovered from the journal


class Trust(enum.StrEnum):
    """How far a run may be believed; set on arrival by the way it came, most trusted first."""

    PROTECTED = "protected"
    PR = "pr"
    LOCAL = "local"
    UNTRUSTED = "untrusted"


class Failure(NamedTuple):
    """One failing report: a phase or a subtest, redacted."""

    phase: Phase
    #: The subtest's description, None for the phase itself.
    subtest: str | None = None
    #: Qualified name of the exception's type; XPASS(strict) has none.
    exception: str | None = None
    #: The traceback as text, redacted and freed of what differs in every run, at most 64 kB.
    text: str = ""
    #: What equal failures share, and the version of the rule that made it.
    signature: str = ""
    signature_version: int = 1
    #: Facts that judges need and the text may not show (``example``, ``seed``); JSON values.
    facts: Mapping[str, Any] = MappingProxyType({})


class Execution(NamedTuple):
    """One attempt at a test; only those that are not "one attempt, passed" are built."""

    nodeid: str
    attempt: int  # from 1
    outcome: Outcome
    #: setup, call, teardown in µs; None for a phase that did not run.
    durations: tuple[int | None, int | None, int | None] = (None, None, None)
    failures: tuple[Failure, ...] = ()
    #: Why it was skipped or expected to fail, or how it ended ("worker crashed").
    reason: str | None = None
    #: Captured output, only where the profile's ``store_output`` asks for it.
    output: str | None = None
    #: The xdist worker that ran it.
    worker: str | None = None


class Project(NamedTuple):
    """What a history keeps apart: a canonical identity, and a name to show."""

    identity: str
    label: str

    def __str__(self) -> str:
        return self.label


class State(NamedTuple):
    """What was checked out and tested.

    ``id`` is a hash of ``tree`` and ``digest`` (of ``files`` where there is no git).
    """

    id: str
    #: git's tree id of the commit checked out; None without git.
    tree: str | None = None
    #: Hash of uncommitted and untracked files; None when clean.
    digest: str | None = None
    #: Path to the first 16 digits of its git blob id, as in the work tree; None if not known.
    files: Mapping[str, str] | None = None


class Environment(NamedTuple):
    """Where a run ran.  ``settings`` make the key that must be equal to compare runs."""

    id: str
    key: str
    #: implementation, python, os, arch, ci job, pytest options, ...: name to JSON value.
    settings: Mapping[str, Any]
    #: Installed distributions: normalised name to version.
    distributions: Mapping[str, str]


class RunHead(NamedTuple):
    """What a run says of itself, without its outcomes."""

    id: str
    project: str  # the identity
    started: int
    ended: int | None = None
    #: Offset of the machine's clock to the server's, µs; None if not known.
    clock_offset: int | None = None
    #: The CI pipeline that the run belongs to, and its place in it.
    build: str | None = None
    job: str | None = None
    shard: str | None = None
    attempt: int | None = None
    commit: str | None = None
    tree: str | None = None
    branch: str | None = None
    base_branch: str | None = None
    pr: str | None = None
    dirty: bool | None = None
    state: str | None = None  # id
    environment: str | None = None  # id
    environment_key: str | None = None
    completeness: Completeness = Completeness.COMPLETE
    #: What was asked for: arguments, -k, -m, how many deselected; {} means all of it.
    selection: Mapping[str, Any] = MappingProxyType({})
    #: Who wrote the record: program, version, host hash, CI vendor.
    origin: Mapping[str, Any] = MappingProxyType({})
    #: Links and names for people: the run's URL, the user's label, the profile.
    context: Mapping[str, Any] = MappingProxyType({})
    #: Facts that not every run has ("spectra"), and those of later versions, kept verbatim.
    #: Heads that come without their run lack them.
    extra: Mapping[str, Any] = MappingProxyType({})
    #: How far to believe it; set by the database that it arrived in.
    trust: Trust = Trust.LOCAL

    @property
    def length(self) -> int | None:
        """How long it took, µs; None if it is not known."""
        return None if self.ended is None else self.ended - self.started


class Run(NamedTuple):
    """One pytest session, whole: what the journal holds and the history stores."""

    head: RunHead
    project: Project
    state: State | None
    environment: Environment | None
    #: Node ids in collection order; paths relative to the base.
    suite: Sequence[str]
    #: One character of :class:`Outcome` per member of ``suite``.
    outcomes: str
    #: setup, call and teardown of each member in units of 100 µs, flat (three per member);
    #: the last attempt's, 0 where a phase did not run.
    durations: Sequence[int]
    #: Positions in ``suite`` in the order of start, one list per worker; None: collection order.
    order: Sequence[Sequence[int]] | None = None
    #: Every attempt at the tests that are not "one attempt, passed".
    executions: Sequence[Execution] = ()
    #: What the run saw of the history: {"runs": [ids considered, newest first]}.
    seen: Mapping[str, Any] = MappingProxyType({})

    @property
    def tally(self) -> dict[str, int]:
        """How many tests ended how, by the outcome's word; without outcomes that there are none."""
        known = [one for one in Outcome if one.value in self.outcomes]
        return {one.word: self.outcomes.count(one.value) for one in known}

    @property
    def by_test(self) -> dict[str, list[Execution]]:
        """The attempts that are recorded, by node id."""
        found: dict[str, list[Execution]] = {}
        for one in self.executions:
            found.setdefault(one.nodeid, []).append(one)
        return found
