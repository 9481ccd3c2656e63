"""What people marked: it counts where nothing that was observed decides."""

from __future__ import annotations

from typing import Final

from flakefighters.fighters.strategy import Strategy
from flakefighters.model import Case, Confidence, Label, Level, Need, Verdict
from flakefighters.model.decisions import MARK, Event, targets_of
from flakefighters.words import ago

__all__ = ["Marked"]

_LABELS: Final = {"flaky": Label.FLAKY, "genuine": Label.GENUINE}
_LONGEST: Final = 60


class Marked(Strategy):
    """Somebody marked this test, or failures like this one, as flaky or genuine."""

    name = "marked"
    level = Level.MARK
    needs = frozenset({Need.MARKS})

    def judge(self, case: Case) -> Verdict | None:
        about = targets_of(case.nodeid, case.signature)
        marks = [one for one in case.marks if one.kind == MARK and one.target in about]
        said = {one.state for one in marks}
        if len(said) != 1 or not said <= _LABELS.keys():
            return None  # nobody did, or they disagree, or it is said to be mended
        mark = min(marks, key=lambda one: about.index(one.target))
        what = "fails in a way" if mark.target == about[-1] and case.signature else "is"
        when = ago(mark.at, case.head.started)
        return self.say(
            _LABELS[mark.state],
            Confidence.FAIR,
            f"{what} marked {mark.state} by {_plain(mark)} ({when})",
            {"mark": mark.id, "target": mark.target, "at": mark.at},
        )


def _plain(mark: Event) -> str:
    who = " ".join(mark.by.split()) or "somebody"
    return who if len(who) <= _LONGEST else f"{who[: _LONGEST - 3]}..."
