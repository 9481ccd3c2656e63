"""Earlier failures that may teach something, and what came of their tests afterwards."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Final

from flakefighters.history import belief, content, heads
from flakefighters.history.content import to_json
from flakefighters.history.earlier import members_of
from flakefighters.ids import storable, unstorable
from flakefighters.model import JOINT, Confidence, Label, Met, Outcome, Pass, Use, Verdict
from flakefighters.records import NamedTuple

if TYPE_CHECKING:
    from flakefighters.history.belief import Reader
    from flakefighters.history.database import Row
    from flakefighters.history.read import Lookup

__all__ = ["MOST", "Asked", "Lessons"]

#: Failures are sought in so many of the newest runs that are believed, and so many are read.
RUNS: Final = 1000
MOST: Final = 10_000
#: Of no more signatures than that: those that share most lines.
MOST_SIGNATURES: Final = 300
#: Passes are sought in so many of the newest.
RUNS_OF_PASSES: Final = 300


class Asked(NamedTuple):
    """Which failures are asked for: those of these tests, with one of these signatures, or with
    one of these lines in their signature."""

    nodeids: Sequence[str]
    signatures: Sequence[str]
    lines: Sequence[str]


_RUNS: Final = """
SELECT r.id, r.started, r.state, e.key{more} FROM {s}run r
LEFT JOIN {s}environment e ON e.id = r.environment
"""
_BELIEVED: Final = f"""{_RUNS} WHERE r.project = :project AND r.started <= :until
AND r.id <> :judged AND {{condition}} ORDER BY r.started DESC, r.id DESC LIMIT :runs
"""
_COLUMNS: Final = """n.id, n.started, n.state, n.key, t.nodeid, f.attempt, f.n, c.exception,
  c.signature, f.failure_text"""
# The lines are sought in the index of signatures alone, which is small; the texts are not.
# CROSS JOIN keeps SQLite to this order: there is no way from a text to its failures.
_LIKE: Final = f"""
WITH newest AS ({_BELIEVED}), hit AS (
  SELECT h.id FROM {{s}}failure_text h WHERE h.signature IN (
    SELECT x.signature FROM (
      SELECT c.signature, {{shared}} AS shared FROM {{s}}failure_text c
    ) x WHERE x.shared > 0 ORDER BY x.shared DESC, x.signature LIMIT :signatures_at_most
  )
)
SELECT {_COLUMNS}
FROM newest n CROSS JOIN {{s}}failure f CROSS JOIN {{s}}failure_text c CROSS JOIN {{s}}test t
WHERE f.run = n.id AND c.id = f.failure_text AND t.id = f.test
  AND (f.test IN {{number:tests}} OR f.failure_text IN (SELECT id FROM hit))
