"""The nouns of flakefighters, as frozen data.

This module imports nothing of ours.  Everything here is plain data: it can be built in a test,
sent between rooms, and written to a journal.  Times are microseconds since the epoch in UTC,
durations microseconds, paths POSIX and relative to the *base* (git's top level, else the anchor),
ids as :mod:`flakefighters.ids` makes them.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Protocol

__all__ = [
    "JOINT",
    "Baseline",
    "Case",
    "Change",
    "ChangeKind",
    "Changes",
    "Completeness",
    "Confidence",
    "Effect",
    "Environment",
    "Execution",
    "Failure",
    "Flakefighter",
    "Label",
    "Need",
    "Outcome",
    "Past",
    "Phase",
    "Project",
    "Reach",
    "Recheck",
    "Run",
    "RunHead",
    "Secret",
    "State",
    "Target",
    "Touch",
    "Trust",
    "Unit",
    "Verdict",
]


# -- what happened ---------------------------------------------------------------------------


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
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
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Execution:
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """What a history keeps apart: a canonical identity, and a name to show."""

    identity: str
    label: str

    def __str__(self) -> str:
        return self.label


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """Where a run ran.  ``settings`` make the key that must be equal to compare runs."""

    id: str
    key: str
    #: implementation, python, os, arch, ci job, pytest options, ...: name to JSON value.
    settings: Mapping[str, Any]
    #: Installed distributions: normalised name to version.
    distributions: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunHead:
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
    selection: Mapping[str, Any] = field(default_factory=dict)
    #: Who wrote the record: program, version, host hash, CI vendor.
    origin: Mapping[str, Any] = field(default_factory=dict)
    #: Links and names for people: the run's URL, the user's label, the profile.
    context: Mapping[str, Any] = field(default_factory=dict)
    #: Fields of later versions, kept verbatim.
    extra: Mapping[str, Any] = field(default_factory=dict)
    #: How far to believe it; set by the database that it arrived in.
    trust: Trust = Trust.LOCAL


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
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
    seen: Mapping[str, Any] = field(default_factory=dict)


# -- what differs ----------------------------------------------------------------------------


class ChangeKind(enum.StrEnum):
    """What a unit is that differs between two states or environments."""

    FILE = "file"  # a whole file: the finest that is known, or not Python
    FUNCTION = "function"
    CLASS = "class"
    STATEMENT = "statement"
    DATA = "data"
    DISTRIBUTION = "distribution"
    SETTING = "setting"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A unit that differs between two states or environments."""

    kind: ChangeKind
    #: A path for what lies in a file, else the distribution's or setting's name.
    path: str
    #: Qualified name within the file ("Shop.total"), None for a whole file.
    unit: str | None = None
    #: First line in the newer state, None if it is gone.
    line: int | None = None
    #: "added", "removed" or "changed".
    how: str = "changed"
    #: Short before and after for distributions and settings.
    before: str | None = None
    after: str | None = None
    #: Names whose readers are affected even if none of the unit's lines ran; "*": any importer.
    names: tuple[str, ...] = ()

    def __str__(self) -> str:
        if self.unit is None:
            return self.path
        return f"{self.unit} in {self.path}"


#: A unit of a file: (path, qualified name).
Unit = tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """A change in a file, and what must run for it to matter."""

    change: Change
    #: Running any of these touches the change.
    targets: frozenset[Unit] = frozenset()
    #: Running any of these may touch it: they reach names by computing them.
    maybe: frozenset[Unit] = frozenset()
    #: Whoever imports the file may be affected.
    at_import: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """Everything that differs from a baseline, and whether that is all of it."""

    #: All of them: in files, and between environments.
    changes: tuple[Change, ...]
    #: Those in files, with what must run for each to matter.
    effects: tuple[Effect, ...] = ()
    #: False when something could not be compared; ``unknown`` says what.
    complete: bool = True
    unknown: str | None = None
    #: How it was found: "git" (objects), "recorded" (descriptions of states).
    source: str = "recorded"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """Which files one test can run, as far as its imports tell."""

    #: Path to how it is reached ("imported by tests/test_tax.py").
    files: Mapping[str, str]
    #: Why the answer may be incomplete, None if it is not.
    unknown: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Touch:
    """What an execution was seen to touch of what changed.  Paths are relative to the base."""

    #: Changed code that ran in the execution or in a wide fixture that it used.
    ran: frozenset[Unit] = frozenset()
    #: The same at import and collection, for all tests of the process.
    ran_before: frozenset[Unit] = frozenset()
    #: Changed files whose module body ran in the execution, and before it.
    imported: frozenset[str] = frozenset()
    imported_before: frozenset[str] = frozenset()
    #: Changed data files that were opened.
    opened: frozenset[str] = frozenset()
    opened_before: frozenset[str] = frozenset()
    #: Child processes that were started or still ran: "subprocess.Popen git".
    children: frozenset[str] = frozenset()
    #: Changed files whose code runs unseen.
    blind: frozenset[str] = frozenset()
    #: Why there may be more, None if this is all.
    unknown: str | None = None


# -- what was seen before --------------------------------------------------------------------


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
    #: True if it ran under the same environment key.
    same_environment: bool = True
    #: True if execution was watched for these changes.
    watched: bool = False


