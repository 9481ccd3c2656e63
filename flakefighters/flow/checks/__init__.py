"""The steps of ``flakefighters check``: each takes data and returns what it found."""

from __future__ import annotations

from flakefighters.flow.checks.checkup import Checkup, examine
from flakefighters.flow.checks.nouns import Budget, Check

__all__ = ["Budget", "Check", "Checkup", "examine"]