ORDER BY n.started DESC, n.id DESC LIMIT :most
"""  # noqa: S608
_OF_RUNS: Final = f"""
WITH n AS ({_RUNS} WHERE r.id IN {{hash:runs}})
SELECT {_COLUMNS} FROM n JOIN {{s}}failure f ON f.run = n.id
JOIN {{s}}failure_text c ON c.id = f.failure_text JOIN {{s}}test t ON t.id = f.test
ORDER BY n.started DESC, n.id DESC
"""  # noqa: S608
_IN: Final = f"""{_RUNS} WHERE r.project = :project AND r.id IN {{hash:runs}}
ORDER BY r.started DESC, r.id DESC"""
_RULINGS: Final = """
SELECT v.run, t.nodeid, v.attempt, v.n, v.label, v.confidence, v.introduced, v.at
FROM {s}verdict v JOIN {s}test t ON t.id = v.test
WHERE v.run IN {hash:runs} AND v.fighter = :joint AND v.test IN {number:tests}
ORDER BY v.at, v.id
"""
_TEXTS: Final = "SELECT id, text FROM {s}failure_text WHERE id IN {hash:ids}"


class Lessons:
    """Questions to one history."""

    def __init__(self, lookup: Lookup, names: Callable[[str], list[str]]):
        self._lookup, self._names = lookup, names
        self._database, self._suites, self._unreadable = lookup

    def like(self, reader: Reader, asked: Asked) -> list[Met]:
        """The newest failures that are asked for, of runs whose labels the reader believes,
        newest first; no more than ``MOST`` and one."""
        condition, params = belief.condition(reader, Use.LABEL)
        lines = {f"line{n}": storable(line) for n, line in enumerate(asked.lines)}
        # What both databases have and takes no pattern: a text without the line is another one.
        points = {f"replace(c.signature, :{name}, '') <> c.signature": 1 for name in lines}
        points["c.signature IN {text:signatures}"] = 100
        shared = (f"CASE WHEN {said} THEN {n} ELSE 0 END" for said, n in points.items())
        sql = _LIKE.replace("{condition}", condition).replace("{shared}", " + ".join(shared))
        signatures = to_json([storable(one) for one in asked.signatures])
        params |= {"signatures": signatures, "judged": reader.judged.id, **lines}
        found: list[Met] = []
        for name in self._names(reader.judged.project):
            rows = self._database.query(
                sql.replace("{more}", ""),
                project=content.project_id(name),
                until=heads.latest(),
                runs=RUNS,
                most=MOST + 1,
                signatures_at_most=MOST_SIGNATURES,
                tests=to_json(content.test_ids(name, list(asked.nodeids))),
                **params,
            )
            found += self._met(rows)
        return found

    def of(self, runs: Sequence[str]) -> list[Met]:
        """All failures of these runs, newest first."""
        sql = _OF_RUNS.replace("{more}", "")
        return self._met(self._database.query(sql, runs=to_json(list(runs))))

    def _met(self, rows: Iterable[Row]) -> list[Met]:
        found = []
        for run, started, state, key, nodeid, attempt, n, exception, signature, text in rows:
            with self._unreadable.tolerated(run, "failure"):
                where = (run, int(started), heads.text(state), heads.text(key), unstorable(nodeid))
                what = (attempt, n, heads.text(exception), unstorable(signature), text)
                found.append(Met(*where, *what))
        return found

    def rulings(self, project: str, met: Sequence[Met]) -> list[Verdict]:
        """The joined verdicts on the tests of these failures in their runs, in order of time;
        without reasons and evidence."""
        nodeids = sorted({one.nodeid for one in met})
        tests = [test for one in self._names(project) for test in content.test_ids(one, nodeids)]
        runs = to_json(sorted({one.run for one in met}))
        wanted = {(one.run, one.nodeid) for one in met}
        found = []
        for run, nodeid, attempt, index, label, sure, new, at in self._database.query(
            _RULINGS, runs=runs, tests=to_json(tests), joint=JOINT
        ):
            if (run, unstorable(nodeid)) not in wanted:
                continue
            with self._unreadable.tolerated(run, "verdict"):
                where = (run, unstorable(nodeid), attempt, index, at)
                sure = Confidence(sure)
                found.append(Verdict(Label(label), JOINT, 1, sure, "", {}, bool(new), *where))
        return found

    def passes(
        self, project: str, nodeids: Sequence[str], where: Reader | Sequence[str]
    ) -> dict[str, list[Pass]]:
        """Passes of these tests in the newest runs that a reader believes, or in these runs."""
        if isinstance(where, belief.Reader):
            condition, params = belief.condition(where, Use.BREAK)
            sql = _BELIEVED.replace("{condition}", condition)
            params |= {"until": heads.latest(), "judged": where.judged.id, "runs": RUNS_OF_PASSES}
        else:
            sql, params = _IN, {"runs": to_json(list(where))}
        found: dict[str, list[Pass]] = {nodeid: [] for nodeid in nodeids}
        for name in self._names(project):
            rows = self._database.query(
                sql.replace("{more}", ", r.suite, r.outcomes"),
                project=content.project_id(name),
                **params,
            )
            self._suites.fetch(row[4] for row in rows)
            tests = dict(zip(content.test_ids(name, list(nodeids)), found.values(), strict=True))
            places: dict[str, list[tuple[int, list[Pass]]]] = {}
            for run, started, state, key, suite, outcomes in rows:
                with self._unreadable.tolerated(run, "outcomes or suite"):
                    members = members_of(self._suites, suite, outcomes)
                    if suite not in places:
                        some = ((at, tests.get(one)) for at, one in enumerate(members))
                        places[suite] = [(at, into) for at, into in some if into is not None]
                    one = Pass(run, int(started), heads.text(state), heads.text(key))
                    whole = outcomes == Outcome.PASSED.value  # it speaks for all
                    for at, into in places[suite]:
                        if whole or (len(outcomes) > 1 and outcomes[at] == Outcome.PASSED.value):
                            into.append(one)
        return found

    def texts(self, ids: Sequence[str]) -> dict[str, str]:
        """What failures say, by the ids of their texts."""
        rows = self._database.query(_TEXTS, ids=to_json(list(ids)))
        return {name: unstorable(text) for name, text in rows}
