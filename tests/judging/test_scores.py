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


def test_a_change_that_ended_a_failure_is_proof_as_well() -> None:
    verdicts = [
        said("a", GENUINE),
        said("b", UNDECIDED),
        said(JOINT, GENUINE),
        said("a", GENUINE, test="u"),
        proof(FLAKY, test="u"),
    ]
    key = ("", "t", 1, 0)
    made = scores(verdicts, fixed=[key, ("", "u", 1, 0)])
    found = {one.fighter: one for one in made.fighters}
    assert (made.proved, made.fixed) == (2, 1)
    assert (found["a"].agreed, found["a"].missed) == (1, 1)
    assert found["b"].undecided == 1
    assert found[JOINT].agreed == 1
    # What was introduced is left out, whatever came of it.
    new = [said("a", GENUINE), proof(FLAKY, introduced=True)]
    assert scores(new, fixed=[key]).proved == 0


def test_precision_and_recall() -> None:
    verdicts = []
    for n, (label, truth) in enumerate(
        [(FLAKY, FLAKY), (FLAKY, FLAKY), (FLAKY, GENUINE), (UNDECIDED, FLAKY), (None, FLAKY)]
    ):
        verdicts += [] if label is None else [said("a", label, test=str(n))]
        verdicts += [said("b", GENUINE, test=str(n)), proof(truth, test=str(n))]
    found = score(*verdicts)
    assert found["a"].precision(FLAKY) == 2 / 3
    assert found["a"].recall(FLAKY) == 2 / 4
    assert found["a"].precision(GENUINE) is None
    assert found["a"].recall(GENUINE) == 0
    assert (found["b"].precision(GENUINE), found["b"].recall(GENUINE)) == (1 / 5, 1)
    assert score(said("a", FLAKY))["a"].recall(FLAKY) is None


def test_who_came_later_is_not_asked_for_what_was_before() -> None:
    verdicts = [said("old", FLAKY), proof(FLAKY), said("new", FLAKY, 9, test="u")]
    verdicts += [said("old", FLAKY, 9, test="u"), proof(FLAKY, 10, test="u")]
    found = score(*verdicts)
    assert (found["old"].known[FLAKY], found["new"].known[FLAKY]) == (2, 1)
    # Nor is the observer of a proof asked for what it proved.
    observed = score(said("rerun", FLAKY), proof(FLAKY, at=1, by="rerun"), said("b", FLAKY))
    assert (observed["rerun"].known, observed["b"].recall(FLAKY)) == ({}, 1)


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
