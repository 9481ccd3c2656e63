"""Distances and linkages as SciPy has them, and clusters that agree with a plain account."""

from __future__ import annotations

import random
from array import array
from collections.abc import Sequence
from itertools import combinations, pairwise
from math import inf, sqrt
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flakefighters.measures.clusters import (
    DISTANCES,
    LINKAGES,
    Merge,
    Neighbours,
    cut,
    distances,
    linkage,
    matrix,
)

#: What SciPy 1.18 says of the points below.
POINTS = [(0.0, 0.0), (1.0, 0.5), (4.0, 0.0), (4.2, 1.1), (9.0, 9.0)]
GOLDEN: dict[str, list[tuple[int, int, float, int]]] = {
    "single": [
        (0, 1, 1.11803398875, 2),
        (2, 3, 1.11803398875, 2),
        (5, 6, 3.041381265149, 4),
        (4, 7, 9.243916918709, 5),
    ],
    "complete": [
        (0, 1, 1.11803398875, 2),
        (2, 3, 1.11803398875, 2),
        (5, 6, 4.341658669218, 4),
        (4, 7, 12.727922061358, 5),
    ],
    "average": [
        (0, 1, 1.11803398875, 2),
        (2, 3, 1.11803398875, 2),
        (5, 6, 3.659701013397, 4),
        (4, 7, 10.985021662746, 5),
    ],
    "weighted": [
        (0, 1, 1.11803398875, 2),
        (2, 3, 1.11803398875, 2),
        (5, 6, 3.659701013397, 4),
        (4, 7, 10.985021662746, 5),
    ],
    "ward": [
        (0, 1, 1.11803398875, 2),
        (2, 3, 1.11803398875, 2),
        (5, 6, 5.108815909778, 4),
        (4, 7, 13.789851340751, 5),
    ],
}

#: Two sets of the members 0..5, and how far they are apart.
ONE, OTHER = 0b001111, 0b111100


def apart(points: Sequence[Sequence[float]]) -> list[array[float]]:
    return [
        array("d", [sqrt(sum((x - y) ** 2 for x, y in zip(a, b, strict=True))) for b in points])
        for a in points
    ]


def close(found: list[Merge], expected: Any) -> bool:
    rows = [tuple(row) for row in expected]
    return len(found) == len(rows) and all(
        (one.one, one.other, one.size) == (int(row[0]), int(row[1]), int(row[3]))
        and one.height == pytest.approx(float(row[2]), abs=1e-12)
        for one, row in zip(found, rows, strict=True)
    )


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("jaccard", 4 / 6),
        ("dice", 4 / 8),
        ("hamming", 4 / 6),
        ("cosine", 1 - 2 / 4),
        ("euclidean", 2.0),
    ],
)
def test_distances(name: str, expected: float) -> None:
    assert distances(name, ONE, [OTHER, ONE], 6) == pytest.approx([expected, 0])
    assert distances(name, 0, [0], 0) == [0]
    assert distances(name, 0, [ONE], 6) == distances(name, ONE, [0], 6)


@pytest.mark.parametrize("method", GOLDEN)
def test_golden_linkages(method: str) -> None:
    assert close(linkage(apart(POINTS), method), GOLDEN[method])


def test_distances_as_scipy() -> None:
    scipy = pytest.importorskip("scipy.spatial.distance")
    numpy = pytest.importorskip("numpy")
    draw = random.Random(1)
    sets = [draw.getrandbits(90) | 1 for _ in range(40)]
    table = numpy.array([[one >> bit & 1 for bit in range(90)] for one in sets], dtype=bool)
    for name in DISTANCES:
        expected = scipy.squareform(scipy.pdist(table, name))
        for one, row in zip(sets, expected, strict=True):
            assert distances(name, one, sets, 90) == pytest.approx(list(row), abs=1e-12)


@pytest.mark.parametrize("method", LINKAGES)
@pytest.mark.parametrize("seed", range(5))
def test_linkages_as_scipy(method: str, seed: int) -> None:
    hierarchy = pytest.importorskip("scipy.cluster.hierarchy")
    numpy = pytest.importorskip("numpy")
    draw = random.Random(seed)
    points = [tuple(draw.random() for _ in range(4)) for _ in range(60)]
    expected = hierarchy.linkage(numpy.array(points), method)
    found = linkage(apart(points), method)
    assert close(found, expected)
    for limit in (0.1, 0.3, 0.6):
        labels = hierarchy.fcluster(expected, limit, "distance")
        theirs = {frozenset(n for n in range(60) if labels[n] == one) for one in set(labels)}
        assert groups(cut(found, 60, limit)) == theirs


