"""What people marked."""

from __future__ import annotations

import pytest

from flakefighters.fighters.marked import Marked
from flakefighters.model import Confidence, Failure, Label, Phase
from flakefighters.model.decisions import MARK, QUARANTINE, Event, signature_target
from tests.fighters.cases import case

NODEID = "tests/test_a.py::test_a[1]"
SIGNATURE = "ValueError\nno"


def event(target: str = NODEID, state: str = "flaky", **fields: object) -> Event:
    known = {"id": "e1", "project": "p", "kind": MARK, "by": "ada", "at": 1_000_000}
    return Event(target=target, value={"state": state}, **{**known, **fields})  # type: ignore[arg-type]


def reason(*marks: Event) -> tuple[Label, str] | None:
    one = case(
        nodeid=NODEID,
        marks=marks,
        signature=SIGNATURE,
        failure=Failure(phase=Phase.CALL, signature=SIGNATURE),
    )
    said = Marked().judge(one)
    if said is None:
        return None
    assert said.confidence is Confidence.FAIR
    return said.label, said.reason.partition(" (")[0]


@pytest.mark.parametrize(
    ("target", "what"),
    [
        (NODEID, "is marked flaky by ada"),
        ("tests/test_a.py::test_a", "is marked flaky by ada"),
        (signature_target(SIGNATURE), "fails in a way marked flaky by ada"),
    ],
)
def test_on_what_it_may_be(target: str, what: str) -> None:
    assert reason(event(target)) == (Label.FLAKY, what)
    assert reason(event(target, "genuine")) == (Label.GENUINE, what.replace("flaky", "genuine"))


def test_what_says_nothing() -> None:
    assert reason() is None
    assert reason(event("tests/test_a.py::test_b")) is None
    assert reason(event(signature_target("KeyError"))) is None
    assert reason(event(state="fixed")) is None
    assert reason(event(kind=QUARANTINE, state="on")) is None


def test_people_who_disagree_leave_it_open() -> None:
    assert reason(event(), event(signature_target(SIGNATURE), "genuine")) is None
    assert reason(event(), event("tests/test_a.py::test_a", "fixed")) is None


def test_a_name_is_one_short_line() -> None:
    found = reason(event(by="a\nb" + "c" * 200))
    assert found is not None
    assert "\n" not in found[1]
    assert len(found[1]) < 100
    assert reason(event(by=" ")) == (Label.FLAKY, "is marked flaky by somebody")
