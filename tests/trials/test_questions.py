"""Which tests ran before a failing one, and which failures are put on trial."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from flakefighters.trials.questions import company_of
from tests.history.made_runs import make_run

OUTCOMES = {"t.py::a": ".", "t.py::b": "-", "t.py::c": ".", "t.py::d": "F"}


@pytest.mark.parametrize(
    ("order", "company"),
    [
        (None, ["t.py::a", "t.py::c"]),
        ([[3, 0], [2]], []),
        ([[0], [2, 3]], ["t.py::c"]),
        ([[2, 0, 3]], ["t.py::c", "t.py::a"]),
    ],
)
def test_the_tests_before_it_in_its_own_process(
    order: Sequence[Sequence[int]] | None, company: list[str]
) -> None:
    run = make_run(OUTCOMES)._replace(order=order)
    assert list(company_of(run, "t.py::d")) == company
