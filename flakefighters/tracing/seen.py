"""What was seen over windows of time, its lines, and the fixtures that several tests share."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from flakefighters.records import NamedTuple

if TYPE_CHECKING:
    from flakefighters.model.trace import Code
    from flakefighters.tracing.functions import Functions

__all__ = ["Lines", "Seen", "Wide", "causes"]


class Seen:
    """What was seen over some windows; functions by number."""

    __slots__ = ("children", "imported", "opened", "ran")

    def __init__(self, ran: Iterable[int] = ()) -> None:
        self.ran = set(ran)
        self.imported: set[str] = set()
        self.opened: set[str] = set()
        self.children: set[str] = set()

    def add(self, other: Seen) -> None:
        """Add what another one has."""
        self.ran |= other.ran
        self.imported |= other.imported
        self.opened |= other.opened
        self.children |= other.children


class Lines:
    """What functions an attempt ran, with their lines."""

    def __init__(self, functions: Functions):
        self._functions = functions
        self._ran: dict[Code, set[int]] = {}

    def window(self, parts: int) -> None:
        """A window closes in which so many parts were summed up: 1 is the attempt alone.

        The setup of a wider fixture belongs to no attempt in particular.
        """
        for code, lines in self._functions.take_lines().items():
            if parts == 1:
                self._ran.setdefault(code, set()).update(lines)

    def take(self) -> dict[Code, set[int]]:
        """What the attempt ran up to the last window; forgets it."""
        found, self._ran = self._ran, {}
        return found


class Wide(NamedTuple):
    """What setting up a fixture ran that lives longer than a test."""

    fixturedef: Any  # kept: known by identity
    seen: Seen
    error: BaseException | None


def causes(error: BaseException | None) -> Iterator[BaseException]:
    """An exception, its causes and contexts, and the members of groups."""
    pending = [error]
    met: set[int] = set()
    while pending:
        current = pending.pop()
        if current is None or id(current) in met:
            continue
        met.add(id(current))
        yield current
        pending += [current.__cause__, current.__context__]
        if isinstance(current, BaseExceptionGroup):
            pending += current.exceptions
