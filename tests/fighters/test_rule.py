"""What the flakefighters say of a failure becomes one verdict."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flakefighters.fighters import builtin
from flakefighters.fighters.rule import STATISTICS, decide
from flakefighters.model import (
    JOINT,
    OPEN,
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


# -- levels ------------------------------------------------------------------------------------


def level(
    one: Level, label: Label | None, name: str = "", confidence: Confidence = Confidence.FAIR
) -> Says:
    made = Says(name or one.name.lower(), label, confidence)
    made.level = one
    return made


class Leaves(Says):
    """Leaves a failure undecided; ``open``: nothing is known to have reached it."""

    def __init__(self, *, free: bool) -> None:
        super().__init__("touched_change", Label.UNDECIDED)
        self._free = free

    def judge(self, case: Case) -> Verdict | None:
        said = super().judge(case)
        assert said is not None
        return said._replace(evidence={OPEN: self._free})


FLAKY, GENUINE, UNDECIDED = Label.FLAKY, Label.GENUINE, Label.UNDECIDED
LOWER = (Level.MARK, Level.STATISTICS)


@pytest.mark.parametrize("one", LOWER)
def test_lower_levels_speak_where_nothing_reached_the_test(one: Level) -> None:
    for label in (FLAKY, GENUINE):
        voice = level(one, label, confidence=Confidence.STRONG)
        joint, said = decide(case(), [Leaves(free=True), voice])
        assert (joint.label, joint.confidence, joint.fighter) == (label, Confidence.FAIR, JOINT)
        assert joint.reason == f"{voice.name} says so; touched_change says so"
        assert joint.evidence["by"] == voice.name
        assert joint.evidence["undecided"]["by"] == "touched_change"
        assert len(said) == 2


@pytest.mark.parametrize("one", LOWER)
def test_a_doubt_is_never_flaky_by_them(one: Level) -> None:
    assert decide(case(), [Leaves(free=False), level(one, FLAKY)])[0].label is UNDECIDED
    assert decide(case(), [Leaves(free=False), level(one, GENUINE)])[0].label is GENUINE


@pytest.mark.parametrize("one", LOWER)
@pytest.mark.parametrize("doubt", ["systemic", "broken"])
def test_where_many_fail_nothing_is_learned_of_one(one: Level, doubt: str) -> None:
    for label in (FLAKY, GENUINE):
        joint, _ = decide(case(), [Says(doubt, UNDECIDED), level(one, label)])
        assert (joint.label, joint.evidence["by"]) == (UNDECIDED, doubt)


@pytest.mark.parametrize("one", LOWER)
@pytest.mark.parametrize(("found", "opposite"), [(GENUINE, FLAKY), (FLAKY, GENUINE)])
def test_what_was_found_stays_and_is_fair(one: Level, found: Label, opposite: Label) -> None:
    evidence = Says("touched_change", found, Confidence.STRONG)
    joint, _ = decide(case(), [evidence, level(one, opposite)])
    assert (joint.label, joint.confidence) == (found, Confidence.FAIR)
    assert joint.reason == f"touched_change says so, though it {one.name.lower()} says so"
    assert joint.evidence["contested"] == one.name.lower()
    agreed, _ = decide(case(), [evidence, level(one, found)])
    assert (agreed.confidence, agreed.reason) == (Confidence.STRONG, "touched_change says so")


@pytest.mark.parametrize("one", LOWER)
def test_proof_is_beyond_doubt(one: Level) -> None:
    proof = level(Level.PROOF, FLAKY, "same_state", Confidence.PROVED)
    joint, _ = decide(case(), [proof, level(one, GENUINE)])
    assert (joint.confidence, joint.reason) == (Confidence.PROVED, "same_state says so")


def test_marks_come_before_statistics() -> None:
    voices = [level(Level.MARK, GENUINE), level(Level.STATISTICS, FLAKY)]
    joint, _ = decide(case(), [Leaves(free=True), *voices])
    assert (joint.label, joint.evidence["by"]) == (GENUINE, "mark")
    assert joint.evidence["contested"] == "statistics"


@pytest.mark.parametrize(
    ("said", "results"),
    [
        # any, majority, all
        ((FLAKY, None, None), (FLAKY, UNDECIDED, UNDECIDED)),
        ((FLAKY, FLAKY, None), (FLAKY, FLAKY, UNDECIDED)),
        ((FLAKY, FLAKY, UNDECIDED), (FLAKY, FLAKY, UNDECIDED)),
        ((FLAKY, FLAKY, FLAKY), (FLAKY, FLAKY, FLAKY)),
        ((FLAKY, GENUINE, None), (UNDECIDED, UNDECIDED, UNDECIDED)),
        ((FLAKY, FLAKY, GENUINE), (UNDECIDED, UNDECIDED, UNDECIDED)),
        ((None, None, None), (UNDECIDED, UNDECIDED, UNDECIDED)),
    ],
)
def test_how_many_must_agree(said: tuple[Label | None, ...], results: tuple[Label, ...]) -> None:
    voices = [level(Level.STATISTICS, one, f"s{number}") for number, one in enumerate(said)]
    for rule, expected in zip(STATISTICS, results, strict=True):
        assert decide(case(), [Leaves(free=True), *voices], rule)[0].label is expected, rule


def test_statistics_that_are_asked_alone() -> None:
    alone = [level(Level.STATISTICS, FLAKY)]
    never, _ = decide(case(), alone)
    assert never.label is UNDECIDED  # no pass of the test is known
    joint, _ = decide(case(past=(past(outcome=Outcome.PASSED),)), alone)
    assert (joint.label, joint.reason) == (FLAKY, "statistics says so")
    assert "undecided" not in joint.evidence
    assert decide(case(), [level(Level.STATISTICS, GENUINE)])[0].label is GENUINE


@given(
    found=st.sampled_from([*Label]),
    voices=st.lists(st.tuples(st.sampled_from(LOWER), st.sampled_from([*Label])), max_size=4),
    rule=st.sampled_from(STATISTICS),
    free=st.booleans(),
)
def test_no_voice_overrules_what_was_seen(
    found: Label, voices: list[tuple[Level, Label]], rule: str, free: bool
) -> None:
    evidence = Leaves(free=free) if found is UNDECIDED else Says("touched_change", found)
    others = [level(one, label, f"v{n}") for n, (one, label) in enumerate(voices)]
    joint, _ = decide(case(), [evidence, *others], rule)
    if found is not UNDECIDED:
        assert joint.label is found
    if joint.label is FLAKY and found is UNDECIDED:
        assert free


def test_every_flakefighter_has_its_level() -> None:
    ranks = [one.level for one in builtin()]
    lower = [rank for rank in ranks if rank > Level.EVIDENCE]
    assert lower == sorted(lower)
    assert ranks[-len(lower) :] == lower
