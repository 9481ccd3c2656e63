"""Which runs of a CI job tell something of each other: the cells of a matrix do not.

Many services give all cells of a matrix one build, one job and one number of the attempt, and no
variable says which cell it is.  So another run of the same three proves nothing, and a run of
another build does only if all cells passed there: whichever this one is, it was among them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from typing import TYPE_CHECKING, Final

from flakefighters.model import Outcome

if TYPE_CHECKING:
    from flakefighters.model import Past, RunHead

__all__ = ["PASSES", "cell_of", "machines", "unclear"]

PASSES: Final = frozenset({Outcome.PASSED, Outcome.MIXED, Outcome.XPASSED})
_SILENT: Final = frozenset({Outcome.SKIPPED, Outcome.NOT_RUN, Outcome.UNFINISHED})

Job = tuple[str, str | None, int | None]


def cell_of(head: RunHead) -> Job | None:
    """Build, job and attempt of a run, if that is all that is known of its place in CI.

    Where a service does not tell the build, all runs on a commit may be of one.
    """
    build = head.build or (head.commit if "ci" in head.origin else None)
    if build is None or head.shard is not None:
        return None
    return build, head.job, head.attempt


def machines(heads: Iterable[RunHead]) -> dict[Job, set[str]]:
    """On which machines each job ran; one that ran on several has cells."""
    found: dict[Job, set[str]] = defaultdict(set)
    for head in heads:
        if (job := cell_of(head)) is not None:
            found[job].add(str(head.origin.get("host", head.id)))
    return found


def unclear(head: RunHead, past: Sequence[Past], comparable: Collection[str]) -> frozenset[str]:
    """Ids of the earlier runs that may have passed only because they are another cell's.

    ``comparable`` are ids of the environments that are like that of ``head``.
    """
    mine = cell_of(head)
    if mine is None:
        return frozenset()
    jobs = _by_job(one for one in past if one.run.environment in comparable)
    ran_on = machines([head, *(one.run for some in jobs.values() for one in some)])
    most = max(map(len, ran_on.values()))
    known = {job for job in jobs if job != mine and len(ran_on[job]) == most}
    return frozenset(
        one.run.id
        for job, some in jobs.items()
        if job not in known or not PASSES.issuperset(one.outcome for one in some)
        for one in some
        if one.run.id != head.id
    )


def _by_job(past: Iterable[Past]) -> dict[Job, list[Past]]:
    """The results that say something, of runs of which no more than their job is known."""
    jobs: dict[Job, list[Past]] = defaultdict(list)
    for one in past:
        job = cell_of(one.run)
        if job is not None and one.outcome not in _SILENT:
            jobs[job].append(one)
    return jobs
