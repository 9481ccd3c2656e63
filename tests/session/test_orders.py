"""What a session and its clean child say to each other: nothing is forgotten on the way."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from flakefighters.fighters import builtin
from flakefighters.judging.judge import Judged
from flakefighters.model import Label, Secret, Target
from flakefighters.session import orders
from flakefighters.session.finish import Finished, Plan
from flakefighters.state.anchor import Anchor
from tests.history.made_runs import make_run, make_verdict

ANCHOR = Anchor(path=Path("/p"), inipath=Path("/p/pytest.ini"))


def through_json(value: Any) -> Any:
    return json.loads(json.dumps(value))


def test_an_order_arrives_whole() -> None:
    server = Target(backend="postgresql", host="h", password=Secret("s3cret"), query={"a": "b"})
    plan = Plan(
        target=server,
        record_to=Target(backend="sqlite", path=Path("/p/history.db")),
        fighters=list(builtin()[:2]),
        save=False,
        history_runs=7,
        seconds=1.5,
        roots=["tests"],
        plugins=["xdist"],
        modules=frozenset({"os"}),
        loaded=("/p/a.py",),
        ignored={"t.py::a": {"ignore": True}},
        spool=Path("/p/spool"),
    )
    usual = Plan(target=server, record_to=server, fighters=())
    for field in fields(Plan):
        if field.name not in ("target", "lookback"):
            assert getattr(plan, field.name) != getattr(usual, field.name), field.name
    order = orders.Order(Path("/p/j.jsonl"), ANCHOR, plan)
    arrived = orders.Order.from_json(through_json(order.to_json()))
    assert [type(one) for one in arrived.plan.fighters] == [type(one) for one in plan.fighters]
    kept = replace(arrived.plan, fighters=plan.fighters)
    assert kept == replace(plan, lookback=None, modules=None, loaded=())
    assert (arrived.journal, arrived.anchor) == (order.journal, order.anchor)


def test_the_outcome_arrives_whole() -> None:
    run = make_run({"t.py::a": "F"})
    done = Finished(
        judged=Judged(
            joint=[make_verdict(run, "t.py::a", Label.GENUINE)],
            said=[make_verdict(run, "t.py::a", fighter="touched_change", introduced=True)],
            seen=["1", "2"],
        ),
        saved=True,
        notes=["a note"],
        run=run,
    )
    assert orders.outcome_from_json(through_json(orders.outcome_to_json(done)), run) == done
