"""Send runs to another history, one after the other, each whole or not at all."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from flakefighters.errors import ConfigError, ConflictError
from flakefighters.history import History
from flakefighters.history.events import add as add_events
from flakefighters.history.events import may_decide, read
from flakefighters.history.purge import Tombstone, tombstones
from flakefighters.model import Project, Trust
from flakefighters.sync.inventory import UNTRUSTED, Inventory
from flakefighters.sync.results import Conflict, Progress, Report, Transfer, unreported
from flakefighters.sync.source import NEVER, handshake, inventory_of
from flakefighters.sync.tombstones import apply_tombstones, send_tombstones

__all__ = ["LOCAL_PROJECT", "exchange_tombstones", "push", "push_decisions", "why_kept_back"]

#: How the random identity of a project begins that has no name on other machines.
LOCAL_PROJECT: Final = "local:"
_LATE: Final[Tombstone] = ("", "", 1 << 63, "")


def push(
    local: History,
    remote: History,
    *,
    via: str = "push",
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
    if exchange_tombstones(local, remote, theirs, done):
        theirs = inventory_of(remote, since)
    ours = inventory_of(local)
    missing, changed = _compare(local, ours, theirs, done)
    for count, name in enumerate(missing):
        report(Progress("sending", count, total=len(missing)))
        run = local.load(name)
        try:
            done.count(remote.save(run, local.verdicts([name]), via=via, trust=Trust.LOCAL))
        except ConflictError:
            found = remote.content_hashes([name]).get(name, "")
            done.conflicts.append(Conflict(name, found, ours.runs[name].content_hash))
    if changed:
        done.verdicts += remote.add_verdicts(local.verdicts(changed))
    _send_events(local, remote, theirs, done)
    done.conflicts.sort()
    return done


def exchange_tombstones(local: History, remote: History, theirs: Inventory, done: Transfer) -> bool:
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
            exchange_tombstones(local, remote, theirs, done)
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
        why = why_kept_back(
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


def why_kept_back(identity: str, clean: bool, *, untrusted: bool = False) -> str | None:
    """Why a run does not leave this machine; None if it may."""
    if untrusted:
        return "untrusted"
    if identity.startswith(LOCAL_PROJECT):
        return "project without a name"
    if not clean:
        return "uncommitted changes"
    return None
