"""Did this execution touch anything that changed since the test last passed?"""

from __future__ import annotations

from typing import Any, Final

from flakefighters.fighters.chance import SEED, chance, edited, varied
from flakefighters.fighters.sentences import changed, doubtful, shown, where
from flakefighters.fighters.strategy import Strategy
from flakefighters.model import (
    OPEN,
    Baseline,
    Case,
    Change,
    Confidence,
    DoubtKind,
    How,
    Label,
    Level,
    Need,
    Touching,
    Verdict,
)
from flakefighters.words import few

__all__ = ["TouchedChange", "introduced"]

#: Touched by way of somebody else: not as sure as what was seen.
_FAIR: Final = frozenset({How.IMPORTED, How.READ_BY_LIBRARY})


class TouchedChange(Strategy):
    """Genuine if it touched a change, flaky if it cannot have touched any."""

    name = "touched_change"
    version = 2
    level = Level.EVIDENCE
    needs = frozenset({Need.HISTORY, Need.BASELINE, Need.REACH, Need.TRACE})

    def judge(self, case: Case) -> Verdict | None:
        baseline = case.baseline
        if baseline is None or baseline.touching is None:
            return None
        found = baseline.touching
        for other in case.others:
            if not (found.touched or found.doubts or varied(case, [baseline.past])):
                break
            again = other.touching
            if again is not None and not (again.touched or again.doubts):
                baseline, found = other, again
        evidence = _evidence(case, baseline, found)
        if found.touched:
            how = found.touched[0][0]
            confidence = Confidence.FAIR if how in _FAIR else Confidence.STRONG
            return self.say(Label.GENUINE, confidence, _touched(case, found, baseline), evidence)
        if found.doubts:
            first = found.doubts[0]
            if first.kind is DoubtKind.UNSEEN and not found.watched:
                return None  # the imports have to tell
            return self.say(Label.UNDECIDED, Confidence.FAIR, evidence["doubts"][0][1], evidence)
        return self._untouched(case, baseline, found, evidence)

    def _untouched(
        self, case: Case, baseline: Baseline, found: Touching, evidence: dict[str, Any]
    ) -> Verdict:
        since = f"since it last passed ({where(baseline.past)})"
        count = len(baseline.changes.changes)
        if not count:
            reason = f"nothing changed {since}"
        elif count == 1:
            reason = f"did not touch the one change {since}"
        else:
            reason = f"touched none of the {count} changes {since}"
        past = [baseline.past]
        doubt = chance(case, past) or edited(case, past) or varied(case, past)
        if doubt is not None:
            evidence["doubt"] = doubt.slug
            evidence[OPEN] = doubt.slug == SEED
            reason = f"{doubt.reason}, though {reason if not count else f'it {reason}'}"
            return self.say(Label.UNDECIDED, Confidence.FAIR, reason, evidence)
        if found.ran_before:
            reason += ", which ran earlier in its process"
        confidence = Confidence.STRONG if found.certain else Confidence.FAIR
        return self.say(Label.FLAKY, confidence, reason, evidence)


def introduced(case: Case) -> list[Change]:
    """Changes since the last state on which the test was never seen to fail, that it touched."""
    if case.stable is None or case.stable.touching is None:
        return []
    return [change for _, change in case.stable.touching.touched]


def perhaps_introduced(case: Case) -> bool:
    """Whether, where functions are not watched, its imports reach what changed since then.

    It accuses nobody; but a failure of which this is true is not one to leave out.
    """
    stable = case.stable
    if stable is None or (stable.touching is not None and stable.touching.watched):
        return False
    reach = None if case.reach is None else case.reach.files
    return any(reach is None or change.path in reach for change in stable.changes.changes)


def _touched(case: Case, found: Touching, baseline: Baseline) -> str:
    """A sentence on the touched changes."""
    first = found.touched[0][0]
    by_name = {shown(change): change for how, change in found.touched if how is first}
    since = changed(case, list(by_name.values())[:2], baseline.past)
    return f"{first.value} {few(list(by_name))}, {since}"


def _evidence(case: Case, baseline: Baseline, found: Touching) -> dict[str, Any]:
    run = baseline.past.run
    changes = baseline.changes
    return {
        "baseline": run.id,
        "commit": run.commit,
        "state": run.state,
        "considered": len(changes.changes),
        "source": changes.source,
        "touched": [
            [how.value, change.kind.value, change.path, change.unit, change.line, change.how]
            for how, change in found.touched[:12]
        ],
        "more": max(0, len(found.touched) - 12),
        "doubts": list(map(list, doubtful(found.doubts, baseline.past)[:4])),
        "results": len(case.past),
    }
