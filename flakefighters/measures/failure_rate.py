"""How often a test fails by chance: a probability with an interval, from its earlier executions.

A Bayesian measure in the manner of Meta's probabilistic flakiness score (Machalica, Chmiel, Swierc
and Sakevych: "Probabilistic flakiness", 2020): a failure has two explanations, chance and a state
of the code that is broken, and what cannot be told apart is weighed.  Only the sequence of results
is needed, as for the flip rate of Gruber, Heine, Oster, Philippsen and Fraser ("Practical Flaky
Test Prediction using Common Code Evolution and Test History Data", ICST 2023).

The rate r of a test has a Beta distribution.  On a state on which the test passed as well, each
failure is by chance.  A state on which it only failed may be broken: the first one in a row is
with the probability BREAKS, one after a broken one with LASTS.  So the likelihood of a history is
r^failures (1 - r)^passes times a polynomial in r for each row of states without a pass, and what is
known of r afterwards is a mixture of Beta distributions, exact and in closed form.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from math import exp, lgamma, log, log1p
from typing import Final

from flakefighters.records import NamedTuple

__all__ = ["BREAKS", "INTERVAL", "LASTS", "PRIOR", "Prior", "Rate", "Tries"]
__all__ += ["beta_cdf", "by_chance", "failure_rate", "posterior"]


class Prior(NamedTuple):
    """What is known of the rate of a test before it ran: Beta(a, b)."""

    a: float
    b: float


#: Gruber, Lukasczyk, Krois and Fraser ("An Empirical Study of Flaky Tests in Python", ICST 2021)
#: saw 0.86 % of 876,186 tests be flaky in 400 runs.  Of the 811 flaky tests of FlakeFlagger
#: (Alshammari, Morris, Hilton and Bell, ICSE 2021) 100 failed once in 10,000 runs, and half of
#: them 71 times or more.  Under this prior 0.86 % of all tests fail in 400 runs, and of those
#: that fail in 10,000 runs 10 % fail once, and half of them 71 times or more.
PRIOR: Final = Prior(0.00134, 1.09)
#: How likely a new state breaks a test that was well before.  Micco ("The State of Continuous
#: Integration Testing at Google", 2017) found chance behind 84 % of the changes from passing to
#: failing; with the rates above that makes 0.0002.  Ten times as many is on the safe side.
BREAKS: Final = 0.002
#: How likely the next state is still broken, and that the first one is of which anything is known.
LASTS: Final = 0.75
#: How much of the distribution the interval holds.
INTERVAL: Final = 0.9

#: No more states are looked at, the newest of them.
RECENT: Final = 500
#: After so many states in a row without a pass nobody asks for chance any more.
_LONGEST: Final = 6
#: A part of a mixture that weighs less than this is left out.
_LEAST: Final = 1e-9


#: A rate below this is none.
_NONE: Final = 1e-9
#: When Newton's next step is the last one, as a part of what is sought.
_NEAR: Final = 1e-6

#: Factors by the power of r that they belong to.
Polynomial = dict[int, float]


class Tries(NamedTuple):
    """The executions of a test on one state, in comparable environments."""

    passed: int
    failed: int
    #: Whether it is known that the code was at fault.
    genuine: bool = False


class Rate(NamedTuple):
    """How likely an execution fails without the code being at fault."""

    #: The mean, and the interval around it.
    mean: float
    low: float
    high: float
    #: Failures by chance and executions, without those that a broken state explains better.
    failures: int
    executions: int
    #: On how many states these failures were seen.
    states: int


def posterior(failures: int, executions: int) -> tuple[float, float, float]:
    """Mean, low and high of the rate if every failure was by chance."""
    passes = executions - failures
    return _summary(PRIOR.a, PRIOR.b + passes, ((failures, 1.0),), INTERVAL)


def failure_rate(tries: Sequence[Tries], interval: float = INTERVAL) -> Rate:
    """The rate by the executions on each state, in the order in which the states came."""
    tries = tries[-RECENT:]
    known = _Known(tries)
    weights = known.weights(_chain(tries, known.breaks))
    total = sum(weights.values()) or 1.0
    shares = tuple(
        (known.failures + more, weight / total)
        for more, weight in sorted(weights.items())
        if weight > _LEAST * total
    )
    mean, low, high = _summary(PRIOR.a, PRIOR.b + known.passes, shares, interval)
    likeliest = max(weights, key=lambda more: (weights[more], -more))
    failures = known.failures + likeliest
    states = known.states
    for one in sorted(one.failed for one in tries if one.failed and not one.passed):
        likeliest -= one
        states += likeliest >= 0
    return Rate(mean, low, high, failures, failures + known.passes, states)


def by_chance(tries: Sequence[Tries], at: int) -> float:
    """How likely the failures on the state at this index were by chance."""
    known = _Known(tries)
    chance, broken = (
        sum(known.weights(_chain(tries, known.breaks, at, only)).values()) for only in (True, False)
    )
    return chance / (chance + broken) if chance else 0.0


class _Known:
    """What is certain of a history, and how the rest of it is weighed."""

    def __init__(self, tries: Sequence[Tries]):
        self.failures = self.passes = self.states = rows = 0
        before = False
        for passed, failed, genuine in tries:
            if passed and not failed:  # most states
                self.passes += passed
                before = False
                continue
            guilty = genuine and not passed
            if passed:
                self.passes += passed
                self.failures += failed
                self.states += failed > 0
            rows += guilty and not before
            before = guilty
        # A test that was broken before is more likely to be so again.
        self.breaks = (1 + rows) / (1 / BREAKS + len(tries))

    def weights(self, polynomial: Mapping[int, float]) -> dict[int, float]:
        """How much each number of further failures by chance weighs."""
        a, b = PRIOR.a + self.failures, PRIOR.b + self.passes
        first = _log_beta(a, b)
        return {
            more: share * exp(_log_beta(a + more, b) - first) for more, share in polynomial.items()
        }


def _chain(
    tries: Sequence[Tries], breaks: float, at: int = -1, well_there: bool = True
) -> Polynomial:
    """The polynomial in r of all states without a pass: the factor of each power.

    With ``at``, the part of it in which that state is well, or is broken.
    """
    # By the state that was reached: all explanations in which it is well, and is broken.
    well: Polynomial = {}
    broken: Polynomial = {0: 1.0}
    row, passed = 0, False
    for index, one in enumerate(tries):
        if one.passed and passed and index != at:
            continue  # the same factor for all explanations
        row, passed = (0 if one.passed else row + 1), one.passed > 0
        chance = index != at or well_there
        blame = not one.passed and (index != at or not well_there)
        if not one.passed:
            chance = chance and not one.genuine and row <= _LONGEST
        more = 0 if one.passed else one.failed
        before = (well, broken)
        well = _sum(before, (1 - breaks, 1 - LASTS), more) if chance else {}
        broken = _sum(before, (breaks, LASTS), 0) if blame else {}
    return _sum((well, broken), (1.0, 1.0), 0)


def _sum(both: tuple[Polynomial, Polynomial], by: tuple[float, float], more: int) -> Polynomial:
    """The weighted sum of two polynomials, times r to the power of ``more``."""
    found: Polynomial = {}
    for one, factor in zip(both, by, strict=True):
        for power, share in one.items():
            found[power + more] = found.get(power + more, 0.0) + share * factor
    return found


# -- mixtures of Beta distributions ----------------------------------------------------------------


@lru_cache(4096)
def _summary(
    a: float, b: float, shares: tuple[tuple[int, float], ...], interval: float
) -> tuple[float, float, float]:
    """Mean and interval of a mixture of Beta(a + n, b) for the numbers n and their weights."""
    mean = sum(share * (a + more) / (a + more + b) for more, share in shares)
    low, high = (_quantile(a, b, shares, p) for p in ((1 - interval) / 2, (1 + interval) / 2))
    # Where it is all but certain that a test never fails, its mean lies above nearly all of it.
    return mean, min(low, mean), max(high, mean)


def _quantile(a: float, b: float, shares: tuple[tuple[int, float], ...], p: float) -> float:
    """Where the distribution function of a mixture reaches ``p``: Newton's steps, or halves."""
    low, high = _NONE, 1.0
    if _mixture(a, b, shares, low)[0] >= p:
        return 0.0
    # Somewhere near: as if it were a normal distribution, of the logarithm.
    n = a + shares[-1][0]
    x = n / (n + b) * exp((1.5 if p > 0.5 else -1.5) / (n + 1) ** 0.5)
    x = min(x, (1 + n / (n + b)) / 2)
    for _ in range(200):
        reached, density = _mixture(a, b, shares, x)
        step = (p - reached) / density if density else 1.0
        if abs(step) <= _NEAR * x:
            return x + step  # each step doubles the digits
        low, high = (x, high) if reached < p else (low, x)
        x = x + step if low < x + step < high else (low + high) / 2
    return x


