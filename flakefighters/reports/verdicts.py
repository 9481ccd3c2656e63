"""Which of the verdicts on a failure stands, and what was said before."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from flakefighters.model import JOINT, Label, Verdict, standing

__all__ = ["WORST", "Given", "by_failure", "labels", "of_result", "trials_of"]

#: What must be looked at first, and speaks where there are several.
WORST: Final = (Label.GENUINE, Label.UNDECIDED, Label.FLAKY)


@dataclass(frozen=True, slots=True)
class Given:
    """What was said of one failure."""

    #: The newest joined verdict, None if there is none.
    stands: Verdict | None
    #: The label of the first one, if it was another one.
    was: Label | None
    #: Each flakefighter's verdict.
    said: tuple[Verdict, ...] = ()


def by_failure(verdicts: Iterable[Verdict]) -> dict[tuple[str, int, int], Given]:
    """What was said of each failure of one run, by node id, attempt and index."""
    every = list(verdicts)
    stands = {key[1:]: one for key, one in standing(every).items()}
    found: dict[tuple[str, int, int], list[Verdict]] = {}
    for one in sorted(every, key=lambda one: one.fighter):
        found.setdefault(one.place, []).append(one)
    made = {}
    for key, mine in found.items():
        joined = sorted((one for one in mine if one.fighter == JOINT), key=lambda one: one.at)
        now = stands.get(key)
        was = joined[0].label if now is not None and joined[0].label is not now.label else None
        made[key] = Given(now, was, tuple(one for one in mine if one.fighter != JOINT))
    return made


def _last(verdicts: Iterable[Verdict]) -> dict[tuple[str, str], list[Verdict]]:
    """The standing verdicts on the last failing attempt at each test of each run."""
    found: dict[tuple[str, str], list[Verdict]] = {}
    for (run, nodeid, attempt, _), one in sorted(standing(verdicts).items()):
        mine = found.setdefault((run, nodeid), [])
        if mine and mine[0].attempt != attempt:
            mine.clear()
        mine.append(one)
    return found


def labels(verdicts: Iterable[Verdict]) -> Mapping[Label, int]:
    """How many failures have which verdict, counted as in the list of runs."""
    given = [one.label for mine in _last(verdicts).values() for one in mine]
    return {label: given.count(label) for label in Label if label in given}


def of_result(verdicts: Iterable[Verdict]) -> Verdict | None:
    """The verdict that counts for one test in one run: the worst of those that stand."""
    mine = [one for some in _last(verdicts).values() for one in some]
    return min(mine, key=lambda one: WORST.index(one.label), default=None)


def trials_of(verdict: Verdict) -> list[Mapping[str, Any]]:
    """The experiments that a verdict rests on, as its evidence has them; any are foreign data."""
    trials = verdict.evidence.get("trials")
    known = trials if isinstance(trials, (list, tuple)) else ()
    return [one for one in known if isinstance(one, Mapping)]
