"""Flakefighters of other packages: whatever they do, the session goes on.

One that raises, answers with something that is no verdict, or takes longer than its budget is
reported once, and not asked again.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Final

from flakefighters.model import Case, Confidence, Label, Level, Need, Verdict
from flakefighters.originals import real

__all__ = ["BUDGET", "Guarded", "refusal"]

#: Seconds of one session for one flakefighter.
BUDGET: Final = 2.0
_LONGEST: Final = 300
_EVIDENCE: Final = 2048


def refusal(make: Any, name: str) -> str | None:
    """Why a class is no flakefighter; None if it is one."""
    if not callable(getattr(make, "judge", None)):
        return "it has no method judge()"
    if getattr(make, "name", name) != name:
        return f"its entry point has another name than the class ({make.name!r})"
    if type(getattr(make, "version", None)) is not int:
        return "its version must be a whole number"
    needs = getattr(make, "needs", None)
    if not isinstance(needs, (set, frozenset)) or not all(isinstance(one, Need) for one in needs):
        return "its needs must be a set of flakefighters.Need"
    return None


class Guarded:
    """A flakefighter of another package; its word is that of statistics."""

    level = Level.STATISTICS

    def __init__(
        self,
        fighter: Any,
        name: str,
        origin: str,
        note: Callable[[str], None],
        seconds: float = BUDGET,
    ):
        self.name, self.version, self.needs = name, int(fighter.version), frozenset(fighter.needs)
        self._fighter, self._origin, self._note = fighter, origin, note
        self._left = seconds
        self._out = False

    def judge(self, case: Case) -> Verdict | None:
        """What it says; None as well if it is left out."""
        if self._out:
            return None
        answer: list[Any] = []
        failed: list[BaseException] = []

        def ask() -> None:
            try:
                answer.append(self._fighter.judge(case))
            except BaseException as error:  # another package's code: SystemExit as well
                failed.append(error)

        begun = real.monotonic()
        # A thread that nobody waits for: it may never end.
        thread = real.Thread(target=ask, daemon=True, name=f"flakefighters-{self.name}")
        thread.start()
        thread.join(max(0.0, self._left))
        self._left -= real.monotonic() - begun
        wrong: str | None = "it took too long"
        if failed:
            wrong = f"it raised {type(failed[0]).__name__}: {failed[0]}"
        elif answer:
            wrong = None if answer[0] is None else _nonsense(answer[0])
        if wrong is not None:
            self._leave_out(wrong)
            return None
        return None if answer[0] is None else self._plain(answer[0])

    def _leave_out(self, why: str) -> None:
        self._out = True
        why = " ".join(why.split())[:200]
        self._note(f"flakefighter {self.name} of {self._origin} is left out: {why}")

    def _plain(self, verdict: Verdict) -> Verdict:
        fair = verdict.confidence in (Confidence.PROVED, Confidence.STRONG)
        return Verdict(
            label=verdict.label,
            fighter=self.name,
            version=self.version,
            confidence=Confidence.FAIR if fair else verdict.confidence,
            reason=verdict.reason.strip(),
            evidence=json.loads(json.dumps(dict(verdict.evidence))),
        )


def _nonsense(answer: Any) -> str | None:
    """Why an answer is no verdict; None if it is one."""
    if not isinstance(answer, Verdict):
        return f"judge() gave {type(answer).__name__} instead of a verdict or None"
    if not isinstance(answer.label, Label) or not isinstance(answer.confidence, Confidence):
        return "its verdict has no label or no confidence"
    reason = answer.reason
    if not isinstance(reason, str) or not reason.strip():
        return "its verdict has no reason"
    if "\n" in reason.strip() or len(reason) > _LONGEST:
        return f"its reason is not one line of at most {_LONGEST} characters"
    try:
        size = len(json.dumps(dict(answer.evidence), allow_nan=False))
    except (TypeError, ValueError, RecursionError):
        return "its evidence is not JSON"
    return None if size <= _EVIDENCE else f"its evidence is larger than {_EVIDENCE:,} bytes"
