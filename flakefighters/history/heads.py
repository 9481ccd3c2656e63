"""Rows of ``run`` to heads of runs, and which runs to take."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, Final

from flakefighters.history import belief
from flakefighters.history.content import from_json, project_id, to_json
from flakefighters.history.database import TRUST_RANKS
from flakefighters.history.run_columns import OF_HEAD, Form
from flakefighters.ids import unstorable
from flakefighters.model import Completeness, RunHead, Trust, Use
from flakefighters.originals import real

if TYPE_CHECKING:
    from flakefighters.history.belief import Reader
    from flakefighters.history.database import Database, Row
    from flakefighters.history.unreadable import Unreadable

__all__ = [
    "FROM",
    "HEAD",
    "HEAD_WIDTH",
    "SUSPECT",
    "WHOLE",
    "by_ids",
    "by_tail",
    "fitting",
    "head",
    "heads_of",
    "latest",
    "newest",
    "of_state",
    "text",
]

#: A start later than this after now is not believed, µs.
SUSPECT: Final = 5 * 60 * 1_000_000
# What a head says that is not in its row of ``run`` alone.
_ELSEWHERE: Final = {
    "project": "p.identity",
    "environment_key": "e.key",
    "trust": "(SELECT min(a.trust) FROM {s}arrival a WHERE a.run = r.id)",
    # It may be large, and lists of runs do not need it: see ``WHOLE``.
    "extra": "CAST(NULL AS text)",
}
_FIELDS: Final = RunHead._fields
HEAD: Final = ", ".join(
    _ELSEWHERE[name] if name in _ELSEWHERE else f"r.{OF_HEAD[name].name}" for name in _FIELDS
)
HEAD_WIDTH: Final = len(_FIELDS)
#: The same with all that a run says of itself, for one run.
WHOLE: Final = HEAD.replace(_ELSEWHERE["extra"], "r.extra")
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


def _trust(rank: int | None) -> Trust:
    return Trust.UNTRUSTED if rank is None else _TRUSTS.get(rank, Trust.UNTRUSTED)


_READ: Final[dict[Form, Callable[[Any], Any]]] = {
    Form.PLAIN: lambda value: value,
    Form.TEXT: text,
    Form.FLAG: lambda value: None if value is None else bool(value),
    Form.WORD: Completeness,
    Form.MAPPING: _mapping,
}
_READ_ELSEWHERE: Final[dict[str, Callable[[Any], Any]]] = {
    "project": unstorable,
    "environment_key": text,
    "trust": _trust,
}
_READERS: Final = tuple(_READ_ELSEWHERE.get(name) or _READ[OF_HEAD[name].form] for name in _FIELDS)


def head(row: Sequence[Any]) -> RunHead:
    """From the columns of ``HEAD``; the row may have more.  ValueError if they make no sense."""
    found = RunHead(
        **{name: read(value) for name, read, value in zip(_FIELDS, _READERS, row, strict=False)}
    )
    # SQLite keeps any text in a column of numbers.
    if not all(isinstance(one, int) for one in (found.started, found.ended or 0)):
        raise ValueError("a time that is no number")
    return found


def heads_of(rows: Iterable[Sequence[Any]], unreadable: Unreadable) -> list[RunHead]:
    """The heads in rows of ``HEAD``; those that make no sense are noted and left out."""
    found = []
    for row in rows:
        with unreadable.tolerated(str(row[0]), "row of run"):
            found.append(head(row))
    return found


def latest() -> int:
    """The latest start that is believed, µs UTC."""
    return real.time_ns() // 1000 + SUSPECT


def newest(
    database: Database,
    project: str | None,
    *,
    limit: int,
    before: str | None = None,
    more: str = "",
) -> list[Row]:
    """Rows of ``HEAD`` (and of ``more``, columns of ``run``) of the newest runs, newest first.

    ``before`` is a run to start behind.
    """
    conditions = ["r.started <= :until"]
    params: dict[str, object] = {"until": latest(), "limit": limit}
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


def fitting(database: Database, project: str, reader: Reader, *, builds: int) -> list[Row]:
    """Rows of ``HEAD`` of the runs of the newest builds that may serve as baselines.

    A run without a build counts as one; no more than ``CELLS`` runs for each build are read.
    """
    condition, params = belief.condition(reader, Use.BASELINE)
    return database.query(
        _FITTING.replace("{condition}", condition),
        project=project_id(project),
        until=latest(),
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
        until=latest(),
        limit=limit,
        **params,
    )


def by_ids(
    database: Database, ids: Sequence[str], *, more: str = "", columns: str = HEAD
) -> list[Row]:
    """Rows of ``HEAD`` or ``WHOLE`` (and ``more``) of these runs, in any order."""
    return database.query(
        f"SELECT {columns}{more} {FROM} WHERE r.id IN {{hash:ids}}",
        ids=to_json(list(ids)),
    )


def by_tail(database: Database, tail: str, project: str | None) -> list[Row]:
    """Rows of ``HEAD`` of up to six runs whose id ends with ``tail`` (hexadecimal digits)."""
    condition = "" if project is None else "AND r.project = :project"
    return database.query(
        f"SELECT {HEAD} {FROM} WHERE replace(CAST(r.id AS text), '-', '') LIKE :pattern "
        f"{condition} ORDER BY r.started DESC, r.id DESC LIMIT 6",
        pattern=f"%{tail}",
        **({} if project is None else {"project": project_id(project)}),
    )
