"""From the process that runs tests to the controller: plain data, each fact once.

A failing report carries what its execution ran, functions by number, and what is new since the last
failing report of the same process: the functions behind new numbers, and facts of the process.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final

from flakefighters.model.trace import Code, Process, Trace
from flakefighters.tracing.facts import KINDS

if TYPE_CHECKING:
    from flakefighters.tracing.facts import Facts

__all__ = ["Reader", "read_all", "written"]

_SETS: Final = ("imported", "opened", "children")

_LOST: Final = "an earlier report of this process is missing"
_UNREADABLE: Final = "what came with the report cannot be read"


def written(
    at: int,
    way: str,
    facts: Facts,
    seen: Mapping[str, Iterable[Any]],
    *,
    first: bool,
    unknown: list[str],
) -> dict[str, Any]:
    """What to attach to the failing report of number ``at``; empty parts are left out.

    ``seen`` has "ran", "imported", "opened" and "children".
    """
    codes, new = facts.new()
    value: dict[str, Any] = {
        "at": at,
        "way": way,
        "first": first,
        "unknown": unknown,
        "codes": [[number, code.path, code.name, code.line] for number, code in codes],
        "facts": {kind: [_listed(fact) for fact in found] for kind, found in new.items()},
        **{name: sorted(found) for name, found in seen.items()},
    }
    plain: dict[str, Any] = _plain({name: part for name, part in value.items() if part != []})
    return plain


def _listed(fact: Any) -> Any:
    return list(fact) if isinstance(fact, tuple) else fact


def _plain(value: Any) -> Any:
    """Names of files may hold bytes that are no text, which xdist does not carry."""
    if isinstance(value, str):
        return value if value.isascii() else value.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, list):
        return [_plain(member) for member in value]
    if isinstance(value, dict):
        return {name: _plain(member) for name, member in value.items()}
    return value


class Reader:
    """Reads what one process attached to its failing reports, in the order it made them."""

    def __init__(self) -> None:
        #: Shared by all traces of the process; it grows with each.
        self.process = Process()
        self._codes: dict[int, Code] = {}
        self._read: set[int] = set()

    def read(self, raw: Mapping[str, Any]) -> Trace:
        """The trace that an attachment tells of; never raises, what is amiss is ``unknown``."""
        latest = max(self._read, default=0)
        try:
            return self._trace(raw, latest)
        except (AttributeError, KeyError, LookupError, TypeError, ValueError):
            return Trace(
                process=self.process, at=latest, way="imports", first=False, unknown=(_UNREADABLE,)
            )

    def _trace(self, raw: Mapping[str, Any], latest: int) -> Trace:
        unknown = [str(reason) for reason in raw.get("unknown", ())]
        at = raw.get("at")
        if at is None:  # nothing was watched
            return Trace(
                process=self.process,
                at=latest,
                way="imports",
                first=not latest,
                unknown=tuple(unknown),
            )
        self._read.add(at)
        for number, path, name, line in raw.get("codes", ()):
            self._codes[number] = Code(path, name, line)
        for kind, found in raw.get("facts", {}).items():
            self._learn(kind, found, at)
        if len(self._read) < max(self._read):
            unknown.append(_LOST)
        ran = frozenset(self._codes[number] for number in raw.get("ran", ()))
        sets = {name: frozenset(map(str, raw.get(name, ()))) for name in _SETS}
        return Trace(
            process=self.process,
            at=at,
            way=str(raw["way"]),
            ran=ran,
            first=bool(raw["first"]),
            unknown=tuple(unknown),
            **sets,
        )

    def _learn(self, kind: str, found: Iterable[Any], at: int) -> None:
        functions = KINDS[kind]
        facts = getattr(self.process, kind)
        for one in found:
            parts = one if isinstance(one, list) else [one]
            named = [
                self._codes[part] if place in functions else part
                for place, part in enumerate(parts)
            ]
            fact = tuple(named) if isinstance(one, list) else named[0]
            facts[fact] = min(at, facts.get(fact, at))


def read_all(attached: Iterable[Mapping[str, Any]]) -> list[Trace]:
    """The traces of the attachments of one process, given in any order, answered in that order."""
    attached = list(attached)
    reader = Reader()
    order = sorted(range(len(attached)), key=lambda index: attached[index].get("at", 0))
    traces = {index: reader.read(attached[index]) for index in order}
    return [traces[index] for index in range(len(attached))]
