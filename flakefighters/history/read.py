"""From rows to runs, results of tests, and verdicts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import nullcontext, suppress
from typing import TYPE_CHECKING, Any, Final

from flakefighters.errors import NotFoundError
from flakefighters.history import belief, content, heads, pack
from flakefighters.history.chains import chain, links
from flakefighters.history.content import from_json, to_json
from flakefighters.history.heads import text
from flakefighters.history.pack import ListingLink, SuiteLink
from flakefighters.history.unreadable import MALFORMED
from flakefighters.ids import storable, unstorable
from flakefighters.model import (
    JOINT,
    Confidence,
    Environment,
    Execution,
    Failure,
    Label,
    Outcome,
    Phase,
    Project,
    Run,
    State,
    Use,
    Verdict,
)
from flakefighters.records import NamedTuple

if TYPE_CHECKING:
    from flakefighters.history.belief import Reader
    from flakefighters.history.database import Database, Row
    from flakefighters.history.unreadable import Unreadable

__all__ = [
    "Lookup",
    "Suites",
    "environments",
    "executions",
    "load",
    "nodeids",
    "readings",
    "state_files",
    "verdicts",
]

_NO_TIMES: Final = (None, None, None)


class Suites:
    """Which tests the suites of a history have; what was fetched is kept, it never changes."""

    def __init__(self, database: Database):
        self._database = database
        self._members: dict[str, list[int]] = {}

    def fetch(self, suites: Iterable[str]) -> None:
        """Fetch the members of those that are not known yet, with one question."""
        missing = set(suites) - self._members.keys()
        if missing:
            self.learn(links(self._database, SuiteLink, missing, places=False), missing)

    def learn(self, links: Mapping[str, SuiteLink], suites: Iterable[str]) -> None:
        """Take over those that are not known yet from links that were fetched otherwise."""
        for name in set(suites) - self._members.keys():
            with suppress(*MALFORMED):  # said by ``members``
                members = pack.members_of(pack.chain_of(links, name))
                if set(map(type, members)) <= {int}:
                    self._members[name] = members

    def members(self, suite: str) -> list[int]:
        """Its tests, ascending; it must have been fetched.  ValueError if they make no sense."""
        if suite not in self._members:
            raise ValueError(f"the chain of suite {suite} is broken")
        return self._members[suite]


class Lookup(NamedTuple):
    """What questions about results look into."""

    database: Database
    suites: Suites
    #: Where runs are noted that cannot be read.
    unreadable: Unreadable


def nodeids(database: Database, tests: Iterable[int]) -> dict[int, str]:
    """The node id of each of these tests."""
    rows = database.query(
        "SELECT id, nodeid FROM {s}test WHERE id IN {number:ids}",
        ids=to_json(sorted(set(tests))),
    )
    return {test: unstorable(nodeid) for test, nodeid in rows}


def nodeids_of(database: Database, project: str, most: int) -> list[str]:
    """Node ids of the tests that a project has had, no more than ``most``."""
    rows = database.query(
        "SELECT nodeid FROM {s}test WHERE project = :project LIMIT :most",
        project=content.project_id(project),
        most=most,
    )
    return [unstorable(nodeid) for (nodeid,) in rows]


def nodeids_below(database: Database, project: str, place: str, most: int) -> list[str]:
    """Node ids of some tests that a project has had in a file or folder, or of one function."""
    start = storable(place)
    rows = database.query(
        "SELECT nodeid FROM {s}test WHERE project = :project AND substr(nodeid, 1, :n) = :start "
        "AND (substr(nodeid, :n + 1, 1) IN ('/', '[') OR substr(nodeid, :n + 1, 2) = '::') "
        "ORDER BY nodeid LIMIT :most",
        project=content.project_id(project),
        start=start,
        n=len(start),
        most=most,
    )
    return [unstorable(nodeid) for (nodeid,) in rows]


# -- Executions ------------------------------------------------------------------------------

_EXECUTIONS: Final = """
SELECT x.run, x.test, x.attempt, x.outcome, x.durations, x.reason, x.worker, x.output,
  f.n, f.phase, f.subtest, f.facts, c.signature, c.signature_version, c.exception, c.text
