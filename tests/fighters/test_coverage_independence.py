"""What a run's clusters say of a failing test, on coverages made by hand."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flakefighters.fighters import coverage_independence as module
from flakefighters.fighters.coverage_independence import CoverageIndependence, Settings
from flakefighters.fighters.registry import choose, needed
from flakefighters.model import Confidence, Coverage, Label, Need, Verdict
from flakefighters.model.choice import Choice, Given
from tests.fighters.cases import case

FAILING = "tests/test_a.py::test_a"


def coverage(ran: dict[str, str], failed: set[str], **more: Any) -> Coverage:
    """Functions by letter: a capital one is in a test file, and one that a test is named by is it.

    ``ran``: node id to the functions that it ran.
    """
    letters = sorted(set("".join(ran.values())))
    units = [f"tests/test_a.py::{one}" if one.isupper() else f"shop.py::{one}" for one in letters]
    units += [name.partition("[")[0] for name in ran]
    bits = {}
    for nodeid, some in ran.items():
        own = units.index(nodeid.partition("[")[0])
        bits[nodeid] = sum({1 << letters.index(one) for one in some} | {1 << own})
    return Coverage(ran=bits, units=tuple(units), failed=frozenset(failed), **more)


def judged(found: Coverage | None, nodeid: str = FAILING, **how: Any) -> Verdict | None:
    return CoverageIndependence(Settings(**how)).judge(case(nodeid=nodeid, coverage=found))


def among(mine: str, *others: str, failed: int = 0, **more: Any) -> Coverage:
    """A failing test that ran ``mine``, and others; so many of them failed, the first ones."""
    ran = {FAILING: mine} | {f"tests/test_b.py::test_{n}": some for n, some in enumerate(others)}
    return coverage(ran, {FAILING, *list(ran)[1 : 1 + failed]}, **more)


def test_among_those_that_pass() -> None:
    said = judged(among("abc", "abc", "abc", "abc", "xyz"))
    assert said is not None
    assert (said.label, said.confidence) == (Label.FLAKY, Confidence.WEAK)
    assert said.reason == (
        "3 other tests that ran the same functions passed (tests/test_b.py::test_0 and 2 more)"
    )
    assert said.evidence["alike"] == [f"tests/test_b.py::test_{n}" for n in range(3)]
    assert (said.evidence["passing"], said.evidence["failing"]) == (3, 0)


def test_among_those_that_fail() -> None:
    said = judged(among("abc", "abc", "abc", "abc", "xyz", failed=3))
    assert said is not None
    assert (said.label, said.confidence) == (Label.GENUINE, Confidence.FAIR)
    assert said.reason == (
        "3 other tests that ran the same functions failed as well"
        " (tests/test_b.py::test_0 and 2 more)"
    )


@pytest.mark.parametrize(
    ("found", "why"),
    [
        (None, "nothing was watched"),
        (among("abc", "abc", "abc", "abc", unknown="the tracing ended"), "not all is known"),
        (Coverage(failed=frozenset({FAILING})), "what the test itself ran is not known"),
        (among("abc", "xyz", "xyz", "xyz"), "it is alone"),
        (among("abc", "abc", "abc", "xyz"), "too few are with it"),
        (among("abc", "abc", "abc", "abc", "abc", failed=2), "it is mixed"),
        (among("AB", "AB", "AB", "AB"), "it ran nothing but code of tests"),
        (among("", "", "", ""), "it ran nothing"),
        (among("abc", "abc", "abc", "abc", failed=3), "everything fails"),
    ],
    ids=lambda one: one.replace(" ", "-") if isinstance(one, str) else "",
)
def test_nothing_to_say(found: Coverage | None, why: str) -> None:
    assert judged(found) is None, why


def test_what_no_passing_one_of_its_cluster_ran_is_suspect() -> None:
    many = "abcdefghijkl"
    assert judged(among(many, *[many[1:]] * 3), threshold=0.2) is None
    said = judged(among(many, many[1:], many[1:], many[:-1]), threshold=0.2)
    assert said is not None
    assert said.label is Label.FLAKY, "each function was run by one that passed"


def test_variants_of_one_test_function_count_once() -> None:
    ran = {f"tests/test_b.py::test_b[{n}]": "abc" for n in range(9)} | {FAILING: "abc"}
    assert judged(coverage(ran, {FAILING})) is None
    ran = {f"{FAILING}[{n}]": "abc" for n in range(9)}
    first = f"{FAILING}[0]"
    assert judged(coverage(ran, {first}), first) is None, "none of its own counts"


def test_nested_functions_of_a_test_are_its_own() -> None:
    units = ("shop.py::a", "tests/test_a.py::test_a", "tests/test_a.py::test_a.<locals>.<lambda>")
    ran = {FAILING: 0b111} | {f"tests/test_b.py::test_{n}": 0b001 for n in range(3)}
    said = judged(Coverage(ran=ran, units=units, failed=frozenset({FAILING})))
    assert said is not None
    assert said.evidence["functions"] == 1


def test_methods_of_classes_are_found() -> None:
    nodeid = "tests/test_a.py::TestA::test_a[x::y]"
    units = ("shop.py::a", "tests/test_a.py::TestA.test_a")
    ran = {nodeid: 0b11} | {f"tests/test_b.py::test_{n}": 0b01 for n in range(3)}
    said = judged(Coverage(ran=ran, units=units, failed=frozenset({nodeid})), nodeid)
    assert said is not None
    assert said.label is Label.FLAKY


def test_the_threshold_and_the_distance_are_settings() -> None:
    found = among("abcd", "abcde", "abcde", "abcde")
    assert judged(found) is None
    assert judged(found, threshold=0.2) is not None
    assert judged(found, threshold=0.2, least=4) is None
    assert judged(found, distance="dice", threshold=1 / 9) is not None
    for linkage in ("single", "complete", "average", "weighted"):
        assert judged(found, threshold=0.2, linkage=linkage) is not None
    ward = {"distance": "euclidean", "linkage": "ward"}
    assert judged(found, threshold=1, **ward) is None
    assert judged(found, threshold=2, **ward) is not None


def test_too_many_to_compare(monkeypatch: pytest.MonkeyPatch) -> None:
    found = among("abc", "abc", "abc", "abc", "abcd", "abce")
    assert judged(found, threshold=0.3) is not None
    monkeypatch.setattr(module, "MOST", 2)
    assert judged(found, threshold=0.3) is None
    monkeypatch.setattr(module, "MOST", 2_000)
    monkeypatch.setattr(module, "WORK", 1)
    assert judged(found, threshold=0.3) is None


def test_it_is_off_unless_asked_for() -> None:
    name = "coverage_independence"
    on = {name: {"enabled": Given("true", "pyproject.toml:3")}}
    usual = [one.name for one in choose(Choice(), print)]
    assert name not in usual
    assert [one.name for one in choose(Choice((name,)), print)] == [name]
    assert [one.name for one in choose(Choice(settings=on), print)] == [*usual, name]
    for choice in (Choice(), Choice(("rerun",)), Choice(settings={name: {}})):
        assert not needed(choice, Need.COVERAGE), "nothing is watched for those that are on"
    assert needed(Choice(("rerun", name)), Need.COVERAGE)
    assert needed(Choice(settings=on), Need.COVERAGE)


COVERAGES = st.dictionaries(
    st.sampled_from([f"tests/test_b.py::test_{n}" for n in range(12)]),
    st.tuples(st.text("abcdefgh", max_size=8), st.booleans()),
    min_size=1,
)


@settings(deadline=None)
@given(COVERAGES, st.randoms(use_true_random=False))
def test_properties(tests: dict[str, tuple[str, bool]], draw: random.Random) -> None:
    ran = {name: some for name, (some, _) in tests.items()}
    failed = {name for name, (_, fails) in tests.items() if fails}
    found = coverage(ran, failed)
    fighter = CoverageIndependence()
    for nodeid in sorted(failed):
        said = fighter.judge(case(nodeid=nodeid, coverage=found))
        again = CoverageIndependence().judge(
            case(nodeid=nodeid, coverage=Coverage.from_json(found.to_json()))
        )
        assert said == again, "it does not depend on who was judged before"
        if said is None:
            continue
        assert len(json.dumps(dict(said.evidence))) < 2_000
        assert len(tests) > 3
        passing = {name for name in tests if name not in failed}
        if said.label is Label.FLAKY:
            covered = set("".join(ran[name] for name in passing))
            assert set(ran[nodeid]) <= covered
        else:
            assert said.label is Label.GENUINE
            assert passing
