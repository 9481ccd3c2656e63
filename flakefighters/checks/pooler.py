"""Is a pooler in between, and can we work through it?"""

from __future__ import annotations

from typing import Final, Protocol

from flakefighters.checks.results import Check, failed, ok
from flakefighters.errors import DatabaseError

__all__ = ["Talker", "look"]

STEP: Final = "pooler"
_ROUNDS: Final = 3


class Talker(Protocol):
    """A connection, as far as this step needs it."""

    def process(self, *, transaction: bool = True) -> tuple[int, int]:
        """Ids of the server process: told at login, and of the one that answers now."""


def look(line: Talker) -> Check:
    """A pooler tells a process id of its own at login.

    One connection is all that is used: small pools have no second one to spare.  That leaves the
    mode open where no other client is connected, and both that allow transactions work.
    """
    try:
        told, now = line.process(transaction=False)
    except DatabaseError as error:
        return failed(STEP, error.message, error.remedy)
    if told == now:
        return ok(STEP, "none in between")
    try:
        met = {now, *(line.process()[1] for _ in range(_ROUNDS))}
    except DatabaseError:
        return failed(
            STEP,
            "there is one, and it allows no transactions (statement mode)",
            "use its transaction or session mode, or the server's own address",
        )
    mode = ", in transaction mode" if len(met) > 1 else ""
    return ok(STEP, f"there is one{mode}, which works")
