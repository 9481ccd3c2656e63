"""Views that decode the compact form, so that people can query a history in plain SQL.

Only the generator imports this; the text ends up in ``history/ddl/``.  ``{s}`` stands before the
name of a table.
"""

from __future__ import annotations

import textwrap
from typing import Final

from flakefighters.history.run_columns import in_view

__all__ = ["VIEWS", "view_statements"]

#: Of a line of generated SQL.
_WIDTH: Final = 96

_COUNT: Final = (
    "CASE WHEN length(r.outcomes) = s.n THEN s.n - length(replace(r.outcomes, '{0}', ''))\n"
    "       WHEN r.outcomes = '{0}' THEN s.n ELSE 0 END AS {1}"
)
_COUNTS: Final = ",\n  ".join(
    _COUNT.format(letter, name)
    for letter, name in (
        (".", "passed"),
        ("F", "failed"),
        ("E", "errors"),
        ("s", "skipped"),
        ("x", "xfailed"),
        ("X", "xpassed"),
        ("R", "passed_after_reruns"),
        ("?", "unfinished"),
        ("-", "not_run"),
    )
)

_RUNS: Final = """
SELECT r.id, p.identity AS project, {started} AS started,
  (r.ended - r.started) / {million} AS seconds,
  {shown},
  CASE (SELECT min(a.trust) FROM {s}arrival a WHERE a.run = r.id)
    WHEN 0 THEN 'protected' WHEN 1 THEN 'pr' WHEN 2 THEN 'local' ELSE 'untrusted' END AS trust,
  s.n AS tests,
  {counts}
FROM {s}run r
JOIN {s}project p ON p.id = r.project
JOIN {s}suite s ON s.id = r.suite
"""

# The tests of each run in ascending order of ids: the newest link of the chain that names a test
# says whether it is there.
_MEMBERS_SQLITE: Final = """
SELECT r.id AS run, m.key AS position, m.value AS test
FROM run r, json_each((
  WITH RECURSIVE chain(base, added, removed, depth) AS (
    SELECT base, added, removed, 0 FROM suite WHERE id = r.suite
    UNION ALL
    SELECT s.base, s.added, s.removed, c.depth + 1 FROM chain c JOIN suite s ON s.id = c.base
  ), edit(test, depth, here) AS (
    SELECT j.value, c.depth, 1 FROM chain c, json_each(c.added) j
    UNION ALL
    SELECT j.value, c.depth, 0 FROM chain c, json_each(c.removed) j
  ), newest(test, here, depth) AS (
    SELECT test, here, min(depth) FROM edit GROUP BY test
  )
  SELECT '[' || coalesce(group_concat(test), '') || ']'
  FROM (SELECT test FROM newest WHERE here ORDER BY test)
)) m
"""
_MEMBERS_POSTGRESQL: Final = """
SELECT r.id AS run, m.position, m.test
FROM {s}run r CROSS JOIN LATERAL (
  WITH RECURSIVE chain(base, added, removed, depth) AS (
    SELECT base, added, removed, 0 FROM {s}suite WHERE id = r.suite
    UNION ALL
    SELECT s.base, s.added, s.removed, c.depth + 1 FROM chain c JOIN {s}suite s ON s.id = c.base
  ), edit(test, depth, here) AS (
    SELECT j.value::bigint, c.depth, true
    FROM chain c CROSS JOIN LATERAL json_array_elements_text(c.added::json) j
    UNION ALL
    SELECT j.value::bigint, c.depth, false
    FROM chain c CROSS JOIN LATERAL json_array_elements_text(c.removed::json) j
  ), newest AS (
    SELECT DISTINCT ON (test) test, here FROM edit ORDER BY test, depth
  )
  SELECT test, row_number() OVER (ORDER BY test) - 1 AS position FROM newest WHERE here
) m
"""

_PLAIN_SQLITE: Final = """
SELECT m.run, m.test, 1 AS attempt,
  substr(r.outcomes, CASE WHEN length(r.outcomes) = 1 THEN 1 ELSE m.position + 1 END, 1) AS outcome,
  json_extract(r.durations, '$[' || (3 * m.position) || ']') / 10000.0 AS setup,
  json_extract(r.durations, '$[' || (3 * m.position + 1) || ']') / 10000.0 AS call,
  json_extract(r.durations, '$[' || (3 * m.position + 2) || ']') / 10000.0 AS teardown,
  NULL AS reason, NULL AS worker
FROM members m JOIN run r ON r.id = m.run
WHERE NOT EXISTS (SELECT 1 FROM execution e WHERE e.run = m.run AND e.test = m.test)
"""
_PLAIN_POSTGRESQL: Final = """
SELECT m.run, m.test, 1 AS attempt,
  substr(r.outcomes, CASE WHEN length(r.outcomes) = 1 THEN 1 ELSE m.position + 1 END::int, 1)
    AS outcome,
  d.setup / 10000.0::float8 AS setup, d.call / 10000.0::float8 AS call,
  d.teardown / 10000.0::float8 AS teardown,
  NULL::text AS reason, NULL::text AS worker
FROM {s}members m JOIN {s}run r ON r.id = m.run
LEFT JOIN LATERAL (
  SELECT (j.ordinality - 1) / 3 AS position,
    max(j.value::bigint) FILTER (WHERE j.ordinality % 3 = 1) AS setup,
    max(j.value::bigint) FILTER (WHERE j.ordinality % 3 = 2) AS call,
    max(j.value::bigint) FILTER (WHERE j.ordinality % 3 = 0) AS teardown
  FROM json_array_elements_text(r.durations::json) WITH ORDINALITY j
  GROUP BY 1
) d ON d.position = m.position
WHERE NOT EXISTS (SELECT 1 FROM {s}execution e WHERE e.run = m.run AND e.test = m.test)
"""

