"""What people decided, as lines for a terminal, tables and records."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from flakefighters.model.decisions import MARK, NO_MARK, OFF, QUARANTINE, Event, expired
from flakefighters.reports.page import Block, Column, Line, Span, Table, line
from flakefighters.reports.words import ago, iso

__all__ = ["day", "decision_text", "decisions_page", "event_record", "quarantine_table"]


def decision_text(event: Event, now: int) -> str:
    """One decision in one line, without a full stop; ``now`` in µs UTC."""
    reason = f": {event.text('reason')}" if event.text("reason") else ""
    if event.state == NO_MARK:
        return f"mark taken back by {event.by}, {ago(event.at, now)}{reason}"
    if event.kind == MARK:
        return f"marked {event.state} by {event.by}, {ago(event.at, now)}{reason}"
    until = event.text("until")
    if expired(event, day(now)):
        return f"the quarantine by {event.by} expired after {until}{reason}"
    if event.state == OFF:
        return f"taken out of quarantine by {event.by}, {ago(event.at, now)}{reason}"
    owner = f", owner {event.text('owner')}" if event.text("owner") else ""
    issue = f" ({event.text('issue')})" if event.text("issue") else ""
    end = f"until {until}" if until else "without an end"
    return f"quarantined {end} by {event.by}{owner}{reason}{issue}"


def day(now: int) -> str:
    """The date of a time, in UTC."""
    return str(iso(now))[:10]


def decisions_page(events: Sequence[Event], now: int) -> Iterator[Block]:
    """What people decided on one test."""
    if events:
        yield Line()
    for one in events:
        yield line(Span(decision_text(one, now), "strong"))


def quarantine_table(rows: Sequence[tuple[Event, int, bool]], now: int) -> Table:
    """Tests in quarantine: the event, how often each passed since, and whether to release it."""
    return Table(
        (
            Column("TEST", least=24),
            Column("UNTIL"),
            Column("PASSED", right=True, leave=2),
            Column("OWNER", least=8, leave=3),
            Column("BY", least=8, leave=4),
            Column("REASON", least=14),
        ),
        tuple(_row(*row, now) for row in rows),
        narrow="wrap",
    )


def _row(event: Event, passed: int, release: bool, now: int) -> tuple[Span, ...]:
    until = event.text("until")
    over = expired(event, day(now))
    said = " ".join(part for part in (event.text("reason"), event.text("issue")) if part)
    return (
        Span(event.target, "strong"),
        Span(f"expired {until}", "bad") if over else Span(until),
        Span(f"{passed}, release it" if release else str(passed), "good" if release else ""),
        Span(event.text("owner")),
        Span(event.by),
        Span(said, "faint"),
    )


def event_record(event: Event, now: int, **more: object) -> dict[str, Any]:
    """One decision for programs."""
    value: Mapping[str, Any] = event.value
    quarantine = event.kind == QUARANTINE
    return {
        "id": event.id,
        "kind": event.kind,
        "target": event.target,
        "state": event.state,
        "reason": value.get("reason"),
        **({name: value.get(name) for name in ("until", "issue", "owner")} if quarantine else {}),
        **({"expired": expired(event, day(now))} if quarantine else {}),
        "by": event.by,
        "at": iso(event.at),
        "at_us": event.at,
        **more,
    }