FROM {s}execution x
LEFT JOIN {s}failure f ON f.run = x.run AND f.test = x.test AND f.attempt = x.attempt
LEFT JOIN {s}failure_text c ON c.id = f.failure_text
WHERE x.run IN {hash:runs} {only}
ORDER BY x.run, x.test, x.attempt, f.n
"""


def executions(
    database: Database,
    runs: Sequence[str],
    tests: Sequence[int] | None = None,
    unreadable: Unreadable | None = None,
) -> dict[tuple[str, int], list[Execution]]:
    """Attempts at these tests (all if None) in these runs, by run and test, in order.

    Those that make no sense are noted in ``unreadable``; without it they are a ValueError or the
    like.
    """
    params: dict[str, object] = {"runs": to_json(list(runs))}
    only = ""
    if tests is not None:
        only = "AND x.test IN {number:tests}"
        params["tests"] = to_json(list(tests))
    rows = database.query(_EXECUTIONS.replace("{only}", only), **params)
    attempts: dict[tuple[str, int, int], list[Row]] = {}
    for row in rows:
        attempts.setdefault(row[:3], []).append(row)
    names = nodeids(database, {test for _, test, _ in attempts}) if attempts else {}
    made: dict[tuple[str, int], list[Execution]] = defaultdict(list)
    for (run, test, _), group in attempts.items():
        with nullcontext() if unreadable is None else unreadable.tolerated(run, "execution"):
            made[run, test].append(_execution(names[test], group))
    return made


def _execution(nodeid: str, group: Sequence[Row]) -> Execution:
    _, _, attempt, outcome, durations, reason, worker, output = group[0][:8]
    return Execution(
        nodeid=nodeid,
        attempt=attempt,
        outcome=Outcome(outcome),
        durations=_NO_TIMES if durations is None else tuple(from_json(durations)),
        failures=tuple(_failure(row[9:]) for row in group if row[8] is not None),
        reason=text(reason),
        worker=text(worker),
        output=text(output),
    )


def _failure(row: Sequence[Any]) -> Failure:
    phase, subtest, facts, signature, version, exception, body = row
    return Failure(
        phase=Phase(phase),
        subtest=text(subtest),
        exception=text(exception),
        text=unstorable(body),
        signature=unstorable(signature),
        signature_version=version,
        facts={} if facts is None else from_json(facts),
    )


# -- Whole runs ------------------------------------------------------------------------------

_RUN_MORE: Final = (
    ", p.label, r.suite, r.sequence, r.listing, r.seen, r.outcomes, r.durations, r.content_hash"
)


def load(database: Database, run_id: str) -> Run:
    """See :meth:`flakefighters.history.store.History.load`."""
    rows = heads.by_ids(database, [run_id], more=_RUN_MORE, columns=heads.WHOLE)
    if not rows:
        raise NotFoundError(f"no run {run_id} in this history")
    head = heads.head(rows[0])
    label, suite, sequence, listing, seen, outcomes, durations, _ = rows[0][heads.HEAD_WIDTH :]
    tests = pack.order_of(chain(database, SuiteLink, suite))
    names = nodeids(database, tests)
    order = None
    if sequence is not None:
        ((body,),) = database.query("SELECT body FROM {s}sequence WHERE id = :id", id=sequence)
        order = tuple(map(tuple, from_json(body)))
    place = {test: index for index, test in enumerate(tests)}
    parts = sorted(
        executions(database, [run_id]).items(),
        key=lambda item: (place.get(item[0][1], len(tests)), item[1][0].nodeid),
    )
    return Run(
        head=head,
        project=Project(identity=head.project, label=unstorable(label)),
        state=None if head.state is None else _state(database, head.state, listing),
        environment=None
        if head.environment is None
        else environments(database, [head.environment])[head.environment],
        suite=tuple(names[test] for test in tests),
        outcomes=pack.unpack_outcomes(tests, outcomes),
        durations=pack.unpack_durations(tests, durations),
        order=order,
        executions=tuple(execution for _, attempts in parts for execution in attempts),
        seen={} if seen is None else from_json(seen),
    )


def _state(database: Database, name: str, listing: str | None) -> State:
    ((tree, digest),) = database.query("SELECT tree, digest FROM {s}state WHERE id = :id", id=name)
    files = None if listing is None else pack.files_of(chain(database, ListingLink, listing))
    return State(id=name, tree=text(tree), digest=text(digest), files=files)


def environments(
    database: Database, ids: Iterable[str], unreadable: Unreadable | None = None
) -> dict[str, Environment]:
    """See :meth:`flakefighters.history.store.History.environments`."""
    rows = database.query(
        "SELECT id, key, settings, distributions FROM {s}environment WHERE id IN {text:ids}",
        ids=to_json(sorted(set(ids))),
    )
    found = {}
    for name, key, settings, distributions in rows:
        with nullcontext() if unreadable is None else suppress(*MALFORMED):
            found[unstorable(name)] = Environment(
                id=unstorable(name),
                key=unstorable(key),
                settings=dict(from_json(settings)),
                distributions=dict(from_json(distributions)),
            )
    return found


# One run that describes each of these states, the most trusted, and all that its listing is
# relative to, in one answer.  Naming the projects lets the index on project and state serve.
_LISTINGS: Final = """
WITH RECURSIVE described(state, listing, place) AS (
  SELECT r.state, r.listing, row_number() OVER (PARTITION BY r.state ORDER BY
    (SELECT min(a.trust) FROM {s}arrival a WHERE a.run = r.id), r.id)
  FROM {s}run r WHERE r.project IN (SELECT id FROM {s}project) AND r.state IN {text:ids}
    AND r.listing IS NOT NULL AND {condition}
), chain(id, base) AS (
  SELECT t.id, t.base FROM {s}listing t
    WHERE t.id IN (SELECT listing FROM described WHERE place = 1)
  UNION
  SELECT t.id, t.base FROM {s}listing t JOIN chain c ON t.id = c.base
)
SELECT 1 AS kind, 0 AS n, d.listing AS id, NULL AS base, d.state AS body
  FROM described d WHERE d.place = 1
