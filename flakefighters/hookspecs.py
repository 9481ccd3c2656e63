"""What flakefighters adds to pytest for others: a hook, and a key of the stash."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest

if TYPE_CHECKING:
    from flakefighters.model import Verdict

__all__ = ["pytest_flakefighters_verdict", "verdicts_key"]

#: ``config.stash[verdicts_key]``: the verdict on each failure, set when the session is finished.
verdicts_key: Final = pytest.StashKey[list["Verdict"]]()


def pytest_flakefighters_verdict(config: Any, verdict: Verdict) -> None:
    """Called once per failure with the verdict that counts, when the session is finished.

    ``config`` is pytest's.  It runs on the controller, before reports are written.
    """
