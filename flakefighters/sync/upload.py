"""Send what is in a file of unknown origin to a server: each run untrusted, and whole or not."""

from __future__ import annotations

from flakefighters.errors import ConfigError, ConflictError
from flakefighters.history import History
from flakefighters.history.foreign import ForeignHistory
from flakefighters.model import Trust
from flakefighters.sync.inventory import UNTRUSTED, Inventory
from flakefighters.sync.results import Conflict, Progress, Report, Transfer
from flakefighters.sync.source import handshake, inventory_of, reading

__all__ = ["upload_file"]


def upload_file(source: ForeignHistory, into: History, *, via: str, report: Report) -> Transfer:
    """Add the runs that ``into`` (PostgreSQL) lacks; each is a transaction of its own.

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
    missing, judged = _compare(theirs, inventory_of(into), done)
    before = dict(source.refused)
    for count, (run, verdicts) in enumerate(source.runs([*missing, *judged]), 1):
        report(Progress("sending", count, total=len(missing) + len(judged)))
        name = run.head.id
        if name in judged:
            done.verdicts += into.add_verdicts(verdicts)
            continue
        try:
            done.count(into.save(run, verdicts, via=via, trust=Trust.UNTRUSTED))
        except ConflictError:
            ours = into.content_hashes([name]).get(name, "")
            done.conflicts.append(Conflict(name, ours, theirs.runs[name].content_hash))
    done.refused = {run: why for run, why in source.refused.items() if run not in before}
    done.conflicts.sort()
    return done


def _compare(
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
