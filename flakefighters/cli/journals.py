"""Folders of journals as one side of a transfer: runs that no history has yet."""

from __future__ import annotations

import socket
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import field
from pathlib import Path

from flakefighters.capture.recovery import JournalError, heading
from flakefighters.cli.output import say
from flakefighters.errors import ConflictError, FlakefightersError
from flakefighters.history import History, open_history
from flakefighters.history.foreign import ForeignHistory
from flakefighters.history.intake import Saved
from flakefighters.model import Target
from flakefighters.records import record
from flakefighters.session.places import Spool, address
from flakefighters.session.spool import (
    Refused,
    deliver,
    look_into,
    prove,
    put_aside,
    read_back,
)
from flakefighters.sync.results import Transfer

__all__ = ["Sent", "as_history", "send"]


@record
class Sent:
    """What became of the journals in a folder."""

    #: What was sent, and what cannot be: as far as it can be moved, that is set aside.
    done: Transfer = field(default_factory=Transfer)
    #: Journals that are meant for other histories, by address.
    waiting: dict[str, int] = field(default_factory=dict)
    #: One-line troubles besides.
    notes: list[str] = field(default_factory=list)

    def refuse(self, some: Iterable[Refused], spools: Sequence[Spool]) -> None:
        """Move them out of the way, and remember why."""
        for one in some:
            self.done.refused[one.path.name] = next(iter(put_aside([one], spools)), one.reason)


def send(
    spools: Iterable[Spool],
    target: Target,
    open_target: Callable[[], History],
    *,
    redirect: bool = False,
) -> Sent:
    """Send the journals that are meant for ``target``; it is opened only if there are any.

    With ``redirect`` those that are meant for other histories as well, but for a local one.

    Raises:
        DatabaseError: if it cannot be used; the journals that were not sent stay.
    """
    spools = tuple(spools)
    sent, to = Sent(), address(target)
    with ExitStack() as stack:
        history: History | None = None
        for found in map(look_into, spools):
            sent.refuse(found.refused, spools)
            for journal in found.journals:
                if journal.address != to and (not redirect or journal.address == "local"):
                    sent.waiting[journal.address] = sent.waiting.get(journal.address, 0) + 1
                    continue
                try:
                    run = read_back(journal.path, journal.owners)
                    if history is None:
                        history = stack.enter_context(open_target())
                    how = deliver(history, run)
                    prove(history, run, how, sent.notes)
                except (JournalError, ConflictError) as error:
                    sent.refuse([Refused(journal.path, str(error))], spools)
                    continue
                # One that was there already has been delivered all the same.
                sent.done.count(how if how in (Saved.BEYOND, Saved.PURGED) else Saved.NEW)
                journal.path.unlink(missing_ok=True)
    return sent


@contextmanager
def as_history(folder: Path) -> Iterator[ForeignHistory]:
    """The runs of a folder as a history of unknown origin, with all its checks.

    What is left out is said; the folder stays as it is.
    """
    found = look_into(Spool(folder))
    refused = {one.path.name: one.reason for one in found.refused}
    with tempfile.TemporaryDirectory(prefix="flakefighters-") as private:
        path = Path(private) / "journals.db"
        with open_history(Target(backend="sqlite", path=path, display=str(folder))) as history:
            for journal in (*(one.path for one in found.journals), *found.living):
                try:
                    run = read_back(journal)
                    if journal in found.living and not run.ended and _from_here(journal):
                        refused[journal.name] = f"{journal.name}: its run is still going on"
                    else:  # a copy from another machine is not written to any more
                        deliver(history, run)
                except (FlakefightersError, OSError) as error:
                    refused[journal.name] = str(error)
        for name in sorted(refused):
            say(f"left out: {refused[name]}")
        with ForeignHistory(path) as foreign:
            yield foreign


def _from_here(journal: Path) -> bool:
    """Whether a process of this machine wrote a journal."""
    return bool(heading(journal).get("host") == socket.gethostname())
