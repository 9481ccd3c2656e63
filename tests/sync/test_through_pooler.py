"""Copies through a pooler in transaction mode, as hosted databases have it."""

from __future__ import annotations

import pytest

from flakefighters.model import Target
from tests.history.made_runs import make_run, make_verdict
from tests.postgres.conftest import postgres_server, postgres_target
from tests.postgres.test_pooler import PGBOUNCER, pooled_target
from tests.sync.contents import clone_into, content, pull_into, push_to, save

__all__ = ["pooled_target", "postgres_server", "postgres_target"]

pytestmark = pytest.mark.skipif(PGBOUNCER is None, reason="needs pgbouncer")


def test_there_and_back(pooled_target: Target, local: Target) -> None:
    runs = [make_run({"t.py::a": "F", "t.py::b": "."}, at=n, dirty=False) for n in range(4)]
    save(pooled_target, *runs[:2], verdicts=[make_verdict(runs[0], "t.py::a")])
    assert clone_into(local, pooled_target).runs == 2
    save(local, runs[2])
    assert push_to(pooled_target, local).runs == 1
    save(pooled_target, runs[3])
    assert pull_into(local, pooled_target).runs == 1
    assert content(local) == content(pooled_target)
