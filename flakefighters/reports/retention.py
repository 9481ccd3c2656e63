"""What was pruned or purged, for people and for programs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from flakefighters.model.views import Plan, Pruned
from flakefighters.reports.page import Block, Span, line
from flakefighters.reports.transfers import amount
from flakefighters.reports.words import iso, when
from flakefighters.words import count

__all__ = ["prune_page", "prune_record", "purge_page", "purge_record"]


def prune_page(plans: Mapping[str, Plan], done: Pruned, *, dry_run: bool) -> Iterator[Block]:
    """One line per project, by identity."""
    verb = "would prune" if dry_run else "pruned"
    for project, plan in sorted(plans.items()):
        if plan.before is None:
            few = {0: "there is no build", 1: "its only build stays"}
            all_stay = few.get(plan.builds) or f"all {count(plan.builds, 'build')} stay"
            yield line(f"{project}: {all_stay}")
            continue
        yield line(
            f"{project}: {verb} {count(plan.runs, 'run')} that started before "
            f"{when(plan.before)}, {_kept(plan.builds)}"
        )
    details = [f"{amount(done.freed)} given back to the disk"] if done.freed else []
    details += [f"{amount(done.spare)} free in the file for runs to come"] if done.spare else []
    if details and done.runs:
        yield line(Span("; ".join(details), "faint"))


def _kept(builds: int) -> str:
    return f"{count(builds, 'build')} {'stays' if builds == 1 else 'stay'}"


def prune_record(
    history: str, plans: Mapping[str, Plan], done: Pruned, *, dry_run: bool
) -> dict[str, Any]:
    """The same as JSON values."""
    return {
        "history": history,
        "dry_run": dry_run,
        "projects": [
            {
                "project": project,
                "before": iso(plan.before),
                "before_us": plan.before,
                "runs": plan.runs,
                "builds_kept": plan.builds,
            }
            for project, plan in sorted(plans.items())
        ],
        "runs": done.runs,
        "rows": dict(done.rows),
        "freed_bytes": done.freed,
        "spare_bytes": done.spare,
    }


def purge_page(
    kind: str, name: str, runs: int, journals: int, history: str, *, dry_run: bool
) -> Iterator[Block]:
    """``runs`` are those that are gone, or that said something of a signature."""
    verb = "would purge" if dry_run else "purged"
    what = f"{kind} {name}"
    if kind == "signature":
        what += f" from {count(runs, 'run')}"
    elif not runs:
        what += " (which is not there, and will be kept out)"
    yield line(f"{verb} {what} in {history}")
    if journals:
        yield line(f"{verb} it from {count(journals, 'journal')}")


def purge_record(
    kind: str, name: str, runs: int, journals: int, history: str, *, dry_run: bool
) -> dict[str, Any]:
    """The same as JSON values."""
    return {
        "history": history,
        "dry_run": dry_run,
        "kind": kind,
        "id": name,
        "runs": runs,
        "journals": journals,
    }
