"""The steps of ``flakefighters check``: each takes data and returns what it found."""

from __future__ import annotations

from flakefighters.checks.checkup import Checkup, examine
from flakefighters.checks.results import Budget, Check

__all__ = ["Budget", "Check", "Checkup", "examine"]
