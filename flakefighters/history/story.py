"""The story of one test: its results through the newest runs."""

from __future__ import annotations

import json
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from flakefighters.history import content, heads, read
from flakefighters.history.content import to_json
from flakefighters.history.database import Row
from flakefighters.history.read import Lookup
from flakefighters.history.sqlite import SqliteDatabase
from flakefighters.model import Execution, Outcome, Verdict
from flakefighters.model.rows import ExecutionRow

__all__ = ["executions_of"]

# Outcomes and durations are those of all tests of a run, a hundred kilobytes of a large suite: over
# a line comes only what one of them did.  Nothing here fails for text that is not as we write it.
_ON_SERVER: Final = """
SELECT q.id,
  CASE WHEN length(q.outcomes) = 1 THEN q.outcomes ELSE substr(q.outcomes, q.place + 1, 1) END,
  concat_ws(',', split_part(q.durations, ',', 3 * q.place + 1),
    split_part(q.durations, ',', 3 * q.place + 2), split_part(q.durations, ',', 3 * q.place + 3))
FROM (
  SELECT r.id, r.outcomes, btrim(r.durations, '[]') AS durations,
    CAST(j.value ->> 1 AS integer) AS place
  FROM json_array_elements(CAST(:places AS json)) j
  JOIN {s}run r ON r.id = CAST(j.value ->> 0 AS uuid)
  OFFSET 0  -- else the durations are unpacked three times
) q
"""
_IN_FILE: Final = "SELECT r.id, r.outcomes, r.durations FROM {s}run r WHERE r.id IN {hash:runs}"
#: Of so many runs at a time: a server takes 2 ms for each of 10,000 tests.
_AT_ONCE: Final = 100


def executions_of(
    lookup: Lookup, nodeid: str, project: str, limit: int, run: str | None = None
) -> tuple[ExecutionRow, ...]:
    """See :meth:`flakefighters.history.store.History.executions_of`."""
    database, suites, _ = lookup
    (test,) = content.test_ids(project, (nodeid,))
    if run is not None:
        rows = heads.by_ids(database, [run], more=", r.suite")
        suites.fetch(row[heads.HEAD_WIDTH] for row in rows)
        return tuple(_execution_rows(lookup, rows, nodeid, test))
    found: list[ExecutionRow] = []
    before: str | None = None
    # Runs without the test (selections, older than it) are skipped, but not for ever.
    for _ in range(4):
        rows = heads.newest(database, project, limit=limit, before=before, more=", r.suite")
        if not rows:
            break
        before = rows[-1][0]
        suites.fetch(row[heads.HEAD_WIDTH] for row in rows)
        found += _execution_rows(lookup, rows, nodeid, test)
        if len(found) >= limit or len(rows) < limit:
            break
    return tuple(found[:limit])


def _execution_rows(
    lookup: Lookup, rows: Sequence[Row], nodeid: str, test: int
) -> Iterator[ExecutionRow]:
    """The results in those of these runs that have the test."""
    database, suites, unreadable = lookup
    ids = [row[0] for row in rows]
    attempts = read.executions(database, ids, [test], unreadable)
    said: dict[str, list[Verdict]] = defaultdict(list)
    for verdict in read.verdicts(database, ids, test, unreadable):
        said[verdict.run].append(verdict)
    places: dict[str, int] = {}
    for row in rows:
        with unreadable.tolerated(str(row[0]), "suite"):
            members = suites.members(row[heads.HEAD_WIDTH])
            place = bisect_left(members, test)
            if members[place : place + 1] == [test]:
                places[row[0]] = place
    results = _results(lookup, places)
    for row in rows:
        run, tried = row[0], attempts.get((row[0], test), [])
        made = None
        if run in unreadable.runs:
            continue
        with unreadable.tolerated(str(run), "row of run, its suite or its outcomes"):
            if run in results:
                letter, text = results[run]
                setup, call, teardown = json.loads(f"[{text}]")
                times = (100 * setup, 100 * call, 100 * teardown)
                made = _row(row, nodeid, Outcome(letter), times, tried, said[run])
            elif tried:
                made = _row(row, nodeid, tried[-1].outcome, (0, 0, 0), tried, said[run])
        if made is not None:
            yield made


def _results(lookup: Lookup, places: Mapping[str, int]) -> dict[str, tuple[str, str]]:
    """By run: the outcome of the test at this place of its suite, and its three durations."""
    database, _, unreadable = lookup
    in_file = isinstance(database, SqliteDatabase)
    found = {}
    pairs = list(places.items())
    for start in range(0, len(pairs), _AT_ONCE):
        some = pairs[start : start + _AT_ONCE]
        if not in_file:
            rows = database.query(_ON_SERVER, places=to_json(some))
            found.update({run: (letter, times) for run, letter, times in rows})
            continue
        for run, outcomes, durations in database.query(
            _IN_FILE, runs=to_json([run for run, _ in some])
        ):
            place = places[run]
            with unreadable.tolerated(run, "outcomes or durations"):
                letter = outcomes if len(outcomes) == 1 else outcomes[place]
                times = durations.strip("[]").split(",", 3 * place + 3)[3 * place : 3 * place + 3]
                found[run] = letter, ",".join(times)
    return found


def _row(
    row: Row,
    nodeid: str,
    outcome: Outcome,
    durations: tuple[int, int, int],
    tried: Sequence[Execution],
    said: Sequence[Verdict],
) -> ExecutionRow:
    return ExecutionRow(
        run=heads.head(row),
        nodeid=nodeid,
        outcome=outcome,
        durations=durations,
        executions=tuple(tried),
        verdicts=tuple(said),
    )
