"""Did this execution touch anything that changed since the test last passed?"""

from __future__ import annotations

from typing import Any

from flakefighters.fighters.chance import chance, edited
from flakefighters.fighters.touching import Touching, touching
from flakefighters.fighters.words import plural, where
from flakefighters.model import Baseline, Case, Change, Confidence, Label, Need, Verdict

__all__ = ["TouchedChange", "introduced"]


class TouchedChange:
    """Genuine if it touched a change, flaky if it cannot have touched any."""

    name = "touched_change"
    version = 1
    needs = frozenset({Need.HISTORY, Need.BASELINE, Need.REACH, Need.TRACE})

    def judge(self, case: Case) -> Verdict | None:
        baseline = case.baseline
        if baseline is None or case.touch is None or not baseline.watched:
            return None
        found = touching(case, baseline)
        for other in case.others:
            if not (found.touched or found.doubts):
                break
            again = touching(case, other)
            if not (again.touched or again.doubts):
                baseline, found = other, again
        evidence = _evidence(case, baseline, found)
        since = where(baseline.past)
        if found.touched:
            return self._say(Label.GENUINE, found.say(baseline), evidence)
        if found.doubts:
            return self._say(Label.UNDECIDED, found.doubts[0], evidence, Confidence.FAIR)
        count = len(baseline.changes.changes)
        if not count:
            reason = f"nothing changed since it last passed ({since})"
        elif count == 1:
            reason = f"did not touch the one change since it last passed ({since})"
        else:
            reason = f"touched none of the {count} changes since it last passed ({since})"
        doubt = chance(case, [baseline.past]) or edited(case, [baseline.past])
        if doubt is not None:
            reason = f"{doubt}, though it {reason}"
            return self._say(Label.UNDECIDED, reason, evidence, Confidence.FAIR)
        return self._say(Label.FLAKY, reason, evidence)

    def _say(
        self,
        label: Label,
        reason: str,
        evidence: dict[str, Any],
        confidence: Confidence = Confidence.STRONG,
    ) -> Verdict:
        return Verdict(
            label=label,
            fighter=self.name,
            version=self.version,
            confidence=confidence,
            reason=reason,
            evidence=evidence,
        )


def introduced(case: Case) -> list[Change]:
    """Changes since the last state on which the test was never seen to fail, that it touched."""
    if case.stable is None or case.touch is None or not case.stable.watched:
        return []
    return [change for _, change in touching(case, case.stable).touched]


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
            [how, change.kind.value, change.path, change.unit, change.line, change.how]
            for how, change in found.touched[:12]
        ],
        "more": max(0, len(found.touched) - 12),
        "doubts": found.doubts[:4],
        "seen": plural(len(case.past), "earlier result"),
    }
