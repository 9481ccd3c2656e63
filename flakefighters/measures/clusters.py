"""Clusters of sets: distances, linkages, and the cluster that one set belongs to.

Sets are Python integers, bit n for the n-th member.  Distances are those of
``scipy.spatial.distance`` for vectors of truth values, linkages those of
``scipy.cluster.hierarchy.linkage``; tests hold them against SciPy, which is not needed here.

Sources: P. Jaccard, "Étude comparative de la distribution florale dans une portion des Alpes et
des Jura", 1901; L. R. Dice, "Measures of the amount of ecologic association between species",
1945; G. N. Lance and W. T. Williams, "A general theory of classificatory sorting strategies",
1967; F. Murtagh, "A survey of recent advances in hierarchical clustering algorithms", 1983 (the
chain of nearest neighbours); D. Müllner, "Modern hierarchical, agglomerative clustering
algorithms", 2011.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from math import inf, sqrt
from typing import Final

from flakefighters.records import NamedTuple

__all__ = [
    "DISTANCES",
    "LINKAGES",
    "Merge",
    "Neighbourhood",
    "Neighbours",
    "cut",
    "distances",
    "linkage",
    "matrix",
]

#: How far a set is from others: by its size, their sizes, how many members it shares with each, and
#: how many members there are at all.
Distance = Callable[[int, Sequence[int], Sequence[int], int], list[float]]


def _jaccard(a: int, sizes: Sequence[int], shared: Sequence[int], _every: int) -> list[float]:
    if not a:
        return [float(b > 0) for b in sizes]
    return [(a + b - 2 * s) / (a + b - s) for b, s in zip(sizes, shared, strict=True)]


def _dice(a: int, sizes: Sequence[int], shared: Sequence[int], _every: int) -> list[float]:
    if not a:
        return [float(b > 0) for b in sizes]
    return [(a + b - 2 * s) / (a + b) for b, s in zip(sizes, shared, strict=True)]


def _hamming(a: int, sizes: Sequence[int], shared: Sequence[int], every: int) -> list[float]:
    every = every or 1
    return [(a + b - 2 * s) / every for b, s in zip(sizes, shared, strict=True)]


def _cosine(a: int, sizes: Sequence[int], shared: Sequence[int], _every: int) -> list[float]:
    # SciPy has no answer for an empty set: it is as far as can be from all but another one.
    if not a:
        return [float(b > 0) for b in sizes]
    return [max(0.0, 1 - s / sqrt(a * b)) if b else 1.0 for b, s in zip(sizes, shared, strict=True)]


def _euclidean(a: int, sizes: Sequence[int], shared: Sequence[int], _every: int) -> list[float]:
    return [sqrt(a + b - 2 * s) for b, s in zip(sizes, shared, strict=True)]


DISTANCES: Final[dict[str, Distance]] = {
    "jaccard": _jaccard,
    "dice": _dice,
    "hamming": _hamming,
    "cosine": _cosine,
    "euclidean": _euclidean,
}


def distances(
    name: str, one: int, others: Sequence[int], every: int, sizes: Sequence[int] | None = None
) -> list[float]:
    """How far a set is from each of others.

    ``every``: how many members there are at all; ``sizes``: those of the others, if known.
    """
    if sizes is None:
        sizes = [other.bit_count() for other in others]
    shared = [(one & other).bit_count() for other in others]
    return DISTANCES[name](one.bit_count(), sizes, shared, every)


def matrix(name: str, sets: Sequence[int], every: int) -> list[array[float]]:
    """The distances of each set to each, in rows."""
    rows = [array("d", bytes(8 * len(sets))) for _ in sets]
    sizes = [one.bit_count() for one in sets]
    for place, one in enumerate(sets):
        row = rows[place]
        found = distances(name, one, sets[:place], every, sizes[:place])
        for other, apart in enumerate(found):
            row[other] = rows[other][place] = apart
    return rows


class _Pair(NamedTuple):
    """Two clusters that become one: their sizes, and how far they are apart."""

    one: int
    other: int
    apart: float


#: The distances of two clusters to all others (in two rows) to those of their union.
Linkage = Callable[[_Pair, Sequence[float], Sequence[float], Sequence[int]], Iterable[float]]


def _average(
    pair: _Pair, one: Sequence[float], other: Sequence[float], _: Sequence[int]
) -> Iterable[float]:
    a, b = pair.one, pair.other
    both = a + b
    return [(a * x + b * y) / both for x, y in zip(one, other, strict=True)]


def _ward(
    pair: _Pair, one: Sequence[float], other: Sequence[float], sizes: Sequence[int]
) -> Iterable[float]:
    a, b, apart = pair.one, pair.other, pair.apart * pair.apart
    return [
        sqrt(((a + n) * x * x + (b + n) * y * y - n * apart) / (a + b + n)) if x < inf else inf
        for x, y, n in zip(one, other, sizes, strict=True)
    ]


#: All of them are reducible: what is joined moves nearer to nothing else than its parts were.
#: "ward" means something for euclidean distances only.
LINKAGES: Final[dict[str, Linkage]] = {
    "single": lambda _pair, one, other, _sizes: map(min, one, other),
    "complete": lambda _pair, one, other, _sizes: map(max, one, other),
    "average": _average,
    "weighted": lambda _pair, one, other, _sizes: [
        (x + y) / 2 for x, y in zip(one, other, strict=True)
    ],
    "ward": _ward,
}


class Merge(NamedTuple):
    """Two clusters become one, as a row of SciPy's linkage matrix tells it."""

    one: int
    other: int
    height: float
    size: int