UNION ALL
SELECT 2, t.n, t.id, t.base, t.files FROM {s}listing t JOIN chain c ON c.id = t.id
"""


def state_files(
    database: Database, ids: Iterable[str], reader: Reader | None = None
) -> dict[str, Mapping[str, str]]:
    """See :meth:`flakefighters.history.store.History.state_files`."""
    condition, params = belief.condition(reader, Use.FILES) if reader else ("true", {})
    chosen: dict[str, str] = {}
    known: dict[str, ListingLink] = {}
    wanted = sorted(set(ids))
    if not wanted:
        return {}
    question = _LISTINGS.replace("{condition}", condition)
    for kind, n, name, base, body in database.query(question, ids=to_json(wanted), **params):
        if kind == 1:
            chosen[unstorable(body)] = name
        else:
            with suppress(*MALFORMED):  # then the chain is broken, and that list is not known
                known[name] = ListingLink.read((name, n, base, body))
    found: dict[str, Mapping[str, str]] = {}
    for state, listing in chosen.items():
        with suppress(*MALFORMED):
            found[state] = pack.files_of(pack.chain_of(known, listing))
    return found


# -- Verdicts --------------------------------------------------------------------------------

_VERDICTS: Final = """
SELECT v.run, t.nodeid, v.attempt, v.n, v.fighter, v.version, v.label, v.confidence, v.introduced,
  {reason}, b.body, v.at
FROM {s}verdict v LEFT JOIN {s}test t ON t.id = v.test
LEFT JOIN {s}evidence b ON b.id = v.evidence {told}
WHERE v.run IN {hash:runs} {only} ORDER BY v.run, v.test, v.attempt, v.n, v.at, v.fighter, v.id
"""


def verdicts(
    database: Database,
    runs: Iterable[str],
    test: int | None = None,
    unreadable: Unreadable | None = None,
) -> tuple[Verdict, ...]:
    """See :meth:`flakefighters.history.store.History.verdicts`; of one test if it is given."""
    sql = _VERDICTS.replace("{only}", "" if test is None else "AND v.test = :test")
    sql = sql.replace("{reason}", "v.reason").replace("{told}", "")
    params: dict[str, object] = {} if test is None else {"test": test}
    rows = database.query(sql, runs=to_json(sorted(set(runs))), **params)
    found = []
    for row in rows:
        with nullcontext() if unreadable is None else unreadable.tolerated(row[0], "verdict"):
            found.append(_verdict(row))
    return tuple(found)


def readings(
    database: Database, runs: Sequence[str], unreadable: Unreadable
) -> tuple[Verdict, ...]:
    """See :meth:`flakefighters.history.store.History.readings`."""
    # Reasons and evidence are most of the bytes; only that of proofs tells something here.
    sql = _VERDICTS.replace("{told}", "AND v.fighter = :joint AND v.confidence = :proved")
    sql = sql.replace("{reason}", "''").replace("{only}", "")
    proved = str(Confidence.PROVED)
    found = []
    for row in database.query(sql, runs=to_json(list(runs)), joint=JOINT, proved=proved):
        with unreadable.tolerated(row[0], "verdict"):
            one = _verdict(row)
            by = one.evidence.get("by")
            found.append(one._replace(evidence={} if by is None else {"by": by}))
    return tuple(found)


def _verdict(row: Row) -> Verdict:
    return Verdict(
        run=row[0],
        nodeid=unstorable(row[1]),
        attempt=row[2],
        index=row[3],
        fighter=unstorable(row[4]),
        version=row[5],
        label=Label(row[6]),
        confidence=Confidence(row[7]),
        introduced=bool(row[8]),
        reason=unstorable(row[9]),
        evidence={} if row[10] is None else dict(from_json(row[10])),
        at=row[11],
    )
