"""Verdicts that would be other ones now: what runs that arrived late change."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from flakefighters.model import Revision
from flakefighters.reports.words import short_ids
from flakefighters.words import count

__all__ = ["revision_lines", "revision_records"]

#: How many verdicts, and how many runs of each, are named.
_LISTED = 5
_NAMED = 5


def revision_lines(revisions: Sequence[Revision], left: int) -> Iterator[str]:
    """Lines for people; ``left`` is the number of runs that there was no time for."""
    if revisions:
        yield f"{count(len(revisions), 'verdict')} would differ now, by runs that came later:"
        short = short_ids(name for one in revisions[:_LISTED] for name in (one.before.run, *one.by))
        for one in revisions[:_LISTED]:
            names = ", ".join(short[name] for name in one.by[:_NAMED])
            more = len(one.by) - _NAMED
            names += f" and {more} more" if more > 0 else ""
            which = "run" if len(one.by) == 1 else "runs"
            yield (
                f"  {one.before.nodeid} in run {short[one.before.run]}: {one.before.label.value} "
                f"-> {one.now.label.value} (by {which} {names})"
            )
        if len(revisions) > _LISTED:
            yield f"  and {len(revisions) - _LISTED} more"
        yield "see flakefighters explain NODEID --run RUN --recheck"
    if left:
        yield f"no time was left to judge the failures of {count(left, 'older run')} again"


def revision_records(revisions: Sequence[Revision]) -> list[dict[str, Any]]:
    """The same as JSON values, with whole ids."""
    return [
        {
            "run": one.before.run,
            "nodeid": one.before.nodeid,
            "attempt": one.before.attempt,
            "failure": one.before.index,
            "before": one.before.label.value,
            "now": one.now.label.value,
            "reason": one.now.reason,
            "by_runs": list(one.by),
        }
        for one in revisions
    ]
