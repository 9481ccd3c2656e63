"""Spectrum-based fault localisation: what sets failing attempts apart from passing ones.

Gruber and Fraser compare these five formulas on flaky tests ("Debugging Flaky Tests using
Spectrum-based Fault Localization", AST 2023, https://arxiv.org/abs/2305.04735).  Each takes the
spectrum of one unit, a line or a function, and answers how suspicious it is: the higher, the more.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from flakefighters.records import NamedTuple

__all__ = ["METRICS", "Counts", "barinel", "dstar", "ochiai", "op2", "ranks", "tarantula"]


class Counts(NamedTuple):
    """The spectrum of a unit: attempts that ran it or not, and failed or passed."""

    #: Attempts that ran it and failed, and that ran it and passed.
    ef: int
    ep: int
    #: Attempts that did not run it and failed, and that did not and passed.
    nf: int
    np: int


def ochiai(counts: Counts) -> float:
    """``ef / sqrt((ef + nf) (ef + ep))``, from 0 to 1.

    Abreu, Zoeteweij and van Gemund, "On the Accuracy of Spectrum-based Fault Localization",
    TAICPART 2007.  0 if nothing failed, or if no attempt ran the unit.
    """
    ef, ep, nf, _ = counts
    below = math.sqrt((ef + nf) * (ef + ep))
    return ef / below if below else 0.0


def tarantula(counts: Counts) -> float:
    """``failing / (failing + passing)``, the shares of failing and of passing attempts that ran it.

    Jones and Harrold, "Empirical Evaluation of the Tarantula Automatic Fault-Localization
    Technique", ASE 2005.  From 0 to 1.  A share of no attempts is 0, and so is the score of a unit
    that no attempt ran.
    """
    ef, ep, nf, np = counts
    failing = ef / (ef + nf) if ef else 0.0
    passing = ep / (ep + np) if ep else 0.0
    return failing / (failing + passing) if failing else 0.0


def dstar(counts: Counts, star: int = 2) -> float:
    """``ef^star / (ep + nf)``, D* with a star of 2 as its authors and Gruber and Fraser use it.

    Wong, Debroy, Gao and Li, "The DStar Method for Effective Software Fault Localization", IEEE
    Transactions on Reliability 63(1), 2014.  Infinite for a unit that all failing attempts ran and
    no passing one; 0 if no failing attempt ran it.
    """
    ef, ep, nf, _ = counts
    if not ef:
        return 0.0
    return ef**star / (ep + nf) if ep + nf else math.inf


def op2(counts: Counts) -> float:
    """``ef - ep / (ep + np + 1)``; below 0 for a unit that passing attempts alone ran.

    Naish, Lee and Ramamohanarao, "A Model for Spectra-based Software Diagnosis", ACM Transactions
    on Software Engineering and Methodology 20(3), 2011.  Its denominator is never 0.
    """
    ef, ep, _, np = counts
    return ef - ep / (ep + np + 1)


def barinel(counts: Counts) -> float:
    """``1 - ep / (ep + ef)``, from 0 to 1; how Barinel ranks single faults.

    Abreu, Zoeteweij and van Gemund, "Spectrum-Based Multiple Fault Localization", ASE 2009; the
    formula as in Pearson et al., "Evaluating and Improving Fault Localization", ICSE 2017.  0 for a
    unit that no attempt ran.
    """
    ef, ep, _, _ = counts
    return 1 - ep / (ep + ef) if ef else 0.0


#: By the names that users give them.
METRICS: Final[Mapping[str, Callable[[Counts], float]]] = {
    "ochiai": ochiai,
    "tarantula": tarantula,
    "dstar": dstar,
    "op2": op2,
    "barinel": barinel,
}


def ranks(scores: Sequence[float]) -> list[int]:
    """The rank of each score, from 1 for the highest.

    Equal ones share the best rank among them, and the next ones begin behind them: 1, 2, 2, 4.
    """
    first: dict[float, int] = {}
    for place, score in enumerate(sorted(scores, reverse=True), 1):
        first.setdefault(score, place)
    return [first[score] for score in scores]
