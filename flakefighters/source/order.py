"""Does it matter that units changed places?"""

from __future__ import annotations

import ast
from bisect import bisect_left
from collections.abc import Mapping, Sequence

from flakefighters.model import ChangeKind, Name, Scope
from flakefighters.source import purity
from flakefighters.source.entries import Entry
from flakefighters.source.nodes import header, imported
from flakefighters.source.reader import read

__all__ = ["displaced"]

#: Beyond this many comparisons every unit that moved counts.
_MOST_COMPARED = 200_000


def displaced(order: Sequence[tuple[int, Entry]], *, listed: bool = False) -> list[Entry]:
    """The units whose move may show, of ``order``: former positions and units, as they stand now.

    A move shows when a unit passes another that binds the same name, when it passes one whose
    name it needs at import (or that needs its), and when two things with effects change places.
    Each does if they are ``listed``.
    """
    moved = _moved([position for position, _ in order])
    if not moved:
        return []
    weighed = [_Weighed(entry) for _, entry in order]
    bodies = _Bodies([entry for _, entry in order])
    hurried = listed or len(moved) * len(order) > _MOST_COMPARED
    found = []
    for index in moved:
        before, entry = order[index]
        if hurried or any(
            (before - other[0]) * (index - place) < 0
            and _conflict(weighed[index], weighed[place], bodies)
            for place, other in enumerate(order)
        ):
            found.append(entry)
    return found


class _Weighed:
    """A unit, and what running it at import needs."""

    def __init__(self, entry: Entry):
        self.entry = entry
        self.is_import = entry.alias is not None
        self.names = frozenset(entry.names)
        self.effect = _may_have_effect(entry)
        self._needs: set[str] | None = None

    def needs(self, bodies: _Bodies) -> set[str]:
        if self._needs is None:
            self._needs = bodies.follow(_at_import(self.entry))
        return self._needs


class _Bodies:
    """What functions and classes of the scope read when they are called."""

    def __init__(self, members: Sequence[Entry]):
        self._nodes: Mapping[str, ast.AST] = {
            entry.name: entry.node for entry in members if entry.kind is not ChangeKind.STATEMENT
        }
        self._read: dict[str, set[str]] = {}

    def follow(self, names: set[str]) -> set[str]:
        """``names`` and all that is read by what they may call."""
        known, waiting = set(names), list(names)
        while waiting:
            name = waiting.pop()
            if name in self._nodes:
                if name not in self._read:
                    self._read[name] = set(read([self._nodes[name]], deep=True).plain())
                waiting += self._read[name] - known
                known |= self._read[name]
        return known


def _conflict(one: _Weighed, other: _Weighed, bodies: _Bodies) -> bool:
    if one.names & other.names:
        return True
    if one.effect and other.effect and not (one.is_import and other.is_import):
        return True
    return not (
        one.names.isdisjoint(other.needs(bodies)) and other.names.isdisjoint(one.needs(bodies))
    )


def _may_have_effect(entry: Entry) -> bool:
    if entry.kind is ChangeKind.STATEMENT:
        return any(map(_is_effect, entry.impure))
    return isinstance(entry.node, ast.stmt) and any(map(_is_effect, purity.conditions(entry.node)))


def _is_effect(condition: Name) -> bool:
    """Whether a condition holds, as far as the file alone tells."""
    if condition.scope is Scope.IF_CALL:
        return not purity.is_builder(condition.text)
    if condition.scope is Scope.IF_DECORATOR:
        return not purity.is_known_decorator(condition.text.removesuffix("()"))
    if condition.scope is Scope.IF_BASE:
        return not purity.is_known_base(condition.text)
    return True


def _at_import(entry: Entry) -> set[str]:
    """Names that are looked up when the unit's statement runs."""
    node = entry.node
    if entry.guarded:
        return set()
    if entry.alias is not None and isinstance(node, ast.Import | ast.ImportFrom):
        return {name for _, name in imported(node, entry.alias)} - set(entry.names)
    if isinstance(node, ast.ClassDef):
        # Methods count only by their headers.
        return set(read([*header(node), *node.body]).plain())
    return set(read(header(node)).plain())


def _moved(positions: Sequence[int]) -> list[int]:
    """Indices that do not belong to a longest rising run of positions."""
    tails: list[int] = []
    ends: list[int] = []
    before: list[int] = []
    for index, position in enumerate(positions):
        place = bisect_left(tails, position)
        before.append(ends[place - 1] if place else -1)
        tails[place : place + 1] = [position]
        ends[place : place + 1] = [index]
    if len(tails) == len(positions):
        return []
    kept = set()
    index = ends[-1] if ends else -1
    while index >= 0:
        kept.add(index)
        index = before[index]
    return [index for index in range(len(positions)) if index not in kept]
