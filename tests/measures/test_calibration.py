"""The picture of the documentation belongs to the code, and the measure is calibrated."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from typing import Any

import pytest

from tests.benchmarks.flip_rate.__main__ import FIGURES, NAME, figures, model, table
from tests.benchmarks.flip_rate.plot import svg

_DOCS = FIGURES.parent


@pytest.fixture(scope="module")
def stored() -> Any:
    return json.loads((FIGURES / f"{NAME}.json").read_text("utf-8"))


@pytest.fixture(scope="module")
def small() -> dict[str, Any]:
    return figures(60, seed=2)


def test_the_figures_are_of_these_parameters(stored: Any) -> None:
    """`python -m tests.benchmarks.flip_rate --tests 2500 --into docs/figures` makes them anew."""
    assert stored["model"] == model()
    assert stored["tests"] >= 2000


def test_the_picture_shows_the_figures(stored: Any) -> None:
    text = (FIGURES / f"{NAME}.svg").read_text("utf-8")
    assert text == svg(stored)
    root = ET.fromstring(text)
    names = {child.tag.partition("}")[2] for child in root}
    assert {"title", "desc", "style"} <= names
    assert "prefers-color-scheme: dark" in text


def test_the_documentation_has_the_table(stored: Any) -> None:
    assert table(stored) in (_DOCS / "verdicts.md").read_text("utf-8")


def test_the_code_still_gives_such_figures(stored: Any, small: dict[str, Any]) -> None:
    assert small.keys() == stored.keys()
    for before, now in zip(stored["windows"], small["windows"], strict=True):
        assert now.keys() == before.keys()
        assert now["intervals"].keys() == before["intervals"].keys()
        assert now["intervals"]["0.9"] == pytest.approx(before["intervals"]["0.9"], abs=0.15)
        assert now["precision"] == pytest.approx(before["precision"], abs=0.03)
        assert now["recall"] == pytest.approx(before["recall"], abs=0.25)


def test_it_is_calibrated(stored: Any) -> None:
    assert 0.08 < stored["tail"]["failed_once"] < 0.13
    assert 60 < stored["tail"]["median"] < 85
    for one in stored["windows"]:
        assert one["intervals"]["0.9"] == pytest.approx(0.9, abs=0.05)
        assert one["precision"] > 0.98
        # Where it is all but sure, it is right.
        assert one["chance"][-1][1] > 0.97
        assert one["chance"][0][1] < 0.1
