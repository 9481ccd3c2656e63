"""Hooks of ours that cannot end a test run."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, Protocol, TypeVar

from flakefighters.originals import real
from flakefighters.words import trouble

__all__ = ["Guarded", "guarded"]

F = TypeVar("F", bound=Callable[..., Any])


class Guarded(Protocol):
    """An object whose hooks are guarded."""

    #: True once a hook failed: from then on none does anything.
    broken: bool
    #: What a note says of that.
    trouble: str
    #: The process in which the hooks work; not a forked child of the tests.
    pid: int
    notes: list[str]


def guarded(hook: F) -> F:
    """Trouble in a hook of ours is a note, never the end of a test run."""

    @functools.wraps(hook)
    def inner(self: Guarded, *args: Any, **kwargs: Any) -> Any:
        if self.broken or real.getpid() != self.pid:
            return None
        try:
            return hook(self, *args, **kwargs)
        except Exception as error:  # whatever it is: the test run is not ours to end
            self.broken = True
            self.notes.append(f"{self.trouble}: {trouble(error)}")
            return None

    return inner  # type: ignore[return-value]
