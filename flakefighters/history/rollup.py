"""Summaries over many runs: counts per run, statistics per test."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import field
from functools import lru_cache
from typing import Final

from flakefighters.history import content, heads, read
from flakefighters.history.database import Database
from flakefighters.history.read import Lookup
from flakefighters.history.standing import labels_by_test, worst
from flakefighters.history.unreadable import Unreadable
from flakefighters.ids import storable
from flakefighters.model import Label, Outcome, RunHead
from flakefighters.model.rows import Book, RunRow, TestRow
from flakefighters.records import NamedTuple, record

__all__ = ["run_rows", "test_rows"]

_LABELS: Final = frozenset(map(str, Label))
_GOOD: Final = frozenset(".X")
_BAD: Final = frozenset("FE?")
_RAN: Final = frozenset(".FExXR?")
_FAILING: Final = frozenset("FE")
#: How a result counts for flips: what was both, in one run, counts as passing.
_STEPS: Final = str.maketrans(".XRFE?", "pppfff", "-sx")
_LONG_AGO: Final = -(2**62)


def run_rows(lookup: Lookup, project: str | None, limit: int) -> tuple[RunRow, ...]:
    """See :meth:`flakefighters.history.store.History.run_rows`."""
    database, _, unreadable = lookup
    more = ", r.outcomes, (SELECT s.n FROM {s}suite s WHERE s.id = r.suite)"
    rows = heads.newest(database, project, limit=limit, more=more)
    labels: dict[str, Counter[Label]] = defaultdict(Counter)
    for (run, _), found in labels_by_test(database, [row[0] for row in rows]).items():
        labels[run].update(found)
    made = []
    for row in rows:
        with unreadable.tolerated(str(row[0]), "row of run, its suite or its outcomes"):
            outcomes, tests = row[heads.HEAD_WIDTH :]
            counts = _counted(outcomes, tests)
            made.append(
                RunRow(
                    run=heads.head(row),
                    tests=tests,
                    outcomes={kind: counts[kind] for kind in Outcome if counts.get(kind)},
                    labels={
                        label: labels[row[0]][label] for label in Label if labels[row[0]][label]
                    },
                )
            )
    return tuple(made)


def _counted(outcomes: str, tests: int) -> Mapping[str, int]:
    """How many tests ended how; ValueError unless each of the tests has a known outcome."""
    if len(outcomes) == 1:
        return {Outcome(outcomes).value: tests}
    counts = {one.value: outcomes.count(one.value) for one in Outcome if one.value in outcomes}
    if not sum(counts.values()) == len(outcomes) == tests:
        raise ValueError("outcomes of other tests")
    return counts


class _Sums(NamedTuple):
    """What the results of a test come to; most tests of a suite have the same."""

    runs: int
    passes: int
    failures: int
    flips: int
    mixed: int
    last: Outcome
    #: The places of the newest result and of the newest failure, -1 for none.
    last_at: int
    failed_at: int


@lru_cache(1024)
def _sums(text: str) -> _Sums:
    steps = text.translate(_STEPS)
    last_at = len(text.rstrip("-")) - 1
    return _Sums(
        runs=sum(map(text.count, _RAN)),
        passes=sum(map(text.count, _GOOD)),
        failures=sum(map(text.count, _BAD)),
        flips=steps.count("pf") + steps.count("fp"),
        mixed=text.count("R"),
        last=Outcome(text[last_at]),
        last_at=last_at,
        failed_at=max(text.rfind(letter) for letter in "FE?R"),
    )


@record
class _Tally:
    """The results of one test."""

    #: A character for each run, the oldest first; "-" where it did not run.
    outcomes: str
    labels: Counter[Label] = field(default_factory=Counter)
    genuine_in: set[int] = field(default_factory=set)
    again: dict[int, tuple[int, int]] = field(default_factory=dict)

    def row(self, nodeid: str, runs: Sequence[RunHead]) -> TestRow:
        sums = _sums(self.outcomes)
        judged = sum(self.labels.values())
        return TestRow(
            nodeid=nodeid,
            runs=sums.runs,
            passes=sums.passes,
            failures=sums.failures,
            flips=sums.flips,
            mixed=sums.mixed,
            last=sums.last,
            last_run=runs[sums.last_at].id,
            last_failure=None if sums.failed_at < 0 else runs[sums.failed_at].started,
            flaky=self.labels[Label.FLAKY],
            genuine=self.labels[Label.GENUINE],
            undecided=self.labels[Label.UNDECIDED],
            unjudged=max(0, sums.failures + sums.mixed - judged),
            outcomes=self.outcomes,
            again=self.again,
            genuine_in=frozenset(self.genuine_in),
        )


def test_rows(
    lookup: Lookup,
    project: str,
    runs: int,
    *,
    branch: str | None,
    since: int | None,
    only: str | None,
) -> Book:
    """See :meth:`flakefighters.history.store.History.tests`."""
    database, suites, unreadable = lookup
    rows = database.query(
        f"SELECT {heads.HEAD}, r.suite, r.outcomes {heads.FROM} WHERE r.project = :project "
        "AND r.started <= :until AND r.started >= :since "
        "AND (:every = 1 OR r.branch = :branch) "
        "ORDER BY r.started DESC, r.id DESC LIMIT :runs",
        project=content.project_id(project),
        until=heads.latest(),
        since=_LONG_AGO if since is None else since,
        runs=runs,
        every=int(branch is None),
        branch=storable(branch or ""),
    )
    suites.fetch(row[heads.HEAD_WIDTH] for row in rows)
    known: list[_Known] = []
    for row in reversed(rows):
        with unreadable.tolerated(str(row[0]), "row of run, its suite or its outcomes"):
            suite, outcomes = row[heads.HEAD_WIDTH :]
            members = suites.members(suite)
            _counted(outcomes, len(members))
            every = outcomes * len(members) if len(outcomes) == 1 else outcomes
            known.append((heads.head(row), suite, every))
    found = tuple(head for head, _, _ in known)
    test = None if only is None else content.test_ids(project, (only,))[0]
    tallies = _tallies(suites, known, test)
    places = {head.id: place for place, head in enumerate(found)}
    _count_labels(database, places, tallies)
    _count_attempts(database, places, tallies)
    nodeids = _names(database, tallies, found, unreadable)
    made = [tally.row(nodeids[test], found) for test, tally in tallies.items()]
    return Book(tuple(sorted(made, key=lambda row: row.nodeid)), found)


_Known = tuple[RunHead, str, str]
#: In front of which member of a suite how many tests stand that only other suites have.
_Gaps = list[tuple[int, int]]


def _tallies(suites: read.Suites, known: Sequence[_Known], only: int | None) -> dict[int, _Tally]:
    """The results of each test, or of one: the columns of a grid with a row for each run."""
    if only is not None:
        column = "".join([_letter(suites.members(suite), every, only) for _, suite, every in known])
        return {only: _Tally(column)} if column.strip("-") else {}
    members = {suite: suites.members(suite) for _, suite, _ in known}
    tests = sorted(set().union(*members.values()))
    places = {test: place for place, test in enumerate(tests)}
    gaps = {suite: _gaps(mine, places) for suite, mine in members.items()}
    # One text for all: a column is a slice of it, however the suites take turns.
    grid = "".join([_spread(every, gaps[suite]) for _, suite, every in known])
    columns = [(test, grid[place :: len(tests)]) for test, place in places.items()]
    return {test: _Tally(column) for test, column in columns if column.strip("-")}


def _letter(members: Sequence[int], outcomes: str, test: int) -> str:
    place = bisect_left(members, test)
    return outcomes[place] if members[place : place + 1] == [test] else "-"


def _gaps(members: Sequence[int], places: Mapping[int, int]) -> _Gaps:
    if 2 * len(members) > len(places):
        missing = sorted(map(places.__getitem__, places.keys() - set(members)))
        return [(place - before, 1) for before, place in enumerate(missing)]
    found, after = [], 0
    for at, test in enumerate(members):
        if places[test] > after:
            found.append((at, places[test] - after))
        after = places[test] + 1
    return [*found, (len(members), len(places) - after)]


def _spread(outcomes: str, gaps: _Gaps) -> str:
    """The outcomes of a suite's members as a row of the grid."""
    parts, start = [], 0
    for at, many in gaps:
        parts += [outcomes[start:at], "-" * many]
        start = at
    return "".join([*parts, outcomes[start:]])


