"""Is a pooler in between, and of which kind?"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Protocol

from flakefighters.checks.results import Check, failed, ok, skipped
from flakefighters.errors import DatabaseError

__all__ = ["Talker", "look"]

STEP: Final = "pooler"
_ROUNDS: Final = 3


class Talker(Protocol):
    """A connection, as far as this step needs it."""

    def process(self, *, transaction: bool = True) -> tuple[int, int]:
        """Ids of the server process: told at login, and of the one that answers now."""

    def close(self) -> None:
        """Let go of it."""


def look(line: Talker, another: Callable[[], Talker]) -> Check:
    """A pooler tells a process id of its own at login.

    In transaction mode a server process that has served one connection serves the next one, while
    both are open; in session mode it never does.  In statement mode a transaction ends the
    connection.
    """
    try:
        told, now = line.process(transaction=False)
    except DatabaseError as error:
        return failed(STEP, error.message, error.remedy)
    if told == now:
        return ok(STEP, "none in between")
    try:
        mine = {line.process()[1]}
    except DatabaseError:
        return failed(
            STEP,
            "there is one, and it allows no transactions (statement mode)",
            "use its transaction or session mode, or the server's own address",
        )
    try:
        second = another()
    except DatabaseError:
        return skipped(STEP, "there is one; no second connection to tell its mode by")
    others = set[int]()
    try:
        for _ in range(_ROUNDS):
            others.add(second.process()[1])
            mine.add(line.process()[1])
            if mine & others or len(mine) > 1:
                return ok(STEP, "there is one, in transaction mode, which works")
    except DatabaseError as error:
        return failed(STEP, error.message, error.remedy)
    finally:
        second.close()
    return ok(STEP, "there is one, in session mode, which works")
