"""What is read of a run before it becomes one of ours, and within which bounds."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from flakefighters.errors import FlakefightersError
from flakefighters.model import Outcome, Phase
from flakefighters.records import NamedTuple

__all__ = ["Bounds", "ForeignReportError", "Result", "Told", "moment"]


class ForeignReportError(FlakefightersError):
    """A report of another tool is malformed, too large, or must not be read."""

    slug = "foreign-report"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """How much a report or an archive may hold; beyond that it is refused."""

    file_bytes: int = 64 * 1024 * 1024
    #: Of all members of an archive, unpacked.
    archive_bytes: int = 1024 * 1024 * 1024
    members: int = 20_000
    #: Unpacked to packed bytes of a member that is larger than ``small``.
    ratio: int = 200
    small: int = 1024 * 1024
    files: int = 100_000
    tests: int = 200_000
    depth: int = 32
    attribute: int = 1024 * 1024
    #: Characters of a failure's text that are kept.
    text: int = 256 * 1024
    #: Runs of a database, and seconds to read it.
    runs: int = 100_000
    seconds: float = 300.0


def moment(text: object) -> int | None:
    """µs UTC of a date and time; what has no offset is UTC.  None for what is no time."""
    if not isinstance(text, str):
        return None
    try:
        at = datetime.fromisoformat(text.strip())
        found = round((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() * 1_000_000)
    except (ValueError, OverflowError):
        return None
    return found if 0 < found < 1 << 57 else None


class Told(NamedTuple):
    """One failure as the report tells of it, not redacted yet."""

    exception: str | None
    message: str
    text: str
    #: (path, function), outermost first.
    frames: tuple[tuple[str, str], ...] = ()
    source: str | None = None
    phase: Phase = Phase.CALL


class Result(NamedTuple):
    """One attempt at a test as the report tells of it."""

    nodeid: str
    outcome: Outcome
    microseconds: int = 0
    told: tuple[Told, ...] = ()
    reason: str | None = None
