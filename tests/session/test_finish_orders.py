"""What a session and its clean child say to each other: nothing is forgotten on the way."""

from __future__ import annotations

import json
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from flakefighters.judging.baselines import Lookback
from flakefighters.judging.results import Judged, Session
from flakefighters.model import Coverage, Label, Secret, Target, Watch
from flakefighters.model.choice import Choice, Given
from flakefighters.model.decisions import MARK, Event
from flakefighters.session import finish_orders as orders
from flakefighters.session.finish import Finished, Plan
from flakefighters.session.places import Spool
from flakefighters.state.anchor import Anchor
from flakefighters.trials.bench import Bench
from tests.history.made_runs import make_run, make_verdict

ANCHOR = Anchor(path=Path("/p"), inipath=Path("/p/pytest.ini"))


def through_json(value: Any) -> Any:
    return json.loads(json.dumps(value))


def _names(one: Plan | Session) -> list[str]:
    return list(one._fields) if isinstance(one, Session) else [each.name for each in fields(one)]


def test_an_order_arrives_whole() -> None:
    server = Target(backend="postgresql", host="h", password=Secret("s3cret"), query={"a": "b"})
    session = Session(
        roots=["tests"],
        plugins=["xdist"],
        plugin_files=["conftest.py"],
        lookback=Lookback(Watch(base="/p"), {"data.json": 5}),
        modules=frozenset({"os"}),
        loaded=["/p/a.py"],
        ignored={"t.py::a": {"ignore": True}},
        history_runs=7,
        coverage=Coverage({"t.py::a": 5}, ("a.py", "b.py", "c.py"), frozenset({"t.py::a"}), "why"),
    )
    plan = Plan(
        target=server,
        record_to=Target(backend="sqlite", path=Path("/p/history.db")),
        choice=Choice(("touched_change",), {"a": {"b": Given(1, "pyproject.toml:3")}}, "all"),
        save=False,
        seconds=1.5,
        session=session,
        spools=[Spool(Path("/p/spool"), frozenset({0, 1})), Spool(Path("/q"))],
        unreadable={"0" * 32: "it is damaged"},
        bench=Bench(python=("python",), environ={"A": "1"}, path=("/p",), seconds=30.0),
    )
    usual = Plan(target=server, record_to=server)
    for one, plain in ((plan, usual), (session, Session())):
        for name in _names(one):
            if name != "target":
                assert getattr(one, name) != getattr(plain, name), name
    order = orders.Order(Path("/p/j.jsonl"), ANCHOR, plan)
    arrived = orders.Order.read(through_json(order.plain()))
    assert (arrived.journal, arrived.anchor) == (order.journal, order.anchor)
    for name in _names(plan):
        if name != "session":
            assert getattr(arrived.plan, name) == getattr(plan, name), name
    for name in Session._fields:
        assert getattr(arrived.plan.session, name) == getattr(session, name), name


def test_the_outcome_arrives_whole() -> None:
    run = make_run({"t.py::a": "F"})
    done = Finished(
        judged=Judged(
            joint=[make_verdict(run, "t.py::a", Label.GENUINE)],
            said=[make_verdict(run, "t.py::a", fighter="touched_change", introduced=True)],
            seen=["1", "2"],
            merged=["2"],
        ),
        saved=True,
        proved=[make_verdict(run, "t.py::a", Label.FLAKY)],
        notes=["a note"],
        decisions=[Event("1", "p", MARK, "t.py::a", {"state": "flaky"}, "Ada", 5, ("0",))],
        run=run,
    )
    arrived = orders.outcome_from_json(through_json(orders.outcome_to_json(done)), run)
    assert asdict(arrived) == asdict(done)
