"""The lines that an attempt ran, summed up over its windows."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flakefighters.model.trace import Code
    from flakefighters.tracing.functions import Functions

__all__ = ["Lines"]


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
