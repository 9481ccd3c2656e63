"""Copy a history anew, or all of it into one that is there."""

from __future__ import annotations

import os

from flakefighters.history import History, open_history
from flakefighters.history.foreign import ForeignHistory
from flakefighters.history.purge import tombstones
from flakefighters.model import Target
from flakefighters.sync import tombstones as marks
from flakefighters.sync.merge import merge
from flakefighters.sync.pull import fetch
from flakefighters.sync.results import Progress, Report, Transfer, unreported
from flakefighters.sync.source import Reader, handshake, need_sqlite, reading
from flakefighters.sync.staging import Staging

__all__ = ["clone"]


def clone(
    source: History | ForeignHistory,
    into: Target,
    *,
    tracked: bool = False,
    via: str = "clone",
    follow: bool = False,
    report: Report = unreported,
) -> Transfer:
    """Copy all of ``source`` into a SQLite file, in one transaction.

    ``source`` is an open history in PostgreSQL, or a file opened with
    :func:`flakefighters.history.foreign.open_foreign`.  Where there is no file yet it is made
    beside its place and linked there once it is whole; a history that is there keeps all that it
    has.  ``tracked`` as for :func:`~flakefighters.history.open_history`; with ``follow`` the copy
    keeps no more than the server does from now on.

    Raises:
        DatabaseError: if one of the two cannot be used; then nothing was changed.
    """
    need_sqlite(into)
    with reading(source, report) as reader:
        assert into.path is not None
        if not os.path.lexists(into.path):
            done = _anew(reader, into, via, report)
            if follow:
                with open_history(into, tracked=tracked) as history:
                    done.pruned = marks.follow_retention(reader.inventory().horizons, history)
            return done
        with open_history(into, tracked=tracked) as history:
            handshake(history)
            return fetch(reader, history, batch=None, via=via, follow=follow, report=report)


def _anew(reader: Reader, into: Target, via: str, report: Report) -> Transfer:
    assert into.path is not None
    with Staging(into.path, into.display, via=via) as staging:
        refused = reader.stage(staging, None, None)
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
    return done
