"""How long a search may take."""

from __future__ import annotations

import time

__all__ = ["Budget"]

#: Where the process gets a third of a processor or less, the clock decides.
_SHARE = 3


class Budget:
    """Seconds of processor time that were spent inside ``with budget:``, all times together.

    A machine that is busy with other things is slow, and would know less by the clock alone.
    """

    def __init__(self) -> None:
        self._before = 0.0
        self._since: tuple[float, float] | None = None

    def __enter__(self) -> None:
        self._since = time.process_time(), time.monotonic()

    def __exit__(self, *raised: object) -> None:
        self._before, self._since = self.spent(), None

    def spent(self) -> float:
        """Seconds of work, or a third of those that passed if that is more."""
        if self._since is None:
            return self._before
        work, clock = self._since
        passed = time.monotonic() - clock
        return self._before + max(time.process_time() - work, passed / _SHARE)
