"""What is put on trial: a failing test, what ran before it, and where it last passed."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Final

from flakefighters.model import Confidence, Label, Outcome
from flakefighters.records import NamedTuple

if TYPE_CHECKING:
    from flakefighters.model import Execution, Failure, Run, Verdict
    from flakefighters.trials.bench import Bench

__all__ = ["Before", "Question", "company_of", "questions"]

#: Durations of a run are kept in units of 100 µs.
_UNIT: Final = 10_000
_SECONDS_OF_A_CRASH: Final = 1.0
#: Of so many tests one will have passed before.
_CONTROLS: Final = 50
#: What the evidence of a verdict has that statistics alone decided, or contest.
_STATISTICAL: Final = frozenset({"undecided", "contested"})


class Before(NamedTuple):
    """A state on which a test passed, or what git says was there before."""

    #: A tree that git has, and how people call it: "a1b2c3d".
    tree: str
    name: str
    commit: str | None = None
    state: str | None = None
    #: When it passed there (µs), None if no run is known in which it did.
    passed: int | None = None
    #: Why a failure there does not speak for the change's innocence, None if it does.
    differs: str | None = None
    #: Files that differ from what was tested.
    changed: frozenset[str] = frozenset()
    #: Tests that ran before it in its process there, in order.
    company: tuple[str, ...] = ()
    #: Tests that passed there.
    passing: frozenset[str] = frozenset()


class Question(NamedTuple):
    """One failing test."""

    nodeid: str
    #: Its verdicts, one for each failure, and their signatures.
    verdicts: tuple[Verdict, ...]
    signatures: tuple[str, ...]
    #: Whether it could not be collected, or its process died.
    place: bool = False
    crashed: bool = False
    #: Whether it draws inputs of its own (a property test): a pass may be luck.
    draws: bool = False
    #: The tests that ran before it in its process, in order.
    company: tuple[str, ...] = ()
    #: Seconds that tests usually take.
    seconds: Mapping[str, float] = {}
    #: Why a pass here proves nothing: the run was made elsewhere.  None if it does.
    elsewhere: str | None = None
    #: What the session still holds that may make it fail: a port, for example.
    held: str | None = None
    #: Tests that passed in this run, the nearest first.
    controls: tuple[str, ...] = ()

    @property
    def clean(self) -> bool:
        """Whether reading knows that no changed code ran before it in its process, nor in it."""
        return all(
            one.label is Label.FLAKY and one.confidence is Confidence.STRONG
            for one in self.verdicts
        )

    def usual(self, tests: Sequence[str]) -> float:
        """Seconds that these tests usually take."""
        return sum(self.seconds.get(one, 0.0) for one in tests)


def questions(
    run: Run,
    verdicts: Sequence[Verdict],
    bench: Bench,
    excluded: Collection[str] = (),
    named: Collection[str] = (),
    elsewhere: str | None = None,
) -> list[Question]:
    """The failing tests of a run that are to be put on trial, the quickest first.

    ``verdicts`` are the joined ones that stand; ``excluded`` are tests whose marker forbids it.
    With ``named`` these tests alone, whatever their verdicts are.
    """
    failing = {one.nodeid: one for one in run.executions if one.failures}
    final = dict(zip(run.suite, run.outcomes, strict=True))
    by_test: dict[str, list[Verdict]] = {}
    for one in verdicts:
        execution = failing.get(one.nodeid)
        if execution is not None and execution.attempt == one.attempt:
            by_test.setdefault(one.nodeid, []).append(one)
    seconds = {
        nodeid: sum(run.durations[3 * place : 3 * place + 3]) / _UNIT
        for place, nodeid in enumerate(run.suite)
    }
    found = []
    for nodeid, said in by_test.items():
        if final.get(nodeid) not in ("F", "E") or nodeid in excluded:
            continue
        wanted = nodeid in named if named else any(_open(one, bench.which) for one in said)
        if wanted and not any(fnmatchcase(nodeid, pattern) for pattern in bench.exclude):
            question = _question(run, failing[nodeid], tuple(said), seconds, final)
            found.append(question._replace(elsewhere=elsewhere, held=bench.held))
    return sorted(found, key=lambda one: (one.usual([one.nodeid]), one.nodeid))


def _open(verdict: Verdict, which: str) -> bool:
    if verdict.proved:
        return False
    doubtful = verdict.label is Label.UNDECIDED or not _STATISTICAL.isdisjoint(verdict.evidence)
    return doubtful or which == "all"


def _question(
    run: Run,
    execution: Execution,
    verdicts: tuple[Verdict, ...],
    seconds: Mapping[str, float],
    final: Mapping[str, str],
) -> Question:
    nodeid = execution.nodeid
    crashed = execution.reason == "the process that ran it died"
    return Question(
        nodeid=nodeid,
        verdicts=verdicts,
        signatures=tuple(execution.failures[one.index].signature for one in verdicts),
        place=bool(execution.failures[0].facts.get("collection")),
        crashed=crashed,
        draws=any(map(_draws, execution.failures)),
        company=company_of(run, nodeid),
        seconds={**seconds, nodeid: _SECONDS_OF_A_CRASH} if crashed else seconds,
        controls=_controls(nodeid, seconds, final),
    )


def _controls(
    nodeid: str, seconds: Mapping[str, float], final: Mapping[str, str]
) -> tuple[str, ...]:
    """Tests that passed in this run, nearest first: of the same file, the same folder, ..."""
    passed = [one for one, outcome in final.items() if outcome == Outcome.PASSED.value]

    file = nodeid.partition("::")[0]

    def far(one: str) -> tuple[bool, int, float]:
        other = one.partition("::")[0]
        return other != file, -len(os.path.commonpath([other, file])), seconds[one]

    return tuple(sorted(passed, key=far))[:_CONTROLS]


def _draws(failure: Failure) -> bool:
    """A property test; but one that Hypothesis itself calls flaky has been replayed."""
    return bool(failure.facts.get("property")) and "Flaky" not in (failure.exception or "")


def company_of(run: Run, nodeid: str) -> tuple[str, ...]:
    """The tests that ran before one in its process, in order."""
    place = run.suite.index(nodeid)
    orders = run.order or [range(len(run.suite))]
    mine = next((list(order) for order in orders if place in order), [place])
    before = mine[: mine.index(place)]
    return tuple(run.suite[one] for one in before if run.outcomes[one] != Outcome.NOT_RUN.value)
