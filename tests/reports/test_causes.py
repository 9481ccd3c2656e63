"""The headings under which reports group failures."""

from __future__ import annotations

import pytest

from flakefighters.fighters import builtin
from flakefighters.model import Label
from flakefighters.reports.causes import cause


@pytest.mark.parametrize("name", [one.name for one in builtin()])
@pytest.mark.parametrize("label", list(Label))
def test_every_flakefighter_of_ours_has_a_heading(name: str, label: Label) -> None:
    assert not cause(name, label).startswith("said by")


def test_others_are_named() -> None:
    assert cause("own_one", Label.FLAKY) == "said by own one"
    assert cause("", Label.FLAKY) == "no cause known"
    assert cause("rerun", None) == "not judged"
