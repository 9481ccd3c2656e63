"""Which runs of a CI job tell something of each other: the cells of a matrix do not.

Many services give all cells of a matrix one build, one job and one number of the attempt, and no
variable says which cell it is.  So another run of the same three proves nothing, and a run of
another build does only if all cells passed there: whichever this one is, it was among them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from flakefighters.model import Case, Outcome, Past, RunHead

__all__ = ["PASSES", "apart", "cell_of", "machines", "unclear"]

PASSES: Final = frozenset({Outcome.PASSED, Outcome.MIXED, Outcome.XPASSED})
_SILENT: Final = frozenset({Outcome.SKIPPED, Outcome.NOT_RUN, Outcome.UNFINISHED})

Job = tuple[str, str | None, int | None]


def cell_of(head: RunHead) -> Job | None:
    """Build, job and attempt of a run, if that is all that is known of its place in CI."""
    if head.build is None or head.shard is not None:
        return None
    return head.build, head.job, head.attempt


def machines(heads: Iterable[RunHead]) -> dict[Job, set[str]]:
    """On which machines each job ran; one that ran on several has cells."""
    found: dict[Job, set[str]] = defaultdict(set)
    for head in heads:
        if (job := cell_of(head)) is not None:
            found[job].add(str(head.origin.get("host", head.id)))
    return found


def unclear(case: Case) -> frozenset[str]:
    """Ids of the earlier runs that may have passed only because they are another cell's."""
    mine = cell_of(case.head)
    jobs: dict[Job, list[Past]] = defaultdict(list)
    for past in case.past:
        job = cell_of(past.run)
        if job is None or past.run.environment not in case.comparable:
            continue
        if past.run.id != case.head.id and past.outcome not in _SILENT:
            jobs[job].append(past)
    if mine is None or not jobs:
        return frozenset()
    known = machines([case.head, *(past.run for some in jobs.values() for past in some)])
    most = max(map(len, known.values()))
    return frozenset(
        past.run.id
        for job, some in jobs.items()
        if job == mine or len(known[job]) < most or any(past.outcome not in PASSES for past in some)
        for past in some
    )


def apart(case: Case) -> Case:
    """The case without baselines that may be another cell's."""
    others = unclear(case)
    if not others:
        return case
    there = [
        one
        for one in (case.baseline, *case.others)
        if one is not None and one.past.run.id not in others
    ]
    stable = case.stable
    if stable is not None and stable.past.run.id in others:
        stable = None
    return replace(
        case, baseline=there[0] if there else None, others=tuple(there[1:]), stable=stable
    )
