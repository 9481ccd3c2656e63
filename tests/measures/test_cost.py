"""Clustering stays within its budget, whatever the shape of the suite."""

from __future__ import annotations

import pytest

from tests.benchmarks.clusters import measured

#: A busy machine takes three times as long as an idle one.
SECONDS = 12


@pytest.mark.slow
@pytest.mark.parametrize(
    ("shape", "tests"), [("modules", 5_000), ("alike", 1_900), ("alike", 5_000)]
)
def test_thousands_of_tests_over_two_thousand_files(shape: str, tests: int) -> None:
    found = measured(shape, tests, 2_000)
    assert found["megabytes"] < 300
    assert found["seconds"] < SECONDS