def _mixture(
    a: float, b: float, shares: tuple[tuple[int, float], ...], x: float
) -> tuple[float, float]:
    """Distribution function and density of a mixture at x."""
    first, last = shares[0][0], shares[-1][0]
    weights = dict(shares)
    a += first
    below = beta_cdf(a, b, x)
    # I(a + 1, b) = I(a, b) - x^a (1 - x)^b / (a B(a, b)); DLMF 8.17.20
    step = exp(a * log(x) + b * log1p(-x) - _log_beta(a, b)) / a if x < 1 else 0.0
    reached = density = 0.0
    for more in range(first, last + 1):
        share = weights.get(more, 0.0)
        reached += share * below
        density += share * step * a / (x * (1 - x)) if step else 0.0
        below -= step
        step *= x * (a + b) / (a + 1)
        a += 1
    return reached, density


def _log_beta(a: float, b: float) -> float:
    return lgamma(a) + lgamma(b) - lgamma(a + b)


def beta_cdf(a: float, b: float, x: float) -> float:
    """The regularised incomplete beta function I_x(a, b), for a, b > 0 and 0 <= x <= 1.

    By its continued fraction (DLMF 8.17.22), evaluated as Lentz did, on the side on which it
    converges fast.
    """
    if x <= 0 or x >= 1:
        return float(x > 0)
    if x > (a + 1) / (a + b + 2):
        return 1 - beta_cdf(b, a, 1 - x)
    front = exp(a * log(x) + b * log1p(-x) - _log_beta(a, b)) / a
    c, d = 1.0, 1 / (1 - (a + b) * x / (a + 1))
    found = d
    for m in range(1, 10_000):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        for term in (even, odd):
            d = 1 / _not_zero(1 + term * d)
            c = _not_zero(1 + term / c)
            found *= c * d
        if abs(c * d - 1) < 1e-15:
            break
    return front * found


def _not_zero(value: float) -> float:
    return value if abs(value) > 1e-30 else 1e-30
