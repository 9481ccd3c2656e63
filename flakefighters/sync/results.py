"""What a transfer is asked for, and what came of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from flakefighters.history.intake import Saved
from flakefighters.model.views import Conflict
from flakefighters.records import record

__all__ = ["Conflict", "Progress", "Report", "Transfer", "unreported"]


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a transfer is."""

    #: "looking", "copying", "checking", "storing", "sending".
    step: str
    #: Rows (or runs, when sending) so far in this step.
    rows: int = 0
    #: Bytes that came over the line so far.
    bytes: int = 0
    #: How many rows or runs there will be; None if that is not known.
    total: int | None = None


#: Is called now and then while a transfer goes on.
Report = Callable[[Progress], None]


def unreported(progress: Progress) -> None:
    """Report nothing."""
    del progress


_NUMBERS = ("runs", "replaced", "known", "verdicts", "events", "beyond", "purged", "pruned")


@record
class Transfer:
    """What a transfer did."""

    #: Runs that are new there.
    runs: int = 0
    #: Runs of untrusted origin that gave way to a more trusted copy with other content.
    replaced: int = 0
    #: Runs that were there already, with the same content.
    known: int = 0
    #: Verdicts that are new on runs that were there already.
    verdicts: int = 0
    #: What people decided: marks, quarantines.
    events: int = 0
    #: Runs that are older than the receiving history keeps.
    beyond: int = 0
    #: Runs that were purged where they should go, and those that a purge took away there.
    purged: int = 0
    #: Runs that had to go because the other side keeps no more.
    pruned: int = 0
    #: Runs that were not to be sent: uncommitted changes, untrusted, a project without a name.
    kept_back: dict[str, int] = field(default_factory=dict)
    conflicts: list[Conflict] = field(default_factory=list)
    #: Runs (or other facts) that are not what their keys say, and why.
    refused: dict[str, str] = field(default_factory=dict)
    #: Ids of the runs that can be believed since now: new here, or more trusted than before.
    arrived: list[str] = field(default_factory=list)
    #: Rows and bytes that came over the line.
    rows: int = 0
    bytes: int = 0
    #: True if the history was made by this transfer.
    created: bool = False

    @property
    def clean(self) -> bool:
        """Whether nothing was refused."""
        return not self.conflicts and not self.refused

    def left_out(self, why: str | None) -> bool:
        """Count a run that is not to be taken, for the reason that ``Inventory.takes`` gives."""
        if why == "beyond":
            self.beyond += 1
        elif why is not None:
            self.purged += 1
        return why is not None

    def count(self, saved: Saved) -> None:
        """Count a run that was saved, or was not."""
        if saved is Saved.NEW:
            self.runs += 1
        elif saved is Saved.KNOWN:
            self.known += 1
        elif saved is Saved.BEYOND:
            self.beyond += 1
        else:
            self.purged += 1

    def add(self, other: Transfer) -> None:
        """Count what another part of the same transfer did."""
        for name in _NUMBERS:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.rows += other.rows
        self.bytes += other.bytes
        for why, count in other.kept_back.items():
            self.kept_back[why] = self.kept_back.get(why, 0) + count
        self.arrived += other.arrived
        self.conflicts += other.conflicts
        self.refused |= other.refused
        self.created = self.created or other.created
