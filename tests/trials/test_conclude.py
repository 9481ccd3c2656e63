"""The table of trials and verdicts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flakefighters.model import Arm, Label, Result, Trial
from flakefighters.trials.conclude import Facts, conclude

P, F, E, N = Result.PASSED, Result.ALIKE, Result.OTHERWISE, Result.NOTHING


def trial(arm: Arm, result: Result, control: bool | None = True) -> Trial:
    company = 3 if arm in (Arm.COMPANY, Arm.FEWER, Arm.BEFORE_COMPANY) else 0
    return Trial(arm, result, control_passed=control, company=company)


def said(*trials: tuple[Arm, Result], accompanied: bool = True) -> Label | None:
    return conclude(Facts.of([trial(*one) for one in trials], accompanied=accompanied))


ALONE, COPY, COMPANY, BEFORE = Arm.ALONE, Arm.COPY, Arm.COMPANY, Arm.BEFORE
LATER = Arm.BEFORE_COMPANY


@pytest.mark.parametrize(
    ("trials", "label"),
    [
        ([(ALONE, F), (ALONE, P)], Label.FLAKY),
        ([(ALONE, P), (COMPANY, P)], Label.FLAKY),
        ([(ALONE, P), (COMPANY, F), (COMPANY, P)], Label.FLAKY),
        ([(ALONE, P), (COMPANY, F), (COMPANY, F), (LATER, F)], Label.FLAKY),
        ([(ALONE, P), (COMPANY, F), (COMPANY, F), (LATER, P), (LATER, P)], Label.GENUINE),
        ([(ALONE, P), (COMPANY, F), (COMPANY, F)], None),
        ([(ALONE, P), (COMPANY, E)], None),
        ([(ALONE, P), (COMPANY, N)], None),
        ([(ALONE, P)], None),
        # One half of the tests before it is enough, the other is not.
        ([(ALONE, P), (COMPANY, F), (COMPANY, F), (Arm.FEWER, P), (Arm.FEWER, F)], None),
        ([(ALONE, F), (COPY, F), (BEFORE, F), (LATER, F)], Label.FLAKY),
        # By itself it may lack what an earlier test sets up, on every state.
        ([(ALONE, F), (COPY, F), (BEFORE, F)], None),
        ([(ALONE, F), (BEFORE, F), (LATER, P), (LATER, P)], None),
        ([(ALONE, F), (BEFORE, F), (LATER, P), (COMPANY, F), (LATER, P)], Label.GENUINE),
        ([(ALONE, F), (BEFORE, F), (LATER, P), (COMPANY, F)], None),
        ([(ALONE, F), (COPY, F), (BEFORE, P), (ALONE, F), (BEFORE, P)], Label.GENUINE),
        ([(ALONE, F), (COPY, F), (BEFORE, P)], None),
        ([(ALONE, F), (COPY, F), (BEFORE, E)], None),
        ([(ALONE, F), (COPY, F), (BEFORE, N)], None),
        ([(ALONE, F), (COPY, F)], None),
        ([(ALONE, F), (COPY, F), (BEFORE, P), (BEFORE, F)], Label.FLAKY),
        # What was left behind where the run took place is not in a fresh copy.
        ([(ALONE, F), (COPY, P), (ALONE, F), (COMPANY, P)], Label.FLAKY),
        ([(ALONE, F), (COPY, E), (BEFORE, P), (BEFORE, P)], None),
        ([(ALONE, E), (BEFORE, P), (BEFORE, P)], None),
        ([(ALONE, N)], None),
        ([], None),
    ],
)
def test_every_row(trials: list[tuple[Arm, Result]], label: Label | None) -> None:
    assert said(*trials) is label


def test_a_test_that_nothing_ran_before_needs_no_company() -> None:
    assert said((ALONE, P), accompanied=False) is Label.FLAKY
    assert said((ALONE, P)) is None


@pytest.mark.parametrize("control", [False, None])
def test_a_failure_on_the_state_before_needs_a_control_that_passed(control: bool | None) -> None:
    trials = [trial(ALONE, F), trial(COPY, F), trial(BEFORE, F, control)]
    assert conclude(Facts.of(trials, enough=True)) is None


def test_by_itself_is_enough_where_no_earlier_test_can_matter() -> None:
    trials = [trial(ALONE, F), trial(COPY, F), trial(BEFORE, F)]
    assert conclude(Facts.of(trials, enough=True)) is Label.FLAKY


def test_a_pass_on_the_state_before_needs_none() -> None:
    trials = [trial(ALONE, F), trial(COPY, F), trial(BEFORE, P, None), trial(BEFORE, P, None)]
    assert conclude(Facts.of(trials)) is Label.GENUINE


_ANY = st.lists(st.tuples(st.sampled_from(Arm), st.sampled_from([P, F, E, N])), max_size=8)


@given(_ANY)
def test_what_told_nothing_changes_nothing(trials: list[tuple[Arm, Result]]) -> None:
    told = [one for one in trials if one[1] is not N]
    assert said(*trials) is said(*told)


@given(_ANY)
def test_flaky_needs_a_pass_or_a_failure_before(trials: list[tuple[Arm, Result]]) -> None:
    if said(*trials) is Label.FLAKY:
        assert any(
            result is P or (result is F and arm in (BEFORE, LATER)) for arm, result in trials
        )
    if said(*trials) is Label.GENUINE:
        assert [one for one in trials if one in [(BEFORE, P), (LATER, P)]]
