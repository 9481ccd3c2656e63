"""What the flakefighters say of a failure becomes one verdict."""

from __future__ import annotations

from typing import Any

import pytest

from flakefighters.fighters import builtin
from flakefighters.fighters.rule import decide
from flakefighters.model import (
    JOINT,
    Case,
    Confidence,
    Failure,
    Label,
    Level,
    Outcome,
    Phase,
    Verdict,
)
from tests.fighters.cases import baseline, case, change, past, reach


class Says:
    """Says one thing of every failure, or nothing."""

    version = 3
    level = Level.EVIDENCE
    needs: frozenset[Any] = frozenset()

    def __init__(
        self, name: str, label: Label | None, confidence: Confidence = Confidence.FAIR
    ) -> None:
        self.name, self._label, self._confidence = name, label, confidence

    def judge(self, case: Case) -> Verdict | None:
        if self._label is None:
            return None
        return Verdict(
            label=self._label,
            fighter=self.name,
            version=self.version,
            confidence=self._confidence,
            reason=f"{self.name} says so",
            evidence={"own": 1},
        )


def test_the_first_that_speaks() -> None:
    joint, said = decide(
        case(), [Says("a", None), Says("b", Label.FLAKY), Says("c", Label.GENUINE)]
    )
    assert (joint.label, joint.fighter, joint.reason) == (Label.FLAKY, JOINT, "b says so")
    assert joint.evidence == {"by": "b", "own": 1}
    assert [one.fighter for one in said] == ["b", "c"]


def test_nobody_speaks() -> None:
    joint, said = decide(case(), [Says("a", None)])
    assert joint.label is Label.UNDECIDED
    assert joint.fighter == JOINT
    assert said == []


def test_a_doubt_gives_way_to_what_was_seen() -> None:
    doubt = Says("systemic", Label.UNDECIDED)
    strong = Says("touched_change", Label.GENUINE, Confidence.STRONG)
    assert decide(case(), [doubt, strong])[0].label is Label.GENUINE
    flaky = Says("touched_change", Label.FLAKY, Confidence.STRONG)
    assert decide(case(), [doubt, flaky])[0].label is Label.UNDECIDED


@pytest.mark.parametrize(
    ("exception", "label"),
    [
        ("NameError", Label.GENUINE),
        ("shop.errors.Refused", Label.GENUINE),
        ("AssertionError", Label.UNDECIDED),
        ("requests.exceptions.ConnectTimeout", Label.UNDECIDED),
        ("ConnectionRefusedError", Label.UNDECIDED),
        (None, Label.UNDECIDED),
    ],
)
def test_many_at_once_fail_by_the_world_or_by_an_import(
    exception: str | None, label: Label
) -> None:
    made = case(failure=Failure(phase=Phase.CALL, exception=exception))
    doubt = Says("systemic", Label.UNDECIDED)
    fair = Says("changed_imports", Label.GENUINE, Confidence.FAIR)
    assert decide(made, [doubt, fair])[0].label is label
    flaky = Says("touched_change", Label.FLAKY, Confidence.STRONG)
    assert decide(made, [doubt, flaky])[0].label is Label.UNDECIDED


def test_of_those_that_agree_the_strongest_speaks() -> None:
    repeats = Says("persistent", Label.GENUINE)
    strong = Says("touched_change", Label.GENUINE, Confidence.STRONG)
    fair = Says("changed_imports", Label.GENUINE, Confidence.FAIR)
    for other in (strong, fair):
        joint, _ = decide(case(), [repeats, other])
        assert joint.reason.startswith(f"{other.name} says so, failing alike since run ")
        assert joint.confidence is (Confidence.STRONG if other is strong else Confidence.FAIR)
        assert joint.evidence["by"] == other.name
        assert joint.evidence["alike"] == {"own": 1}
    # Who disagrees lends it no words.
    flaky = Says("touched_change", Label.FLAKY, Confidence.STRONG)
    assert decide(case(), [repeats, flaky])[0].reason == "persistent says so"
    # A doubt that gives way gives way to the strongest as well.
    doubt = Says("broken", Label.UNDECIDED)
    joint, _ = decide(case(), [doubt, repeats, strong])
    assert joint.evidence["by"] == "touched_change"


def test_the_real_ones_together() -> None:
    """Names are unique; the same state is a stronger proof than a changed import."""
    names = [fighter.name for fighter in builtin()]
    assert len(set(names)) == len(names)
    made = case(
        past=(past(),), baseline=baseline(change("shop/tax.py")), reach=reach("shop/tax.py")
    )
    joint, said = decide(made, builtin())
    assert joint.label is Label.FLAKY
    assert {one.fighter for one in said} == {"same_state", "changed_imports"}
    joint, _ = decide(case(past=(past(Outcome.FAILED),)), builtin())
    assert joint.label is Label.UNDECIDED
