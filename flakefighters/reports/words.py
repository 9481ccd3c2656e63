"""How times, counts and ids are written for people and for programs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from flakefighters import words

if TYPE_CHECKING:
    from flakefighters.model import RunHead

__all__ = [
    "ago",
    "briefly",
    "counts",
    "iso",
    "percent",
    "rate",
    "revision",
    "short_ids",
    "took",
    "when",
]

_SECOND = 1_000_000
_BRIEF = {"second": "s", "minute": "min", "hour": "h", "day": "d"}
_FORTNIGHT = 14 * 86_400 * _SECOND


def iso(at: int | None) -> str | None:
    """ISO 8601 in UTC with microseconds, from µs since the epoch; None stays None."""
    if at is None:
        return None
    try:
        time = datetime.fromtimestamp(at // _SECOND, UTC).replace(microsecond=at % _SECOND)
    except (OverflowError, OSError, ValueError):  # a foreign history may claim any year
        return None
    return time.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def when(at: int | None) -> str:
    """Date and time in UTC to the second, "unknown" if it is not a time."""
    text = iso(at)
    return "unknown" if text is None else f"{text[:10]} {text[11:19]} UTC"


def ago(at: int, now: int) -> str:
    """How long before ``now`` (both µs UTC); a date when that is more than two weeks."""
    if at > now:
        return when(at)
    return words.ago(at, now) if now - at < _FORTNIGHT else when(at).partition(" ")[0]


def briefly(ago_: str) -> str:
    """What :func:`ago` said, in fewer cells: "5 min ago", "2 d ago"."""
    number, _, rest = ago_.partition(" ")
    unit, _, end = rest.partition(" ")
    short = _BRIEF.get(unit.removesuffix("s"))
    return ago_ if short is None or end != "ago" else f"{number} {short} ago"


def took(duration: int | None) -> str:
    """A duration in µs as people say it: "80 ms", "3.2 s", "4 min 10 s"; empty if not known."""
    if duration is None or duration < 0:
        return ""
    if duration < _SECOND:
        return f"{duration // 1000} ms"
    if duration < 60 * _SECOND:
        return f"{duration / _SECOND:.1f} s"
    minutes, seconds = divmod(duration // _SECOND, 60)
    if minutes < 60:
        return f"{minutes} min {seconds} s"
    return f"{minutes // 60} h {minutes % 60} min"


def counts(numbers: Mapping[str, int]) -> str:
    """Words with their numbers, in the order given, without those of 0."""
    return ", ".join(f"{number} {word}" for word, number in numbers.items() if number)


def percent(part: int, whole: int) -> str:
    """A share in whole percent, which is 0 or 100 only if it is so exactly; empty of nothing."""
    if not whole:
        return ""
    share = 100 * part / whole
    if 0 < share < 1:
        return "<1%"
    return f"{min(round(share), 99) if part < whole else 100}%"


def rate(probability: float) -> str:
    """A probability in whole percent, which is 0 only if it is next to nothing."""
    return "<1%" if 0.0005 <= probability < 0.01 else f"{probability:.0%}"


def short_ids(ids: Iterable[str], digits: int = 4) -> dict[str, str]:
    """Each id's shortest tail, of ``digits`` or more, that no other id of these ends with."""
    known = set(ids)
    tails = {one: one[-digits:] for one in known}
    while len(set(tails.values())) < len(known) and digits < 64:
        digits += 1
        taken: dict[str, list[str]] = {}
        for one, tail in tails.items():
            taken.setdefault(tail, []).append(one)
        for same in taken.values():
            if len(same) > 1:
                tails.update({one: one[-digits:] for one in same})
    return tails


def revision(head: RunHead) -> str:
    """The commit's first seven digits, with a + if there were uncommitted changes."""
    if head.commit is None:
        return ""
    return head.commit[:7] + ("+" if head.dirty else "")
