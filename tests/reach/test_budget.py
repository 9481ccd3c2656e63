"""How long a search may take."""

from __future__ import annotations

import time

import pytest

from flakefighters.reach.budget import Budget


def test_waiting_counts_less_than_work(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = {"process_time": 100.0, "monotonic": 7.0}
    for name in clock:
        monkeypatch.setattr(time, name, lambda name=name: clock[name])
    budget = Budget()
    clock["process_time"], clock["monotonic"] = 102.0, 11.0
    assert budget.spent() == 2.0
    clock["monotonic"] = 37.0
    assert budget.spent() == 10.0
