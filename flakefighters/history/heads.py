"""Rows of ``run`` to heads of runs, and which runs to take."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from flakefighters.history import belief
from flakefighters.history.belief import Reader
from flakefighters.history.content import from_json, project_id, to_json
from flakefighters.history.database import Database, Row
from flakefighters.history.unreadable import Unreadable
from flakefighters.history.write import TRUST_RANKS
from flakefighters.ids import unstorable
from flakefighters.model import Completeness, RunHead, Trust, Use

__all__ = [
    "FROM",
    "HEAD",
    "HEAD_WIDTH",
    "by_ids",
    "by_tail",
    "fitting",
    "head",
    "heads_of",
    "newest",
    "of_state",
    "text",
]

HEAD: Final = """r.id, p.identity, r.started, r.ended, r.clock_offset, r.build, r.job, r.shard,
  r.attempt, r.commit_id, r.tree, r.branch, r.base_branch, r.pr, r.dirty, r.state, r.environment,
  e.key, r.completeness, r.selection, r.origin, r.context, r.extra,
  (SELECT min(a.trust) FROM {s}arrival a WHERE a.run = r.id)"""
HEAD_WIDTH: Final = 24
FROM: Final = """FROM {s}run r JOIN {s}project p ON p.id = r.project
  LEFT JOIN {s}environment e ON e.id = r.environment"""

#: How many runs of a build are read at most, on average.
CELLS: Final = 4

_TRUSTS: Final = {rank: trust for trust, rank in TRUST_RANKS.items()}


def text(value: str | None) -> str | None:
    """A text as it was before it was made storable."""
    return None if value is None else unstorable(value)


def _mapping(value: str | None) -> dict[str, Any]:
    return {} if value is None else dict(from_json(value))


def head(row: Sequence[Any]) -> RunHead:
    """From the columns of ``HEAD``."""
    return RunHead(
        id=row[0],
        project=unstorable(row[1]),
        started=row[2],
        ended=row[3],
        clock_offset=row[4],
        build=text(row[5]),
        job=text(row[6]),
        shard=text(row[7]),
        attempt=row[8],
        commit=text(row[9]),
        tree=text(row[10]),
        branch=text(row[11]),
        base_branch=text(row[12]),
        pr=text(row[13]),
        dirty=None if row[14] is None else bool(row[14]),
        state=text(row[15]),
        environment=text(row[16]),
        environment_key=text(row[17]),
        completeness=Completeness(row[18]),
        selection=_mapping(row[19]),
        origin=_mapping(row[20]),
        context=_mapping(row[21]),
        extra=_mapping(row[22]),
        trust=_TRUSTS.get(row[23], Trust.UNTRUSTED),
    )


def heads_of(rows: Iterable[Sequence[Any]], unreadable: Unreadable) -> list[RunHead]:
    """The heads in rows of ``HEAD``; those that make no sense are noted and left out."""
    found = []
    for row in rows:
        with unreadable.tolerated(str(row[0]), "row of run"):
            found.append(head(row))
    return found


def newest(
    database: Database,
    project: str | None,
    *,
    limit: int,
    until: int,
    before: str | None = None,
    more: str = "",
) -> list[Row]:
    """Rows of ``HEAD`` (and of ``more``, columns of ``run``) of the newest runs, newest first.

    ``until`` is the latest start that is believed, µs UTC; ``before`` a run to start behind.
    """
    conditions = ["r.started <= :until"]
    params: dict[str, object] = {"until": until, "limit": limit}
    if project is not None:
        conditions.append("r.project = :project")
        params["project"] = project_id(project)
    if before is not None:
        conditions.append(
            "(r.started, r.id) < (SELECT b.started, b.id FROM {s}run b WHERE b.id = :before)"
        )
        params["before"] = before
    return database.query(
        f"SELECT {HEAD}{more} {FROM} WHERE {' AND '.join(conditions)} "
        "ORDER BY r.started DESC, r.id DESC LIMIT :limit",
        **params,
    )


_FITTING: Final = f"""
WITH fit AS (
  SELECT r.id, r.started, coalesce(r.build, CAST(r.id AS text)) AS build FROM {{s}}run r
  WHERE r.project = :project AND r.started <= :until AND {{condition}}
  ORDER BY r.started DESC, r.id DESC LIMIT :most
), dated AS (
  SELECT id, build, max(started) OVER (PARTITION BY build) AS last FROM fit
), placed AS (
  SELECT id, dense_rank() OVER (ORDER BY last DESC, build DESC) AS place FROM dated
)
SELECT {HEAD} {FROM} WHERE r.id IN (SELECT id FROM placed WHERE place <= :builds)
ORDER BY r.started DESC, r.id DESC
"""  # noqa: S608


def fitting(
    database: Database, project: str, reader: Reader, *, builds: int, until: int
) -> list[Row]:
    """Rows of ``HEAD`` of the runs of the newest builds that may serve as baselines.

    A run without a build counts as one; no more than ``CELLS`` runs for each build are read.
    """
    condition, params = belief.condition(reader, Use.BASELINE)
    return database.query(
        _FITTING.replace("{condition}", condition),
        project=project_id(project),
        until=until,
        most=min(CELLS * builds, 1 << 31),
        builds=builds,
        **params,
    )


def of_state(
    database: Database,
    project: str,
    state: str,
    *,
    limit: int,
    until: int,
    reader: Reader | None = None,
) -> list[Row]:
    """Rows of ``HEAD`` of the newest runs on a state, newest first; of a reader only proofs."""
    condition, params = belief.condition(reader, Use.PROOF) if reader else ("true", {})
    return database.query(
        f"SELECT {HEAD} {FROM} WHERE r.project = :project AND r.state = :state "
        f"AND r.started <= :until AND {condition} "
        "ORDER BY r.started DESC, r.id DESC LIMIT :limit",
        project=project_id(project),
        state=state,
        until=until,
        limit=limit,
        **params,
    )


def by_ids(database: Database, ids: Sequence[str], *, more: str = "") -> list[Row]:
    """Rows of ``HEAD`` (and ``more``) of these runs, in any order."""
    return database.query(
        f"SELECT {HEAD}{more} {FROM} WHERE r.id IN {{hash:ids}}",
        ids=to_json(list(ids)),
    )


def by_tail(database: Database, tail: str, project: str | None, *, limit: int) -> list[Row]:
    """Rows of ``HEAD`` of the newest runs whose id ends with ``tail`` (hexadecimal digits)."""
    condition = "" if project is None else "AND r.project = :project"
    return database.query(
        f"SELECT {HEAD} {FROM} WHERE replace(CAST(r.id AS text), '-', '') LIKE :pattern "
        f"{condition} ORDER BY r.started DESC, r.id DESC LIMIT :limit",
        pattern=f"%{tail}",
        limit=limit,
        **({} if project is None else {"project": project_id(project)}),
    )
