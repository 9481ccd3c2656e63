"""What a report on many runs needs: every failure without its text, and how long tests took."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from operator import add
from typing import Any, Final

from flakefighters.history.content import from_json, to_json
from flakefighters.history.heads import text
from flakefighters.history.read import Suites, nodeids
from flakefighters.history.store import History
from flakefighters.ids import unstorable
from flakefighters.model import JOINT, Confidence, Label
from flakefighters.model.rows import FailureRow
from flakefighters.records import NamedTuple

__all__ = ["Times", "failure_rows", "times"]

_FAILURES: Final = """
SELECT f.run, f.test, f.attempt, f.n, f.phase, f.subtest, f.failure_text
FROM {s}failure f WHERE f.run IN {hash:runs} ORDER BY f.run, f.test, f.attempt, f.n
"""
_SAYINGS: Final = """
SELECT c.id, c.exception, c.signature FROM {s}failure_text c WHERE c.id IN {hash:ids}
"""
_VERDICTS: Final = """
SELECT v.run, v.test, v.attempt, v.n, v.label, v.confidence, v.introduced, v.reason, b.body
FROM {s}verdict v LEFT JOIN {s}evidence b ON b.id = v.evidence
WHERE v.run IN {hash:runs} AND v.fighter = :joint ORDER BY v.at, v.id
"""
_DURATIONS: Final = "SELECT r.id, r.suite, r.durations FROM {s}run r WHERE r.id IN {hash:runs}"
#: Runs whose durations are read at a time: a run of 10,000 tests has 100 kB of them.
_AT_ONCE: Final = 20

_Key = tuple[str, int, int, int]
_Said = dict[str, Any]


def failure_rows(history: History, runs: Sequence[str]) -> list[FailureRow]:
    """Every failure in these runs with the verdict that stands on it, in the order of ``runs``."""
    database = history.database
    rows = database.query(_FAILURES, runs=to_json(list(runs)))
    names = nodeids(database, {row[1] for row in rows}) if rows else {}
    wanted = to_json(sorted({row[6] for row in rows}))
    sayings = {
        name: (text(exception), unstorable(signature))
        for name, exception, signature in database.query(_SAYINGS, ids=wanted)
    }
    said = _standing(history, runs)
    places = {run: place for place, run in enumerate(runs)}
    found = []
    for run, test, attempt, number, phase, subtest, saying in rows:
        if test not in names or saying not in sayings:
            history.unreadable.note(run, "failure")
            continue
        exception, signature = sayings[saying]
        one = FailureRow(
            *(run, names[test], attempt, number, phase, text(subtest), saying),
            exception,
            signature,
        )
        found.append(one._replace(**said.get((run, test, attempt, number), {})))
    found.sort(key=lambda one: places[one.run])
    return found


def _standing(history: History, runs: Sequence[str]) -> dict[_Key, _Said]:
    """The newest joined verdict on each failure."""
    found: dict[_Key, _Said] = {}
    rows = history.database.query(_VERDICTS, runs=to_json(list(runs)), joint=JOINT)
    for run, test, attempt, number, label, sure, introduced, reason, body in rows:
        with history.unreadable.tolerated(run, "verdict"):
            by = "" if body is None else str(from_json(body).get("by") or "")
            found[run, test, attempt, number] = {
                "label": Label(label),
                "confidence": Confidence(sure),
                "introduced": bool(introduced),
                "reason": unstorable(reason),
                "by": by,
            }
    return found


class Times(NamedTuple):
    """How long tests took in some runs, in µs; all phases of the last attempt together."""

    #: The sum of all tests, by run.
    runs: Mapping[str, int]
    #: Node id to one sum for each group of runs that follow one another.
    tests: Mapping[str, Sequence[int]]


def times(history: History, runs: Sequence[str], group: int) -> Times:
    """Sums over ``group`` runs each; a run whose durations cannot be read counts as none."""
    suites = Suites(history.database)
    totals: dict[str, int] = {}
    sums: dict[int, list[int]] = {}
    groups = -(-len(runs) // group)
    places = {run: at // group for at, run in enumerate(runs)}
    durations = _durations(history, suites, runs)
    for place, some in groupby(durations, key=lambda one: places[one[0]]):
        for members, column in _columns(suites, some, totals):
            for test, spent in zip(members, column, strict=True):
                if spent:
                    if test not in sums:
                        sums[test] = [0] * groups
                    sums[test][place] += 100 * spent
    names = nodeids(history.database, sums) if sums else {}
    return Times(totals, {names[test]: mine for test, mine in sums.items() if test in names})


_Durations = tuple[str, str, list[int]]


def _durations(history: History, suites: Suites, runs: Sequence[str]) -> Iterator[_Durations]:
    """Run, suite and durations, in the order of ``runs``; those that can be read."""
    for start in range(0, len(runs), _AT_ONCE):
        some = runs[start : start + _AT_ONCE]
        rows = history.database.query(_DURATIONS, runs=to_json(list(some)))
        suites.fetch(row[1] for row in rows)
        found: dict[str, _Durations] = {}
        for run, suite, body in rows:
            with history.unreadable.tolerated(run, "suite or durations"):
                phases = json.loads(body)
                if len(phases) != 3 * len(suites.members(suite)):
                    raise ValueError("durations of other tests")
                found[run] = run, suite, phases
        yield from (found[run] for run in some if run in found)


def _columns(
    suites: Suites, durations: Iterable[_Durations], totals: dict[str, int]
) -> list[tuple[Sequence[int], Sequence[int]]]:
    """Members and sums in 100 µs of each suite of these runs; notes the sum of each run."""
    found: dict[str, list[int]] = {}
    for run, suite, phases in durations:
        totals[run] = 100 * sum(phases)
        found[suite] = list(map(add, found[suite], phases)) if suite in found else phases
    return [
        (suites.members(suite), list(map(add, map(add, flat[::3], flat[1::3]), flat[2::3])))
        for suite, flat in found.items()
    ]
