"""A later pass on the same state proves an earlier failure flaky: the verdict is appended to it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache
from typing import TYPE_CHECKING, Final

from flakefighters.capture.nodeids import own_file
from flakefighters.environment.variables import changed_variables, that_matter
from flakefighters.model import (
    Label,
    Outcome,
    Use,
    Verdict,
    believed,
    standing,
)

if TYPE_CHECKING:
    from flakefighters.history import History
    from flakefighters.model import (
        Run,
        RunHead,
    )

__all__ = ["late_proofs"]

#: No more runs on one state are looked at.
_MOST: Final = 20


def late_proofs(
    run: Run,
    history: History,
    asked: Callable[[], Iterable[str]] | None = None,
    *,
    now: int,
) -> list[Verdict]:
    """Verdicts to append to earlier runs on the state of ``run``, whose tests passed in it.

    ``asked`` tells which variables of the environment the project asks for: a run in which one of
    them had another value is left as it is.  Without it, any variable may be asked for.

    Nothing is changed: the old verdicts stay beside the new ones.
    """
    head = run.head._replace(trust=history.trust)
    earlier = _comparable(head, history)
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
        for old in standing(history.verdicts(earlier)).values()
        if old.nodeid in passed
        and not (old.proved and old.label is Label.FLAKY)
        and not _spoilt(old)
    ]
    names = None if asked is None else cache(asked)
    return [
        _proved_flaky(old, head, now)
        for old in refuted
        if _same_draws(old, earlier[old.run], head)
        and not _varied(earlier[old.run], head, names, missing=bool(old.evidence.get("missing")))
    ]


def _comparable(head: RunHead, history: History) -> dict[str, RunHead]:
    """Earlier runs of which a pass in this one proves something, by their ids."""
    if head.state is None:
        return {}
    same = [
        one
        for one in history.runs_of_state(head.project, head.state, limit=_MOST)
        if one.environment == head.environment and one.id != head.id
    ]
    if not same:
        return {}
    from flakefighters.fighters.cells import cell_of, machines  # most runs are of a new state

    # The pass of one cell proves nothing of another one's failure.
    cells = any(len(where) > 1 for where in machines([head, *same]).values())
    return {
        one.id: one
        for one in same
        if (cell_of(one) is None or not (cells or cell_of(one) == cell_of(head)))
        and one.started < head.started
        and believed(head, Use.PROOF, one)
    }


def _proved_flaky(old: Verdict, head: RunHead, now: int) -> Verdict:
    from flakefighters.fighters.sentences import apart

    when = apart(head.started, old.at).replace("just now", "moments later")
    evidence = {
        "by": "retry",
        "run": head.id,
        "state": head.state,
        "was": old.label.value,
        "was_at": old.at,
    }
    reason = f"passed on the same state in run {head.id[-4:]}, {when}"
    return old.replaced(Label.FLAKY, reason, evidence, now)


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
