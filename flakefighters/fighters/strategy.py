"""What the flakefighters that come with the package have in common."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flakefighters.model import Confidence, Label, Verdict

__all__ = ["Strategy"]


class Strategy:
    """Signs the verdicts of a flakefighter."""

    name: str
    version: int = 1

    def say(
        self,
        label: Label,
        confidence: Confidence,
        reason: str,
        evidence: Mapping[str, Any],
        *,
        introduced: bool = False,
    ) -> Verdict:
        """A verdict of this flakefighter."""
        return Verdict(label, self.name, self.version, confidence, reason, evidence, introduced)