# -- verdicts --------------------------------------------------------------------------------


#: The flakefighter's name under which the verdict that counts is kept: the rule that joins what
#: the others said.
JOINT: Final = "joint"


class Label(enum.StrEnum):
    """What a verdict says of a failure."""

    FLAKY = "flaky"
    GENUINE = "genuine"
    UNDECIDED = "undecided"


class Confidence(enum.StrEnum):
    """How much a verdict rests on, strongest first.  Documented in docs/verdicts.md."""

    PROVED = "proved"  # observed: the same state both passed and failed
    STRONG = "strong"  # the execution touched, or cannot have touched, what changed
    FAIR = "fair"  # a static or statistical argument
    WEAK = "weak"  # a hint; always undecided or overruled by anything else


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What one flakefighter says of one failure, and why."""

    label: Label
    fighter: str
    version: int
    confidence: Confidence
    #: One plain sentence without a full stop, to stand after "FLAKY node id - ".
    reason: str
    #: JSON values that stand alone: baseline, changes, matching failures, history seen.
    evidence: Mapping[str, Any] = field(default_factory=dict)
    #: True if the failure may have been brought in by a change although it is flaky.
    introduced: bool = False
    # Which failure it belongs to; filled in by the caller of the flakefighter.
    run: str = ""
    nodeid: str = ""
    attempt: int = 1
    index: int = 0  # of the failure within its execution
    at: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Recheck:
    """A failure judged again."""

    before: Verdict
    #: By the runs that were seen at the time: the same verdict, unless runs were pruned.
    as_then: Verdict
    #: By all runs that are known now.
    now: Verdict
    #: Runs that were not seen at the time and hold results of the test, newest first.
    later: tuple[str, ...]
    #: How many of the runs seen at the time are gone.
    pruned: int = 0

    @property
    def differs(self) -> bool:
        """Whether today's verdict is another one."""
        return self.now.label is not self.before.label


class Need(enum.StrEnum):
    """What a flakefighter wants to be collected."""

    HISTORY = "history"
    BASELINE = "baseline"
    REACH = "reach"
    TRACE = "trace"


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
    #: Passes on other states that execution was watched for: having touched nothing that differs
    #: from any one of them is as good.
    others: tuple[Baseline, ...] = ()
    #: The nearest pass on another state that was never seen to fail, for a failure on a state
    #: that has passed as well: what came in since then may have brought the flakiness.
    stable: Baseline | None = None
    reach: Reach | None = None
    #: None if execution was not watched.
    touch: Touch | None = None
    #: Distributions that the test's files import, directly or not; None if not known.
    distributions: frozenset[str] | None = None
    #: Distributions that the process had imported for whatever reason; None if not known.
    loaded: frozenset[str] | None = None
    #: False if the history could not be read.
    history: bool = True
    #: The test's own file, relative to the base.
    own_file: str | None = None
    #: How that file differs from the newest recorded state ("is new since run 9f3c"), None if it
    #: does not or there is no such state.
    own_change: str | None = None
    #: The failure's signature as the history names it.
    signature: str = ""
    #: How many tests failed, were executed, and share this failure's signature in this run.
    failing: int = 0
    executed: int = 0
    same_signature: int = 0


class Flakefighter(Protocol):
    """A strategy from evidence to verdict."""

    @property
    def name(self) -> str: ...

    @property
    def version(self) -> int: ...

    @property
    def needs(self) -> frozenset[Need]: ...

    def judge(self, case: Case) -> Verdict | None:
        """Return a verdict, or None if this flakefighter has nothing to say of the case."""
        ...


# -- where a history lives -------------------------------------------------------------------


class Secret:
    """A string that does not show itself."""

    __slots__ = ("_value",)

    def __init__(self, value: str):
        self._value = value

    def reveal(self) -> str:
        """The text itself; call it only where it is handed to the database."""
        return self._value

    def __repr__(self) -> str:
        return "Secret('***')"

    __str__ = __repr__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash(self._value)

    def __reduce__(self) -> Any:
        raise TypeError("a secret is not copied out of the process")


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A resolved way to one history."""

    #: "sqlite" or "postgresql".
    backend: str
    #: The file, for SQLite.
    path: Path | None = None
    host: str | None = None
    port: int | None = None
    user: str | None = None
    database: str | None = None
    password: Secret | None = None
    schema: str = "flakefighters"
    sslmode: str | None = None
    sslrootcert: str | None = None
    #: libpq's authentication methods that may be used.
    require_auth: str | None = None
    #: Seconds.
    connect_timeout: int = 10
    read_only: bool = False
    #: Further connection parameters, to be handed over as they are: those of the URL that the
    #: allow-list knows, and, without ``libpq_defaults``, those that silence libpq's environment.
    query: Mapping[str, str] = field(default_factory=dict)
    #: May libpq fill in what is missing from PG* variables, .pgpass and service files?  False for
    #: URLs that the project chose: then a missing password is handed over as "", not left out.
    libpq_defaults: bool = False
    #: The profile's name, None for a URL given on the command line.
    profile: str | None = None
    #: As shown to people: never a password.  SQLite paths are shortened to the anchor.
    display: str = ""
