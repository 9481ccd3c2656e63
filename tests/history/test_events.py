"""Decisions of people in a SQLite history."""

from __future__ import annotations

from pathlib import Path

import pytest

from flakefighters.errors import DatabaseError
from flakefighters.history import open_history
from flakefighters.history.events import add as add_events
from flakefighters.history.events import content_hash, may_decide, need_curator
from flakefighters.history.orphans import sweep
from flakefighters.ids import uuid7
from flakefighters.model import Project, Target
from flakefighters.model.decisions import MARK, QUARANTINE, Event
from tests.history.made_runs import PROJECT
from tests.sync.contents import rows


def event(
    target: str = "t.py::a", kind: str = MARK, at: int | None = None, **value: object
) -> Event:
    said = {"state": "flaky", **value}
    return Event(uuid7(at), PROJECT.identity, kind, target, said, "Jöe \x00 Doe", 12)


@pytest.fixture
def target(tmp_path: Path) -> Target:
    return Target(backend="sqlite", path=tmp_path / "h.db", display="h.db")


def test_they_are_added_once_and_read_by_target(target: Target) -> None:
    old = event("t.py::\ud800", at=1000, reason="a\x00b")
    new = event("t.py::b", QUARANTINE, at=2000)._replace(supersedes=(old.id,))
    with open_history(target) as history:
        assert history.events(PROJECT.identity) == []
        assert add_events(history.database, PROJECT, [new, old]) == 2
        assert add_events(history.database, PROJECT, [new, old]) == 0
        assert history.events(PROJECT.identity) == [old, new]
        assert history.events(PROJECT.identity, ["t.py::b", "t.py::c"]) == [new]
        assert history.events("github.com/other/one") == []
        history.aliases = (PROJECT.identity, "github.com/other/one")
        assert history.events("github.com/other/one") == [old, new]
        sweep(history.database)
        assert len(history.events(PROJECT.identity)) == 2
    assert rows(target, "SELECT label FROM project") == [(PROJECT.label,)]


def test_rows_that_make_no_sense_are_left_out(target: Target) -> None:
    with open_history(target) as history:
        add_events(history.database, PROJECT, [event()])
    for column, text in (("value", "[]"), ("value", "{"), ("supersedes", "1")):
        rows(target, f"UPDATE event SET {column} = ?", text)
        with open_history(target) as history:
            assert history.events(PROJECT.identity) == []


def test_a_file_for_reading_only(target: Target) -> None:
    with open_history(target) as history:
        assert may_decide(history.database)
        need_curator(history.database, "quarantine")
    with open_history(target._replace(read_only=True)) as history:
        assert not may_decide(history.database)
        with pytest.raises(DatabaseError, match="may not quarantine"):
            need_curator(history.database, "quarantine")
        with pytest.raises(DatabaseError):
            add_events(history.database, Project(identity="p", label="p"), [event()])


def test_the_hash_covers_all_of_it() -> None:
    one = event()
    others = {
        "id": uuid7(),
        "project": "p",
        "kind": QUARANTINE,
        "target": "t.py::b",
        "value": {"state": "genuine"},
        "by": "Eve",
        "at": 13,
        "supersedes": (one.id,),
    }
    assert set(others) == set(Event._fields)
    hashes = {content_hash(one._replace(**{name: new})) for name, new in others.items()}  # type: ignore[arg-type]
    assert len({content_hash(one), *hashes}) == 1 + len(others)
