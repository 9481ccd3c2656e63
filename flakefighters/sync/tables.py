"""Which tables and columns travel, and the questions that fetch them from PostgreSQL.

A row travels as one JSON array: the table's name, then its columns.  ``arrival``, ``meta`` and
``horizon`` belong to one database; of ``arrival`` only the best trust of each run goes along.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from flakefighters.history import layout, run_columns

__all__ = ["COLUMNS", "KEYS", "all_rows", "some_rows"]

#: The columns of each table that travels, in an order in which they can be filled.
COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
    table: columns
    for table, columns in layout.COLUMNS.items()
    if table not in ("arrival", "horizon", "meta")
}

#: Columns by which the rows of a table are ordered and told apart.
KEYS: Final[Mapping[str, tuple[str, ...]]] = {
    **dict.fromkeys(COLUMNS, ("id",)),
    "execution": ("run", "test", "attempt"),
    "failure": ("run", "test", "attempt", "n"),
    "verdict": ("run", "id"),
    "tombstone": ("kind", "id"),
}

# Columns of PostgreSQL's type UUID; we write them without hyphens.
_HASHES: Final[Mapping[str, frozenset[str]]] = {
    "suite": frozenset({"id", "base"}),
    "listing": frozenset({"id", "base"}),
    "sequence": frozenset({"id"}),
    "failure_text": frozenset({"id"}),
    "run": run_columns.UUIDS,
    "execution": frozenset({"run"}),
    "failure": frozenset({"run", "failure_text"}),
    "evidence": frozenset({"id"}),
    "verdict": frozenset({"run", "id", "evidence"}),
    "event": frozenset({"id"}),
}


def _select(table: str, condition: str = "") -> str:
    hashes = _HASHES.get(table, frozenset())
    members = [f"'{table}'"]
    for name in COLUMNS[table]:
        column = f't."{name}"'
        members.append(f"replace({column}::text, '-', '')" if name in hashes else column)
    keys = ", ".join(f"t.{name}" for name in KEYS[table])
    where = f" WHERE {condition}" if condition else ""
    return (
        f"(SELECT json_build_array({', '.join(members)})::text "  # noqa: S608
        f"FROM {{s}}{table} t{where} ORDER BY {keys})"
    )


_TRUST: Final = (
    "(SELECT json_build_array('trust', replace(t.run::text, '-', ''), min(t.trust))::text "
    "FROM {s}arrival t%s GROUP BY t.run)"
)


def all_rows() -> str:
    """Everything, as one question with one column of JSON text; ``{s}`` as in ``database.py``."""
    return " UNION ALL ".join([*map(_select, COLUMNS), _TRUST % ""])


# The suites and listings that some runs need: up to those that are there already.
_NEEDED: Final = """
WITH RECURSIVE wanted AS MATERIALIZED (
  SELECT r.* FROM {s}run r WHERE r.id IN {hash:runs}
), suites(id, base) AS (
  SELECT s.id, s.base FROM {s}suite s WHERE s.id IN (SELECT suite FROM wanted)
    AND s.id NOT IN {hash:suites}
  UNION
  SELECT s.id, s.base FROM suites c JOIN {s}suite s ON s.id = c.base
  WHERE s.id NOT IN {hash:suites}
), listings(id, base) AS (
  SELECT l.id, l.base FROM {s}listing l WHERE l.id IN (SELECT listing FROM wanted)
    AND l.id NOT IN {hash:listings}
  UNION
  SELECT l.id, l.base FROM listings c JOIN {s}listing l ON l.id = c.base
  WHERE l.id NOT IN {hash:listings}
), rulings AS MATERIALIZED (
  SELECT v.run, v.id, v.test, v.evidence FROM {s}verdict v
  WHERE v.run IN {hash:runs} OR v.run IN {hash:judged}
), tests(id) AS MATERIALIZED (
  SELECT j.value::bigint FROM {s}suite s, json_array_elements_text(s.added::json) j
  WHERE s.id IN (SELECT id FROM suites)
  UNION SELECT test FROM {s}execution WHERE run IN {hash:runs}
  UNION SELECT test FROM rulings
), events AS MATERIALIZED (
  SELECT e.id, e.project FROM {s}event e WHERE e.id IN {hash:events}
)
"""

_SOME: Final[Mapping[str, str]] = {
    "project": "t.id IN (SELECT project FROM wanted UNION SELECT project FROM events UNION "
    "SELECT x.project FROM {s}test x WHERE x.id IN (SELECT id FROM tests))",
    "test": "t.id IN (SELECT id FROM tests)",
    "suite": "t.id IN (SELECT id FROM suites)",
    "listing": "t.id IN (SELECT id FROM listings)",
    "state": "t.id IN (SELECT state FROM wanted)",
    "environment": "t.id IN (SELECT environment FROM wanted)",
    "sequence": "t.id IN (SELECT sequence FROM wanted)",
    "failure_text": "t.id IN (SELECT f.failure_text FROM {s}failure f WHERE f.run IN {hash:runs})",
    "run": "t.id IN {hash:runs}",
    "execution": "t.run IN {hash:runs}",
    "failure": "t.run IN {hash:runs}",
    "evidence": "t.id IN (SELECT evidence FROM rulings)",
    "verdict": "t.run IN {hash:runs} OR t.run IN {hash:judged}",
    "event": "t.id IN (SELECT id FROM events)",
}


def some_rows() -> str:
    """Some runs with all that they need, as :func:`all_rows`.

    Parameters, each the JSON text of a list of ids: ``runs``; ``judged``, runs of which only
    verdicts are wanted; ``events``; ``suites`` and ``listings`` that are not needed any more.
    """
    trust = _TRUST % " WHERE t.run IN {hash:runs} OR t.run IN {hash:judged}"
    parts = [_select(table, condition) for table, condition in _SOME.items()]
    return _NEEDED + " UNION ALL ".join([*parts, trust])