def linkage(
    rows: list[array[float]],
    method: str,
    weights: Sequence[int] | None = None,
    limit: float = inf,
) -> list[Merge]:
    """Merge clusters, nearest first, as long as they are no more than ``limit`` apart.

    ``rows`` are the distances of each element to each, and are used up; ``weights`` tell how many
    equal elements each one stands for.  The n-th merge makes the cluster len(rows) + n.
    """
    join = LINKAGES[method]
    sizes = [1] * len(rows) if weights is None else list(weights)
    found: list[tuple[int, int, float]] = []
    for place, row in enumerate(rows):
        if method == "ward" and weights is not None:  # it counts members from the beginning
            n = sizes[place]
            rows[place] = row = array(
                "d", [one * sqrt(2 * n * m / (n + m)) for one, m in zip(row, sizes, strict=True)]
            )
        row[place] = inf
    active = dict.fromkeys(range(len(rows)))
    chain: list[int] = []
    while len(active) > 1:
        if not chain:
            chain.append(next(iter(active)))
        top = chain[-1]
        row = rows[top]
        nearest = min(row)
        if nearest > limit:  # nothing that is joined later comes nearer: it is done
            del active[top]
            chain.clear()
            for place in active:
                rows[place][top] = inf
            continue
        before = chain[-2] if len(chain) > 1 else None
        if before is None or row[before] > nearest:
            chain.append(row.index(nearest))
            continue
        del chain[-2:]
        gone, kept = sorted((top, before))
        found.append((gone, kept, nearest))
        pair = _Pair(sizes[gone], sizes[kept], nearest)
        joined = array("d", join(pair, rows[gone], rows[kept], sizes))
        joined[gone] = joined[kept] = inf
        sizes[kept] += sizes[gone]
        del active[gone]
        rows[gone], rows[kept] = array("d"), joined
        for place in active:
            row = rows[place]
            row[gone], row[kept] = inf, joined[place]
    return _labelled(found, len(rows), weights)


def _labelled(
    found: list[tuple[int, int, float]], count: int, weights: Sequence[int] | None
) -> list[Merge]:
    """In order of height, clusters by number: the chain finds them in another order."""
    found.sort(key=lambda one: one[2])
    parent = list(range(count))
    label = list(range(count))
    size = [1] * count if weights is None else list(weights)

    def root(place: int) -> int:
        while parent[place] != place:
            parent[place] = place = parent[parent[place]]
        return place

    merges = []
    for number, (one, other, height) in enumerate(found, count):
        a, b = root(one), root(other)
        low, high = sorted((label[a], label[b]))
        parent[a], label[b] = b, number
        size[b] += size[a]
        merges.append(Merge(low, high, height, size[b]))
    return merges


def cut(merges: Sequence[Merge], count: int, limit: float) -> list[int]:
    """The cluster of each element, named by its first one, if those up to ``limit`` are made."""
    members: dict[int, list[int]] = {place: [place] for place in range(count)}
    for number, merge in enumerate(merges, count):
        if merge.height > limit:
            break
        members[number] = members.pop(merge.one) + members.pop(merge.other)
    found = [0] * count
    for some in members.values():
        for place in some:
            found[place] = min(some)
    return found


