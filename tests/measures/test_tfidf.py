"""Weights of words and cosines, beside those of scikit-learn."""

from __future__ import annotations

import json
import math

import pytest

from flakefighters.measures.tfidf import Weights, cosine, words
from tests.measures.golden import GOLDEN, asked_now, made_texts

CLOSE = 1e-9


def ours(texts: list[str]) -> list[list[float]]:
    weights = Weights(texts)
    vectors = [weights.vector(text) for text in texts]
    return [[cosine(one, other) for other in vectors] for one in vectors]


def agree(mine: list[list[float]], theirs: list[list[float]]) -> bool:
    return len(mine) == len(theirs) and all(
        abs(a - b) <= CLOSE for row, other in zip(mine, theirs, strict=True)
        for a, b in zip(row, other, strict=True)
    )  # fmt: skip


def test_cosines_are_those_of_scikit_learn() -> None:
    golden = json.loads(GOLDEN.read_text("utf-8"))
    assert len(golden) == 2
    for seed, theirs in golden.items():
        mine = ours(made_texts(int(seed), len(theirs)))
        assert agree(mine, theirs)
        assert not agree(mine, [[one + 2e-9 for one in row] for row in theirs])


def test_they_are_as_well_where_it_is_installed() -> None:
    pytest.importorskip("sklearn")
    for seed in range(40):
        texts = [*made_texts(seed, 30), "one text with words"]
        assert agree(ours(texts), asked_now(texts))


def test_by_hand() -> None:
    weights = Weights(["a b", "a c c"])
    assert weights.of("a") == 1.0
    assert weights.of("b") == math.log(3 / 2) + 1
    assert weights.of("new") == math.log(3) + 1
    vector = weights.vector("a c c")
    two = 2 * (math.log(3 / 2) + 1)
    assert vector == {"a": 1 / math.hypot(1, two), "c": two / math.hypot(1, two)}
    assert cosine(vector, weights.vector("")) == 0.0
    assert cosine(vector, vector) == pytest.approx(1.0, abs=1e-12)


def test_words_are_letters_digits_and_underscores() -> None:
    assert words("in shop/tax.py:get_vat 'é' #") == ["in", "shop", "tax", "py", "get_vat", "é"]
