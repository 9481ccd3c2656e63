"""A later pass on the same state proves an earlier failure flaky: the verdict is appended to it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cache
from typing import TYPE_CHECKING

from flakefighters.capture.nodeids import own_file
from flakefighters.environment.variables import changed_variables, that_matter
from flakefighters.fighters.cells import cell_of, machines
from flakefighters.model import (
    JOINT,
    Confidence,
    Label,
    Outcome,
    Use,
    Verdict,
    believed,
)

if TYPE_CHECKING:
    from flakefighters.history import History
    from flakefighters.model import (
        Run,
        RunHead,
    )

__all__ = ["late_proofs"]


def late_proofs(
    run: Run,
    history: History,
    asked: Callable[[], Iterable[str]] | None = None,
    *,
    now: int,
    limit: int = 20,
) -> list[Verdict]:
    """Verdicts to append to earlier runs on the state of ``run``, whose tests passed in it.

    ``asked`` tells which variables of the environment the project asks for: a run in which one of
    them had another value is left as it is.  Without it, any variable may be asked for.

    Nothing is changed: the old verdicts stay beside the new ones.
    """
    head = run.head._replace(trust=history.trust)
    earlier = _comparable(head, history, limit)
    if not earlier:
        return []
    passed = {
        nodeid
        for nodeid, outcome in zip(run.suite, run.outcomes, strict=True)
        if outcome == Outcome.PASSED.value
    }
    passed |= {own_file(nodeid) for nodeid in passed}  # which were collected
    refuted = [
        old
        for old in _newest(history.verdicts(earlier))
        if old.nodeid in passed and not _is_proved_flaky(old) and not _spoilt(old)
    ]
    names = None if asked is None else cache(asked)
    return [
        _proved_flaky(old, head, now)
        for old in refuted
        if _same_draws(old, earlier[old.run], head)
        and not _varied(earlier[old.run], head, names, missing=bool(old.evidence.get("missing")))
    ]


def _comparable(head: RunHead, history: History, limit: int) -> dict[str, RunHead]:
    """Earlier runs of which a pass in this one proves something, by their ids."""
    if head.state is None:
        return {}
    same = [
        one
        for one in history.runs_of_state(head.project, head.state, limit=limit)
        if one.environment == head.environment
    ]
    # The pass of one cell proves nothing of another one's failure.
    cells = any(len(where) > 1 for where in machines([head, *same]).values())
    return {
        one.id: one
        for one in same
        if one.id != head.id
        and (cell_of(one) is None or not (cells or cell_of(one) == cell_of(head)))
        and one.started < head.started
        and believed(head, Use.PROOF, one)
    }


def _proved_flaky(old: Verdict, head: RunHead, now: int) -> Verdict:
    from flakefighters.fighters.sentences import apart

    when = apart(head.started, old.at).replace("just now", "moments later")
    return Verdict(
        label=Label.FLAKY,
        fighter=JOINT,
        version=1,
        confidence=Confidence.PROVED,
        reason=f"passed on the same state in run {head.id[-4:]}, {when}",
        evidence={
            "by": "retry",
            "run": head.id,
            "state": head.state,
            "was": old.label.value,
            "was_at": old.at,
        },
        run=old.run,
        nodeid=old.nodeid,
        attempt=old.attempt,
        index=old.index,
        at=now,
    )


def _is_proved_flaky(verdict: Verdict) -> bool:
    """What is only held to be flaky teaches nothing of other failures; what is proved does."""
    return verdict.label is Label.FLAKY and verdict.confidence is Confidence.PROVED


def _newest(verdicts: Sequence[Verdict]) -> list[Verdict]:
    """The joined verdict that counts of each failure: the last one."""
    found: dict[tuple[str, str, int, int], Verdict] = {}
    for one in sorted(verdicts, key=lambda one: one.at):
        if one.fighter == JOINT:
            found[one.run, one.nodeid, one.attempt, one.index] = one
    return list(found.values())


def _same_draws(verdict: Verdict, old: RunHead, new: RunHead) -> bool:
    """Whether both runs had the same seeds, or the test that failed draws nothing by them."""
    seeds = [one.context.get("seeds") or {} for one in (old, new)]
    return seeds[0] == seeds[1] or verdict.evidence.get("draws") is False


def _varied(
    old: RunHead, new: RunHead, names: Callable[[], Iterable[str]] | None, *, missing: bool
) -> bool:
    """Whether a variable that may matter had another value."""
    if names is None:
        return bool(old.context.get("variables") != new.context.get("variables"))
    return bool(changed_variables(old, new, lambda: that_matter(names(), missing)))


def _spoilt(verdict: Verdict) -> bool:
    """Nothing is learned from it: inputs drawn at random, a world that was broken for all, or files
    that are in no state."""
    evidence = verdict.evidence
    if evidence.get("by") == "systemic" or evidence.get("ignored"):
        return True
    return evidence.get("doubt") in ("edited", "example", "seed")
