"""A push sends what may leave this machine, run by run."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from flakefighters.errors import ConfigError, UnreachableError
from flakefighters.history import open_history
from flakefighters.model import Label, Project, Run, Target, Trust
from tests.history.made_runs import START, make_run, make_verdict
from tests.postgres.server import PostgresServer
from tests.postgres.slow_line import SlowLine
from tests.sync.contents import clone_into, content, pull_into, push_to, rows, save


def one(at: int, **more: object) -> Run:
    more.setdefault("dirty", False)
    return make_run({"t.py::a": "F", "t.py::b": "."}, at=at, **more)  # type: ignore[arg-type]


def test_clean_runs_are_sent_once(remote: Target, local: Target) -> None:
    runs = [one(n) for n in range(3)]
    save(local, *runs, verdicts=[make_verdict(runs[0], "t.py::a")])
    done = push_to(remote, local)
    assert (done.runs, done.known, done.kept_back, done.clean) == (3, 0, {}, True)
    assert content(remote) == content(local)
    again = push_to(remote, local)
    assert (again.runs, again.known) == (0, 3)


def test_what_does_not_leave_the_machine(remote: Target, local: Target) -> None:
    nameless = Project(identity="local:0123", label="scratch")
    save(local, one(1), one(2, dirty=True), one(3, dirty=None), one(4, project=nameless))
    save(local, one(5), trust=Trust.UNTRUSTED)
    done = push_to(remote, local)
    assert done.runs == 1
    assert done.kept_back == {
        "uncommitted changes": 2,
        "project without a name": 1,
        "untrusted": 1,
    }
    assert done.clean


def test_later_verdicts_are_sent(remote: Target, local: Target) -> None:
    run = one(1)
    save(local, run)
    push_to(remote, local)
    with open_history(local) as history:
        history.add_verdicts([make_verdict(run, "t.py::a", Label.GENUINE)])
    done = push_to(remote, local)
    assert (done.runs, done.known, done.verdicts) == (0, 1, 1)
    assert content(remote) == content(local)


def test_conflicts_are_listed(remote: Target, local: Target) -> None:
    theirs = one(1, branch="theirs")
    ours = theirs._replace(head=theirs.head._replace(branch="ours"))
    save(remote, theirs)
    save(local, ours, one(2))
    done = push_to(remote, local)
    assert done.runs == 1
    assert [clash.run for clash in done.conflicts] == [ours.head.id]
    with open_history(remote) as history:
        assert history.load(ours.head.id).head.branch == "theirs"


def test_what_the_other_side_purged_or_dropped_stays_away(
    server: PostgresServer, remote: Target, local: Target
) -> None:
    runs = [one(n) for n in range(4)]
    save(local, *runs)
    save(remote, one(9))
    project = rows(local, "SELECT id FROM project")[0][0]
    assert remote.database is not None
    server.ask(
        f"INSERT INTO flakefighters.horizon VALUES ({project}, {START + 2 * 60_000_000}); "
        f"INSERT INTO flakefighters.tombstone VALUES ('run', '{runs[3].head.id}', 1, 'me')",
        remote.database,
    )
    done = push_to(remote, local)
    assert (done.runs, done.beyond, done.purged) == (1, 2, 1)


def test_between_two_files(local: Target, new_local: Callable[[str], Target]) -> None:
    other = new_local("other.db")
    save(local, one(1))
    save(other, one(2))
    assert push_to(other, local).runs == 1
    pull_into(local, other)
    assert content(local) == content(other)


def test_a_read_only_history_gets_nothing(remote: Target, local: Target) -> None:
    save(local, one(1))
    with pytest.raises(ConfigError, match="read-only"):
        push_to(remote._replace(read_only=True), local)


@pytest.mark.parametrize("after", [2500, 6000, 9000])
def test_a_cut_line_is_taken_up_again(remote: Target, local: Target, after: int) -> None:
    save(local, *[one(n) for n in range(8)])
    assert remote.port is not None
    with SlowLine(remote.port) as line:
        line.cut_after = after
        with pytest.raises(UnreachableError):
            push_to(remote._replace(port=line.port), local)
    sent = len(content(remote).runs)
    assert sent < 8
    done = push_to(remote, local)
    assert (done.runs, done.known) == (8 - sent, sent)
    assert content(remote) == content(local)


def test_there_and_back(remote: Target, local: Target, new_local: Callable[[str], Target]) -> None:
    save(local, *[one(n) for n in range(3)])
    push_to(remote, local)
    other = new_local("other.db")
    clone_into(other, remote)
    save(other, one(7))
    push_to(remote, other)
    assert pull_into(local, remote).runs == 1
    assert content(local) == content(other) == content(remote)
