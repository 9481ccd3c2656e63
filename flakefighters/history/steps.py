"""The steps from each version of the schema to the next, and which of them a history needs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from flakefighters.errors import DatabaseError
from flakefighters.records import NamedTuple

__all__ = ["STEPS", "Step", "planned"]


class Step(NamedTuple):
    """From one version to the next."""

    #: The version that it makes.
    version: int
    #: The oldest version whose clients can read what comes of it.
    oldest_reader: int
    #: For people: what is new, in a few words.
    what: str
    #: Statements; on PostgreSQL ``__schema__`` stands for the quoted name of the schema.
    sqlite: tuple[str, ...]
    postgresql: tuple[str, ...]


#: In ascending order, without a gap; the last one makes the current version.  Version 1 was the
#: first.
STEPS: Final[tuple[Step, ...]] = ()


def planned(steps: Sequence[Step], version: int, name: str) -> tuple[Step, ...]:
    """The steps that lead on from ``version``.  DatabaseError if one of them is not known."""
    wanted = tuple(step for step in steps if step.version > version)
    if [step.version for step in wanted] != list(range(version + 1, version + 1 + len(wanted))):
        raise DatabaseError(
            f"{name} has schema version {version}, from which this flakefighters knows no way on",
            remedy="upgrade with an earlier flakefighters first",
        )
    return wanted
