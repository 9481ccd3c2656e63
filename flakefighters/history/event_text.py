"""Decisions of people as text that can be committed: JSON, one event a line, by time.

Each line holds the columns of ``event`` and its content hash.  What is read is checked, and never
more than data.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any, Final

from flakefighters.history.events import content_hash
from flakefighters.history.unreadable import MALFORMED
from flakefighters.model.decisions import Event

__all__ = ["from_text", "to_text"]

_ID: Final = re.compile("[0-9a-f]{12}7[0-9a-f]{3}[89ab][0-9a-f]{15}")
_TEXTS: Final = ("id", "project", "kind", "target", "by")
#: No line of ours is longer, in characters.
_LONGEST: Final = 20_000


def to_text(events: Iterable[Event]) -> str:
    """The events, oldest first: what is decided later is added at the end."""
    lines = []
    for one in sorted(events, key=lambda one: one.id):
        plain: dict[str, Any] = {**one._asdict(), "supersedes": list(one.supersedes)}
        plain["hash"] = content_hash(one)
        lines.append(json.dumps(plain, ensure_ascii=True, sort_keys=True))
    return "".join(f"{line}\n" for line in lines)


def from_text(text: str) -> tuple[list[Event], list[str]]:
    """The events in a text, and what is wrong with lines that hold none: "line 3: ..."."""
    events, wrong = [], []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        try:
            events.append(_event(line))
        except MALFORMED as error:
            why = str(error) if type(error) is _WrongError else "is no event"
            wrong.append(f"line {number}: {why}")
    return events, wrong


class _WrongError(ValueError):
    """What a line says is not what it was."""


def _event(line: str) -> Event:
    if len(line) > _LONGEST:
        raise ValueError
    plain = json.loads(line)
    texts = {name: plain[name] for name in _TEXTS}
    at, value, supersedes = plain["at"], plain["value"], plain["supersedes"]
    if not all(isinstance(text, str) for text in (*texts.values(), *supersedes)):
        raise TypeError
    if type(at) is not int or not isinstance(value, dict) or not _ID.fullmatch(texts["id"]):
        raise TypeError
    event = Event(**texts, at=at, value=value, supersedes=tuple(supersedes))
    if content_hash(event) != plain["hash"]:
        raise _WrongError("it was changed since it was written")
    return event
