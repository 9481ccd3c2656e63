"""What a project's earlier failures and the other tests of a run teach about a failure."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from flakefighters.model.verdicts import Label
from flakefighters.records import NamedTuple

__all__ = ["Coverage", "Experience", "Lesson", "Met", "Pass"]


class Met(NamedTuple):
    """One recorded failure: where and when it was met."""

    run: str
    #: When that run started, and what it ran on.
    started: int
    state: str | None
    environment_key: str | None
    nodeid: str
    attempt: int
    index: int  # type: ignore[assignment]  # of the failure within its execution
    exception: str | None
    signature: str
    #: Id of its text.
    text: str = ""

    @property
    def key(self) -> tuple[str, str, int, int]:
        """What verdicts name it by."""
        return (self.run, self.nodeid, self.attempt, self.index)


class Pass(NamedTuple):
    """One recorded pass of a test."""

    run: str
    started: int
    state: str | None
    environment_key: str | None


class Lesson(NamedTuple):
    """An earlier failure whose label is known, and not only supposed."""

    run: str
    #: When that run started.
    started: int
    nodeid: str
    #: FLAKY or GENUINE.
    label: Label
    #: How it is known: "proof" (a rerun, a later pass on the same state, a trial), "fix" (it went
    #: away for good with a change) or "mark" (somebody said so).
    how: str
    exception: str | None
    signature: str
    #: The stored text of the failure; empty where it was not asked for.
    text: str = ""
    #: In how many runs it was met so; ``run`` is the newest.
    runs: int = 1


class Experience(NamedTuple):
    """The lessons that a failure may be compared with, newest first.

    They are of tests that failed in the run which is judged, and of failures whose signature
    shares a line with one of its own.
    """

    lessons: tuple[Lesson, ...] = ()
    #: Whether there are more than were read.
    cut: bool = False


class Coverage(NamedTuple):
    """What each test of a run ran."""

    #: Node id to a set of bits: bit n is set if the test ran the n-th unit.
    ran: Mapping[str, int] = MappingProxyType({})
    #: What the bits stand for: files of the project, relative to the base.
    units: tuple[str, ...] = ()
    #: Tests that failed in this run.
    failed: frozenset[str] = frozenset()
    #: Why it may be incomplete; None if it is not.
    unknown: str | None = None

    def to_json(self) -> dict[str, Any]:
        """JSON values that :meth:`from_json` reads."""
        return {
            "ran": {nodeid: f"{bits:x}" for nodeid, bits in self.ran.items()},
            "units": list(self.units),
            "failed": sorted(self.failed),
            "unknown": self.unknown,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Coverage:
        """The inverse of :meth:`to_json`; ValueError, KeyError or TypeError for anything else."""
        return cls(
            ran={str(nodeid): int(bits, 16) for nodeid, bits in value["ran"].items()},
            units=tuple(map(str, value["units"])),
            failed=frozenset(map(str, value["failed"])),
            unknown=value["unknown"],
        )