def _names(
    database: Database,
    tallies: dict[int, _Tally],
    runs: Sequence[RunHead],
    unreadable: Unreadable,
) -> dict[int, str]:
    """The node ids of the tests that were counted; those that have none are taken out."""
    found = read.nodeids(database, tallies)
    for test in tallies.keys() - found.keys():
        unreadable.note(runs[_sums(tallies.pop(test).outcomes).last_at].id, "suite")
    return found


def _count_labels(
    database: Database, places: Mapping[str, int], tallies: dict[int, _Tally]
) -> None:
    for (run, test), labels in labels_by_test(database, list(places)).items():
        label = worst(labels)
        if test in tallies and label is not None:
            tallies[test].labels[label] += 1
            if label is Label.GENUINE:
                tallies[test].genuine_in.add(places[run])


def _count_attempts(
    database: Database, places: Mapping[str, int], tallies: dict[int, _Tally]
) -> None:
    """Attempts after the first."""
    rows = database.query(
        "SELECT x.run, x.test, x.outcome FROM {s}execution x "
        "WHERE x.run IN {hash:runs} AND x.attempt > 1",
        runs=content.to_json(list(places)),
    )
    for run, test, letter in rows:
        if test in tallies:
            passed, failed = tallies[test].again.get(places[run], (0, 0))
            passed, failed = passed + (letter in _GOOD), failed + (letter in _FAILING)
            tallies[test].again[places[run]] = passed, failed
