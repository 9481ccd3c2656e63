"""Judging again what was judged before: by the history of that time, or by all that is known now.

Nothing but the history is asked: no git, no files.  What an execution touched is taken from the
verdicts of the time; what other runs say of the same test is asked anew.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from flakefighters.environment.variables import changed_variables, misses, that_matter
from flakefighters.fighters import builtin
from flakefighters.fighters.rule import STATISTICS, decide
from flakefighters.history import History, Reader
from flakefighters.judging.cases import Cases
from flakefighters.model import (
    JOINT,
    Case,
    Flakefighter,
    Level,
    Need,
    Past,
    Recheck,
    Run,
    RunHead,
    Verdict,
)

__all__ = ["Hindsight", "Judged", "recheck"]

#: Experiments that make verdicts.
_OBSERVED: Final = frozenset({"trial", "bisect"})
#: Flakefighters that ask the run and the history alone: their verdicts are made anew.
_ASKS_HISTORY: Final = frozenset({Need.HISTORY})


def recheck(
    history: History, run: Run, nodeid: str, verdicts: Sequence[Verdict], *, limit: int = 50
) -> list[Recheck]:
    """Judge the failures of one test in one run again; one result per failure that was judged."""
    hindsight = Hindsight(history, run, [nodeid], verdicts, limit=limit)
    return [
        Recheck(
            before=judged.first,
            as_then=None if hindsight.lost else hindsight.judge(judged, hindsight.then(nodeid)),
            # What was observed stays, whatever is read today.
            now=judged.last
            if judged.last.evidence.get("by") in _OBSERVED
            else hindsight.judge(judged, hindsight.past[nodeid]),
            later=hindsight.later(nodeid),
            pruned=hindsight.lost,
        )
        for judged in hindsight.judged(nodeid)
    ]


@dataclass(frozen=True, slots=True)
class Judged:
    """One failure, and what was said of it."""

    case: Case
    #: The joined verdict of the time, and the last one: they differ where a later run amended it.
    first: Verdict
    last: Verdict
    #: What each flakefighter said.
    said: Mapping[str, Verdict]


class Hindsight:
    """One run whose failures are to be judged again, and what is known of their tests today."""

    def __init__(
        self,
        history: History,
        run: Run,
        nodeids: Sequence[str],
        verdicts: Sequence[Verdict],
        *,
        limit: int = 50,
    ):
        head = run.head
        seen = [str(one) for one in run.seen.get("runs", ())]
        reader = Reader(judged=head)
        recent = history.believable(reader, builds=max(limit, len(seen)) * 4)
        known = {one.id: one for one in recent}
        if head.state is not None:
            same = history.runs_of_state(head.project, head.state, limit=limit, reader=reader)
            known.update((one.id, one) for one in same)
        known.update(history.heads(name for name in seen if name not in known))
        known.pop(head.id, None)
        #: Runs that were seen at the time and are gone.  Without them it is not known what the same
        #: history says: any answer would be another one's.
        self.lost = sum(name not in known for name in seen)
        #: Results of each test by all that is known today, best evidence first.
        self.past = history.past(nodeids, _by_order(head, list(known.values()), seen))
        merged = frozenset(map(str, run.seen.get("merged", ())))
        self._asked = tuple(map(str, run.seen.get("asked", ())))
        self._seen = {name: place for place, name in enumerate(seen)}
        self._run = run
        self._verdicts = verdicts
        places = {one.environment for one in known.values() if one.environment is not None}
        self._cases = Cases(run, history.environments(places).values(), merged)
        self._attempts = run.by_test

    def then(self, nodeid: str) -> tuple[Past, ...]:
        """What was seen of a test at the time, in the order of that time."""
        known = [one for one in self.past[nodeid] if one.run.id in self._seen]
        return tuple(sorted(known, key=lambda one: self._seen[one.run.id]))

    def later(self, nodeid: str) -> tuple[str, ...]:
        """Ids of the runs with results of a test that were not seen then, newest first."""
        unseen = [one.run for one in self.past[nodeid] if one.run.id not in self._seen]
        return tuple(one.id for one in sorted(unseen, key=lambda one: -one.started))

    def judged(self, nodeid: str) -> Iterator[Judged]:
        """The failures of a test that a verdict was given on."""
        for execution in self._attempts.get(nodeid, ()):
            for index in range(len(execution.failures)):
                mine = [
                    one for one in self._verdicts if one.place == (nodeid, execution.attempt, index)
                ]
                joint = sorted(
                    (one for one in mine if one.fighter == JOINT), key=lambda one: one.at
                )
                if joint:
                    said = {one.fighter: one for one in mine if one.fighter != JOINT}
                    yield Judged(self._cases.of(execution, index), joint[0], joint[-1], said)

    def judge(self, judged: Judged, past: Sequence[Past]) -> Verdict:
        """The verdict on a failure by these earlier and later results of its test."""
        fighters: list[Flakefighter] = []
        for fighter in builtin():
            if not fighter.needs <= _ASKS_HISTORY:
                fighters.append(_Stored(fighter.name, fighter.level, judged.said.get(fighter.name)))
            elif fighter.name in _STREAKS:
                # What a streak is, only runs before this one can tell.
                fighters.append(_Before(fighter))
            else:
                fighters.append(fighter)
        asked = {one.name for one in fighters}
        # Those that are not here any more, or were never ours.
        fighters += [
            _Stored(name, Level.STATISTICS, one)
            for name, one in judged.said.items()
            if name not in asked
        ]
        first = judged.first
        head = self._run.head
        names = that_matter(self._asked, misses(judged.case.failure))
        others = {one.run.id: changed_variables(one.run, head, lambda: names) for one in past}
        draws = judged.first.evidence.get("draws") is not False
        case = replace(judged.case, past=tuple(past), varied=others, draws=draws)
        statistics = str(first.evidence.get("statistics", STATISTICS[0]))
        joint, _ = decide(case, fighters, statistics)
        introduced = joint.introduced or (first.introduced and joint.label is first.label)
        return joint._replace(
            introduced=introduced,
            run=first.run,
            nodeid=first.nodeid,
            attempt=first.attempt,
            index=first.index,
            at=first.at,
        )


def _by_order(head: RunHead, runs: list[RunHead], seen: Sequence[str]) -> list[RunHead]:
    """Best evidence first: commits, in the order in which they were seen, then start.

    Which commit is whose ancestor was known at the time and is told by the order of what was seen:
    a run that came late stands with those on its commit.  The judged run's own commit is nearest.
    """
    place = {name: number for number, name in enumerate(seen)}
    commits = {head.commit: -1}
    for one in sorted(runs, key=lambda one: place.get(one.id, len(place))):
        if one.id in place:
            commits.setdefault(one.commit, place[one.id])
    commits.pop(None, None)
    far = len(place)

    def rank(one: RunHead) -> tuple[int, int, int]:
        own = place.get(one.id, far)
        return (commits.get(one.commit, own), own, -one.started)

    return sorted(runs, key=rank)


class _Stored:
    """Says again what a flakefighter said at the time."""

    needs: frozenset[Need] = frozenset()

    def __init__(self, name: str, level: Level, verdict: Verdict | None):
        self.name, self.level, self.version = name, level, 0
        self._verdict = verdict

    def judge(self, case: Case) -> Verdict | None:
        del case
        return self._verdict


_STREAKS: Final = frozenset({"broken", "persistent"})


class _Before:
    """Shows a flakefighter only what started before the run that is judged."""

    def __init__(self, fighter: Flakefighter):
        self._fighter = fighter
        self.name, self.version = fighter.name, fighter.version
        self.level, self.needs = fighter.level, fighter.needs

    def judge(self, case: Case) -> Verdict | None:
        past = tuple(one for one in case.past if one.run.started < case.head.started)
        return self._fighter.judge(replace(case, past=past))
