"""What a transfer between two histories did, for people and for programs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from flakefighters.model.views import Conflict
from flakefighters.reports.page import Block, Line, Span, line
from flakefighters.words import count

__all__ = ["amount", "transfer_page", "transfer_record"]

#: How many refused runs are listed one by one.
_LISTED = 20


class Done(Protocol):
    """What a transfer did; :class:`flakefighters.sync.Transfer` is one."""

    runs: int
    replaced: int
    known: int
    verdicts: int
    events: int
    beyond: int
    purged: int
    pruned: int
    rows: int
    bytes: int
    created: bool

    @property
    def kept_back(self) -> Mapping[str, int]: ...
    @property
    def conflicts(self) -> Sequence[Conflict]: ...
    @property
    def refused(self) -> Mapping[str, str]: ...


def amount(size: int) -> str:
    """Bytes for people."""
    if size < 1000:
        return f"{size} B"
    for unit in ("kB", "MB"):
        size /= 1000  # type: ignore[assignment]
        if size < 999.5:
            return f"{size:.1f} {unit}"
    return f"{size / 1000:.1f} GB"


def transfer_page(verb: str, source: str, into: str, done: Done) -> list[Block]:
    """One direction of a transfer."""
    what = [count(done.runs, "run")]
    what += [count(done.verdicts, "verdict")] if done.verdicts else []
    what += [count(done.events, "mark")] if done.events else []
    way = f"from {source} {'to' if verb == 'pushed' else 'into'} {into}"
    page: list[Block] = [line(f"{verb} {', '.join(what)} {way}")]
    said = [
        (done.known, "there already"),
        (done.replaced, "replaced an untrusted copy"),
        (done.beyond, "beyond retention"),
        (done.purged, "purged"),
        (done.pruned, "removed to follow its retention"),
    ]
    said += [(count, f"kept back: {why}") for why, count in sorted(done.kept_back.items())]
    details = [f"{count:,} {words}" for count, words in said if count]
    if done.bytes:
        details.append(f"{count(done.rows, 'row')}, {amount(done.bytes)}")
    if details:
        page.append(line(Span("; ".join(details), "faint")))
    page += [
        line(
            Span("CONFLICT", "bad"),
            f" {clash.run} has other content in {into} "
            f"({clash.ours[:12]} there, {clash.theirs[:12]} from {source}): not overwritten",
        )
        for clash in done.conflicts
    ]
    page += _refused(done.refused)
    return page


def _refused(refused: Mapping[str, str]) -> list[Line]:
    listed = sorted(refused.items())[:_LISTED]
    page = [line(Span("REFUSED", "bad"), f" {name}: {why}") for name, why in listed]
    if len(refused) > len(listed):
        page.append(line(f"and {len(refused) - len(listed):,} more"))
    return page


def transfer_record(verb: str, source: str, into: str, done: Done) -> dict[str, Any]:
    """The same for programs."""
    return {
        "done": verb,
        "from": source,
        "into": into,
        "created": done.created,
        "runs": done.runs,
        "known": done.known,
        "verdicts": done.verdicts,
        "events": done.events,
        "replaced": done.replaced,
        "beyond": done.beyond,
        "purged": done.purged,
        "pruned": done.pruned,
        "kept_back": dict(done.kept_back),
        "rows": done.rows,
        "bytes": done.bytes,
        "conflicts": [
            {"run": clash.run, "ours": clash.ours, "theirs": clash.theirs}
            for clash in done.conflicts
        ],
        "refused": dict(done.refused),
    }
