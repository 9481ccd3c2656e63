"""The formulas of spectrum-based fault localisation, against spectra worked out by hand."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flakefighters import plugin
from flakefighters.measures.spectra import METRICS, Counts, ranks

#: (ef, ep, nf, np) to ochiai, tarantula, dstar, op2, barinel; worked out with paper and pencil.
SPECTRA = {
    # Two failing and four passing attempts.
    (2, 0, 0, 4): (1, 1, math.inf, 2, 1),  # all failing ones, no passing one
    (2, 4, 0, 0): (2 / math.sqrt(12), 1 / 2, 1, 2 - 4 / 5, 1 / 3),  # all of them
    (1, 0, 1, 4): (1 / math.sqrt(2), 1, 1, 1, 1),
    (1, 1, 1, 3): (1 / 2, 2 / 3, 1 / 2, 4 / 5, 1 / 2),
    (2, 1, 0, 3): (2 / math.sqrt(6), 4 / 5, 4, 9 / 5, 2 / 3),
    (0, 4, 2, 0): (0, 0, 0, -4 / 5, 0),  # passing ones alone
    (0, 0, 2, 4): (0, 0, 0, 0, 0),  # none
    # Nothing failed; nothing passed; nothing at all.
    (0, 3, 0, 1): (0, 0, 0, -3 / 5, 0),
    (3, 0, 0, 0): (1, 1, math.inf, 3, 1),
    (1, 0, 2, 0): (1 / math.sqrt(3), 1, 1 / 2, 1, 1),
    (0, 0, 0, 0): (0, 0, 0, 0, 0),
}


@pytest.mark.parametrize("spectrum", SPECTRA, ids=str)
def test_a_spectrum_by_hand(spectrum: tuple[int, int, int, int]) -> None:
    scores = [metric(Counts(*spectrum)) for metric in METRICS.values()]
    assert scores == pytest.approx(SPECTRA[spectrum])


def test_users_can_name_each_metric() -> None:
    known = dict(plugin._OPTIONS)["--flakefighters-localise-metric"]
    assert known["choices"] == tuple(METRICS)
    assert known["default"] in METRICS


few = st.integers(0, 50)
METRIC = pytest.mark.parametrize("metric", METRICS.values(), ids=METRICS)


@METRIC
@settings(deadline=None)
@given(ef=few, ep=few, nf=few, np=few)
def test_more_failing_attempts_never_make_a_unit_less_suspicious(
    metric: object, ef: int, ep: int, nf: int, np: int
) -> None:
    assert callable(metric)
    score = metric(Counts(ef, ep, nf + 1, np))
    assert metric(Counts(ef + 1, ep, nf, np)) >= score
    assert not math.isnan(score)


@METRIC
@settings(deadline=None)
@given(ef=few, ep=few, nf=few, np=few)
def test_more_passing_attempts_never_make_a_unit_more_suspicious(
    metric: object, ef: int, ep: int, nf: int, np: int
) -> None:
    assert callable(metric)
    assert metric(Counts(ef, ep + 1, nf, np)) <= metric(Counts(ef, ep, nf, np + 1))


@METRIC
@settings(deadline=None)
@given(ef=few, ep=few, nf=few, np=few)
def test_nothing_beats_a_unit_that_all_failing_attempts_ran_alone(
    metric: object, ef: int, ep: int, nf: int, np: int
) -> None:
    assert callable(metric)
    assert metric(Counts(ef, ep, nf, np)) <= metric(Counts(ef + nf, 0, 0, ep + np))


@pytest.mark.parametrize("name", ["ochiai", "tarantula", "barinel"])
@settings(deadline=None)
@given(ef=few, ep=few, nf=few, np=few)
def test_shares_lie_between_0_and_1(name: str, ef: int, ep: int, nf: int, np: int) -> None:
    assert 0 <= METRICS[name](Counts(ef, ep, nf, np)) <= 1 + 1e-12


def test_ties_share_the_best_rank() -> None:
    assert ranks([0.5, 1.0, 0.5, math.inf, 0.0]) == [3, 2, 3, 1, 5]
    assert ranks([]) == []


@settings(deadline=None)
@given(st.lists(st.sampled_from([0.0, 0.25, 0.5, 1.0, math.inf])))
def test_ranks_follow_the_scores(scores: list[float]) -> None:
    found = sorted(zip(ranks(scores), scores, strict=True))
    for place, (rank, score) in enumerate(found, 1):
        assert rank == 1 + sum(other > score for other in scores)
        assert rank <= place
    assert all(one[1] >= other[1] for one, other in pairwise(found))
