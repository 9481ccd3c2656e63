"""What is said of a failure."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, Final

from flakefighters.records import NamedTuple

__all__ = ["JOINT", "OPEN", "Confidence", "Label", "Verdict", "standing"]


#: The flakefighter's name under which the verdict that counts is kept: the rule that joins what
#: the others said.
JOINT: Final = "joint"
#: What the evidence of an undecided verdict has if nothing that changed is known to have reached
#: the test: people and statistics may call the failure flaky.
OPEN: Final = "open"


class Label(enum.StrEnum):
    """What a verdict says of a failure."""

    FLAKY = "flaky"
    GENUINE = "genuine"
    UNDECIDED = "undecided"


class Confidence(enum.StrEnum):
    """How much a verdict rests on, strongest first.  Documented in docs/verdicts.md."""

    PROVED = "proved"  # observed: the same state both passed and failed
    STRONG = "strong"  # the execution touched, or cannot have touched, what changed
    FAIR = "fair"  # a static or statistical argument
    WEAK = "weak"  # a hint; always undecided or overruled by anything else


class Verdict(NamedTuple):
    """What one flakefighter says of one failure, and why."""

    label: Label
    fighter: str
    version: int
    confidence: Confidence
    #: One plain sentence without a full stop, to stand after "FLAKY node id - ".
    reason: str
    #: JSON values that stand alone: baseline, changes, matching failures, history seen.
    evidence: Mapping[str, Any] = MappingProxyType({})
    #: True if the failure may have been brought in by a change although it is flaky.
    introduced: bool = False
    # Which failure it belongs to; filled in by the caller of the flakefighter.
    run: str = ""
    nodeid: str = ""
    attempt: int = 1
    index: int = 0  # type: ignore[assignment]  # of the failure within its execution
    at: int = 0

    @property
    def key(self) -> tuple[str, str, int, int]:
        """The failure among all: run, node id, attempt and index."""
        return (self.run, self.nodeid, self.attempt, self.index)

    @property
    def place(self) -> tuple[str, int, int]:
        """The failure within its run: node id, attempt and index."""
        return (self.nodeid, self.attempt, self.index)

    @property
    def proved(self) -> bool:
        """Whether it was observed."""
        return self.confidence is Confidence.PROVED

    def replaced(
        self,
        label: Label,
        reason: str,
        evidence: Mapping[str, Any],
        at: int,
        *,
        introduced: bool = False,
    ) -> Verdict:
        """The joined verdict that takes the place of this one, proved by an observation."""
        sure = Confidence.PROVED
        return Verdict(label, JOINT, 1, sure, reason, evidence, introduced, *self.key, at)

    @property
    def why(self) -> str:
        """The reason, and whether a change may have brought the flakiness in."""
        return f"{self.reason} (new: introduced here?)" if self.introduced else self.reason


def standing(verdicts: Iterable[Verdict]) -> dict[tuple[str, str, int, int], Verdict]:
    """The verdict that stands on each failure: the newest joined one.

    Keys are run, node id, attempt and index.  Among equally old ones the last given counts.
    """
    found: dict[tuple[str, str, int, int], Verdict] = {}
    for one in verdicts:
        if one.fighter == JOINT and (one.key not in found or found[one.key].at <= one.at):
            found[one.key] = one
    return found
