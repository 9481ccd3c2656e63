"""Summaries over many runs: counts per run, statistics per test, the story of one test."""

from __future__ import annotations

import json
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from flakefighters.history import content, heads, read
from flakefighters.history.database import Database, Row
from flakefighters.history.read import Lookup
from flakefighters.history.standing import labels_by_test, worst
from flakefighters.history.unreadable import Unreadable
from flakefighters.ids import storable
from flakefighters.model import Execution, Label, Outcome, Verdict
from flakefighters.model.rows import ExecutionRow, RunRow, TestRow

__all__ = ["executions_of", "run_rows", "test_rows"]

_LABELS: Final = frozenset(map(str, Label))
_GOOD: Final = frozenset(".X")
_BAD: Final = frozenset("FE?")
_RAN: Final = frozenset(".FExXR?")
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
    counts = {outcomes: tests} if len(outcomes) == 1 else dict(Counter(outcomes))
    for letter in counts:
        Outcome(letter)
    if sum(counts.values()) != tests:
        raise ValueError("outcomes of other tests")
    return counts


@dataclass(slots=True)
class _Tally:
    runs: int = 0
    passes: int = 0
    failures: int = 0
    flips: int = 0
    mixed: int = 0
    passing: bool | None = None
    last: str = "-"
    last_run: str = ""
    last_failure: int | None = None
    labels: Counter[Label] = field(default_factory=Counter)

    def add(self, letter: str, run: str, started: int) -> None:
        """Count one result; the runs come in the order of their start."""
        self.last, self.last_run = letter, run
        if letter not in _RAN:
            return
        self.runs += 1
        if letter == "x":
            return
        passing = letter not in _BAD
        if letter in _GOOD:
            self.passes += 1
        else:
            self.last_failure = started
            if passing:  # both, in one run
                self.mixed += 1
            else:
                self.failures += 1
        if self.passing is not None and self.passing != passing:
            self.flips += 1
        self.passing = passing

    def row(self, nodeid: str) -> TestRow:
        return TestRow(
            nodeid=nodeid,
            runs=self.runs,
            passes=self.passes,
            failures=self.failures,
            flips=self.flips,
            mixed=self.mixed,
            last=Outcome(self.last),
            last_run=self.last_run,
            last_failure=self.last_failure,
            flaky=self.labels[Label.FLAKY],
            genuine=self.labels[Label.GENUINE],
            undecided=self.labels[Label.UNDECIDED],
            unjudged=max(0, self.failures + self.mixed - self.labels.total()),
        )


def test_rows(
    lookup: Lookup, project: str, runs: int, *, branch: str | None, since: int | None
) -> tuple[TestRow, ...]:
    """See :meth:`flakefighters.history.store.History.test_rows`."""
    database, suites, unreadable = lookup
    rows = database.query(
        "SELECT r.id, r.started, r.suite, r.outcomes FROM {s}run r WHERE r.project = :project "
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
    suites.fetch(row[2] for row in rows)
    tallies: dict[int, _Tally] = defaultdict(_Tally)
    for run, started, suite, outcomes in reversed(rows):
        letters: dict[int, str] = {}
        with unreadable.tolerated(run, "suite or outcomes"):
            members = suites.members(suite)
            _counted(outcomes, len(members))
            every = outcomes * len(members) if len(outcomes) == 1 else outcomes
            letters = dict(zip(members, every, strict=True))
        for test, letter in letters.items():
            if letter != "-":
                tallies[test].add(letter, run, started)
    _count_labels(database, [row[0] for row in rows], tallies)
    nodeids = _names(database, tallies, unreadable)
    made = [tally.row(nodeids[test]) for test, tally in tallies.items()]
    return tuple(sorted(made, key=lambda row: row.nodeid))


def _names(
    database: Database, tallies: dict[int, _Tally], unreadable: Unreadable
) -> dict[int, str]:
    """The node ids of the tests that were counted; those that have none are taken out."""
    found = read.nodeids(database, tallies)
    for test in tallies.keys() - found.keys():
        unreadable.note(tallies.pop(test).last_run, "suite")
    return found


def _count_labels(database: Database, runs: Sequence[str], tallies: dict[int, _Tally]) -> None:
    for (_, test), labels in labels_by_test(database, runs).items():
        label = worst(labels)
        if test in tallies and label is not None:
            tallies[test].labels[label] += 1


def executions_of(
    lookup: Lookup, nodeid: str, project: str, limit: int
) -> tuple[ExecutionRow, ...]:
    """See :meth:`flakefighters.history.store.History.executions_of`."""
    database, suites, unreadable = lookup
    (test,) = content.test_ids(project, (nodeid,))
    found: list[ExecutionRow] = []
    before: str | None = None
    # Runs without the test (selections, older than it) are skipped, but not for ever.
    for _ in range(4):
        more = ", r.suite, r.outcomes, r.durations"
        rows = heads.newest(database, project, limit=limit, before=before, more=more)
        if not rows:
            break
        before = rows[-1][0]
        suites.fetch(row[heads.HEAD_WIDTH] for row in rows)
        ids = [row[0] for row in rows]
        attempts = read.executions(database, ids, [test], unreadable)
        said: dict[str, list[Verdict]] = defaultdict(list)
        for verdict in read.verdicts(database, ids, test, unreadable):
            said[verdict.run].append(verdict)
        for row in rows:
            tried = attempts.get((row[0], test), [])
            if row[0] in unreadable.runs:
                continue
            with unreadable.tolerated(str(row[0]), "row of run, its suite or its outcomes"):
                made = _execution_row(row, nodeid, test, suites, tried, said[row[0]])
                found += [] if made is None else [made]
        if len(found) >= limit or len(rows) < limit:
            break
    return tuple(found[:limit])


def _execution_row(
    row: Row,
    nodeid: str,
    test: int,
    suites: read.Suites,
    tried: Sequence[Execution],
    said: Sequence[Verdict],
) -> ExecutionRow | None:
    suite, outcomes, durations = row[heads.HEAD_WIDTH :]
    members = suites.members(suite)
    place = bisect_left(members, test)
    if place < len(members) and members[place] == test:
        letter = outcomes if len(outcomes) == 1 else outcomes[place]
        setup, call, teardown = json.loads(durations)[3 * place : 3 * place + 3]
    elif tried:
        letter, setup, call, teardown = tried[-1].outcome, 0, 0, 0
    else:
        return None
    return ExecutionRow(
        run=heads.head(row),
        nodeid=nodeid,
        outcome=Outcome(letter),
        durations=(100 * setup, 100 * call, 100 * teardown),
        executions=tuple(tried),
        verdicts=tuple(said),
    )
