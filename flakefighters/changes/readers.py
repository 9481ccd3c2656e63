"""Who reads a changed name: in its own file, and by way of imports in others."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from flakefighters.changes.units import ANY
from flakefighters.changes.units_entries import Entry
from flakefighters.changes.units_names import header, reading, reads
from flakefighters.changes.units_walk import Unit as Found
from flakefighters.model import ChangeKind, Unit

__all__ = ["Sources", "readers"]

_MOST_FILES: Final = 5000
_MOST_BYTES: Final = 64 << 20
_ROUNDS: Final = 4


@dataclass(slots=True)
class Sources:
    """The Python files as they are now, each read and parsed once."""

    paths: Iterable[str]
    read: Callable[[str], bytes | None]
    #: Not everything was read: there are too many files.
    cut: bool = False
    _known: dict[str, bytes] | None = field(default=None)
    _units: dict[str, list[tuple[Found, frozenset[str]]]] = field(default_factory=dict)

    def all(self) -> Mapping[str, bytes]:
        """Path to content of every Python file."""
        if self._known is None:
            self._known = {}
            total = 0
            for path in self.paths:
                if not path.endswith(".py"):
                    continue
                if len(self._known) >= _MOST_FILES or total > _MOST_BYTES:
                    self.cut = True
                    break
                content = self.read(path)
                if content is not None:
                    self._known[path] = content
                    total += len(content)
        return self._known

    def units(self, path: str) -> list[tuple[Found, frozenset[str]]]:
        """The units of one file with the names that they read."""
        if path not in self._units:
            self._units[path] = reading(self.all().get(path, b""))
        return self._units[path]


def readers(path: str, names: Iterable[str], sources: Sources) -> tuple[set[Unit], set[Unit]]:
    """Functions whose running is affected by other values of ``names``, bound in ``path``.

    The first set reads one of the names, or one that was bound with its help at import; the
    second may, since it computes the names that it reads.  A function that reads a name passes it
    on only to what calls the function at import: whoever calls it later runs it.
    """
    sure: set[Unit] = set()
    maybe: set[Unit] = set()
    values, callables = set(names), set[str]()
    for _ in range(_ROUNDS):
        before = len(values) + len(callables)
        wanted = sorted(values | callables)
        pattern = re.compile(
            rb"\b(?:" + b"|".join(re.escape(name.encode("utf-8")) for name in wanted) + rb")\b"
        )
        for other, content in sources.all().items():
            if pattern.search(content) or other == path:
                _follow(other, sources.units(other), values, callables, sure, maybe)
        if len(values) + len(callables) == before:
            break
    return sure, maybe - sure


def _follow(
    path: str,
    units: list[tuple[Found, frozenset[str]]],
    values: set[str],
    callables: set[str],
    sure: set[Unit],
    maybe: set[Unit],
) -> None:
    """One file: which of its functions are affected, and which names carry the effect on."""
    for unit, read in units:
        entry = unit.entry
        hit = not read.isdisjoint(values)
        if entry.kind is ChangeKind.FUNCTION:
            if hit:
                sure.add((path, unit.name))
                callables.update(_own_name(entry))
                if not reads(_header(entry)).isdisjoint(values):
                    values.update(_own_name(entry))  # its default or decorator is another one
            elif ANY in read:
                maybe.add((path, unit.name))
            continue
        called = not read.isdisjoint(callables)
        if entry.alias is not None:  # an import: passes on what it names
            if hit:
                values.update(entry.names)
            elif called:
                callables.update(entry.names)
        elif entry.kind is ChangeKind.CLASS:
            if not reads(_header(entry)).isdisjoint(values):
                values.update(entry.names)
        elif hit or called:
            values.update(entry.names)


def _own_name(entry: Entry) -> tuple[str, ...]:
    return entry.names or ((entry.name,) if entry.name else ())


def _header(entry: Entry) -> list[ast.AST]:
    return header(entry.node)
