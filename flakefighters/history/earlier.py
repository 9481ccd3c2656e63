"""The past of some tests: their results in the runs that are looked at, and in those beyond."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import field
from itertools import chain
from typing import Final

from flakefighters.history import belief, content, heads
from flakefighters.history.belief import Reader
from flakefighters.history.content import to_json
from flakefighters.history.database import Database
from flakefighters.history.pack import SuiteLink
from flakefighters.history.read import Lookup, Suites
from flakefighters.history.unreadable import MALFORMED, Unreadable
from flakefighters.ids import unstorable
from flakefighters.model import JOINT, Outcome, Past, RunHead, Use
from flakefighters.records import record

__all__ = ["Further", "further", "members_of", "past"]

#: How many further runs are read at most for tests that lack a pass, and among how many.
MOST: Final = 200
AMONG: Final = 5000

_OUTCOMES: Final = """
SELECT r.id, p.identity, r.suite, r.outcomes FROM {s}run r JOIN {s}project p ON p.id = r.project
WHERE r.id IN {hash:runs}
"""
# What is known of attempts, failures and joined verdicts, in one answer.
_DETAILS: Final = """
SELECT 1 AS kind, x.run, x.test, x.attempt, 0 AS n, 0 AS at, x.outcome AS what
  FROM {s}execution x WHERE x.run IN {hash:runs} AND x.test IN {number:tests}
UNION ALL
SELECT 2, f.run, f.test, f.attempt, f.n, 0, c.signature
  FROM {s}failure f JOIN {s}failure_text c ON c.id = f.failure_text
  WHERE f.run IN {hash:runs} AND f.test IN {number:tests}
UNION ALL
SELECT 3, v.run, v.test, v.attempt, v.n, v.at, v.label
  FROM {s}verdict v WHERE v.run IN {hash:runs} AND v.test IN {number:tests} AND v.fighter = :joint
ORDER BY 1, 2, 3, 4, 5, 6
"""


def past(
    lookup: Lookup, nodeids: Sequence[str], runs: Sequence[RunHead]
) -> dict[str, tuple[Past, ...]]:
    """See :meth:`flakefighters.history.store.History.past`."""
    found: dict[str, list[Past]] = {nodeid: [] for nodeid in nodeids}
    if not found or not runs:
        return dict.fromkeys(found, ())
    database, suites, unreadable = lookup
    ids = to_json([run.id for run in runs])
    known = {row[0]: row[1:] for row in database.query(_OUTCOMES, runs=ids)}
    suites.fetch(suite for _, suite, _ in known.values())
    identities = {identity for identity, _, _ in known.values()}
    tests = {one: content.test_ids(unstorable(one), list(found)) for one in identities}
    details = _Details(database, ids, sorted({*chain(*tests.values())}), unreadable)
    for run in runs:
        if run.id not in known or run.id in unreadable.runs:
            continue
        identity, suite, outcomes = known[run.id]
        with unreadable.tolerated(run.id, "outcomes or suite"):
            members = members_of(suites, suite, outcomes)
            # Nothing of a run counts if one of its outcomes cannot be read.
            here = [_outcome(members, outcomes, test) for test in tests[identity]]
            for results, test, outcome in zip(found.values(), tests[identity], here, strict=True):
                results += details.past(run, test, outcome)
    return {nodeid: tuple(results) for nodeid, results in found.items()}


class _Details:
    """What is known of attempts, failures and verdicts, by run and test."""

    def __init__(self, database: Database, runs: str, tests: Sequence[int], unreadable: Unreadable):
        self._attempts: dict[tuple[str, int], list[Outcome]] = defaultdict(list)
        self._signatures: dict[tuple[str, int], list[str]] = defaultdict(list)
        self._labels: dict[tuple[str, int], dict[tuple[int, int], str]] = defaultdict(dict)
        for kind, run, test, attempt, n, _, what in database.query(
            _DETAILS, runs=runs, tests=to_json(tests), joint=JOINT
        ):
            if kind == 1:
                with unreadable.tolerated(run, "execution"):
                    self._attempts[run, test].append(Outcome(what))
            elif kind == 2:
                self._signatures[run, test].append(unstorable(what))
            else:
                # As it was judged at the time.
                self._labels[run, test].setdefault((attempt, n), what)

    def past(self, run: RunHead, test: int, outcome: Outcome | None) -> Iterator[Past]:
        """The result of a test in a run, if it has one; ``outcome`` is that of the suite."""
        key = (run.id, test)
        tried = self._attempts.get(key, [])
        if outcome is not None or tried:
            yield Past(
                run=run,
                outcome=outcome or tried[-1],
                attempts=tuple(tried),
                signatures=tuple(self._signatures.get(key, ())),
                labels=tuple(self._labels.get(key, {}).values()),
            )


#: Rows of ``HEAD``, suite and outcomes of runs that were not looked at, those that may serve as
#: baselines first, and all that their suites are relative to, in one answer.
_FURTHER: Final = f"""
WITH RECURSIVE newest AS (
  SELECT r.id, r.suite, r.started, CASE WHEN {{condition}} THEN 1 ELSE 0 END AS fits
  FROM {{s}}run r WHERE r.project = :project AND r.started <= :until AND r.id NOT IN {{hash:known}}
  ORDER BY r.started DESC, r.id DESC LIMIT :among
), picked AS (
  SELECT id, suite, fits FROM newest ORDER BY fits DESC, started DESC, id DESC LIMIT :most
), chain(id, base) AS (
  SELECT t.id, t.base FROM {{s}}suite t WHERE t.id IN (SELECT suite FROM picked)
  UNION
  SELECT t.id, t.base FROM {{s}}suite t JOIN chain c ON t.id = c.base
)
SELECT {heads.HEAD}, x.fits, r.suite, r.outcomes, CAST(NULL AS text)
  {heads.FROM} JOIN picked x ON x.id = r.id
