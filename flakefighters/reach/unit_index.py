"""Finds the units of all files that look up certain names, without going through each of them.

A file is parsed when it may have one of the names that are asked for, and known from then on.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from flakefighters.source.entries import ANY
from flakefighters.source.reads import UnitReads

__all__ = ["UnitIndex"]

_WORD: Final = re.compile(r"\w+")
#: A file that has been searched so often without success is remembered by its words.
_PATIENCE: Final = 4


@dataclass(slots=True)
class _Entries:
    """The units of one file, by what they look up."""

    units: list[UnitReads]
    by_name: dict[str, list[int]] = field(default_factory=dict)
    #: Functions and statements in classes, by the name of the class.
    by_scope: dict[str, list[int]] = field(default_factory=dict)
    computing: list[UnitReads] = field(default_factory=list)
    stars: list[int] = field(default_factory=list)
    #: The words of texts in the code.
    in_text: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, units: list[UnitReads]) -> _Entries:
        found = cls(units)
        for at, (unit, read, _, plain) in enumerate(units):
            for name in plain:
                found.by_name.setdefault(name, []).append(at)
            if unit.scope is not None:
                found.by_scope.setdefault(unit.scope.rpartition(".")[2], []).append(at)
            if read.computed:
                found.computing.append(units[at])
            if unit.entry.alias is not None and unit.entry.names == (ANY,):
                found.stars.append(at)
            for text in read.texts:
                found.in_text.update(_WORD.findall(text))
        return found

    def some(self, places: Iterable[int]) -> list[UnitReads]:
        return [self.units[at] for at in sorted(set(places))]


class UnitIndex:
    """Asked by :mod:`readers` and :mod:`callers`, once per change and file."""

    def __init__(
        self,
        contents: Callable[[], Mapping[str, bytes]],
        units: Callable[[str], list[UnitReads]],
        has_star: Callable[[str], bool],
    ):
        """``has_star``: whether a file imports all that some module has, without naming it."""
        self._contents = contents
        self._units = units
        self._has_star = has_star
        self._entries: dict[str, _Entries] = {}
        self._searched: dict[str, int] = {}
        self._words: dict[str, frozenset[str]] = {}

    def looking_up(
        self, path: str, names: Collection[str], scopes: Iterable[str] = ()
    ) -> list[UnitReads]:
        """The units of a file that look up one of some names, or import all that a module has;
        and those that stand in classes of the names ``scopes``."""
        entries = self._known(path, names)
        if entries is None:
            return []
        by_name, by_scope = entries.by_name, entries.by_scope
        places = list(entries.stars)
        if len(names) < len(by_name):
            for name in names:
                places += by_name.get(name, ())
        else:
            for name, some in by_name.items():
                if name in names:
                    places += some
        for scope in scopes:
            places += by_scope.get(scope, ())
        return entries.some(places)

    def has_in_text(self, path: str, names: Collection[str]) -> bool:
        """Whether some text in a file has one of the names."""
        entries = self._known(path, names)
        return entries is not None and not entries.in_text.isdisjoint(names)

    def computing(self, path: str) -> list[UnitReads]:
        """The units of a file that compute names which they look up."""
        return self._entry(path).computing

    def _known(self, path: str, names: Collection[str]) -> _Entries | None:
        """What is known of a file, None if it has none of the names."""
        entries = self._entries.get(path)
        if entries is None and (self._has_star(path) or self._may_have(path, names)):
            entries = self._entry(path)
        return entries

    def _entry(self, path: str) -> _Entries:
        if path not in self._entries:
            self._entries[path] = _Entries.of(self._units(path))
        return self._entries[path]

    def _may_have(self, path: str, names: Collection[str]) -> bool:
        words = self._words.get(path)
        if words is None:
            content = self._contents()[path]
            searched = self._searched[path] = self._searched.get(path, 0) + 1
            if searched <= _PATIENCE:
                return any(name.encode("utf-8", "surrogatepass") in content for name in names)
            text = content.decode("utf-8", "surrogateescape")
            words = self._words[path] = frozenset(_WORD.findall(text))
        return not words.isdisjoint(names)
