"""What happened before the failures that are judged: tests that failed by chance now and then.

The kinds come in the shares of Gruber, Lukasczyk, Krois and Fraser, "An Empirical Study of Flaky
Tests in Python" (ICST 2021): 59 % of 7,571 flaky tests depend on the order, 28 % failed by the
infrastructure, and of the other 13 % most use the network or random numbers.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tests.benchmarks.verdicts.suite import Outcome, Suite

__all__ = ["PLACES", "SHARES", "Past", "World", "kinds_for", "ways", "ways_of"]

#: Kinds of the probe and how many of a hundred flaky tests are so.  How the infrastructure and the
#: last 13 are shared out among their kinds is our guess.
SHARES: Final[Mapping[str, int]] = {
    "order": 59,
    "outage": 14,
    "disk": 14,
    "network": 4,
    "seed": 4,
    "wait": 1,
    "clock": 1,
    "zone": 1,
    "file": 1,
    "race": 1,
}
#: Where the earlier runs were: on earlier commits, two on each; or all on one.
PLACES: Final = ("earlier", "same")
#: How often a flaky test fails: seldom ones are as common as others.
_RATES: Final = (0.05, 0.1, 0.2, 0.4)
_PER_STATE: Final = 2

#: Texts that files are loaded from, though other ones are checked out; by absolute paths.
World = Callable[[], Mapping[str, str]]


def kinds_for(nodeids: Iterable[str], chance: random.Random) -> dict[str, str]:
    """In which way each test is flaky."""
    tests = list(nodeids)
    kinds = chance.choices(list(SHARES), list(SHARES.values()), k=len(tests))
    return dict(zip(tests, kinds, strict=True))


@dataclass(frozen=True, slots=True)
class Past:
    """The earlier runs of a failure."""

    runs: int
    #: One of ``PLACES``.
    place: str = PLACES[0]

    @property
    def states(self) -> int:
        """On how many states they are."""
        return 1 if self.place == "same" else max(1, self.runs // _PER_STATE)

    @property
    def worlds(self) -> int:
        """How many worlds there may be so that each comes twice, on different states."""
        return max(1, (self.runs - 2) // 2)

    def play(
        self,
        suite: Suite,
        commits: Sequence[str],
        inject: Mapping[str, str],
        chance: random.Random,
        worlds: Sequence[World] = (),
        *,
        clean: bool = True,
    ) -> Path | None:
        """Run the suite on these commits, and return the history.

        The first run is clean, and the last one if ``clean``.  In the others each test of
        ``inject`` fails at a rate of its own, and one of the ``worlds`` is there.
        """
        rates = {nodeid: chance.choice(_RATES) for nodeid in sorted(inject)}
        kept: Path | None = None
        for number in range(self.runs):
            quiet = number == 0 or (clean and number == self.runs - 1)
            suite.check_out(commits[number * len(commits) // self.runs])
            if kept is not None:
                suite.put_history(kept)
            failing = {
                one: inject[one]
                for one, rate in rates.items()
                if not quiet and chance.random() < rate
            }
            world = worlds[(number - 1) % len(worlds)]() if worlds and not quiet else {}
            if suite.run(ours=True, inject=failing, world=world) is not None:
                kept = suite.keep_history() or kept
        return kept


def ways(past: Past | None, *, confirm: bool) -> dict[str, tuple[str, ...]]:
    """In which ways a failure is judged, and pytest's arguments for each; "" comes first."""
    found: dict[str, tuple[str, ...]] = {"": ()}
    if past is not None:
        found["reruns"] = ("--flakefighters-reruns=1",)
        if confirm:
            found["trials"] = ("--flakefighters-confirm=all",)
    return found


def ways_of(others: Mapping[str, Outcome], nodeid: str) -> dict[str, Any]:
    """What the other ways say of a failure: a record's ``ways``, if there are any."""
    found = {}
    for way, outcome in others.items():
        verdict = outcome.label(nodeid)
        found[way] = {name: verdict[name] for name in ("label", "confidence", "reason")}
        found[way]["by"] = verdict["evidence"].get("by")
    return {"ways": found} if found else {}
