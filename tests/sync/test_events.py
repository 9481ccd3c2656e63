"""Decisions of people go both ways, and only a curator sends them to a shared history."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from threading import Barrier, Thread

import pytest

from flakefighters.errors import DatabaseError
from flakefighters.history import open_history
from flakefighters.history.events import add as add_events
from flakefighters.history.events import may_decide, need_curator
from flakefighters.ids import uuid7
from flakefighters.model import Project, Target
from flakefighters.model.decisions import OFF, ON, QUARANTINE, Event, standing
from flakefighters.sync import Transfer
from flakefighters.sync.push import push_decisions
from tests.history.made_runs import PROJECT, make_run
from tests.postgres.server import shared_server
from tests.postgres.team import Team, team_on
from tests.sync.contents import clone_into, pull_into, push_to, save

NAMELESS = Project(identity="local:0123", label="scratch")


@pytest.fixture
def team() -> Iterator[Team]:
    try:
        server = shared_server()
    except LookupError as error:
        pytest.skip(str(error))
    with team_on(server) as team:
        save(team.target("writer"), make_run(dirty=False))
        yield team


@pytest.fixture
def local(tmp_path: Path) -> Target:
    return Target(backend="sqlite", path=tmp_path / "local.db", display="local.db")


def event(state: str = ON, project: Project = PROJECT, *supersedes: str) -> Event:
    name = uuid7()
    said = {"state": state, "reason": "näïve"}
    return Event(name, project.identity, QUARANTINE, "t.py::a", said, "Ada", 12, supersedes)


def decide(target: Target, *events: Event, project: Project = PROJECT) -> None:
    with open_history(target) as history:
        assert add_events(history.database, project, events) == len(events)


def decided(target: Target) -> list[Event]:
    with open_history(target) as history:
        return history.events(PROJECT.identity)


def test_there_and_back(team: Team, local: Target, tmp_path: Path) -> None:
    first = event()
    decide(team.target("curator"), first)
    assert clone_into(local, team.target("reader", read_only=True)).events == 1
    second = event(OFF, PROJECT, first.id)
    decide(local, second)
    decide(local, event(project=NAMELESS), project=NAMELESS)
    decide(
        local,
        event(project=NAMELESS._replace(identity="x/y")),
        project=PROJECT._replace(identity="x/y"),
    )
    done = push_to(team.target("curator"), local)
    assert done.events == 1
    assert done.kept_back == {
        "mark in a project without a name": 1,
        "mark in a project that is not known there": 1,
    }
    assert push_to(team.target("curator"), local).events == 0
    other = local._replace(path=tmp_path / "other.db")
    assert clone_into(other, team.target("reader", read_only=True)).events == 2
    assert pull_into(local, team.target("reader", read_only=True)).events == 0
    assert decided(other) == decided(local) == decided(team.target("reader")) == [first, second]


@pytest.mark.parametrize("task", ["writer", "pr_writer"])
def test_others_send_none(team: Team, local: Target, task: str) -> None:
    decide(local, event())
    done = Transfer()
    with open_history(local) as here:
        push_decisions(here, lambda: open_history(team.target(task)), done)
    assert (done.events, done.kept_back) == (0, {"mark that only a curator may send": 1})
    assert decided(team.target("reader")) == []


def test_who_may_decide(team: Team) -> None:
    for task in ("curator", "owner"):
        with open_history(team.target(task)) as history:
            need_curator(history.database, "quarantine")
    for task in ("writer", "pr_writer", "reader"):
        with open_history(team.target(task)) as history:
            assert not may_decide(history.database)
            with pytest.raises(DatabaseError, match=f"{team.names[task]} may not quarantine"):
                need_curator(history.database, "quarantine")
            with pytest.raises(DatabaseError, match="lacks rights"):
                add_events(history.database, PROJECT, [event()])
    with (
        open_history(team.target("curator", read_only=True)) as history,
        pytest.raises(DatabaseError, match="reading only"),
    ):
        need_curator(history.database, "quarantine")


def test_two_people_at_once(team: Team) -> None:
    """Both know the same, and decide otherwise: the test is not quarantined, for both."""
    first = event()
    decide(team.target("curator"), first)
    together = Barrier(2)

    def decide_with(state: str) -> None:
        with open_history(team.target("curator")) as history:
            known = [one.id for one in history.events(PROJECT.identity)]
            together.wait(20)
            add_events(history.database, PROJECT, [event(state, PROJECT, *known)])

    people = [Thread(target=decide_with, args=(state,)) for state in (ON, OFF)]
    for one in people:
        one.start()
    for one in people:
        one.join(30)
    found = decided(team.target("reader"))
    assert len(found) == 3
    assert standing(found)[QUARANTINE, "t.py::a"].state == OFF
