"""How long a search may take."""

from __future__ import annotations

import time

import pytest

from flakefighters.reach.budget import Budget


def test_waiting_counts_less_than_work_and_pauses_not_at_all(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = {"process_time": 100.0, "monotonic": 7.0}
    for name in clock:
        monkeypatch.setattr(time, name, lambda name=name: clock[name])
    budget = Budget()
    clock["process_time"] += 50.0
    assert budget.spent() == 0.0
    with budget:
        clock["process_time"] += 2.0
        clock["monotonic"] += 4.0
        assert budget.spent() == 2.0
        clock["monotonic"] += 26.0
        assert budget.spent() == 10.0
    clock["process_time"] += 50.0
    clock["monotonic"] += 500.0
    with budget:
        clock["process_time"] += 1.0
        assert budget.spent() == 11.0
