"""Judging again what was judged before: by the history of that time, or by all that is known now.

Nothing but the history is asked: no git, no files.  What an execution touched is taken from the
verdicts of the time; what other runs say of the same test is asked anew.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from flakefighters.fighters import builtin, decide
from flakefighters.history import History
from flakefighters.model import (
    JOINT,
    Case,
    Execution,
    Flakefighter,
    Need,
    Outcome,
    Past,
    Recheck,
    Run,
    RunHead,
    Verdict,
)

__all__ = ["recheck"]

#: Flakefighters that ask the run and the history alone: their verdicts are made anew.
_ASKS_HISTORY: Final = frozenset({Need.HISTORY})


class _Stored:
    """Says again what a flakefighter said at the time."""

    needs: frozenset[Need] = frozenset()

    def __init__(self, fighter: Flakefighter, verdict: Verdict | None):
        self.name, self.version = fighter.name, fighter.version
        self._verdict = verdict

    def judge(self, case: Case) -> Verdict | None:
        del case
        return self._verdict


def recheck(
    history: History, run: Run, nodeid: str, verdicts: Sequence[Verdict], *, limit: int = 50
) -> list[Recheck]:
    """Judge the failures of one test in one run again; one result per failure that was judged."""
    head = run.head
    seen = [str(one) for one in run.seen.get("runs", ())]
    known = {one.id: one for one in history.recent(head.project, limit=max(limit, len(seen)) * 4)}
    if head.state is not None:
        same = history.runs_of_state(head.project, head.state, limit=limit)
        known.update((one.id, one) for one in same)
    known.update(history.heads(name for name in seen if name not in known))
    known.pop(head.id, None)
    then = [known[name] for name in seen if name in known]
    # Without them nobody can say what the same history says: any answer would be another one's.
    lost = len(seen) - len(then)
    today = _by_order(list(known.values()), seen)
    past = history.past([nodeid], today)[nodeid]
    here = {one.run.id: one for one in past}
    past_then = tuple(here[one.id] for one in then if one.id in here)
    comparable = _comparable(history, run, today)
    out = []
    for execution in run.executions:
        if execution.nodeid != nodeid:
            continue
        for index in range(len(execution.failures)):
            mine = [
                one
                for one in verdicts
                if (one.nodeid, one.attempt, one.index) == (nodeid, execution.attempt, index)
            ]
            joint = [one for one in mine if one.fighter == JOINT]
            if not joint:
                continue
            first = min(joint, key=lambda one: one.at)
            said = {one.fighter: one for one in mine if one.fighter != JOINT}
            case = _case(run, execution, index, comparable)
            out.append(
                Recheck(
                    before=first,
                    as_then=None if lost else _again(replace(case, past=past_then), said, first),
                    now=_again(replace(case, past=past), said, first),
                    later=tuple(
                        one.run.id
                        for one in sorted(past, key=lambda one: -one.run.started)
                        if one.run.id not in set(seen)
                    ),
                    pruned=lost,
                )
            )
    return out


def _by_order(runs: list[RunHead], seen: Sequence[str]) -> list[RunHead]:
    """The order of evidence of the time, then what came later, newest first."""
    rank = {name: place for place, name in enumerate(seen)}
    far = len(rank)
    return sorted(runs, key=lambda one: (rank.get(one.id, far), -one.started))


def _comparable(history: History, run: Run, runs: Sequence[RunHead]) -> frozenset[str]:
    mine = run.environment
    if mine is None:
        return frozenset()
    ids = {one.environment for one in runs if one.environment is not None}
    return frozenset(
        [mine.id]
        + [
            other.id
            for other in history.environments(ids).values()
            if other.key == mine.key and other.distributions == mine.distributions
        ]
    )


def _case(run: Run, execution: Execution, index: int, comparable: frozenset[str]) -> Case:
    failed = {one.nodeid: one for one in run.executions if one.failures}
    signatures = Counter(
        signature
        for one in failed.values()
        for signature in {failure.signature for failure in one.failures}
    )
    final = dict(zip(run.suite, run.outcomes, strict=True))
    failure = execution.failures[index]
    return Case(
        head=run.head,
        nodeid=execution.nodeid,
        execution=execution,
        failure=failure,
        index=index,
        environment=run.environment,
        attempts=tuple(one for one in run.executions if one.nodeid == execution.nodeid),
        comparable=comparable,
        failing=sum(final.get(nodeid) in ("F", "E") for nodeid in failed),
        executed=sum(outcome != Outcome.NOT_RUN.value for outcome in run.outcomes),
        signature=failure.signature,
        same_signature=signatures[failure.signature],
    )


def _again(case: Case, said: dict[str, Verdict], first: Verdict) -> Verdict:
    fighters: list[Flakefighter] = []
    for fighter in builtin():
        if fighter.needs <= _ASKS_HISTORY:
            fighters.append(fighter)
        else:
            fighters.append(_Stored(fighter, said.get(fighter.name)))
    # What a streak is, only runs before this one can tell; a pass on the state counts whenever.
    joint, _ = decide(case, [_Before(one) if one.name in _STREAKS else one for one in fighters])
    introduced = joint.introduced or (first.introduced and joint.label is first.label)
    return replace(joint, introduced=introduced, run=first.run, nodeid=first.nodeid, at=first.at)


_STREAKS: Final = frozenset({"broken", "persistent"})


class _Before:
    """Shows a flakefighter only what started before the run that is judged."""

    def __init__(self, fighter: Flakefighter):
        self._fighter = fighter
        self.name, self.version, self.needs = fighter.name, fighter.version, fighter.needs

    def judge(self, case: Case) -> Verdict | None:
        past: tuple[Past, ...] = tuple(
            one for one in case.past if one.run.started < case.head.started
        )
        return self._fighter.judge(replace(case, past=past))
