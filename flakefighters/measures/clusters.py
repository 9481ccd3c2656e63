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
from collections.abc import Callable, Iterable, Sequence
from math import inf, sqrt
from typing import Final, NamedTuple

__all__ = ["DISTANCES", "LINKAGES", "Merge", "cut", "distance", "linkage", "neighbourhood"]

#: How far two sets are apart: by their sizes, how many members they share, and how many members
#: there are at all.
Distance = Callable[[int, int, int, int], float]


def _jaccard(a: int, b: int, shared: int, _every: int) -> float:
    either = a + b - shared
    return (either - shared) / either if either else 0.0


def _dice(a: int, b: int, shared: int, _every: int) -> float:
    return (a + b - 2 * shared) / (a + b) if a + b else 0.0


def _hamming(a: int, b: int, shared: int, every: int) -> float:
    return (a + b - 2 * shared) / every if every else 0.0


def _cosine(a: int, b: int, shared: int, _every: int) -> float:
    # SciPy has no answer for an empty set: it is as far as can be from all but another one.
    return max(0.0, 1 - shared / sqrt(a * b)) if a and b else float(a != b)


def _euclidean(a: int, b: int, shared: int, _every: int) -> float:
    return sqrt(a + b - 2 * shared)


DISTANCES: Final[dict[str, Distance]] = {
    "jaccard": _jaccard,
    "dice": _dice,
    "hamming": _hamming,
    "cosine": _cosine,
    "euclidean": _euclidean,
}


def distance(name: str, one: int, other: int, every: int) -> float:
    """The distance of two sets; ``every``: how many members there are at all."""
    shared = (one & other).bit_count()
    return DISTANCES[name](one.bit_count(), other.bit_count(), shared, every)


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
            _remove(top, rows, active)
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
        rows[kept] = joined
        _remove(gone, rows, active)
        for place in active:
            rows[place][kept] = joined[place]
    return _labelled(found, len(rows), weights)


def _remove(gone: int, rows: list[array[float]], active: Iterable[int]) -> None:
    rows[gone] = array("d")
    for place in active:
        rows[place][gone] = inf


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


def neighbourhood(
    sets: Sequence[int], start: int, name: str, every: int, limit: float, most: int
) -> list[int] | None:
    """The places of all sets that come to ``start`` by steps of at most ``limit``, ``start`` first.

    No cluster that is cut at ``limit`` goes beyond that, whatever the linkage, but for "ward".
    None if there are more than ``most``.  ``sets`` go by size, the smallest first.
    """
    apart = DISTANCES[name]
    sizes = [one.bit_count() for one in sets]
    unmet = set(range(len(sets))) - {start}
    found = [start]
    for place in found:
        one, size = sets[place], sizes[place]
        low, high = _window(sizes, place, apart, every, limit)
        near = (other for other in range(low, high) if other in unmet)
        new = [
            other
            for other in near
            if apart(size, sizes[other], (one & sets[other]).bit_count(), every) <= limit
        ]
        unmet.difference_update(new)
        found += new
        if len(found) > most:
            return None
    return found


def _window(
    sizes: Sequence[int], place: int, apart: Distance, every: int, limit: float
) -> tuple[int, int]:
    """Where the sets stand that are not too small and not too large to be so near."""
    size = sizes[place]

    def near(other: int) -> bool:
        return apart(size, sizes[other], min(size, sizes[other]), every) <= limit

    low, high = 0, place
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if near(middle) else (middle + 1, high)
    first, low, high = low, place, len(sizes)
    while low < high:
        middle = (low + high) // 2
        low, high = (middle + 1, high) if near(middle) else (low, middle)
    return first, low
