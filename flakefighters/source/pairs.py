"""Which unit of the old version is which of the new one."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import zip_longest

from flakefighters.model import ChangeKind
from flakefighters.source.entries import Entry

__all__ = ["Pair", "paired"]


@dataclass(frozen=True, slots=True)
class Pair:
    """A unit before and after; None where it did not exist, at most one of them."""

    old: Entry | None
    new: Entry | None
    #: Positions in the scopes.
    former_place: int = -1
    place: int = -1

    @property
    def shown(self) -> Entry:
        """The version to speak of."""
        entry = self.new or self.old
        assert entry is not None
        return entry

    @property
    def versions(self) -> list[Entry]:
        """What there is of it, the former one first."""
        return [entry for entry in (self.old, self.new) if entry is not None]

    @property
    def how(self) -> str:
        """What became of it."""
        if self.old is None:
            return "added"
        return "changed" if self.new is not None else "removed"


def paired(old: Sequence[Entry], new: Sequence[Entry]) -> Iterator[Pair]:
    """Pair units of one kind and name; several of one name (overloads, setters) by their order."""
    groups: dict[tuple[ChangeKind, str], tuple[list[int], list[int]]] = {}
    for side, members in enumerate((old, new)):
        for place, entry in enumerate(members):
            groups.setdefault((entry.kind, entry.name), ([], []))[side].append(place)
    for befores, afters in groups.values():
        if len(befores) > 1 or len(afters) > 1:
            couples = _aligned(old, new, befores, afters)
        else:
            couples = list(zip_longest(befores, afters))
        for before, after in couples:
            yield Pair(
                None if before is None else old[before],
                None if after is None else new[after],
                -1 if before is None else before,
                -1 if after is None else after,
            )


def _aligned(
    old: Sequence[Entry], new: Sequence[Entry], befores: list[int], afters: list[int]
) -> list[tuple[int | None, int | None]]:
    """Equal ones belong together, then what stands between them, one by one."""
    ours = [_likeness(old[place]) for place in befores]
    theirs = [_likeness(new[place]) for place in afters]
    couples: list[tuple[int | None, int | None]] = []
    for _, a, b, c, d in SequenceMatcher(None, ours, theirs, autojunk=False).get_opcodes():
        couples += zip_longest(befores[a:b], afters[c:d])
    return couples


def _likeness(entry: Entry) -> object:
    return entry.key or ast.dump(entry.node)
