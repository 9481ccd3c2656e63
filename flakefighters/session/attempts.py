"""Which attempt at a test comes next: from what was asked for, what is known and what is left.

Plain data and decisions; ``session.reruns`` carries them out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from pathlib import Path
from typing import Any, Final

from flakefighters.capture.nodeids import Names
from flakefighters.model.decisions import function_of
from flakefighters.records import NamedTuple, record

__all__ = ["MOST", "NEW", "SECONDS", "Choice", "Wish"]

#: Further attempts in one session, shared equally by the workers.
MOST: Final = 500
#: No further attempt begins once they have taken so long, in seconds (in each worker).
SECONDS: Final = 600.0
#: Attempts at a new test, by the seconds that the first one took; longer ones are run once.
NEW: Final = ((5.0, 10), (10.0, 5), (30.0, 3), (300.0, 2))


class Wish(NamedTuple):
    """What was asked for, and what the history knows; travels to the workers."""

    #: "failed", "flaky", "previously-flaky" or "new".
    strategy: str
    #: Further attempts at one test.
    most: int
    #: As the history has them: the tests that are run again, or with "new" the functions that are
    #: known; None if no run is known.
    names: frozenset[str] | None = None
    #: What these names are relative to, and whether pytest-xdist adds groups to node ids.
    base: str = ""
    groups: bool = False
    #: Further attempts in this process.
    session: int = MOST

    def plain(self, workers: int) -> dict[str, Any]:
        """The share of one of so many workers, as values that can be sent to it."""
        names = None if self.names is None else sorted(self.names)
        share = max(1, self.session // max(1, workers))
        return self._replace(session=share)._asdict() | {"names": names}

    @classmethod
    def read(cls, plain: Mapping[str, Any]) -> Wish:
        """The inverse of :meth:`plain`."""
        names = plain["names"]
        return cls(**{**plain, "names": None if names is None else frozenset(names)})


@record
class Choice:
    """Decides on further attempts, and counts them."""

    wish: Wish
    rootdir: Path
    #: Further attempts so far, and how long they took.
    taken: int = 0
    seconds: float = 0.0
    #: Tests that were not run again because of a cap.
    refused: int = 0
    #: New functions, each with the test that stands for all of its parameters.
    _stands: dict[str, str] = field(default_factory=dict)
    _names: Names = field(init=False)

    def __post_init__(self) -> None:
        base = Path(self.wish.base) if self.wish.base else self.rootdir
        self._names = Names(self.rootdir, base, groups=self.wish.groups)

    def may(self, nodeid: str, attempt: int) -> bool:
        """Whether there may be another attempt if this one (counted from 1) fails."""
        wish = self.wish
        if wish.strategy == "new" or attempt > wish.most:
            return False
        return wish.strategy == "failed" or self._names(nodeid) in (wish.names or ())

    def after_failure(self, nodeid: str, attempt: int) -> bool:
        """Whether there is another attempt after this one failed."""
        return self.may(nodeid, attempt) and self._take()

    def after_pass(self, nodeid: str, attempt: int, seconds: float) -> bool:
        """The same after it passed; ``seconds`` is how long the first attempt took."""
        wish = self.wish
        if wish.strategy != "new" or wish.names is None:
            return False
        times = next((times for longest, times in NEW if seconds <= longest), 1)
        if attempt >= min(times, wish.most + 1):
            return False
        name = self._names(nodeid)
        function = function_of(name)
        if function in wish.names or self._stands.setdefault(function, name) != name:
            return False
        return self._take()

    def _take(self) -> bool:
        if self.taken >= self.wish.session or self.seconds >= SECONDS:
            self.refused += 1
            return False
        self.taken += 1
        return True
