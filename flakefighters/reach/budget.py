"""How long a search may take."""

from __future__ import annotations

import time

__all__ = ["Budget"]

#: Where the process gets a third of a processor or less, the clock decides.
_SHARE = 3


class Budget:
    """What has been spent since this was made, in seconds of processor time.

    A machine that is busy with other things is slow, and would know less by the clock alone.
    """

    def __init__(self) -> None:
        self._work, self._clock = time.process_time(), time.monotonic()

    def spent(self) -> float:
        """Seconds of work, or a third of those that passed if that is more."""
        passed = time.monotonic() - self._clock
        return max(time.process_time() - self._work, passed / _SHARE)
