"""The hook that flakefighters adds to pytest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from flakefighters.model import Verdict

__all__ = ["pytest_flakefighters_verdict"]


def pytest_flakefighters_verdict(config: Any, verdict: Verdict) -> None:
    """Called once per failure with the verdict that counts, when the session is finished.

    ``config`` is pytest's.  It runs on the controller, before reports are written.
    """
