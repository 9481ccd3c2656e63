"""What earlier runs say of the tests that failed, as far as they are believed."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import field
from itertools import chain
from typing import TYPE_CHECKING, Any

from flakefighters.environment.variables import misses
from flakefighters.fighters.rule import STATISTICS
from flakefighters.judging.baselines import ordered
from flakefighters.model import Outcome, Use
from flakefighters.records import record

if TYPE_CHECKING:
    from flakefighters.history import Evidence
    from flakefighters.model import Case, Environment, Past, RunHead
    from flakefighters.state.checkout import Checkout

__all__ = ["Known", "for_later", "gather"]

#: So many functions are looked up by other parameters, with so many of these.
_MOST_FUNCTIONS = 10
_MOST_SIBLINGS = 1000


@record
class Known:
    """What was found."""

    #: The runs that were considered, best evidence first.
    runs: tuple[RunHead, ...] = ()
    #: The place of each ancestor of what is checked out.
    rank: dict[str, int] = field(default_factory=dict)
    #: Results of each test, in the order of the runs.
    past: dict[str, tuple[Past, ...]] = field(default_factory=dict)
    environments: dict[str, Environment] = field(default_factory=dict)
    #: Of parametrised tests without any result: the nearest pass with other parameters.
    siblings: dict[str, Past] = field(default_factory=dict)
    #: Of tests without a pass that is believed: one that is not, as a sentence.
    not_believed: dict[str, str] = field(default_factory=dict)
    #: Whether there are no more runs.
    searched: bool = True

    @property
    def merged(self) -> frozenset[str]:
        """The runs of pull requests whose commit is part of what is checked out."""
        return frozenset(
            run.id for run in self.runs if run.pr is not None and run.commit in self.rank
        )


def gather(
    evidence: Evidence,
    checkout: Checkout,
    nodeids: Sequence[str],
    *,
    places: Collection[str] = (),
    limit: int,
) -> Known:
    """Look at the newest ``limit`` builds, and for tests without a pass in them once more beyond.

    ``places`` are those of the node ids that are files or folders which could not be collected:
    what passed in them was collected then.

    Four questions to each history, one more for tests without a pass, one for each place and
    for each of a few functions whose parameters are new.
    """
    judged = evidence.judged
    found = {run.id: run for run in evidence.builds(limit)}
    if judged.state is not None:
        found |= {run.id: run for run in evidence.of_state(judged.state, limit)}
    found.pop(judged.id, None)
    runs, rank = ordered(list(found.values()), checkout)
    past: dict[str, tuple[Past, ...]] = dict.fromkeys(nodeids, ())
    if runs:
        past |= _past(evidence, nodeids, places, runs)
    known = Known(rank=rank, searched=evidence.whole)
    lacking = [one for one in nodeids if one not in places and not _has_passed(evidence, past[one])]
    if lacking:
        passes, known.not_believed, known.searched = evidence.further(lacking, {*found, judged.id})
        more = {one.run.id: one.run for one in passes.values()}
        runs, known.rank = ordered([*runs, *more.values()], checkout)
        past |= {nodeid: (*past[nodeid], one) for nodeid, one in passes.items()}
    known.siblings = _siblings(evidence, lacking, past, runs)
    known.runs, known.past = tuple(runs), past
    # What cannot be read was not looked at.
    known.searched = known.searched and not evidence.unreadable
    ids = {run.environment for run in runs if run.environment is not None}
    known.environments = evidence.environments(ids) if ids else {}
    return known


def _siblings(
    evidence: Evidence,
    nodeids: Sequence[str],
    past: Mapping[str, Sequence[Past]],
    runs: Sequence[RunHead],
) -> dict[str, Past]:
    """The nearest pass of each test's function with other parameters.

    Parameters may be made anew in each run: addresses, times, random numbers.
    """
    functions = {one: one.partition("[")[0] for one in nodeids if "[" in one and not past[one]}
    below = {
        name: evidence.tests_below(name, _MOST_SIBLINGS)
        for name in list(dict.fromkeys(functions.values()))[:_MOST_FUNCTIONS]
    }
    results = evidence.past(sorted(set().union(*below.values())), runs) if below else {}
    found: dict[str, Past] = {}
    for name, tests in below.items():
        for one in _collected(runs, [results[test] for test in tests]):
            if one.outcome is Outcome.PASSED and evidence.believes(one.run, Use.BASELINE):
                found.setdefault(name, one)
    return {one: found[name] for one, name in functions.items() if name in found}


def _past(
    evidence: Evidence, nodeids: Sequence[str], places: Collection[str], runs: Sequence[RunHead]
) -> dict[str, tuple[Past, ...]]:
    below = {place: evidence.tests_below(place) for place in places}
    past = evidence.past(sorted({*nodeids, *chain(*below.values())}), runs)
    for place, tests in below.items():
        past[place] = _collected(runs, [past[place], *(past[test] for test in tests)])
    return past


def _collected(runs: Sequence[RunHead], several: Sequence[Sequence[Past]]) -> tuple[Past, ...]:
    """In which runs a file was collected: any of its tests passed."""
    here: dict[str, Past] = {}
    for past in several:
        for one in past:
            if one.run.id not in here or one.outcome is Outcome.PASSED:
                here[one.run.id] = one
    return tuple(here[run.id] for run in runs if run.id in here)


def _has_passed(evidence: Evidence, past: Sequence[Past]) -> bool:
    return any(
        one.outcome is Outcome.PASSED and evidence.believes(one.run, Use.BASELINE) for one in past
    )


def for_later(case: Case, statistics: str) -> dict[str, Any]:
    """What later runs have to know of a case to judge it again."""
    found: dict[str, Any] = {}
    if statistics != STATISTICS[0]:
        found["statistics"] = statistics
    if case.head.context.get("seeds") and not case.draws:
        found["draws"] = False
    if misses(case.failure):
        found["missing"] = True
    if case.missing is not None:
        found["ignored"] = True
    return found
