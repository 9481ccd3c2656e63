"""Runs that wait, and their way into a history."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from flakefighters.capture.journal import Journal
from flakefighters.errors import DatabaseError
from flakefighters.history import History, open_history
from flakefighters.ids import uuid7
from flakefighters.model import Project, RunHead, Target
from flakefighters.session.places import Spool, address
from flakefighters.session.spool import deliver_leftovers

PROJECT = Project(identity="local:x", label="x")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "spool"


@pytest.fixture
def target(tmp_path: Path) -> Target:
    return Target(backend="sqlite", path=tmp_path / "a.db", display="a.db")


def wait(folder: Path, *, to: str = "local", alive: bool = False, started: int = 1) -> Path:
    """A journal of a process that is gone."""
    started += 1_700_000_000_000_000
    head = RunHead(id=uuid7(started), project=PROJECT.identity, started=started)
    journal = Journal(folder, head.id)
    journal.begin(head, PROJECT, None, None, to)
    journal.suite(["a.py::a"])
    journal.closed([(0, (1, 2, 3), None)])
    journal.end(head, None, None, {}, None, ())
    if not alive:
        first, *rest = journal.path.read_bytes().splitlines(keepends=True)
        line = {**json.loads(first), "pid": 2**22 + 1}
        journal.path.write_bytes(json.dumps(line).encode() + b"\n" + b"".join(rest))
    return journal.path


def test_addresses() -> None:
    assert address(Target(backend="sqlite", path=Path("/a"), profile="local")) == "local"
    assert address(Target(backend="sqlite", path=Path("/a"))) == "sqlite:/a"
    server = Target(backend="postgresql", host="h", user="u", database="d")
    assert address(server) == "u@h:5432/d"


def test_delivery(folder: Path, target: Target) -> None:
    wait(folder, started=1)
    wait(folder, started=2)
    living = wait(folder, started=3, alive=True)
    elsewhere = wait(folder, started=4, to="u@h:5432/d")
    with open_history(target) as history:
        assert deliver_leftovers(history, [Spool(folder)], to="local") == (2, [])
        assert len(history.run_ids()) == 2
        assert deliver_leftovers(history, [Spool(folder)], to="local") == (0, [])
    assert sorted(folder.iterdir()) == sorted([living, elsewhere])


def test_limits(folder: Path, target: Target) -> None:
    for number in range(3):
        wait(folder, started=number)
    with open_history(target) as history:
        assert deliver_leftovers(history, [Spool(folder)], to="local", limit=2) == (2, [])
        now = iter(range(100))
        late = deliver_leftovers(
            history, [Spool(folder)], to="local", seconds=0.5, clock=lambda: next(now)
        )
        assert late == (0, [])
        assert deliver_leftovers(history, [Spool(folder)], to="local") == (1, [])


def test_damaged_journals_are_set_aside(folder: Path, target: Target) -> None:
    """Said once, and the others are delivered."""
    path = wait(folder, started=1)
    first = json.loads(path.read_bytes().splitlines()[0])
    path.write_bytes(json.dumps({**first, "head": {"id": 7}}).encode() + b"\n")
    wait(folder, started=2)
    with open_history(target) as history:
        saved, (note,) = deliver_leftovers(history, [Spool(folder)], to="local")
        assert saved == 1
        assert path.name in note
        assert deliver_leftovers(history, [Spool(folder)], to="local") == (0, [])
    assert [one.relative_to(folder).as_posix() for one in folder.rglob("*.jsonl")] == [
        f"set-aside/{path.name}"
    ]


def test_killed_between_saving_and_clearing_up(folder: Path, target: Target) -> None:
    """What was saved, whatever the judges added to it, is the better copy."""

    from flakefighters.capture.recovery import recover

    path = wait(folder)
    run = recover(path).run
    with open_history(target) as history:
        history.save(run._replace(head=run.head._replace(context={"more": 1})))
        assert deliver_leftovers(history, [Spool(folder)], to="local") == (1, [])
        assert history.load(run.head.id).head.context == {"more": 1}
    assert not path.exists()


def test_trouble_with_the_history(
    folder: Path, target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One note, and all stay where they are."""
    paths = [wait(folder, started=number) for number in range(2)]

    def refuse(*args: object, **kwargs: object) -> None:
        raise DatabaseError("locked")

    with open_history(target) as history:
        monkeypatch.setattr(History, "save", refuse)
        assert deliver_leftovers(history, [Spool(folder)], to="local") == (0, ["locked"])
    assert all(path.exists() for path in paths)


def test_what_a_run_proves_may_be_lost_but_is_said(
    folder: Path, target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fall(*_: object, **how: object) -> None:
        raise ValueError("odd")

    monkeypatch.setattr("flakefighters.session.spool.late_proofs", fall)
    wait(folder, started=1)
    with open_history(target) as history:
        saved, (note,) = deliver_leftovers(history, [Spool(folder)], to="local")
    assert saved == 1
    assert note.endswith("proves of earlier failures was not stored: ValueError: odd")
