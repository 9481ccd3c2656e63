"""Makes ``cosines.json``: what scikit-learn says of some texts.

    python -m tests.measures.golden

It needs scikit-learn, which takes some 250 MB with what it needs, and so is no dependency of the
tests.  Where it is installed, the tests ask it as well.
"""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

__all__ = ["GOLDEN", "asked_now", "made_texts"]

GOLDEN = Path(__file__).with_name("cosines.json")
_WORDS = ["rate", "tax", "cart", "total", "refused", "timeout", "'vat'", "_id", "straße", "42", "#"]


def made_texts(seed: int, number: int) -> list[str]:
    """Texts like signatures; some of them are empty or have a word more than once."""
    chance = random.Random(seed)
    return [
        "\n".join(
            " ".join(chance.choices(_WORDS, k=chance.randrange(6))) + f" in shop/{line}.py:f{line}"
            for line in range(chance.randrange(4))
        )
        for _ in range(number)
    ]


def asked_now(texts: list[str]) -> list[list[float]]:
    """The cosine of each text and each other one, by scikit-learn."""
    from sklearn.feature_extraction.text import (  # type: ignore[import-not-found,import-untyped,unused-ignore]
        TfidfVectorizer,
    )
    from sklearn.metrics.pairwise import (  # type: ignore[import-not-found,import-untyped,unused-ignore]
        cosine_similarity,
    )

    vectors: Any = TfidfVectorizer(lowercase=False, token_pattern=r"\w+").fit_transform(texts)
    return [list(map(float, row)) for row in cosine_similarity(vectors)]


def main() -> None:
    """Write the file."""
    found = {str(seed): asked_now(made_texts(seed, number)) for seed, number in ((1, 9), (2, 16))}
    GOLDEN.write_text(json.dumps(found, indent=None) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
