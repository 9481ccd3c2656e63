"""Recent verdicts that runs which arrived late would change, and by which runs."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import field
from typing import Final

from flakefighters.errors import NotFoundError
from flakefighters.history import History
from flakefighters.judging.recheck import Hindsight, Judged
from flakefighters.model import JOINT, Past, Revision, RunHead, Verdict
from flakefighters.originals import real
from flakefighters.records import record

__all__ = ["Revisions", "find_revisions"]

#: How many recent runs with verdicts are looked at, and among how many of the newest.
RUNS: Final = 20
_AMONG: Final = 200
#: No more of the runs that arrived are tried one by one for a verdict.
_TRIED: Final = 20


@record
class Revisions:
    """Recent verdicts that would be other ones now, and how many runs were not looked at."""

    #: Those of the newest runs first.
    revisions: list[Revision] = field(default_factory=list)
    #: Runs with verdicts that there was no time to look at.
    left: int = 0


def find_revisions(
    history: History, arrived: Collection[str], *, runs: int = RUNS, seconds: float = 2.0
) -> Revisions:
    """Judge again what the runs in ``arrived`` may tell more of, for at most about ``seconds``.

    Only the newest ``runs`` with verdicts of each project are looked at, and of those only the ones
    that did not see a run which speaks of their state or started before them.  Nothing is stored.
    """
    found = Revisions()
    if not arrived:
        return found
    end = real.monotonic() + seconds
    came = history.heads(arrived)
    for project in sorted({head.project for head in came.values()}):
        mine = [head for head in came.values() if head.project == project]
        for head, verdicts in _judged(history, project, mine)[:runs]:
            if real.monotonic() >= end:
                found.left += 1
            else:
                found.revisions += _revisions(history, head, mine, verdicts)
    return found


def _judged(
    history: History, project: str, came: Sequence[RunHead]
) -> list[tuple[RunHead, list[Verdict]]]:
    """Recent runs with verdicts, of which those that ``came`` may tell, newest first."""
    oldest = min(head.started for head in came)
    states = {head.state for head in came}
    recent = [
        head
        for head in history.recent(project, limit=_AMONG)
        if head.started > oldest or head.state in states
    ]
    verdicts: dict[str, list[Verdict]] = {}
    for verdict in history.verdicts([head.id for head in recent]):
        verdicts.setdefault(verdict.run, []).append(verdict)
    return [(head, verdicts[head.id]) for head in recent if head.id in verdicts]


def _revisions(
    history: History, head: RunHead, came: Sequence[RunHead], verdicts: Sequence[Verdict]
) -> Iterator[Revision]:
    fresh = {one.id for one in came if _tells_of(one, head)}
    if not fresh:
        return
    try:
        run = history.load(head.id)
    except NotFoundError:
        return  # it cannot be read
    fresh.difference_update(map(str, run.seen.get("runs", ())))
    if not fresh:
        return
    nodeids = list(dict.fromkeys(one.nodeid for one in verdicts if one.fighter == JOINT))
    hindsight = Hindsight(history, run, nodeids, verdicts)
    if hindsight.lost:
        return  # who knows what those said that are gone
    for nodeid in nodeids:
        if any(one.run.id in fresh for one in hindsight.past[nodeid]):
            for judged in hindsight.judged(nodeid):
                yield from _revised(hindsight, judged, fresh)


def _tells_of(one: RunHead, head: RunHead) -> bool:
    """Whether a run started before another one, or is of its state."""
    same_state = one.state is not None and one.state == head.state
    return one.id != head.id and (one.started < head.started or same_state)


def _revised(hindsight: Hindsight, judged: Judged, fresh: Collection[str]) -> Iterator[Revision]:
    """The revision of one failure, if it comes from the runs that arrived."""
    past = hindsight.past[judged.first.nodeid]
    now = hindsight.judge(judged, past)

    def without(gone: Collection[str]) -> bool:
        """Whether the same would be said if these runs were not known."""
        known: list[Past] = [one for one in past if one.run.id not in gone]
        return hindsight.judge(judged, known).label is now.label

    # Of what could have been said before they came, people were told then.
    if now.label is judged.last.label or without(fresh):
        return
    later = [one for one in hindsight.later(now.nodeid) if one in fresh]
    alone = [one for one in later[:_TRIED] if without(set(fresh) - {one})]
    yield Revision(before=judged.last, now=now, by=tuple(alone or later))
