"""Later proof compared with what was said of a failure."""

from __future__ import annotations

from typing import Any

from flakefighters.judging.scores import scores
from flakefighters.model import JOINT, Confidence, Label, Verdict
from flakefighters.model.scores import Score

FLAKY, GENUINE, UNDECIDED = Label.FLAKY, Label.GENUINE, Label.UNDECIDED


def said(fighter: str, label: Label, at: int = 1, **more: Any) -> Verdict:
    confidence = more.pop("confidence", Confidence.STRONG)
    return Verdict(label, fighter, 1, confidence, "", nodeid=more.pop("test", "t"), at=at, **more)


def proof(label: Label, at: int = 2, by: str = "trial", **more: Any) -> Verdict:
    evidence = {"by": by}
    return said(JOINT, label, at, confidence=Confidence.PROVED, evidence=evidence, **more)


def score(*verdicts: Verdict) -> dict[str, Score]:
    return {one.fighter: one for one in scores(verdicts).fighters}


def test_what_was_said_is_compared_with_the_later_proof() -> None:
    found = score(
        said("touched_change", GENUINE),
        said("changed_imports", UNDECIDED),
        said("persistent", FLAKY),
        said(JOINT, GENUINE),
        proof(FLAKY),
    )
    assert found["persistent"].agreed == 1
    assert (found["touched_change"].missed, found["touched_change"].agreed) == (1, 0)
    assert found["changed_imports"].undecided == 1
    assert found[JOINT].missed == 1
    assert {one.proved for one in found.values()} == {1}
    assert score(said("a", FLAKY), proof(GENUINE))["a"].acquitted == 1


def test_nobody_is_compared_with_a_proof_of_their_own() -> None:
    found = score(
        said("rerun", FLAKY, confidence=Confidence.PROVED),
        said("touched_change", GENUINE),
        proof(FLAKY, at=1, by="rerun"),
    )
    assert (found["rerun"].said, found["rerun"].proved) == (1, 0)
    assert found[JOINT].proved == 0
    assert found["touched_change"].missed == 1


def test_the_newest_proof_counts_and_what_came_after_it_does_not() -> None:
    found = score(
        said("a", FLAKY),
        proof(FLAKY, at=2, by="retry"),
        proof(GENUINE, at=3),
        said("b", GENUINE, at=4),
        said(JOINT, UNDECIDED, at=5),
    )
    assert (found["a"].acquitted, found["a"].proved) == (1, 1)
    assert found["b"].proved == 0
    assert found[JOINT].acquitted == 1  # the first one said flaky


def test_without_proof_nothing_is_known() -> None:
    made = scores([said("a", FLAKY), said(JOINT, FLAKY), said("a", GENUINE, test="u")])
    assert (made.failures, made.proved) == (2, 0)
    assert {one.fighter: (one.said, one.proved) for one in made.fighters} == {
        "a": (2, 0),
        JOINT: (1, 0),
    }


def test_flakiness_that_may_be_new_is_no_measure() -> None:
    made = scores([said("a", GENUINE), proof(FLAKY, introduced=True)])
    assert made.proved == 0
    assert made.fighters[0].proved == 0


def test_the_order_is_that_of_proof() -> None:
    verdicts = [said(name, FLAKY) for name in (JOINT, "z", "b", "a")]
    assert [one.fighter for one in scores(verdicts, ["z", "a"]).fighters] == ["z", "a", "b", JOINT]
    assert scores([]).fighters == ()
