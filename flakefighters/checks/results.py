"""What a check says, and how long all of them may take."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import field

from flakefighters.model.views import Check, Status
from flakefighters.records import NamedTuple, record

__all__ = ["Budget", "Check", "Found", "Status", "failed", "ok", "skipped", "skipped_all"]


def ok(step: str, message: str, advice: str | None = None) -> Check:
    """All is well."""
    return Check(step, "ok", message, advice)


def failed(step: str, message: str, remedy: str | None, *paste: str) -> Check:
    """Something is wrong."""
    return Check(step, "failed", message, remedy, paste)


def skipped(step: str, message: str) -> Check:
    """Nothing could be found out, or there is nothing to find out."""
    return Check(step, "skipped", message)


def skipped_all(steps: tuple[str, ...], message: str) -> list[Check]:
    """The same reason for several steps."""
    return [skipped(step, message) for step in steps]


class Found(NamedTuple):
    """What was found on the way to a server."""

    check: Check
    #: Host and port that answered; None if none did, or there is no network in between.
    address: tuple[str, int] | None = None
    #: False if there is no point in going on.
    usable: bool = True


@record
class Budget:
    """Seconds for all that may have to wait for others."""

    seconds: float = 45.0
    clock: Callable[[], float] = time.monotonic
    _end: float = field(init=False)

    def __post_init__(self) -> None:
        self._end = self.clock() + self.seconds

    def left(self, limit: float) -> float:
        """At most ``limit``, and what is left; never quite nothing."""
        return max(0.1, min(limit, self._end - self.clock()))