def groups(labels: list[int]) -> set[frozenset[int]]:
    return {
        frozenset(place for place, one in enumerate(labels) if one == label) for label in labels
    }


@pytest.mark.parametrize("method", LINKAGES)
def test_equal_elements_count_by_their_weight(method: str) -> None:
    draw = random.Random(7)
    points = [tuple(draw.random() for _ in range(3)) for _ in range(12)]
    weights = [draw.randint(1, 4) for _ in points]
    every = [point for point, n in zip(points, weights, strict=True) for _ in range(n)]
    whole = [one.height for one in linkage(apart(every), method) if one.height > 0]
    assert [one.height for one in linkage(apart(points), method, weights)] == pytest.approx(whole)


@pytest.mark.parametrize("method", LINKAGES)
def test_a_limit_leaves_out_what_is_above_it(method: str) -> None:
    draw = random.Random(3)
    points = [tuple(draw.random() for _ in range(2)) for _ in range(50)]
    whole = linkage(apart(points), method)
    for limit in (0.0, 0.05, 0.2, 0.5, inf):
        some = linkage(apart(points), method, limit=limit)
        assert some == [one for one in whole if one.height <= limit]


SETS = st.lists(st.integers(0, 2**12 - 1), min_size=1, max_size=14, unique=True)
NAMES = st.sampled_from(sorted(DISTANCES))


@settings(deadline=None)
@given(SETS, NAMES, st.floats(0, 1.2), st.data())
def test_neighbours_are_what_single_linkage_joins(
    sets: list[int], name: str, limit: float, data: st.DataObject
) -> None:
    start = data.draw(st.integers(0, len(sets) - 1))
    neighbours = Neighbours(sets, name, 12, limit, 9999)
    found, whole = neighbours.around(start, 99)
    labels = cut(linkage(matrix(name, sets, 12), "single", limit=limit), len(sets), limit)
    assert whole
    assert found[0] == start
    assert set(found) == {n for n in range(len(sets)) if labels[n] == labels[start]}
    assert not neighbours.around(start, len(found) - 1).whole


def test_only_what_may_be_near_is_compared() -> None:
    """Two hundred modules of ten tests each: nobody looks at the other 199."""
    draw = random.Random(5)
    sets = [
        0b1111 | sum(1 << 4 + 20 * module + place for place in range(20) if draw.random() < 0.97)
        for module in range(200)
        for _ in range(10)
    ]
    neighbours = Neighbours(sets, "jaccard", 4_004, 0.2, 10**6)
    before = neighbours.work
    assert len(neighbours.around(0, 99).places) <= 10
    assert before - neighbours.work < 200


def test_too_much_work_ends_early() -> None:
    sets = list(range(1, 200))
    assert not Neighbours(sets, "jaccard", 8, 0.5, 10).around(0, 999).whole
    enough = Neighbours(sets, "jaccard", 8, 0.5, 10**6)
    assert enough.around(0, 999).whole
    enough.work = 5
    assert not enough.around(0, 999).whole


@settings(deadline=None)
@given(SETS, NAMES, st.sampled_from(sorted(LINKAGES)), st.floats(0, 1.2))
def test_clusters_hold_what_the_linkage_promises(
    sets: list[int], name: str, method: str, limit: float
) -> None:
    rows = matrix(name, sets, 12)
    merges = linkage(matrix(name, sets, 12), method)
    assert len(merges) == len(sets) - 1
    assert all(one.height <= two.height + 1e-9 for one, two in pairwise(merges))
    found = groups(cut(merges, len(sets), limit))
    assert sorted(place for some in found for place in some) == list(range(len(sets)))
    if method == "complete":
        assert all(rows[a][b] <= limit for some in found for a, b in combinations(some, 2))
    if method != "ward":
        near = {(a, b) for a in range(len(sets)) for b in range(a) if rows[a][b] <= limit}
        for some in found:
            assert len(some) == 1 or all(
                any((max(a, b), min(a, b)) in near for b in some if b != a) for a in some
            )
