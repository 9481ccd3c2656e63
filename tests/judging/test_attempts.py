"""What one attempt at a test tells of the next ones."""

from __future__ import annotations

from dataclasses import replace

import pytest

from flakefighters.fighters.touched_change import TouchedChange
from flakefighters.judging.attempts import Attempts
from flakefighters.model import Case, Confidence, How, Label, Touching, Verdict
from tests.fighters.cases import NODEID, baseline, case, change

TAX = change("shop/tax.py")


def attempt(number: int, *, touches: bool) -> Case:
    touched = ((How.RAN, TAX),) if touches else ()
    made = case(baseline=replace(baseline(TAX), touching=Touching(touched=touched)))
    return replace(made, execution=made.execution._replace(attempt=number))


def judged(*touches: bool) -> list[Verdict]:
    attempts, found = Attempts(), []
    for number, one in enumerate(touches, 1):
        (fighter,) = attempts.told([TouchedChange()], NODEID)
        said = fighter.judge(attempt(number, touches=one))
        assert said is not None
        attempts.note([said], NODEID, number)
        found.append(said)
    return found


@pytest.mark.parametrize(
    ("touches", "labels"),
    [
        ((True, False), [Label.GENUINE, Label.GENUINE]),
        ((True, False, True), [Label.GENUINE] * 3),
        ((False, True), [Label.FLAKY, Label.GENUINE]),
        ((False, False), [Label.FLAKY, Label.FLAKY]),
    ],
)
def test_an_attempt_that_touched_a_change_counts_for_the_next(
    touches: tuple[bool, ...], labels: list[Label]
) -> None:
    assert [one.label for one in judged(*touches)] == labels


def test_it_is_named_and_fair() -> None:
    first, second, third = judged(True, False, False)
    assert first.confidence is Confidence.STRONG
    assert second.confidence is Confidence.FAIR
    assert second.reason == third.reason == f"attempt 1 {first.reason}"
    assert second.evidence["attempt"] == 1


def test_other_tests_are_left_alone() -> None:
    attempts = Attempts()
    attempts.note(judged(True), "tests/test_b.py::test_b", 1)
    mine = [TouchedChange()]
    assert attempts.told(mine, NODEID) == mine
