"""A test that fails among tests that pass with the same code fails independently of it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, Literal

from flakefighters.fighters.strategy import Strategy
from flakefighters.measures.clusters import Neighbours, cut, linkage, matrix
from flakefighters.model import Case, Confidence, Coverage, Label, Level, Need, Verdict
from flakefighters.records import NamedTuple
from flakefighters.words import count, few

__all__ = ["CoverageIndependence", "Settings"]

#: Different sets of functions that are compared in one go: more take too long.
MOST: Final = 2_000
#: Pairs of sets that are compared for one run, in a project of 2,000 functions; of more, fewer.
WORK: Final = 5_000_000
#: Tests that evidence names.
NAMED: Final = 5


class Settings(NamedTuple):
    """How alike is alike; docs/verdicts.md gives the reasons."""

    distance: Literal["jaccard", "dice", "hamming", "cosine", "euclidean"] = "jaccard"
    #: "ward" asks for "euclidean".
    linkage: Literal["single", "complete", "average", "weighted", "ward"] = "average"
    #: Tests that are no further apart than this run the same code.
    threshold: float = 0.1
    #: So many other test functions must agree.
    least: int = 3
    #: So large a part of the cluster must have failed for a genuine failure, or passed for a
    #: flaky one.
    share: float = 0.9


class CoverageIndependence(Strategy):
    """Flaky among tests that pass, genuine among tests that fail, by the functions they ran."""

    name = "coverage_independence"
    level = Level.STATISTICS
    needs = frozenset({Need.COVERAGE})
    settings_model = Settings
    #: Every function of the project is watched for it, so it has to be asked for.
    default = False

    def __init__(self, settings: Settings | None = None) -> None:
        self.settings = Settings() if settings is None else settings
        if self.settings.linkage == "ward" and self.settings.distance != "euclidean":
            raise ValueError("the linkage ward needs the distance euclidean")
        self._last: _Clusters | None = None

    def judge(self, case: Case) -> Verdict | None:
        coverage = case.coverage
        if coverage is None or coverage.unknown or case.nodeid not in coverage.ran:
            return None
        if self._last is None or self._last.coverage is not coverage:
            self._last = _Clusters(coverage, self.settings)
        found = self._last.round(case.nodeid)
        if found is None:
            return None
        label, cluster, alike = found
        others = f"{count(len(alike), 'other test')} that ran the same functions"
        ended = "passed" if label is Label.FLAKY else "failed as well"
        return self.say(
            label,
            Confidence.WEAK if label is Label.FLAKY else Confidence.FAIR,
            f"{others} {ended} ({few(alike, 1)})",
            {**cluster, **self.settings._asdict()},
        )


class _Clusters:
    """The tests of a run by what they ran, apart from their own functions."""

    def __init__(self, coverage: Coverage, settings: Settings) -> None:
        self.coverage, self.settings = coverage, settings
        own, tests = _own_and_tests(coverage)
        self._outside = ~tests
        self._ran = {one: ran & ~own.get(_function(one), 0) for one, ran in coverage.ran.items()}
        by_set: dict[int, list[str]] = {}
        for nodeid, ran in self._ran.items():
            if ran:
                by_set.setdefault(ran, []).append(nodeid)
        #: Each different set once.
        self._sets = sorted(by_set, key=lambda ran: (ran.bit_count(), ran))
        self._tests = [by_set[ran] for ran in self._sets]
        self._place = {ran: place for place, ran in enumerate(self._sets)}
        self._known: dict[int, list[int] | None] = {}
        every = len(coverage.units)
        work = 2 * WORK * 2_000 // (2_000 + every)
        near = (settings.distance, every, settings.threshold)
        self._neighbours = Neighbours(self._sets, *near, work)
        self._passes = any(one not in coverage.failed for one in coverage.ran)

    def round(self, nodeid: str) -> tuple[Label, dict[str, Any], list[str]] | None:
        """What the cluster of a failing test says: label, evidence, and who agrees."""
        ran, failed = self._ran[nodeid], self.coverage.failed
        # Without code but that of tests there is nothing to be independent of.
        places = self._cluster(self._place[ran]) if ran & self._outside else None
        if places is None:
            return None
        cluster = [one for place in places for one in self._tests[place]]
        mine = _function(nodeid)
        # Variants of one test function fail and pass together: they count once.
        failing = {_function(one) for one in cluster if one in failed} - {mine}
        passing = {_function(one) for one in cluster} - {mine} - failing
        label = self._most(len(failing), len(passing))
        if label is None:
            return None
        if label is Label.FLAKY and ran & ~_union(
            self._ran[one] for one in cluster if one not in failed
        ):
            return None  # it ran what none of those that passed did
        alike = sorted(passing if label is Label.FLAKY else failing)
        evidence = {
            "failing": len(failing),
            "passing": len(passing),
            "functions": ran.bit_count(),
            "alike": alike[:NAMED],
        }
        return label, evidence, alike

    def _most(self, failing: int, passing: int) -> Label | None:
        """What so many test functions of a cluster say, the failing one left out."""
        least, share = self.settings.least, self.settings.share * (failing + passing)
        if passing >= max(least, share):
            return Label.FLAKY
        if failing >= max(least, share) and self._passes:
            return Label.GENUINE
        return None

    def _cluster(self, place: int) -> list[int] | None:
        if place not in self._known:
            self._find(place)
        return self._known[place]

    def _find(self, place: int) -> None:
        """Cluster all that can be in one cluster with a set."""
        name, method, limit = self.settings[:3]
        sets, every = self._sets, len(self.coverage.units)
        if method == "ward":  # it joins what no short steps lead to
            near, whole = list(range(len(sets))), len(sets) <= MOST
        else:
            near, whole = self._neighbours.around(place, MOST)
        self._neighbours.work -= len(near) * len(near) // 2
        if not whole or self._neighbours.work < 0:
            self._known.update(dict.fromkeys(near))
            return
        near.sort()
        weights = [len(self._tests[one]) for one in near]
        rows = matrix(name, [sets[one] for one in near], every)
        labels = cut(linkage(rows, method, weights, limit), len(near), limit)
        clusters: dict[int, list[int]] = {}
        for one, label in zip(near, labels, strict=True):
            clusters.setdefault(label, []).append(one)
        for cluster in clusters.values():
            self._known.update(dict.fromkeys(cluster, cluster))


def _function(nodeid: str) -> str:
    """The test function of a test: without its parameters."""
    path, _, name = nodeid.partition("::")
    return f"{path}::{name.partition('[')[0].replace('::', '.')}"


def _own_and_tests(coverage: Coverage) -> tuple[dict[str, int], int]:
    """The units of each test function, nested ones included; and all that are code of tests."""
    functions = {_function(one) for one in coverage.ran}
    files = {one.partition("::")[0] for one in functions}
    own: dict[str, int] = {}
    tests = 0
    for place, unit in enumerate(coverage.units):
        name = unit.partition(".<locals>")[0]
        if name in functions:
            own[name] = own.get(name, 0) | 1 << place
        path = unit.partition("::")[0]
        if path in files or path.rpartition("/")[2] == "conftest.py":
            tests |= 1 << place
    return own, tests


def _union(sets: Iterable[int]) -> int:
    found = 0
    for one in sets:
        found |= one
    return found
