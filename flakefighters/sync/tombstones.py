"""What two histories no longer keep: purges always travel, horizons only for who follows them.

Tombstones are taken from servers, where only the owner may set them, and from the history that the
user works with; never from a file of unknown origin, which could wipe out a history.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from flakefighters.errors import DatabaseError
from flakefighters.history import History
from flakefighters.history.prune import prune, raise_horizon
from flakefighters.history.purge import Tombstone, add_tombstones, apply
from flakefighters.history.space import rewrite
from flakefighters.sync.results import Transfer
from flakefighters.sync.staging import Staging

__all__ = [
    "apply_tombstones",
    "follow_retention",
    "limit_staged",
    "purge_staged",
    "send_tombstones",
]

_OWNERS = "purges that only the owner may send"


def apply_tombstones(rows: Iterable[Tombstone], into: History) -> int:
    """Purge in a local history what was purged elsewhere; returns how many runs that met."""
    add_tombstones(into.database, rows)
    done = apply(into.database)
    if done:
        rewrite(into.database)
    return done.runs + done.emptied


def send_tombstones(rows: Iterable[Tombstone], into: History, done: Transfer) -> bool:
    """Purge in the history that runs are sent to, if we are its owner; True if anything was."""
    rows = list(rows)
    if not rows:
        return False
    try:
        into.database.need_owner("purge")
    except DatabaseError:
        done.kept_back[_OWNERS] = done.kept_back.get(_OWNERS, 0) + len(rows)
        return False
    met = apply_tombstones(rows, into)
    done.purged += met
    return met > 0


def purge_staged(staging: Staging, rows: Iterable[Tombstone]) -> None:
    """Take out of a finished staged file what it and these tombstones purge."""
    with staging.open() as staged:
        if apply(staged.database, rows):
            rewrite(staged.database)


def limit_staged(staging: Staging, since: int, rows: Iterable[Tombstone]) -> None:
    """Let a finished staged file take in no older runs, and nothing that these tombstones purge."""
    with staging.open() as staged:
        add_tombstones(staged.database, rows)
        projects = staged.database.query("SELECT id FROM {s}project")
        raise_horizon(staged.database, {project: since for (project,) in projects})
    purge_staged(staging, ())


def follow_retention(horizons: Mapping[int, int], into: History) -> int:
    """Keep no more than the other side does; returns how many runs had to go for that."""
    known = {project for (project,) in into.database.query("SELECT id FROM {s}project")}
    return prune(into.database, {p: at for p, at in horizons.items() if p in known}).runs
