"""TF-IDF and the cosine of texts.

Alshammari, Ammann, Hilton and Bell, *230,439 Test Failures Later: An Empirical Evaluation of Flaky
Failure Classifiers* (2024), section II.C, compare failures by them.  The weights are those of
scikit-learn's ``TfidfVectorizer(lowercase=False, token_pattern=r"\\w+")``, fitted on the same
texts: ``tf * (ln((1 + n) / (1 + df)) + 1)`` for a word that stands tf times in a text and in df
of n texts, divided by the Euclidean length of the text's weights.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence

__all__ = ["Weights", "cosine", "words"]


def words(text: str) -> list[str]:
    """The words of a text: letters, digits and underscores, as they are written."""
    return re.findall(r"\w+", text)


class Weights:
    """How much words tell, learned from some texts: the fewer have one, the more it tells."""

    def __init__(self, texts: Sequence[str]):
        self.size = len(texts)
        self._texts = Counter[str]()
        for text in texts:
            self._texts.update(set(words(text)))

    def of(self, word: str) -> float:
        """The inverse document frequency, smoothed; of a word that no text had as well."""
        return math.log((1 + self.size) / (1 + self._texts[word])) + 1

    def vector(self, text: str) -> dict[str, float]:
        """The weights of a text's words, of length one; empty if it has no words."""
        found = {word: times * self.of(word) for word, times in Counter(words(text)).items()}
        length = math.sqrt(math.fsum(one * one for one in found.values()))
        return {word: one / length for word, one in found.items()}


def cosine(one: Mapping[str, float], other: Mapping[str, float]) -> float:
    """The cosine of two vectors of length one: 1.0 if they point the same way, 0.0 if they have
    nothing in common."""
    few, many = (one, other) if len(one) <= len(other) else (other, one)
    return min(1.0, math.fsum(weight * many[word] for word, weight in few.items() if word in many))
