"""A failure judged again: what was said, what the same history says, what today's says."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from flakefighters.model import Recheck, Verdict
from flakefighters.reports.page import Block, Line, Span, line
from flakefighters.words import count

__all__ = ["recheck_page", "recheck_record", "today_page"]


def recheck_page(run: str, nodeid: str, results: Sequence[Recheck]) -> Iterator[Block]:
    """Lines for a terminal; ``run`` as it is shown to people."""
    yield line(Span(nodeid, "strong"), f" in run {run}")
    for result in results:
        yield Line()
        yield line("judged        ", _said(result.before))
        if result.as_then is None:
            lost = f"not reproducible: {count(result.pruned, 'run')} pruned"
            yield line("as of then    ", lost)
        else:
            yield line("as of then    ", _said(result.as_then))
        yield line("as of today   ", _said(result.now))
        if result.differs:
            names = ", ".join(name[-4:] for name in result.later[:10]) or "none"
            if len(result.later) > 10:
                names += f" and {len(result.later) - 10} more"
            yield line(f"the verdict would differ now; runs that were not known then: {names}")
        elif result.later and not result.pruned:
            yield line(f"{count(len(result.later), 'later run')} would not change the verdict")
    if not results:
        yield line("nothing was judged there")


def today_page(run: str, results: Sequence[Recheck]) -> Iterator[Block]:
    """Lines for under an explanation, only if all that is known today says something else."""
    changed = [result for result in results if result.differs]
    for result in changed:
        yield Line()
        yield line(Span("as of today  ", "faint"), _said(result.now))
    if changed:
        yield line(f"the verdict in run {run} would differ now: --recheck says by which runs")


def _said(verdict: Verdict) -> str:
    return f"{verdict.label.value.upper()} - {verdict.reason} [{verdict.confidence.value}]"


def recheck_record(run: str, nodeid: str, results: Sequence[Recheck]) -> dict[str, Any]:
    """The same as JSON values; ``run`` is the full id."""
    return {
        "run": run,
        "nodeid": nodeid,
        "rechecks": [
            {
                "before": _plain(result.before),
                "as_then": None if result.as_then is None else _plain(result.as_then),
                "now": _plain(result.now),
                "differs": result.differs,
                "later_runs": list(result.later),
                "pruned_runs": result.pruned,
            }
            for result in results
        ],
    }


def _plain(verdict: Verdict) -> dict[str, Any]:
    return {
        "label": verdict.label.value,
        "confidence": verdict.confidence.value,
        "reason": verdict.reason,
        "introduced": verdict.introduced,
    }
