"""What people decided on tests and signatures, and which of it stands.

Decisions are only ever added.  A new one names those that its author knew, and takes their place.
If two people decide at once, neither names the other's: then the more careful one stands.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from flakefighters.ids import h128
from flakefighters.records import NamedTuple

__all__ = ["MARK", "MARKS", "NO_MARK", "OFF", "ON", "QUARANTINE", "Event"]
__all__ += ["expired", "function_of", "heads", "in_force", "signature_target", "standing"]
__all__ += ["targets_of"]

MARK: Final = "mark"
QUARANTINE: Final = "quarantine"
#: What a test can be marked as, and what takes a mark back.
MARKS: Final = ("flaky", "genuine", "fixed")
NO_MARK: Final = "none"
ON: Final = "on"
OFF: Final = "off"
#: Of several states that were decided on at once the first stands.
_CAREFUL: Final[Mapping[str, tuple[str, ...]]] = {
    QUARANTINE: (OFF, ON),
    MARK: ("genuine", NO_MARK, "fixed", "flaky"),
}
_SIGNATURE: Final = "signature:"


class Event(NamedTuple):
    """One decision of one person."""

    id: str
    #: The project's identity.
    project: str
    kind: str
    #: A node id, without parameters for all of them, or :func:`signature_target`.
    target: str
    #: Always "state"; "reason", and of a quarantine "until" (a date), "issue", "owner".
    value: Mapping[str, Any]
    by: str
    at: int
    #: Ids of the decisions that it takes the place of.
    supersedes: tuple[str, ...] = ()

    @property
    def state(self) -> str:
        """What was decided."""
        return str(self.value.get("state", ""))

    def text(self, name: str) -> str:
        """One of the other parts of the value; empty if it was not given."""
        return str(self.value.get(name) or "")


def signature_target(signature: str) -> str:
    """What events on failures with this signature are about."""
    return f"{_SIGNATURE}{h128('signature', signature)}"


def function_of(nodeid: str) -> str:
    """A node id without parameters; a folder may have brackets in its name."""
    path, colons, rest = nodeid.partition("::")
    return path + colons + rest.partition("[")[0]


def targets_of(nodeid: str, signature: str = "") -> tuple[str, ...]:
    """What events on a failure of a test may be about, the closest first."""
    names = dict.fromkeys((nodeid, function_of(nodeid)))
    return (*names, *([signature_target(signature)] if signature else []))


def standing(events: Iterable[Event]) -> dict[tuple[str, str], Event]:
    """The decision that stands, by kind and target; kinds that are not known are left out.

    Whatever takes the place of another was made later than that: a ring of them changes nothing.
    """
    groups: dict[tuple[str, str], list[Event]] = {}
    for one in events:
        if one.state in _CAREFUL.get(one.kind, ()):
            groups.setdefault((one.kind, one.target), []).append(one)
    found = {}
    for (kind, target), group in groups.items():
        newest = sorted(heads(group), key=lambda one: (one.at, one.id), reverse=True)
        found[kind, target] = min(newest, key=lambda one: _CAREFUL[kind].index(one.state))
    return found


def heads(events: Iterable[Event]) -> list[Event]:
    """Those of some events of one kind and target whose place no other one takes."""
    every = list(events)
    replaced = {old for one in every for old in one.supersedes if old < one.id}
    return [one for one in every if one.id not in replaced]


def in_force(events: Iterable[Event], today: str) -> list[Event]:
    """The marks and the quarantines that hold on a day (a date, 2026-12-01)."""
    return [
        one
        for one in standing(events).values()
        if one.state not in (OFF, NO_MARK) and not expired(one, today)
    ]


def expired(event: Event, today: str) -> bool:
    """Whether a quarantine has come to its end: it holds until the end of its last day."""
    until = event.text("until")
    return event.state == ON and bool(until) and until < today
