"""The pages of ``flakefighters check``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from flakefighters.model.views import Check
from flakefighters.reports.page import Block, Span, Tone, line

__all__ = ["check_lines", "check_record", "check_sum"]

_WORDS: dict[str, tuple[str, Tone]] = {
    "ok": ("ok", "good"),
    "skipped": ("skipped", "faint"),
    "failed": ("FAILED", "bad"),
}
_INDENT = " " * 19


def check_lines(check: Check) -> Iterator[Block]:
    """One finding, and what to do about it."""
    word, tone = _WORDS[check.status]
    tail: Tone = "faint" if check.status == "skipped" else ""
    yield line(Span(f"{word:<8}", tone), Span(f"{check.step:<11}"), Span(check.message, tail))
    if check.remedy is not None:
        label = "what to do: " if check.status == "failed" else "better: "
        yield line(_INDENT, Span(label, "strong"), check.remedy)
    for one in check.paste:
        yield line(f"    {one}")


def check_sum(checks: Sequence[Check]) -> Iterator[Block]:
    """The last line: how many of each."""
    numbers = dict.fromkeys(_WORDS, 0)
    for check in checks:
        numbers[check.status] += 1
    said = [f"{number} {_WORDS[status][0]}" for status, number in numbers.items() if number]
    yield line(Span(", ".join(said), "bad" if numbers["failed"] else "good"))


def check_record(
    profile: str | None, reason: str | None, display: str | None, checks: Sequence[Check]
) -> dict[str, Any]:
    """The same as JSON values."""
    return {
        "profile": profile,
        "reason": reason,
        "database": display,
        "ok": all(check.status != "failed" for check in checks),
        "checks": [
            {
                "step": check.step,
                "status": check.status,
                "message": check.message,
                "remedy": check.remedy,
                **({"paste": list(check.paste)} if check.paste else {}),
            }
            for check in checks
        ],
    }