class Neighbourhood(NamedTuple):
    """What :meth:`Neighbours.around` found."""

    #: Places of sets, the start first.
    places: list[int]
    #: False if there may be more.
    whole: bool


class Neighbours:
    """Finds the sets near a set, and not by comparing it with all.

    Two sets that are near share many members, so one of the rarest of the one is among the rarest
    of the other (S. Chaudhuri, V. Ganti and R. Kaushik, "A primitive operator for similarity joins
    in data cleaning", 2006).
    """

    def __init__(self, sets: Sequence[int], name: str, every: int, limit: float, work: int):
        """``limit``: how far apart near ones are; ``work``: how much may be looked at in all."""
        self._sets, self._name, self._every, self._limit = sets, name, every, limit
        self._sizes = [one.bit_count() for one in sets]
        #: How many entries of the index and pairs may still be looked at; negative: too many.
        self.work = work
        self._rarities = _rarities(sets)
        self._least: dict[int, int] = {}
        #: The places of the sets that have a member among their rarest.
        self._index: dict[int, list[int]] = {}
        for place in range(len(sets)):
            for member in self._rarest(place):
                self._index.setdefault(member, []).append(place)
                self.work -= 1
            if self.work < 0:
                return

    def _shared(self, size: int) -> int:
        """How many members a set of this size has in common with one that is near, at least."""
        if size not in self._least:
            distance, every, limit = DISTANCES[self._name], self._every, self._limit
            self._least[size] = bisect_left(
                range(size), True, key=lambda n: distance(size, [n], [n], every)[0] <= limit
            )
        return self._least[size]

    def _rarest(self, place: int) -> list[int]:
        """So many of the rarest members of a set that what is near cannot lack them all.

        The order is the same for all sets: as rare by powers of two, then the highest first.
        """
        rest, size = self._sets[place], self._sizes[place]
        needed = size - self._shared(size) + 1
        found: list[int] = []
        for rare in self._rarities:
            some = rest & rare
            if some:
                rest ^= some
                found += islice(_members(some), needed - len(found))
                if len(found) >= needed:
                    break
        return found

    def around(self, start: int, most: int) -> Neighbourhood:
        """All sets that come to one of them by steps between near ones.

        No cluster that is cut at the limit goes beyond that, whatever the linkage, but for "ward".
        Ends early with more than ``most`` sets, or when there is too much work.
        """
        unmet = set(range(len(self._sets))) - {start}
        found = [start]
        for place in found:
            if not unmet:
                break
            if len(found) > most or self.work < 0:
                return Neighbourhood(found, whole=False)
            near = self._candidates(place, unmet)
            self.work -= len(near)
            some, sizes = [self._sets[one] for one in near], [self._sizes[one] for one in near]
            apart = distances(self._name, self._sets[place], some, self._every, sizes)
            new = [one for one, far in zip(near, apart, strict=True) if far <= self._limit]
            unmet.difference_update(new)
            found += new
        return Neighbourhood(found, whole=len(found) <= most)

    def _candidates(self, place: int, unmet: set[int]) -> list[int]:
        if not self._shared(self._sizes[place]):
            return sorted(unmet)  # even what shares nothing with it may be near
        lists = (self._index.get(member, ()) for member in self._rarest(place))
        return sorted(unmet.intersection(set().union(*lists)))


def _rarities(sets: Sequence[int]) -> list[int]:
    """The members that fewer than 1, 2, 4, 8 ... of the sets have.

    Each member is counted in binary digits, one integer for the n-th digit of all.
    """
    digits: list[int] = []
    every = 0
    for one in sets:
        every |= one
        carry = one
        for place, digit in enumerate(digits):
            if not carry:
                break
            digits[place], carry = digit ^ carry, digit & carry
        if carry:
            digits.append(carry)
    found = [every]
    common = 0
    for digit in reversed(digits):
        common |= digit
        found.append(every & ~common)
    return found[::-1]


def _members(one: int) -> Iterator[int]:
    while one:
        highest = one.bit_length() - 1
        yield highest
        one ^= 1 << highest
