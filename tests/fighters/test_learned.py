"""Flakefighters that learn from earlier failures."""

from __future__ import annotations

import json
from typing import Any

import pytest

from flakefighters.fighters.similarity import Settings as Words
from flakefighters.fighters.similarity import Similarity
from flakefighters.fighters.traceback_match import TracebackMatch
from flakefighters.model import (
    Confidence,
    Experience,
    Failure,
    Label,
    Lesson,
    Level,
    Need,
    Phase,
    Verdict,
)
from tests.fighters.cases import NODEID, case

FLAKY, GENUINE = Label.FLAKY, Label.GENUINE
OTHER, THIRD = "tests/test_b.py::test_b", "tests/test_c.py::test_c"
SIGNATURE = "ConnectionError\nthe sandbox is gone\nin shop/pay.py:send\nin shop/http.py:post"
TEXT = "shop/pay.py:3: in send\n    post()\nE   ConnectionError: the sandbox is gone (after {} s)"
ASSERTION = "AssertionError\nassert # == #\nat assert total() == 100\nin tests/test_a.py:test_a"
COMPARED = "tests/test_a.py:3: in test_a\n    assert total() == 100\nE   assert {} == 100"


def lesson(label: Label = FLAKY, nodeid: str = NODEID, run: str = "9f3c", **more: Any) -> Lesson:
    given = {"signature": SIGNATURE, "text": TEXT.format("1.5"), "how": "proof", **more}
    return Lesson(run * 8, 1, nodeid, label, exception="ConnectionError", **given)


def judged(fighter: Any, *lessons: Lesson, signature: str = SIGNATURE, text: str = "") -> Any:
    failure = Failure(
        phase=Phase.CALL,
        exception="ConnectionError",
        text=text or TEXT.format("7.25"),
        signature=signature,
    )
    return fighter.judge(case(failure=failure, experience=Experience(lessons)))


def match(*lessons: Lesson, **more: Any) -> Verdict | None:
    found: Verdict | None = judged(TracebackMatch(), *lessons, **more)
    return found


def similar(*lessons: Lesson, **more: Any) -> Verdict | None:
    found: Verdict | None = judged(Similarity(), *lessons, **more)
    return found


@pytest.mark.parametrize("fighter", [TracebackMatch(), Similarity()])
def test_what_they_are(fighter: Any) -> None:
    assert fighter.level is Level.STATISTICS
    assert fighter.needs == {Need.EXPERIENCE}
    assert judged(fighter) is None
    assert fighter.judge(case()) is None
    assert judged(fighter, lesson(), signature="") is None


@pytest.mark.parametrize("label", [FLAKY, GENUINE])
def test_one_failure_of_the_same_test_is_enough(label: Label) -> None:
    found = match(lesson(label))
    assert found is not None
    assert (found.label, found.confidence) == (label, Confidence.FAIR)
    assert found.reason == f"failed alike in 1 earlier run, then {label} (last: run 9f3c)"
    assert found.evidence["runs"] == ["9f3c" * 8]
    several = match(lesson(label, runs=3))
    assert several is not None
    assert several.reason == f"failed alike in 3 earlier runs, each time {label} (last: run 9f3c)"


def test_of_other_tests_it_takes_two() -> None:
    assert match(lesson(nodeid=OTHER)) is None
    found = match(lesson(nodeid=OTHER), lesson(nodeid=THIRD, run="42af"))
    assert found is not None
    assert found.reason == "2 other tests failed alike, each time flaky (last: run 9f3c)"
    assert found.evidence["tests"] == [OTHER, THIRD]
    twice = match(lesson(nodeid=OTHER, runs=2))
    assert twice is not None
    assert twice.reason == "1 other test failed alike 2 times, each time flaky (last: run 9f3c)"


def test_both_sides_decide_nothing() -> None:
    assert match(lesson(FLAKY), lesson(GENUINE)) is None
    assert match(lesson(FLAKY), lesson(GENUINE, nodeid=OTHER)) is None
    assert similar(lesson(FLAKY), lesson(GENUINE)) is None


def test_other_operands_are_another_failure() -> None:
    then = lesson(signature=ASSERTION, text=COMPARED.format(99))
    for learner in (match, similar):
        assert learner(then, signature=ASSERTION, text=COMPARED.format(90)) is None
        same = learner(then, signature=ASSERTION, text=COMPARED.format(99))
        assert same is not None
        assert same.label is FLAKY


def test_another_shape_of_the_same_assertion_is_not_similar() -> None:
    then = lesson(signature=ASSERTION.replace("# == #", "None == #"), text="E   assert None == 100")
    assert similar(then, signature=ASSERTION, text=COMPARED.format(90)) is None
    edited = lesson(signature=ASSERTION.replace("== 100", "== 90"))
    assert similar(edited, signature=ASSERTION, text=COMPARED.format(99)) is None
    without_code = ASSERTION.replace("at assert total() == 100\n", "")
    then = lesson(signature=without_code.replace("# == #", "None == #"))
    assert similar(then, signature=without_code, text=COMPARED.format(90)) is None


def test_without_a_text_nothing_matches() -> None:
    assert match(lesson(text="")) is None
    found = similar(lesson(text=""))
    assert found is not None
    assert found.evidence["cosine"] == 1.0


NEAR = "ConnectionError\nthe sandbox is gone\nin shop/pay.py:send\nin shop/client.py:post"
FAR = "ConnectionError\nno route to host\nin shop/mail.py:deliver"


def test_the_nearest_known_failures_tell() -> None:
    found = similar(lesson(signature=NEAR), lesson(GENUINE, nodeid=OTHER, signature=FAR))
    assert found is not None
    assert (found.label, found.confidence) == (FLAKY, Confidence.FAIR)
    assert found.reason == "failed similarly in 1 earlier run, then flaky (last: run 9f3c)"
    assert found.evidence["cosine"] > 0.8
    assert similar(lesson(signature=FAR)) is None


def test_a_margin_keeps_the_kinds_apart() -> None:
    near = lesson(GENUINE, nodeid=OTHER, signature=NEAR)
    assert similar(lesson(), near) is None
    found = judged(Similarity(Words(margin=0.01)), lesson(), near)
    assert found is not None
    assert found.label is FLAKY
    assert 0.8 < found.evidence["nearest_other"] < 1


def test_of_similar_failures_it_takes_two_as_well() -> None:
    assert similar(lesson(nodeid=OTHER, signature=NEAR)) is None
    two = (lesson(nodeid=OTHER, signature=NEAR), lesson(nodeid=THIRD, signature=NEAR))
    found = similar(*two)
    assert found is not None
    assert found.reason == "2 other tests failed similarly, each time flaky (last: run 9f3c)"


def test_evidence_is_small() -> None:
    many = [lesson(nodeid=f"{'x' * 300}{n}", run=f"{n:04x}") for n in range(2000)]
    for learner in (match, similar):
        found = learner(*many)
        assert found is not None
        assert len(json.dumps(dict(found.evidence))) <= 2000
        assert len(found.reason) < 200
