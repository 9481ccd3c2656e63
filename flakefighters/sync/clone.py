"""Copy a history anew, or all of it into one that is there."""

from __future__ import annotations

import os

from flakefighters.errors import ConfigError
from flakefighters.history import History, open_history
from flakefighters.history.foreign import ForeignHistory
from flakefighters.history.purge import tombstones
from flakefighters.model import Target
from flakefighters.sync import tombstones as marks
from flakefighters.sync.merge import merge
from flakefighters.sync.pull import fetch
from flakefighters.sync.results import Progress, Report, Transfer, unreported
from flakefighters.sync.source import Reader, Wanted, handshake, need_sqlite, reading
from flakefighters.sync.staging import Staging

__all__ = ["clone"]


def clone(
    source: History | ForeignHistory,
    into: Target,
    *,
    tracked: bool = False,
    follow: bool = False,
    since: int | None = None,
    report: Report = unreported,
) -> Transfer:
    """Copy all of ``source`` into a SQLite file, in one transaction.

    ``source`` is an open history in PostgreSQL, or a
    :class:`~flakefighters.history.foreign.ForeignHistory`.  Where there is no file yet it is made
    beside its place and linked there once it is whole; a history that is there keeps all that it
    has.  ``tracked`` as for :func:`~flakefighters.history.open_history`; with ``follow`` the copy
    keeps no more than the server does from now on.  With ``since`` (µs UTC) runs from before are
    left out, now and later: there must be no file yet.

    Raises:
        ConfigError: if ``since`` is given and there is a history.
        DatabaseError: if one of the two cannot be used; then nothing was changed.
    """
    need_sqlite(into)
    assert into.path is not None
    if since is not None and os.path.lexists(into.path):
        raise ConfigError(
            f"{into.display} is there already, and keeps all that it has",
            origin="--since",
            remedy="clone into another file, or make it smaller with `flakefighters prune`",
        )
    with reading(source, report) as reader:
        if since is not None or not os.path.lexists(into.path):
            done = _anew(reader, into, since, report)
            if follow:
                with open_history(into, tracked=tracked) as history:
                    done.pruned = marks.follow_retention(reader.inventory().horizons, history)
            return done
        with open_history(into, tracked=tracked) as history:
            handshake(history)
            return fetch(reader, history, batch=None, via="clone", follow=follow, report=report)


def _anew(reader: Reader, into: Target, since: int | None, report: Report) -> Transfer:
    assert into.path is not None
    beyond = 0
    with Staging(into.path, into.display, via="clone") as staging:
        if since is None:
            refused = reader.stage(staging, None, None)
        else:
            theirs = reader.inventory(since=since)
            late = [run for run, entry in theirs.runs.items() if entry.started >= since]
            beyond = theirs.beyond + len(theirs.runs) - len(late)
            wanted = Wanted(runs=sorted(late), events=sorted(theirs.events))
            refused = reader.stage(staging, wanted, None)
            marks.limit_staged(staging, since, theirs.tombstones.values())
        report(Progress("storing", staging.rows, reader.bytes))
        if staging.has_tombstones:
            marks.purge_staged(staging, ())
        counted = staging.count()
        if staging.publish():
            done = Transfer(runs=counted["run"], events=counted["event"], created=True)
        else:
            # Another process was faster, or the file system knows no links.
            created = not os.path.lexists(into.path)
            with open_history(into) as history:
                handshake(history)
                marks.purge_staged(staging, tombstones(history.database).values())
                done = merge(staging, history)
                marks.apply_tombstones((), history)
            done.created = created
        done.rows, done.bytes, done.refused = staging.rows, reader.bytes, refused
        done.beyond += beyond
    return done
