"""What a worker attaches, read again on the controller."""

from __future__ import annotations

import json
from typing import Any

import pytest

from flakefighters.capture import wire
from flakefighters.model.trace import Code, Watch
from flakefighters.tracing.facts import Facts
from flakefighters.tracing.wire import Reader, read_all, written

TAX = Code("shop/tax.py", "tax", 3)
VAT = Code("shop/tax.py", "tax.<locals>.<lambda>", 4)
NOTHING: dict[str, Any] = {"ran": (), "imported": (), "opened": (), "children": ()}


def attached(facts: Facts, at: int, *ran: Code, **options: Any) -> dict[str, Any]:
    numbers = {facts.number(code) for code in ran}
    value = written(
        at, "functions", facts, {**NOTHING, "ran": numbers}, first=at == 1, unknown=[], **options
    )
    copy: dict[str, Any] = json.loads(json.dumps(value))
    assert copy == value  # nothing but JSON values
    return value


def test_each_fact_travels_once() -> None:
    facts = Facts()
    facts.note("loaded", ("shop/tax.py", "import"))
    first = attached(facts, 1, TAX)
    facts.note("loaded", ("shop/tax.py", "import"))
    facts.note("earlier", facts.number(TAX))
    facts.note("at_import", ("test_a.py", facts.number(VAT)))
    facts.note("callers", (facts.number(TAX), facts.number(VAT)))
    second = attached(facts, 2, TAX, VAT)
    third = attached(facts, 3, TAX)
    assert set(third) == {"at", "way", "first", "unknown", "ran", "facts"} - {"unknown"}
    assert third["facts"] == {}
    reader = Reader()
    a, b, c = (reader.read(raw) for raw in (first, second, third))
    assert a.process is b.process is c.process
    assert [set(one.ran) for one in (a, b, c)] == [{TAX}, {TAX, VAT}, {TAX}]
    assert (a.first, b.first, a.at, c.at) == (True, False, 1, 3)
    assert a.before(a.process.earlier) == frozenset()
    assert b.before(b.process.earlier) == c.before(c.process.earlier) == {TAX}
    assert a.process.at_import == {("test_a.py", VAT): 2}
    assert a.process.callers == {(TAX, VAT): 2}
    assert a.process.loaded == {("shop/tax.py", "import"): 1}
    assert (a.unknown, b.unknown, c.unknown) == ((), (), ())


def test_any_order_and_what_is_lost() -> None:
    facts = Facts()
    raws = [attached(facts, at, code) for at, code in [(1, TAX), (2, VAT), (3, TAX)]]
    back = read_all(raws[::-1])
    assert [trace.at for trace in back] == [3, 2, 1]
    assert all(not trace.unknown for trace in back)
    first, last = read_all([raws[0], raws[2]])
    assert first.unknown == ()
    assert "missing" in last.unknown[0]
    (alone,) = read_all([raws[2]])  # and its functions were told before
    assert alone.unknown
    assert not alone.ran


@pytest.mark.parametrize(
    "raw",
    [
        {"at": "x"},
        {"at": 1, "way": "functions", "first": True, "ran": [7]},
        {"at": 1, "way": "functions", "first": True, "facts": {"odd": [1]}},
        {"at": 1, "way": "functions", "first": True, "codes": [[1]]},
        {"at": 1, "way": "functions", "first": True, "ran": 5},
        [],
    ],
)
def test_what_cannot_be_read_is_a_doubt(raw: Any) -> None:
    trace = Reader().read(raw)
    assert "cannot be read" in trace.unknown[0]


def test_not_watched() -> None:
    trace = Reader().read({"unknown": ["execution was not watched in this process"]})
    assert trace.way == "imports"
    assert trace.unknown == ("execution was not watched in this process",)


def test_names_that_are_no_text_can_travel() -> None:
    facts = Facts()
    facts.note("loaded", ("caf\udce9.py", "import"))
    raw = attached(facts, 1)
    json.dumps(raw).encode()
    assert raw["facts"]["loaded"] == [["caf\\udce9.py", "import"]]


def test_the_watch_travels() -> None:
    watch = Watch(
        base="/b", changed=frozenset({"a", "b"}), packages={"s": "src"}, loose=frozenset({"c"})
    )
    assert wire.load(Watch, json.loads(json.dumps(wire.plain(watch)))) == watch
