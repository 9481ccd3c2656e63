"""How what was said of failures compares with what was proved of them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from flakefighters.model.verdicts import Label

__all__ = ["Score", "Scores"]


@dataclass(frozen=True, slots=True)
class Score:
    """One flakefighter's verdicts, or the joined ones that were given first (``joint``)."""

    fighter: str
    #: On how many failures it gave a verdict.
    said: int = 0
    #: How many of those were proved, by (what it said, what was proved).
    pairs: Counter[tuple[Label, Label]] = field(default_factory=Counter)
    #: How many failures were proved to be what since its first verdict, whether it spoke or not.
    known: Counter[Label] = field(default_factory=Counter)

    @property
    def proved(self) -> int:
        """How many of the failures of which it spoke were proved."""
        return self.pairs.total()

    @property
    def agreed(self) -> int:
        """How often it said what was proved."""
        return sum(n for (said, proved), n in self.pairs.items() if said is proved)

    def precision(self, label: Label) -> float | None:
        """How often it was so, of the proved failures of which it said so; None of none."""
        said = sum(n for (one, _), n in self.pairs.items() if one is label)
        return self.pairs[label, label] / said if said else None

    def recall(self, label: Label) -> float | None:
        """How often it said so, of the failures that were proved to be so; None of none."""
        known = self.known[label]
        return self.pairs[label, label] / known if known else None

    @property
    def undecided(self) -> int:
        """How often it left open what was proved."""
        return sum(n for (said, _), n in self.pairs.items() if said is Label.UNDECIDED)

    @property
    def missed(self) -> int:
        """How often it called genuine what is flaky."""
        return self.pairs[Label.GENUINE, Label.FLAKY]

    @property
    def acquitted(self) -> int:
        """How often it called flaky what is genuine: the worse mistake."""
        return self.pairs[Label.FLAKY, Label.GENUINE]


@dataclass(frozen=True, slots=True)
class Scores:
    """All of them."""

    #: Failures with a verdict, and how many of them were proved flaky or genuine.
    failures: int
    proved: int
    fighters: tuple[Score, ...]
    #: How many of the proved were judged genuine, and went away for good with a change.
    fixed: int = 0
