"""The decision on the exit code, as a function of what is known at the end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

import pytest

from flakefighters.model import Confidence, Label, Verdict
from flakefighters.session.exit_code import Decision, Ending, Failing, Policy, decide, is_proof

RERUN: Final = {"by": "rerun"}
#: What each kind of verdict is made of.
KINDS: Final[dict[str, Verdict | None]] = {
    "none": None,
    **{
        name: Verdict(
            label=label,
            fighter="joint",
            version=1,
            confidence=confidence,
            reason="so",
            evidence=evidence,
            introduced=name == "introduced",
        )
        for name, label, confidence, evidence in (
            ("genuine", Label.GENUINE, Confidence.PROVED, RERUN),
            ("undecided", Label.UNDECIDED, Confidence.FAIR, {"by": "systemic"}),
            ("strong", Label.FLAKY, Confidence.STRONG, {"by": "touched_change"}),
            ("doubtful", Label.FLAKY, Confidence.PROVED, {"by": "same_state"}),
            ("introduced", Label.FLAKY, Confidence.PROVED, RERUN),
            ("unsure", Label.FLAKY, Confidence.PROVED, {"by": "rerun", "unsure": True}),
            ("proved", Label.FLAKY, Confidence.PROVED, RERUN),
            ("state", Label.FLAKY, Confidence.PROVED, {"by": "same_state", "act_on": "r1"}),
        )
    },
}
SUPPRESS: Final = Policy(suppress=True)
ENFORCE: Final = Policy(quarantine=True)
LENIENT: Final = Policy(quarantine=True, undecided=True)


def ending(*failing: Failing, **more: Any) -> Ending:
    number = len(failing)
    return replace(Ending(code=1, told=1, failing=failing, counted=number, met=number), **more)


def of(kinds: Sequence[str], *, quarantined: bool = False) -> list[Failing]:
    return [Failing(KINDS[kind], quarantined) for kind in kinds]


@pytest.mark.parametrize(
    ("kinds", "sentence"),
    [
        (["proved"], "exit code 0: the only failure is flaky, proved"),
        (["proved", "state"], "exit code 0: all 2 failures are flaky, proved"),
        (["genuine"], "exit code stays 1: 1 genuine"),
        (["introduced"], "exit code stays 1: 1 flaky, perhaps introduced here"),
        (["unsure"], "exit code stays 1: 1 flaky, perhaps introduced here"),
        (["strong"], "exit code stays 1: 1 flaky, but no proof counts here"),
        (["doubtful"], "exit code stays 1: 1 flaky, but no proof counts here"),
        (["none"], "exit code stays 1: 1 without a verdict"),
        (["proved", "undecided", "genuine"], "exit code stays 1: 1 genuine; 1 undecided"),
    ],
)
def test_only_proved_flaky_failures_are_left_out(kinds: list[str], sentence: str) -> None:
    assert decide(ending(*of(kinds)), SUPPRESS) == Decision("stays" in sentence, sentence)


@pytest.mark.parametrize(
    ("kind", "quarantined", "policy", "code"),
    [
        ("proved", True, ENFORCE, 0),
        ("proved", False, ENFORCE, 1),
        ("proved", False, Policy(suppress=True, quarantine=True), 0),
        ("strong", True, ENFORCE, 1),
        ("strong", True, LENIENT, 0),
        ("undecided", True, ENFORCE, 1),
        ("undecided", True, LENIENT, 0),
        ("undecided", False, LENIENT, 1),
        ("undecided", True, SUPPRESS, 1),
        ("introduced", True, LENIENT, 1),
        ("genuine", True, LENIENT, 1),
        ("none", True, LENIENT, 1),
    ],
)
def test_quarantine(kind: str, quarantined: bool, policy: Policy, code: int) -> None:
    assert decide(ending(*of([kind], quarantined=quarantined)), policy).code == code


def test_what_a_person_marked_as_genuine_counts() -> None:
    marked = Failing(KINDS["proved"], quarantined=True, marked_genuine=True)
    for policy in (SUPPRESS, LENIENT):
        assert decide(ending(marked), policy).sentence == "exit code stays 1: 1 marked genuine"


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"code": 7}, "something else changed it from 1"),
        ({"code": 0}, "something else changed it from 1"),
        ({"code": 2, "told": 2}, "only 1 (tests failed) can become 0"),
        ({"uncollected": 2}, "2 files could not be collected"),
        ({"stopped": "stopping after 1 failures"}, "stopped (stopping after 1 failures)"),
        ({"crashed": True}, "a worker crashed"),
        ({"unreported": 1}, "1 collected test did not report"),
        ({"warnings": True}, "more warnings than --max-warnings allows"),
        ({"counted": 2}, "something besides failing tests made it 1"),
        ({"counted": 0}, "something besides failing tests made it 1"),
        ({"failing": (), "met": 0, "counted": 0}, "no test failed"),
    ],
    ids=str,
)
def test_whatever_else_is_wrong_keeps_the_exit_code(wrong: dict[str, Any], reason: str) -> None:
    whole = ending(*of(["proved"]))
    assert decide(whole, SUPPRESS).code == 0
    end = replace(whole, **wrong)
    made = decide(end, SUPPRESS)
    assert made.code == end.code
    assert made.sentence.startswith(f"exit code stays {end.code}: ")
    assert reason in made.sentence


def test_nothing_is_said_of_a_run_that_passed() -> None:
    assert decide(Ending(code=0, told=0), SUPPRESS) == Decision(0)


@pytest.mark.parametrize(
    ("evidence", "expected"),
    [
        ({"by": "trial"}, True),
        ({"by": "rerun"}, True),
        ({"by": "same_state", "act_on": "r1"}, True),
        ({"by": "same_state"}, False),
        ({"by": "retry"}, False),
        ({}, False),
    ],
    ids=str,
)
def test_what_counts_as_proof(evidence: dict[str, Any], expected: bool) -> None:
    assert is_proof(evidence) is expected
