"""The compact form, by itself."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flakefighters.history import content, pack
from flakefighters.model import Execution, Outcome
from tests.history.made_runs import make_run

QUICK = settings(max_examples=60, deadline=None, database=None)
ids = st.integers(-(2**63), 2**63 - 1)
suites = st.lists(ids, unique=True, max_size=12)


@QUICK
@given(suites, st.data())
def test_outcomes_and_durations_can_be_unpacked(tests: list[int], data: st.DataObject) -> None:
    n = len(tests)
    outcomes = data.draw(st.text(".F", min_size=n, max_size=n))
    durations = tuple(data.draw(st.lists(st.integers(0, 99), min_size=3 * n, max_size=3 * n)))
    assert pack.unpack_outcomes(tests, pack.pack_outcomes(tests, outcomes)) == outcomes
    assert pack.unpack_durations(tests, pack.pack_durations(tests, durations)) == durations


def test_what_all_tests_share_is_one_character() -> None:
    assert pack.pack_outcomes([3, 1, 2], "...") == "."
    assert pack.pack_outcomes([3, 1, 2], "F.s") == ".sF"


@pytest.mark.parametrize("durations", ["[1,2]", "[1,2,3,4,5,6]"])
def test_durations_of_another_suite_are_refused(durations: str) -> None:
    with pytest.raises(ValueError, match="durations of 1 tests"):
        pack.unpack_durations([7], durations)


@QUICK
@given(st.lists(suites, min_size=1, max_size=6))
def test_any_suite_can_hang_on_any_other(sequence: Sequence[list[int]]) -> None:
    links: dict[str, pack.SuiteLink] = {}
    leaf = None
    for number, tests in enumerate(sequence):
        chain: list[pack.SuiteLink] = pack.chain_of(links, leaf) if leaf else []
        leaf = str(number)
        link = pack.link_suite(leaf, tests, chain)
        links[leaf] = pack.SuiteLink.read(link.row())
        made = pack.chain_of(links, leaf)
        assert pack.order_of(made) == tests
        assert pack.members_of(made) == sorted(tests)


@QUICK
@given(st.data())
def test_a_suite_that_is_edited_again_and_again(data: st.DataObject) -> None:
    tests = list(range(20))
    links = {"0": pack.link_suite("0", tests, [])}
    for step in range(1, 5):
        gone = data.draw(st.sets(st.sampled_from(tests), max_size=3))
        tests = [test for test in tests if test not in gone]
        for new in range(100 * step, 100 * step + data.draw(st.integers(0, 2))):
            tests.insert(data.draw(st.integers(0, len(tests))), new)
        if data.draw(st.booleans()) and data.draw(st.booleans()):
            tests = data.draw(st.permutations(tests))
        chain = pack.chain_of(links, str(step - 1))
        links[str(step)] = pack.link_suite(str(step), tests, chain)
        made = pack.chain_of(links, str(step))
        assert pack.order_of(made) == tests
        assert pack.members_of(made) == sorted(tests)
    assert links["1"].base == "0"


def test_a_small_change_of_a_suite_is_a_small_row() -> None:
    old = list(range(1000))
    whole = pack.link_suite("a", old, [])
    new = [*old[:500], -5, *old[502:]]
    link = pack.link_suite("b", new, [whole])
    assert (link.added, link.removed, link.places) == ([-5], [500, 501], {"at": [500]})
    unrelated = pack.link_suite("c", list(range(5000, 5100)), [whole])
    assert unrelated.base is None


def test_nothing_hangs_on_a_mere_reordering() -> None:
    old = list(range(1000))
    whole = pack.link_suite("a", old, [])
    shuffled = pack.link_suite("b", old[::-1], [whole])
    assert shuffled.base == "a"
    assert pack.link_suite("c", [*old, 1000], [shuffled, whole]).base == "a"


def test_circles_end() -> None:
    link = pack.SuiteLink("a", 0, "a", (), (), None)
    with pytest.raises(ValueError, match="endless"):
        pack.chain_of({"a": link}, "a")
    with pytest.raises(ValueError, match="broken"):
        pack.chain_of({}, "a")


@pytest.mark.parametrize(
    ("nodeid", "masked"),
    [
        ("t.py::a", None),
        ("t.py::a[1-2]", None),
        ("t.py::a[<object at 0x7f3a12345678>]", "t.py::a[<object at *>]"),
        ("t.py::a[2026-11-22 10:11:12.345+01:00-x]", "t.py::a[*-x]"),
        ("t.py::a[019b76da-a800-7540-aa40-9c47494af16f]", "t.py::a[*]"),
        ("t.py::a[/tmp/pytest-of-me/pytest-3/x.txt]", "t.py::a[*]"),
        ("t_0x7f3a12345678.py::a", None),
    ],
)
def test_unstable_node_ids_have_a_masked_form(nodeid: str, masked: str | None) -> None:
    assert content.masked(nodeid) == masked


def test_json_that_json_does_not_know_becomes_text() -> None:
    value = {1: float("nan"), "b": {2, 1}, "c": 2**70, "d": object}
    assert content.canonical(value) == {
        "1": "nan",
        "b": [1, 2],
        "c": 2**70,
        "d": "<class 'object'>",
    }


def test_executions_are_put_in_order_of_collection() -> None:
    run = make_run({"t.py::b": "F", "t.py::a": "F"})
    stray = Execution(nodeid="stray", attempt=1, outcome=Outcome.ERROR)
    mixed = run._replace(executions=(stray, *run.executions[::-1]))
    assert [each.nodeid for each in content.normal(mixed).executions] == [
        "t.py::b",
        "t.py::a",
        "stray",
    ]
