"""Earlier failures that are worded much like this one, nearer than any of the other kind."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from flakefighters.fighters.lessons import enough, evidence_of, told
from flakefighters.fighters.strategy import Strategy
from flakefighters.measures import tracebacks
from flakefighters.measures.tfidf import Weights, cosine
from flakefighters.model import Case, Confidence, Failure, Label, Lesson, Level, Need, Verdict
from flakefighters.records import NamedTuple

__all__ = ["Settings", "Similarity"]

#: Signatures with which a failure is compared, the newest.
_MOST: Final = 300


class Settings(NamedTuple):
    """What can be set."""

    #: The least cosine at which failures are similar.
    least: float = 0.8
    #: By so much those of the other kind must be less similar.
    margin: float = 0.2
    #: So many earlier failures it takes if none is of the same test.
    others: int = 2


class Similarity(Strategy):
    """The nearest known failures, by the words of their signatures."""

    name = "similarity"
    level = Level.STATISTICS
    needs = frozenset({Need.EXPERIENCE})
    settings_model = Settings

    def __init__(self, settings: Settings | None = None):
        self._settings = settings or Settings()

    def judge(self, case: Case) -> Verdict | None:
        failure, known = case.failure, case.experience
        if known is None or not failure.signature:
            return None
        lessons = list(_comparable(failure, known.lessons))
        if not lessons:
            return None
        near = _nearness(failure.signature, lessons)
        best = {Label.FLAKY: 0.0, Label.GENUINE: 0.0}
        for one in lessons:
            best[one.label] = max(best[one.label], near.get(one.signature, 0.0))
        label = max(best, key=lambda one: best[one])
        other = best[Label.GENUINE if label is Label.FLAKY else Label.FLAKY]
        least = max(self._settings.least, other + self._settings.margin)
        # The limit of a float: at the margin is beyond it.
        alike = [one for one in lessons if near.get(one.signature, 0.0) >= least - 1e-9]
        if enough(alike, case.nodeid, self._settings.others) is None:
            return None
        alike.sort(key=lambda one: (-near[one.signature], -one.started))
        return self.say(
            label,
            Confidence.FAIR,
            told(alike, case.nodeid, "similarly"),
            {
                **evidence_of(alike, case.nodeid),
                "cosine": round(best[label], 3),
                "nearest_other": round(other, 3),
            },
        )


def _comparable(failure: Failure, lessons: Sequence[Lesson]) -> Iterator[Lesson]:
    """Lessons that share a line with a failure; of assertions in one place those that compared
    the same values."""
    lines = [line for line in failure.signature.split("\n")[1:] if line]
    asserted = _asserted(failure.signature)
    mine = None
    for one in lessons:
        if one.signature != failure.signature and not any(line in one.signature for line in lines):
            continue
        if not asserted.isdisjoint(_asserted(one.signature)):
            mine = mine or tracebacks.key(failure.text, failure.signature)
            if not one.text or tracebacks.key(one.text, one.signature) != mine:
                continue
        yield one


def _asserted(signature: str) -> frozenset[str]:
    """The code of an assertion that failed, and where it is; nothing of another failure."""
    name, *lines = signature.split("\n")
    if name != "AssertionError":
        return frozenset()
    found = (next((line for line in lines if line.startswith(kind)), "") for kind in ("at ", "in "))
    return frozenset(found) - {""}


def _nearness(signature: str, lessons: Sequence[Lesson]) -> dict[str, float]:
    """How near the newest signatures of some lessons are, by signature."""
    others = list(dict.fromkeys(one.signature for one in lessons))[:_MOST]
    weights = Weights([signature, *others])
    mine = weights.vector(signature)
    return {one: cosine(mine, weights.vector(one)) for one in others}
