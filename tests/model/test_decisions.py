"""Which decisions stand, whatever order they come in."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from flakefighters.model.decisions import (
    MARK,
    QUARANTINE,
    Event,
    expired,
    in_force,
    signature_target,
    standing,
    targets_of,
)

TEST = "t.py::test_a"
TODAY = "2026-12-01"


def event(
    name: str, state: str, *supersedes: str, kind: str = QUARANTINE, at: int = 0, **more: Any
) -> Event:
    value = {"state": state, **more.pop("value", {})}
    made = Event(name, "p", kind, TEST, value, "Ada", at or int(name, 16), supersedes)
    return made._replace(**more)


def stands(*events: Event) -> str:
    """The state that stands, the same in every order."""
    found = {
        standing(order)[events[0].kind, TEST].value["state"]
        for order in itertools.permutations(events)
    }
    assert len(found) == 1
    return str(found.pop())


@pytest.mark.parametrize(
    ("events", "state"),
    [
        ([event("1", "on")], "on"),
        ([event("1", "on"), event("2", "off", "1")], "off"),
        ([event("1", "on"), event("2", "off", "1"), event("3", "on", "2")], "on"),
        # Two at once: not quarantined wins, until somebody who knows both decides.
        ([event("1", "on"), event("2", "off")], "off"),
        ([event("1", "off"), event("2", "on")], "off"),
        ([event("1", "on"), event("2", "off", "1"), event("3", "on", "1")], "off"),
        ([event("1", "on"), event("2", "off"), event("3", "on", "1", "2")], "on"),
        # Nothing takes the place of what is later, nor of itself.
        ([event("1", "on", "2"), event("2", "off")], "off"),
        ([event("1", "on", "2"), event("2", "off", "1")], "off"),
        ([event("1", "on", "1")], "on"),
        # What is not known here takes no part.
        ([event("1", "on"), event("2", "perhaps", "1")], "on"),
    ],
)
def test_quarantine(events: list[Event], state: str) -> None:
    assert stands(*events) == state


@pytest.mark.parametrize(
    ("one", "other", "state"),
    [
        ("genuine", "flaky", "genuine"),
        ("genuine", "fixed", "genuine"),
        ("genuine", "none", "genuine"),
        ("flaky", "none", "none"),
        ("flaky", "fixed", "fixed"),
    ],
)
def test_marks_made_at_once(one: str, other: str, state: str) -> None:
    assert stands(event("1", one, kind=MARK), event("2", other, kind=MARK)) == state
    assert stands(event("1", other, kind=MARK), event("2", one, kind=MARK)) == state


def test_of_equal_ones_the_newest_stands() -> None:
    first, second = event("1", "on"), event("2", "on")
    assert standing([second, first])[QUARANTINE, TEST] is second


def test_kinds_and_targets_are_apart() -> None:
    other = event("3", "on", target="t.py::test_b")
    found = standing([event("1", "on"), event("2", "flaky", kind=MARK), other])
    assert set(found) == {(QUARANTINE, TEST), (MARK, TEST), (QUARANTINE, "t.py::test_b")}
    assert standing([event("1", "on", kind="later")]) == {}


@pytest.mark.parametrize(
    ("until", "over"),
    [("2026-11-30", True), (TODAY, False), ("2026-12-02", False), (None, False)],
)
def test_the_last_day_counts(until: str | None, over: bool) -> None:
    one = event("1", "on", value={"until": until})
    assert expired(one, TODAY) is over
    assert in_force([one], TODAY) == ([] if over else [one])


def test_what_was_taken_back_is_not_in_force() -> None:
    assert in_force([event("1", "off"), event("2", "none", kind=MARK)], TODAY) == []


def test_what_events_on_a_failure_are_about() -> None:
    assert targets_of("t.py::test_a[1]", "sig") == (
        "t.py::test_a[1]",
        TEST,
        signature_target("sig"),
    )
    assert targets_of(TEST) == (TEST,)
    assert targets_of("[a]/t.py::test_a[1]") == ("[a]/t.py::test_a[1]", "[a]/t.py::test_a")
