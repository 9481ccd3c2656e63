"""Folders of journals as one side of a transfer: runs that no history has yet."""

from __future__ import annotations

import socket
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from flakefighters.capture.journal import JournalError, address_of, leftovers, recover
from flakefighters.cli.output import say
from flakefighters.errors import ConflictError, FlakefightersError
from flakefighters.history import History, open_history
from flakefighters.history.foreign import ForeignHistory, open_foreign
from flakefighters.history.intake import Saved
from flakefighters.model import Target
from flakefighters.session.spool import address, deliver

__all__ = ["Sent", "as_history", "send"]


@dataclass(slots=True)
class Sent:
    """What became of the journals in a folder."""

    runs: int = 0
    #: Those that the history does not take: too old, or purged.
    beyond: int = 0
    purged: int = 0
    #: Journals that are meant for other histories, by address.
    waiting: dict[str, int] = field(default_factory=dict)
    #: Journals that can never be sent, and why; they were renamed.
    damaged: dict[str, str] = field(default_factory=dict)


def send(folder: Path, target: Target, open_target: Callable[[], History]) -> Sent:
    """Send the journals that are meant for ``target``; it is opened only if there are any.

    Raises:
        DatabaseError: if it cannot be used; the journals that were not sent stay.
    """
    sent, to = Sent(), address(target)
    with ExitStack() as stack:
        history: History | None = None
        for journal in leftovers(folder, time.time()):
            meant = address_of(journal)
            if meant != to:
                sent.waiting[meant] = sent.waiting.get(meant, 0) + 1
                continue
            try:
                found = recover(journal)
                if history is None:
                    history = stack.enter_context(open_target())
                # Killed between saving and removing: what was saved is the better copy.
                if not history.content_hashes([found.run.head.id]):
                    how = deliver(history, found)
                    sent.beyond += how is Saved.BEYOND
                    sent.purged += how is Saved.PURGED
                    sent.runs -= how in (Saved.BEYOND, Saved.PURGED)
            except (JournalError, ConflictError) as error:
                sent.damaged[journal.name] = str(error)
                with suppress(OSError):
                    journal.rename(journal.with_suffix(".damaged"))
                continue
            journal.unlink(missing_ok=True)
            sent.runs += 1
    return sent


@contextmanager
def as_history(folder: Path) -> Iterator[ForeignHistory]:
    """The runs of a folder as a history that was made by somebody else, with all its checks."""
    over = set(leftovers(folder, time.time()))
    with tempfile.TemporaryDirectory(prefix="flakefighters-") as private:
        path = Path(private) / "journals.db"
        with open_history(Target(backend="sqlite", path=path, display=str(folder))) as history:
            for journal in sorted(folder.glob("*.jsonl")):
                try:
                    found = recover(journal)
                    # To a copy from another machine nobody writes any more.
                    if journal in over or found.ended or not _from_here(journal):
                        deliver(history, found)
                except FlakefightersError as error:
                    say(str(error))
                except (ValueError, TypeError, KeyError, AttributeError) as error:
                    say(f"the journal {journal.name} is malformed ({type(error).__name__})")
        with open_foreign(path) as foreign:
            yield foreign


def _from_here(journal: Path) -> bool:
    """Whether a process of this machine wrote a journal."""
    with journal.open("rb") as file:
        return f'"host":"{socket.gethostname()}"'.encode() in file.readline(1_000_000)
