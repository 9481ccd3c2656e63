"""Send runs to another history, one after the other, each whole or not at all.

They come from a history of the user's own, or from a file of unknown origin.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from flakefighters.errors import ConfigError, ConflictError
from flakefighters.history import History
from flakefighters.history.events import add as add_events
from flakefighters.history.events import may_decide, read
from flakefighters.history.foreign import ForeignHistory
from flakefighters.history.purge import Tombstone, tombstones
from flakefighters.model import Project, Run, Trust, Verdict
from flakefighters.sync.inventory import UNTRUSTED, Inventory
from flakefighters.sync.results import Conflict, Progress, Report, Transfer, unreported
from flakefighters.sync.source import NEVER, handshake, inventory_of, reading
from flakefighters.sync.tombstones import apply_tombstones, send_tombstones

__all__ = ["LOCAL_PROJECT", "push", "push_decisions", "upload_file"]

#: How the random identity of a project begins that has no name on other machines.
LOCAL_PROJECT: Final = "local:"
_LATE: Final[Tombstone] = ("", "", 1 << 63, "")


def push(
    local: History,
    remote: History,
    *,
    report: Report = unreported,
) -> Transfer:
    """Send the clean runs of ``local`` that ``remote`` lacks, and what was said of them since.

    Kept back are runs with uncommitted changes, untrusted ones, and those of a project that has no
    name on other machines.  Can be broken off and repeated: each run is a transaction.

    Raises:
        DatabaseError: if one of the two cannot be used; what was sent until then stays.
    """
    if remote.target.read_only:
        raise ConfigError(
            f"{remote.target.display} is read-only", remedy="choose another with --to"
        )
    handshake(local)
    handshake(remote)
    # What is older than all that is here cannot be among what is here.
    ((oldest,),) = local.database.query("SELECT min(started) FROM {s}run")
    since = NEVER if oldest is None else oldest
    theirs, done = inventory_of(remote, since), Transfer()
    if _exchange_tombstones(local, remote, theirs, done):
        theirs = inventory_of(remote, since)
    ours = inventory_of(local)
    missing, changed = _compare(local, ours, theirs, done)
    for count, name in enumerate(missing):
        report(Progress("sending", count, total=len(missing)))
        run, verdicts = local.load(name), local.verdicts([name])
        _save(remote, run, verdicts, ours, done, via="push", trust=Trust.LOCAL)
    if changed:
        done.verdicts += remote.add_verdicts(local.verdicts(changed))
    _send_events(local, remote, theirs, done)
    done.conflicts.sort()
    return done


def _save(
    into: History,
    run: Run,
    verdicts: Sequence[Verdict],
    inventory: Inventory,
    done: Transfer,
    *,
    via: str,
    trust: Trust,
) -> None:
    """Save a run of which ``inventory`` tells, and count it."""
    name = run.head.id
    try:
        done.count(into.save(run, verdicts, via=via, trust=trust))
    except ConflictError:
        there = into.content_hashes([name]).get(name, "")
        done.conflicts.append(Conflict(name, there, inventory.runs[name].content_hash))


def upload_file(source: ForeignHistory, into: History, report: Report) -> Transfer:
    """Add the runs of a file that ``into`` (PostgreSQL) lacks.

    Whatever the file claims, nothing in it is believed, and nothing that is there gives way to it.

    Raises:
        DatabaseError: if one of the two cannot be used; what was sent until then stays.
    """
    if into.target.read_only:
        raise ConfigError(
            f"{into.target.display} is read-only", remedy="choose another with --into"
        )
    handshake(into)
    with reading(source, report) as reader:
        theirs = reader.inventory()
    done = Transfer()
    missing, judged = _compare_file(theirs, inventory_of(into), done)
    before = dict(source.refused)
    for count, (run, verdicts) in enumerate(source.runs([*missing, *judged]), 1):
        report(Progress("sending", count, total=len(missing) + len(judged)))
        if run.head.id in judged:
            done.verdicts += into.add_verdicts(verdicts)
        else:
            _save(into, run, verdicts, theirs, done, via="pull", trust=Trust.UNTRUSTED)
    done.refused = {run: why for run, why in source.refused.items() if run not in before}
    done.conflicts.sort()
    return done


def _exchange_tombstones(
    local: History, remote: History, theirs: Inventory, done: Transfer
) -> bool:
    """Exchange tombstones with ``remote``, whose inventory is ``theirs``; True if that changed."""
    ours = tombstones(local.database)
    if remote.target.backend == "postgresql" and not local.target.read_only:
        done.purged += apply_tombstones(theirs.tombstones.values(), local)
    # Of equal ones the earliest counts.
    new = [row for name, row in ours.items() if row[2:] < theirs.tombstones.get(name, _LATE)[2:]]
    return send_tombstones(new, remote, done)


def push_decisions(local: History, open_remote: Callable[[], History], done: Transfer) -> None:
    """Send what was purged and decided here, and no runs; the other side is opened for that."""
    if _has_events(local) or tombstones(local.database):
        with open_remote() as remote:
            handshake(remote)
            theirs = inventory_of(remote, NEVER)
            _exchange_tombstones(local, remote, theirs, done)
            _send_events(local, remote, theirs, done)


def _has_events(history: History) -> bool:
    return bool(history.database.query("SELECT 1 FROM {s}event LIMIT 1"))


def _send_events(local: History, remote: History, theirs: Inventory, done: Transfer) -> None:
    """Send what people decided here.

    Only a curator may; what is decided on a project that is not known there stays back as well.
    """
    if not _has_events(local):
        return
    there = {identity for identity, _ in remote.projects()}
    may: bool | None = None
    for identity, label in local.projects():
        new = [one for one in read(local.database, [identity]) if one.id not in theirs.events]
        if not new:
            continue
        if identity.startswith(LOCAL_PROJECT):
            why = "mark in a project without a name"
        elif identity not in there:
            why = "mark in a project that is not known there"
        else:
            may = may_decide(remote.database) if may is None else may
            if may:
                done.events += add_events(
                    remote.database, Project(identity=identity, label=label), new
                )
                continue
            why = "mark that only a curator may send"
        done.kept_back[why] = done.kept_back.get(why, 0) + len(new)


def _compare(
    local: History, ours: Inventory, theirs: Inventory, done: Transfer
) -> tuple[list[str], list[str]]:
    """Runs to send, and runs of which only verdicts are to be sent."""
    missing, changed = [], []
    clean: dict[str, int | None] = dict(local.database.query("SELECT id, dirty FROM {s}run"))
    identities: dict[int, str] = dict(local.database.query("SELECT id, identity FROM {s}project"))
    for run, entry in sorted(ours.runs.items()):
        why = _why_kept_back(
            identities[entry.project], clean[run] == 0, untrusted=entry.trust == UNTRUSTED
        )
        there = theirs.runs.get(run)
        if there is not None and not there.is_copy_of(entry):
            done.conflicts.append(Conflict(run, there.content_hash, entry.content_hash))
        elif there is not None:
            done.known += 1
            if why is None and entry.verdicts and there.verdicts != entry.verdicts:
                changed.append(run)
        elif why is not None:
            done.kept_back[why] = done.kept_back.get(why, 0) + 1
        elif not done.left_out(theirs.takes(run, entry)):
            missing.append(run)
    return missing, changed


def _why_kept_back(identity: str, clean: bool, *, untrusted: bool = False) -> str | None:
    """Why a run does not leave this machine; None if it may."""
    if untrusted:
        return "untrusted"
    if identity.startswith(LOCAL_PROJECT):
        return "project without a name"
    if not clean:
        return "uncommitted changes"
    return None


def _compare_file(
    theirs: Inventory, ours: Inventory, done: Transfer
) -> tuple[list[str], frozenset[str]]:
    """Runs to send, and runs of which only verdicts are to be sent."""
    missing, judged = [], set()
    for run, entry in sorted(theirs.runs.items()):
        here = ours.runs.get(run)
        if here is None:
            if not done.left_out(ours.takes(run, entry)):
                missing.append(run)
        elif not here.is_copy_of(entry):
            done.conflicts.append(Conflict(run, here.content_hash, entry.content_hash))
        else:
            done.known += 1
            if here.trust == UNTRUSTED and entry.verdicts and here.verdicts != entry.verdicts:
                judged.add(run)
    return missing, frozenset(judged)
