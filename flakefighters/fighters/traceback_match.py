"""An earlier failure with the very same message, in the same place, whose label is known."""

from __future__ import annotations

from flakefighters.fighters.lessons import enough, evidence_of, told
from flakefighters.fighters.strategy import Strategy
from flakefighters.measures import tracebacks
from flakefighters.model import Case, Confidence, Level, Need, Verdict
from flakefighters.records import NamedTuple

__all__ = ["Settings", "TracebackMatch"]


class Settings(NamedTuple):
    """What can be set."""

    #: So many earlier failures it takes if none is of the same test.
    others: int = 2


class TracebackMatch(Strategy):
    """Earlier failures with the same key; silent if they were flaky once and genuine once."""

    name = "traceback"
    level = Level.STATISTICS
    needs = frozenset({Need.EXPERIENCE})
    settings_model = Settings

    def __init__(self, settings: Settings | None = None):
        self._settings = settings or Settings()

    def judge(self, case: Case) -> Verdict | None:
        failure, known = case.failure, case.experience
        if known is None or not failure.text or not failure.signature:
            return None
        alike = [one for one in known.lessons if one.signature == failure.signature and one.text]
        if not alike:
            return None
        mine = tracebacks.key(failure.text, failure.signature)
        same = [one for one in alike if tracebacks.key(one.text, one.signature) == mine]
        label = enough(same, case.nodeid, self._settings.others)
        if label is None:
            return None
        return self.say(
            label,
            Confidence.FAIR,
            told(same, case.nodeid, "alike"),
            {**evidence_of(same, case.nodeid), "key": tracebacks.VERSION},
        )
