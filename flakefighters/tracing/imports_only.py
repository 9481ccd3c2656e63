"""The way without sight: what was touched is not known below the module."""

from __future__ import annotations

from collections.abc import Mapping

from flakefighters.tracing.lookup import Label

__all__ = ["ImportsOnly"]


class ImportsOnly:
    """Sees nothing and says so: all that can be reached may have been touched."""

    name = "imports"

    def __init__(self, reason: str | None):
        self._reason = reason

    def start(self) -> None:
        """Do nothing."""

    def begin(self) -> None:
        """Do nothing."""

    def collect(self) -> set[Label]:
        """Nothing: see :meth:`trouble`."""
        return set()

    def between(self, on: bool) -> None:
        """Do nothing."""

    def imports(self) -> Mapping[str, set[Label]]:
        """Nothing."""
        return {}

    def common(self) -> set[Label]:
        """Nothing."""
        return set()

    def blind(self) -> frozenset[str]:
        """Nothing in particular: see :meth:`trouble`."""
        return frozenset()

    def trouble(self) -> str | None:
        """Why execution is not watched; None if there is nothing to watch."""
        return self._reason

    def stop(self) -> None:
        """Do nothing."""
