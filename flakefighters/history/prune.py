"""Keeping a history small: how far back it goes, and removing what is older.

The horizon of a project is a time: runs that started before it are not kept here, nor taken in
again.  It only ever rises.  What lies beyond it is removed in small transactions, each of which
leaves a whole history; a prune that is killed leaves the rest to the next one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from flakefighters.history.database import TRUST_RANKS, Database
from flakefighters.history.heads import SUSPECT
from flakefighters.history.orphans import sweep
from flakefighters.history.purge import apply
from flakefighters.history.space import give_back
from flakefighters.history.upkeep import Pace, remove_runs
from flakefighters.model import Trust
from flakefighters.model.views import Plan, Pruned

__all__ = ["Plan", "Policy", "Pruned", "horizons", "plan", "prune", "raise_horizon"]

_DAY: Final = 24 * 3600 * 1_000_000
_UNTRUSTED: Final = TRUST_RANKS[Trust.UNTRUSTED]

_BEYOND: Final = """
FROM {s}run r WHERE r.started < (
  SELECT max(h."before") FROM {s}horizon h WHERE h.project = r.project)
"""
# A build is as old as its first run.  Untrusted runs, which may be made up, count for nothing.
_BUILDS: Final = """
SELECT min(r.started) FROM {s}run r WHERE r.project = :project AND r.started <= :until
  AND EXISTS (SELECT 1 FROM {s}arrival a WHERE a.run = r.id AND a.trust < :untrusted)
GROUP BY coalesce('build ' || r.build, CAST(r.id AS text)) ORDER BY 1 DESC
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What to keep: what either of the two keeps stays; None keeps nothing by itself."""

    #: So many of the newest builds.
    keep_runs: int | None = None
    #: Builds that began within so many days.
    keep_days: int | None = None


def horizons(database: Database) -> dict[int, int]:
    """The horizon of each project that has one, µs UTC."""
    rows = database.query('SELECT project, max("before") FROM {s}horizon GROUP BY project')
    return dict(rows)


def plan(database: Database, project: int, policy: Policy, now: int) -> Plan:
    """What a policy would do to a project; ``now`` in µs UTC.  Changes nothing."""
    found = horizons(database).get(project)
    begun = [
        start
        for (start,) in database.query(
            _BUILDS, project=project, until=now + SUSPECT, untrusted=_UNTRUSTED
        )
    ]
    wanted = _before(begun, policy, now)
    if wanted is not None and (found is None or wanted > found):
        found = wanted
    if found is None:
        return Plan(None, 0, len(begun))
    ((runs,),) = database.query(
        "SELECT count(*) FROM {s}run r WHERE r.project = :project AND r.started < :before",
        project=project,
        before=found,
    )
    return Plan(found, runs, sum(start >= found for start in begun))


def _before(begun: list[int], policy: Policy, now: int) -> int | None:
    """The horizon that a policy asks for; ``begun`` are the starts of builds, newest first."""
    if not begun:
        return None
    asked: list[int] = []
    if policy.keep_runs is not None:
        if len(begun) <= policy.keep_runs:
            return None
        asked.append(begun[policy.keep_runs - 1])
    if policy.keep_days is not None:
        # However long ago it was: without the last build nothing could be judged.
        asked.append(min(now - policy.keep_days * _DAY, begun[0]))
    return min(asked, default=None)


def raise_horizon(database: Database, before: Mapping[int, int]) -> None:
    """From now on runs of these projects that started before these times are not taken in."""
    here = horizons(database)
    higher = {each: at for each, at in before.items() if at > here.get(each, at - 1)}
    if not higher:
        return
    with database.alone() as upkeep:
        upkeep.insert("horizon", sorted(higher.items()))


def prune(database: Database, before: Mapping[int, int]) -> Pruned:
    """Raise the horizons of these projects (to µs UTC), and remove all that lies beyond any.

    DatabaseError if the database cannot be used, or we are not its owner.
    """
    database.need_owner("prune")
    raise_horizon(database, before)
    done = Pruned()
    pace = Pace()
    while ids := _beyond(database, pace.size):
        with pace.batch(database) as upkeep:
            remove_runs(upkeep, ids)
        done.runs += len(ids)
    apply(database)  # the purge may have been killed
    done.rows = sweep(database)
    done.freed, done.spare = give_back(database)
    return done


def _beyond(database: Database, most: int) -> list[str]:
    rows = database.query(f"SELECT r.id {_BEYOND} ORDER BY r.started, r.id LIMIT :most", most=most)
    return [row[0] for row in rows]
