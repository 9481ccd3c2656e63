"""How often a test fails by chance."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flakefighters.measures.failure_rate import (
    PRIOR,
    Tries,
    _summary,
    beta_cdf,
    by_chance,
    failure_rate,
    posterior,
)

PASS = Tries(1, 0)
FAIL = Tries(0, 1)
BOTH = Tries(1, 1)
GUILTY = Tries(0, 1, genuine=True)

#: I_x(a, b) as SciPy 1.16 gives it.
GOLDEN = [
    (2.5, 3.5, 0.3, 0.29675298929566646),
    (0.00134, 57.09, 0.001, 0.9968545662830491),
    (500, 2, 0.99, 0.039422898254487644),
    (1.00134, 57.09, 0.05, 0.9463781331868983),
]
#: Failures, executions, and mean, 5 % and 95 % of the Beta distribution, as SciPy gives them.
QUANTILES = [
    (1, 57, 0.01723733692491858, 0.0009022582209455213, 0.05116341471119),
    (4, 57, 0.06888014633506474, 0.024298434589353875, 0.1302801072882918),
    (2, 10, 0.18044167792169388, 0.03648337092322254, 0.3914060573244549),
    (30, 60, 0.4910898991575565, 0.38679040688502175, 0.5957239498086702),
]


@pytest.mark.parametrize(("a", "b", "x", "wanted"), GOLDEN)
def test_the_incomplete_beta_function(a: float, b: float, x: float, wanted: float) -> None:
    assert beta_cdf(a, b, x) == pytest.approx(wanted, rel=1e-11)
    assert beta_cdf(b, a, 1 - x) == pytest.approx(1 - wanted, abs=1e-11)


@pytest.mark.parametrize(("failures", "executions", "mean", "low", "high"), QUANTILES)
def test_quantiles(failures: int, executions: int, mean: float, low: float, high: float) -> None:
    assert posterior(failures, executions) == pytest.approx((mean, low, high), rel=1e-6)


@given(st.floats(1e-3, 2000), st.floats(1e-2, 2000), st.floats(0, 1))
def test_agreement_with_scipy(a: float, b: float, x: float) -> None:
    special = pytest.importorskip("scipy.special")
    if x == 0 or x > 1e-300:
        assert beta_cdf(a, b, x) == pytest.approx(special.betainc(a, b, x), abs=1e-10)


def test_the_prior_is_what_was_published() -> None:
    """Shares of flaky tests, of those that failed once, and the median, by a sum over counts."""
    from math import exp, lgamma

    def log_beta(a: float, b: float) -> float:
        return lgamma(a) + lgamma(b) - lgamma(a + b)

    def seen(n: int, k: int) -> float:
        ways = lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1)
        return exp(ways + log_beta(PRIOR.a + k, PRIOR.b + n - k) - log_beta(*PRIOR))

    assert 1 - seen(400, 0) == pytest.approx(0.0086, abs=0.0001)
    failing = 1 - seen(10_000, 0)
    assert 0.10 < seen(10_000, 1) / failing < 0.125
    assert sum(seen(10_000, k) for k in range(1, 71)) / failing == pytest.approx(0.5, abs=0.01)


def test_quantiles_of_a_mixture() -> None:
    """Where it is not certain how many failures were by chance."""
    a, b, shares = 1.5, 20.0, ((0, 0.3), (2, 0.5), (5, 0.2))
    _, low, high = _summary(a, b, shares, 0.9)
    for p, x in ((0.05, low), (0.95, high)):
        assert sum(w * beta_cdf(a + n, b, x) for n, w in shares) == pytest.approx(p, abs=1e-9)


# -- what it says ---------------------------------------------------------------------------------


def test_a_test_that_passes_on_the_same_states_fails_by_chance() -> None:
    found = failure_rate([BOTH, PASS, PASS] * 4 + [PASS] * 41)
    assert (found.failures, found.executions, found.states) == (4, 57, 4)
    assert (found.mean, found.low, found.high) == pytest.approx(posterior(4, 57))


@pytest.mark.parametrize(
    "broken",
    [[FAIL] * 5, [Tries(0, 5)], [GUILTY], [FAIL, FAIL], [Tries(0, 2)]],
    ids=["states in a row", "often on one state", "judged genuine", "two states", "twice"],
)
def test_a_row_of_failures_that_a_change_ended_raises_nothing(broken: list[Tries]) -> None:
    found = failure_rate([*[PASS] * 25, *broken, *[PASS] * 25])
    assert (found.failures, found.executions, found.states) == (0, 50, 0)
    assert found.mean < 0.001


def test_a_broken_state_beside_chance() -> None:
    """The rate of a flaky test is that of its other failures; the first of the row or the last
    may have been one of these."""
    flaky = [BOTH, *[PASS] * 9] * 5
    alone = failure_rate(flaky)
    found = failure_rate([*flaky[:25], *[FAIL] * 6, *flaky[25:]])
    assert alone.mean <= found.mean < 1.15 * alone.mean
    assert found.executions == alone.executions


def test_a_test_that_often_fails_may_do_so_twice_in_a_row() -> None:
    """With each state tried once there is no proof, and yet no other explanation."""
    found = failure_rate([PASS, FAIL, FAIL, PASS, FAIL, PASS] * 8)
    assert (found.failures, found.executions) == (24, 48)
    assert found.low < 0.5 < found.high


def test_one_failure_that_went_away_is_no_chance_yet() -> None:
    tries = [*[PASS] * 28, FAIL, *[PASS] * 28]
    assert by_chance(tries, 28) < 0.1
    four = [*[PASS] * 13, FAIL] * 4 + [PASS]
    assert by_chance(four, 13) > 0.95
    assert failure_rate(four).failures == 4


def test_who_was_broken_often_is_broken_again() -> None:
    tries = [*[PASS] * 13, FAIL] * 3 + [PASS]
    guilty = [*[PASS] * 4, GUILTY] * 8
    assert by_chance([*guilty, *tries], len(guilty) + 13) < by_chance(tries, 13)


def test_a_state_that_passed_as_well_is_not_broken() -> None:
    assert by_chance([PASS, BOTH, PASS], 1) == 1
    assert by_chance([PASS, GUILTY, PASS], 1) == 0
    assert by_chance([PASS, Tries(1, 1, genuine=True)], 1) == 1


def test_nothing_known_and_always_failing() -> None:
    assert failure_rate([]).executions == 0
    assert failure_rate([]).mean == pytest.approx(PRIOR.a / (PRIOR.a + PRIOR.b))
    assert failure_rate([FAIL] * 60).mean < 0.01
    assert failure_rate([GUILTY] * 400).failures == 0
    assert failure_rate([GUILTY, PASS] * 400).failures == 0


def test_old_states_do_not_count() -> None:
    assert failure_rate([*[BOTH] * 50, *[PASS] * 500]) == failure_rate([PASS] * 500)


# -- what always holds ----------------------------------------------------------------------------

states = st.builds(Tries, st.integers(0, 4), st.integers(0, 4), st.booleans()).filter(
    lambda one: one.passed + one.failed > 0
)
histories = st.lists(states, max_size=20)


@given(st.integers(0, 300), st.integers(0, 300))
def test_more_failures_never_lower_a_rate_and_more_passes_never_raise_it(
    failures: int, passes: int
) -> None:
    now = posterior(failures, failures + passes)
    more = posterior(failures + 1, failures + passes + 1)
    less = posterior(failures, failures + passes + 1)
    for before, up, down in zip(now, more, less, strict=True):
        assert down <= before * (1 + 1e-6) + 1e-9
        assert before <= up * (1 + 1e-6) + 1e-9


@given(histories.filter(lambda history: any(one.passed for one in history)), st.data())
def test_the_same_on_a_state_that_passed(history: list[Tries], data: st.DataObject) -> None:
    at = data.draw(st.sampled_from([n for n, one in enumerate(history) if one.passed]))
    one = history[at]

    def mean(passed: int, failed: int) -> float:
        return failure_rate(
            [*history[:at], one._replace(passed=passed, failed=failed), *history[at + 1 :]]
        ).mean

    now = mean(one.passed, one.failed)
    assert mean(one.passed + 1, one.failed) <= now * (1 + 1e-9)
    assert mean(one.passed, one.failed + 1) >= now * (1 - 1e-9)


@given(histories)
def test_the_interval_holds_the_mean(history: list[Tries]) -> None:
    found = failure_rate(history)
    assert 0 <= found.low <= found.mean <= found.high <= 1
    assert 0 <= found.failures <= found.executions
    assert found.executions <= sum(one.passed + one.failed for one in history)
    assert found.states <= found.failures


@given(histories.filter(bool), st.data())
def test_chance_is_a_probability(history: list[Tries], data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(history) - 1))
    assert 0 <= by_chance(history, at) <= 1


@given(st.lists(states, min_size=1, max_size=6), st.data())
def test_all_explanations_one_by_one(history: list[Tries], data: st.DataObject) -> None:
    """The polynomial against a sum over every way in which the states may have been broken."""
    from itertools import product
    from math import exp, lgamma

    from flakefighters.measures.failure_rate import LASTS, _Known

    at = data.draw(st.integers(0, len(history) - 1))
    breaks = _Known(history).breaks

    def log_beta(a: float, b: float) -> float:
        return lgamma(a) + lgamma(b) - lgamma(a + b)

    total, well_there, mean = 0.0, 0.0, 0.0
    for broken in product([False, True], repeat=len(history)):
        share, before, failed, passed = 1.0, True, 0, 0
        for one, now in zip(history, broken, strict=True):
            likely = LASTS if before else breaks
            share *= likely if now else 1 - likely
            if (now and one.passed) or (not now and one.genuine and not one.passed):
                share = 0.0
            if not now:
                failed, passed = failed + one.failed, passed + one.passed
            before = now
        a, b = PRIOR.a + failed, PRIOR.b + passed
        share *= exp(log_beta(a, b) - log_beta(*PRIOR))
        total += share
        mean += share * a / (a + b)
        well_there += share * (not broken[at])
    assert failure_rate(history).mean == pytest.approx(mean / total, rel=1e-6)
    assert by_chance(history, at) == pytest.approx(well_there / total, rel=1e-6)
