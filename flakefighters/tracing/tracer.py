"""The protocol of all ways of seeing which changed code runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from flakefighters.tracing.lookup import Label

__all__ = ["Tracer", "TracerUnavailableError"]


class TracerUnavailableError(Exception):
    """This way cannot be used in this process; the text says why."""


class Tracer(Protocol):
    """Sees which changed code runs.

    There is one window at a time: it opens at :meth:`start` and anew at each :meth:`begin`.
    """

    @property
    def name(self) -> str:
        """A word for the record: "lines", "functions", "probes", "imports"."""
        ...

    def start(self) -> None:
        """Begin to watch, or raise :class:`TracerUnavailableError` and leave no trace."""
        ...

    def begin(self) -> None:
        """Open a new window."""
        ...

    def collect(self) -> set[Label]:
        """What ran in the window so far; leaves it open.  Not to be changed by the caller."""
        ...

    def between(self, on: bool) -> None:
        """Say that no attempt is under way (``on``), or that one begins.

        Meanwhile what runs below the body of a module of the project is told by :meth:`imports`
        and not by :meth:`collect`, as far as that can be told apart.
        """
        ...

    def imports(self) -> Mapping[str, set[Label]]:
        """What ran below the bodies of modules so far, by file."""
        ...

    def common(self) -> set[Label]:
        """What is taken to run in every window from now on, and not told any more."""
        ...

    def blind(self) -> frozenset[str]:
        """Watched files whose code runs unseen, relative to the base."""
        ...

    def trouble(self) -> str | None:
        """Why :meth:`collect` may not be all, None if it is."""
        ...

    def stop(self) -> None:
        """Leave no trace.  Harmless when not started."""
        ...