_OWN_SQLITE: Final = """
SELECT e.run, e.test, e.attempt, e.outcome,
  json_extract(e.durations, '$[0]') / 1000000.0, json_extract(e.durations, '$[1]') / 1000000.0,
  json_extract(e.durations, '$[2]') / 1000000.0, e.reason, e.worker
FROM execution e
"""
_OWN_POSTGRESQL: Final = """
SELECT e.run, e.test, e.attempt, e.outcome,
  (e.durations::json ->> 0)::bigint / 1000000.0::float8,
  (e.durations::json ->> 1)::bigint / 1000000.0::float8,
  (e.durations::json ->> 2)::bigint / 1000000.0::float8, e.reason, e.worker
FROM {s}execution e
"""

_EXECUTIONS: Final = """
SELECT x.run, p.identity AS project, t.nodeid, {started} AS started, x.attempt, x.outcome,
  x.setup, x.call, x.teardown, x.reason, x.worker, r.commit_id, r.branch, r.state, r.environment
FROM ({plain} UNION ALL {own}) x
JOIN {s}run r ON r.id = x.run
JOIN {s}test t ON t.id = x.test
JOIN {s}project p ON p.id = r.project
WHERE x.outcome <> '-'
"""

_TESTS: Final = """
SELECT project, nodeid, count(DISTINCT run) AS runs,
  sum(CASE WHEN outcome IN ('.', 'X') THEN 1 ELSE 0 END) AS passes,
  sum(CASE WHEN outcome IN ('F', 'E', '?') THEN 1 ELSE 0 END) AS failures,
  sum(CASE WHEN outcome IN ('s', 'x') THEN 1 ELSE 0 END) AS skips,
  max(CASE WHEN outcome IN ('F', 'E', '?') THEN started END) AS last_failure,
  max(started) AS last_run
FROM {s}executions
GROUP BY project, nodeid
"""

_FAILURES: Final = """
SELECT f.run, p.identity AS project, t.nodeid, {started} AS started, f.attempt, f.n, f.phase,
  f.subtest, c.exception, c.signature, f.facts, c.text
FROM {s}failure f
JOIN {s}failure_text c ON c.id = f.failure_text
JOIN {s}run r ON r.id = f.run
JOIN {s}test t ON t.id = f.test
JOIN {s}project p ON p.id = r.project
"""

_VERDICTS: Final = """
SELECT v.run, p.identity AS project, t.nodeid, v.attempt, v.n, v.fighter, v.version, v.label,
  v.confidence, v.introduced, v.reason, {at} AS at, e.body AS evidence
FROM {s}verdict v
JOIN {s}run r ON r.id = v.run
JOIN {s}test t ON t.id = v.test
JOIN {s}project p ON p.id = r.project
LEFT JOIN {s}evidence e ON e.id = v.evidence
"""

#: Name and meaning of each view, in an order in which they can be created.
VIEWS: Final = {
    "members": "The tests of each run, with their position in `outcomes`.",
    "runs": "Runs with counts of outcomes.",
    "executions": "Every attempt at every test; times in seconds; tests not run are left out.",
    "tests": "Every test with totals over all runs.",
    "failures": "Every failing report with its text.",
    "verdicts": "Every verdict with its evidence.",
}

_TIME: Final = {
    "sqlite": "strftime('%Y-%m-%dT%H:%M:%SZ', {0} / 1000000, 'unixepoch')",
    "postgresql": "to_timestamp({0} / 1000000.0)",
}


def _shown() -> str:
    names = ", ".join(f"r.{name}" for name in in_view())
    return textwrap.fill(names, _WIDTH, subsequent_indent="  ")


def view_statements(dialect: str, prefix: str) -> list[str]:
    """One CREATE VIEW per view; ``prefix`` goes before the name of every table and view."""
    sqlite = dialect == "sqlite"
    bodies = {
        "members": _MEMBERS_SQLITE if sqlite else _MEMBERS_POSTGRESQL,
        "runs": _RUNS.replace("{counts}", _COUNTS).replace("{shown}", _shown()),
        "executions": _EXECUTIONS.replace(
            "{plain}", _PLAIN_SQLITE if sqlite else _PLAIN_POSTGRESQL
        ).replace("{own}", _OWN_SQLITE if sqlite else _OWN_POSTGRESQL),
        "tests": _TESTS,
        "failures": _FAILURES,
        "verdicts": _VERDICTS,
    }
    made = []
    for name in VIEWS:
        body = bodies[name].strip().replace("{started}", _TIME[dialect].format("r.started"))
        body = body.replace("{million}", "1000000.0" if sqlite else "1000000.0::float8")
        body = body.replace("{at}", _TIME[dialect].format("v.at")).replace("{s}", prefix)
        made.append(f"CREATE VIEW {prefix}{name} AS\n{body}")
    return made
