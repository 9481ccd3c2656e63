"""Fetch what another history has and this one lacks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import field
from itertools import islice
from typing import Final

from flakefighters.history import History
from flakefighters.history.foreign import ForeignHistory
from flakefighters.history.prune import horizons
from flakefighters.records import record
from flakefighters.sync import tombstones as marks
from flakefighters.sync.inventory import UNTRUSTED, Entry, Inventory, of_sqlite
from flakefighters.sync.merge import merge
from flakefighters.sync.push import upload_file
from flakefighters.sync.results import Conflict, Progress, Report, Transfer, unreported
from flakefighters.sync.source import Reader, Wanted, handshake, need_sqlite, reading
from flakefighters.sync.staging import Staging

__all__ = ["fetch", "pull"]

#: Runs per transaction: what is stored stays stored if the line breaks.
BATCH: Final = 500


def pull(
    source: History | ForeignHistory,
    into: History,
    *,
    batch: int | None = BATCH,
    follow: bool = False,
    report: Report = unreported,
) -> Transfer:
    """Fetch the runs, verdicts and events of ``source`` that ``into`` lacks.

    ``into`` is in SQLite; the runs of a file can go to PostgreSQL as well, see ``upload_file``.
    ``source`` is an open history in PostgreSQL, or a
    :class:`~flakefighters.history.foreign.ForeignHistory`.  Each ``batch`` of runs is stored in a
    transaction of its own (None: all in one).  With ``follow``, ``into`` keeps no more than a
    server does.

    Raises:
        DatabaseError: if one of the two cannot be used; what was stored until then stays.
    """
    if isinstance(source, ForeignHistory) and into.target.backend == "postgresql":
        return upload_file(source, into, report)
    need_sqlite(into.target)
    handshake(into)
    with reading(source, report) as reader:
        return fetch(reader, into, batch=batch, via="pull", follow=follow, report=report)


def fetch(
    reader: Reader,
    into: History,
    *,
    batch: int | None,
    via: str,
    follow: bool = False,
    report: Report,
) -> Transfer:
    """The same from a source that is being read; ``batch`` None: all in one transaction."""
    theirs = reader.inventory(horizons(into.database))
    # First of all: what was purged there is neither compared nor kept.
    purged = marks.apply_tombstones(theirs.tombstones.values(), into)
    ours = of_sqlite(into.database)
    plan = _compare(theirs, ours)
    total = plan.done
    total.beyond += theirs.beyond
    total.purged += purged
    assert into.target.path is not None
    for wanted in plan.batches(batch):
        with Staging(into.target.path, into.target.display, via=via) as staging:
            refused = reader.stage(staging, wanted, into.database)
            if ours.tombstones:
                marks.purge_staged(staging, ours.tombstones.values())
            report(Progress("storing", staging.rows, reader.bytes))
            part = merge(staging, into)
            part.known, part.rows, part.refused = 0, staging.rows, refused
            total.add(part)
    if ours.tombstones:
        marks.apply_tombstones((), into)  # verdicts that came alone, on runs that are here
    if follow:
        total.pruned = marks.follow_retention(theirs.horizons, into)
    total.bytes = reader.bytes
    total.conflicts.sort()
    return total


@record
class _Plan:
    runs: list[str] = field(default_factory=list)
    judged: list[str] = field(default_factory=list)
    events: list[str] = field(default_factory=list)
    #: What is known without fetching anything.
    done: Transfer = field(default_factory=Transfer)

    def batches(self, size: int | None) -> Iterator[Wanted]:
        """Runs by their age, the rest along with the first of them."""
        judged, events = self.judged, self.events
        for runs in _parts(self.runs, size):
            yield Wanted(runs=runs, judged=judged, events=events)
            judged, events = [], []
        if judged or events:
            yield Wanted(judged=judged, events=events)


def _parts(names: Sequence[str], size: int | None) -> Iterator[list[str]]:
    rest = iter(names)
    while part := list(islice(rest, size)):
        yield part


def _compare(theirs: Inventory, ours: Inventory) -> _Plan:
    plan = _Plan()
    done = plan.done
    for run, entry in sorted(theirs.runs.items()):
        here = ours.runs.get(run)
        if here is None:
            if not done.left_out(ours.takes(run, entry)):
                plan.runs.append(run)
        else:
            _compare_known(run, entry, here, plan)
    plan.events = sorted(theirs.events.keys() - ours.events.keys())
    return plan


def _compare_known(run: str, theirs: Entry, ours: Entry, plan: _Plan) -> None:
    """What is to be done about a run that both have."""
    done = plan.done
    # The lower the number, the more it is trusted.
    better = theirs.trust < ours.trust
    believed = theirs.trust < UNTRUSTED or ours.trust == UNTRUSTED
    judged = believed and theirs.verdicts and ours.verdicts != theirs.verdicts
    if ours.content_hash == theirs.content_hash:
        done.known += 1
        if better or judged:
            plan.judged.append(run)
    elif better and ours.trust == UNTRUSTED:
        plan.runs.append(run)
    elif ours.is_copy_of(theirs):
        done.known += 1
        if judged:
            plan.judged.append(run)
    else:
        done.conflicts.append(Conflict(run, ours.content_hash, theirs.content_hash))