UNION ALL
SELECT t.id, {", ".join(["NULL"] * (heads.HEAD_WIDTH - 1))}, t.n, t.base, t.added, t.removed
  FROM {{s}}suite t JOIN chain c ON c.id = t.id
"""  # noqa: S608


@record
class Further:
    """Passes of tests in runs beyond those that were looked at."""

    #: By node id: the newest pass that may serve as a baseline.
    passes: dict[str, Past] = field(default_factory=dict)
    #: The newest pass that may not, of tests without the above.
    others: dict[str, Past] = field(default_factory=dict)
    #: Whether there are no more runs.
    all: bool = True

    def add(self, more: Further) -> None:
        """Take in what was found elsewhere; what is here already stays."""
        self.passes = more.passes | self.passes
        self.others = more.others | self.others
        self.all = self.all and more.all


def further(
    lookup: Lookup, project: str, nodeids: Sequence[str], reader: Reader, known: Iterable[str]
) -> Further:
    """See :meth:`flakefighters.history.store.History.further`."""
    database, suites, unreadable = lookup
    condition, params = belief.condition(reader, Use.BASELINE)
    rows = database.query(
        _FURTHER.replace("{condition}", condition),
        project=content.project_id(project),
        until=heads.latest(),
        known=to_json(sorted(known)),
        among=AMONG,
        most=MOST,
        **params,
    )
    found, links, runs = Further(), {}, []
    for row in rows:
        if row[1] is not None:
            runs.append(row)
            continue
        with suppress(*MALFORMED):
            n, base, added, removed = row[heads.HEAD_WIDTH :]
            links[row[0]] = SuiteLink.read((row[0], n, base, added, removed, None))
    found.all = len(runs) < MOST
    suites.learn(links, {row[heads.HEAD_WIDTH + 1] for row in runs})
    tests = dict(zip(nodeids, content.test_ids(project, list(nodeids)), strict=True))
    for row in sorted(runs, key=lambda row: (-row[heads.HEAD_WIDTH], -row[2])):
        with unreadable.tolerated(str(row[0]), "row of run, its suite or its outcomes"):
            run = heads.head(row)
            _, suite, outcomes, _ = row[heads.HEAD_WIDTH :]
            members = members_of(suites, suite, outcomes)
            into = found.passes if reader.uses(run, Use.BASELINE) else found.others
            for nodeid, test in tests.items():
                how = _outcome(members, outcomes, test)
                if how is Outcome.PASSED:
                    into.setdefault(nodeid, Past(run=run, outcome=how))
    return found


def members_of(suites: Suites, suite: str, outcomes: str) -> Sequence[int]:
    """The tests that ``outcomes`` tells of; ValueError if it tells of others."""
    members = suites.members(suite)
    if len(outcomes) not in (1, len(members)):
        raise ValueError("outcomes of other tests")
    return members


def _outcome(members: Sequence[int], outcomes: str, test: int) -> Outcome | None:
    place = bisect_left(members, test)
    if place == len(members) or members[place] != test:
        return None
    return Outcome(outcomes if len(outcomes) == 1 else outcomes[place])
