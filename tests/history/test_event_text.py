"""Decisions as text: what is written is read again, and nothing else."""

from __future__ import annotations

import json
from typing import Any

import pytest

from flakefighters.history.event_text import from_text, to_text
from flakefighters.ids import uuid7
from flakefighters.model.decisions import QUARANTINE, Event


def event(at: int | None = None, **more: Any) -> Event:
    value = {"state": "on", "reason": "näïve \x1b[31m\n"}
    return Event(uuid7(at), "github.com/acme/shop", QUARANTINE, "t.py::a", value, "Ada", 12, **more)


def test_there_and_back() -> None:
    first = event(1000)
    second = event(2000, supersedes=(first.id,))
    text = to_text([second, first])
    assert text.isascii()
    assert text.count("\n") == 2
    assert from_text("# by hand\n\n" + text) == ([first, second], [])
    assert to_text([first, second]) == text
    assert text.startswith(to_text([first])), "what is decided later is added at the end"


@pytest.mark.parametrize("name", ["id", "project", "kind", "target", "value", "by", "at", "hash"])
def test_what_was_changed_is_refused(name: str) -> None:
    plain = json.loads(to_text([event()]))
    plain[name] = {"value": {"state": "off"}, "at": 13, "id": uuid7()}.get(name, "other")
    _, wrong = from_text(json.dumps(plain))
    assert wrong == ["line 1: it was changed since it was written"]


@pytest.mark.parametrize(
    "change",
    [
        {"id": "../../x"},
        {"at": "12"},
        {"at": True},
        {"value": []},
        {"supersedes": [1]},
        {"supersedes": 1},
        {"by": None},
        {"target": {}},
    ],
    ids=str,
)
def test_what_is_no_event(change: dict[str, Any]) -> None:
    line = json.dumps({**json.loads(to_text([event()])), **change})
    good = to_text([event()])
    events, wrong = from_text(f"{good}{line}\n[]\nnonsense\n{'[' * 5000}\n{'x' * 30_000}\n")
    assert len(events) == 1
    assert [text.partition(":")[0] for text in wrong] == [f"line {n}" for n in range(2, 7)]
