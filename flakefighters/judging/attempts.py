"""What one attempt at a test tells of the next ones in the same run."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from flakefighters.model import Case, Confidence, Flakefighter, Label, Verdict

__all__ = ["Attempts"]

#: Who sees what an attempt ran.
_WATCHES: Final = "touched_change"


class Attempts:
    """The first attempts that touched a change, by test.

    What they left behind (a row of a database, a file) may fail the next one before it gets there.
    """

    def __init__(self) -> None:
        self._blamed: dict[str, Verdict] = {}

    def told(self, fighters: Sequence[Flakefighter], nodeid: str) -> list[Flakefighter]:
        """The flakefighters for another attempt at this test."""
        before = self._blamed.get(nodeid)
        if before is None:
            return list(fighters)
        return [_After(one, before) if one.name == _WATCHES else one for one in fighters]

    def note(self, said: Iterable[Verdict], nodeid: str, attempt: int) -> None:
        """Remember what was said of an attempt."""
        for one in said:
            if one.fighter == _WATCHES and one.label is Label.GENUINE:
                self._blamed.setdefault(nodeid, one._replace(attempt=attempt))


class _After:
    """A flakefighter that says of an attempt what it said of an earlier one, unless it agrees."""

    def __init__(self, fighter: Flakefighter, before: Verdict):
        self._fighter, self._before = fighter, before
        self.name, self.version = fighter.name, fighter.version
        self.level, self.needs = fighter.level, fighter.needs

    def judge(self, case: Case) -> Verdict | None:
        said = self._fighter.judge(case)
        before = self._before
        if said is None or said.label is Label.GENUINE or case.execution.attempt <= before.attempt:
            return said
        return before._replace(
            confidence=Confidence.FAIR,
            reason=f"attempt {before.attempt} {before.reason}",
            evidence={**before.evidence, "attempt": before.attempt},
        )
