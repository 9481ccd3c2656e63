"""A pull fetches what is missing, all of it, and little else."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from flakefighters.errors import ConfigError, ForeignDatabaseError
from flakefighters.history import History, open_history
from flakefighters.history.chains import links as links_of
from flakefighters.history.events import add as add_events
from flakefighters.history.foreign import ForeignHistory, Limits
from flakefighters.history.pack import MAX_CHAIN, SuiteLink, chain_of
from flakefighters.ids import uuid7
from flakefighters.model import Label, Run, Target, Trust
from flakefighters.model.decisions import MARK, Event
from flakefighters.sync import Conflict, pull
from tests.history.made_runs import PROJECT, START, make_run, make_state, make_verdict
from tests.postgres.server import PostgresServer
from tests.postgres.slow_line import SlowLine
from tests.sync.contents import clone_into, content, path_of, pull_into, rows, save

RESULTS = {f"t.py::test_{n}": "F" if n == 3 else "." for n in range(12)}


def one(at: int, **more: object) -> Run:
    more.setdefault("dirty", False)
    files = {f"m{n}.py": f"{n:016x}" for n in range(20)} | {"changed.py": f"{at:016x}"}
    state = make_state(f"tree {at}", files)
    return make_run({**RESULTS, f"t.py::new_{at}": "."}, at=at, state=state, **more)  # type: ignore[arg-type]


def through(target: Target, line: SlowLine) -> Target:
    return target._replace(port=line.port)


def test_what_is_missing_comes_in_any_order(remote: Target, local: Target) -> None:
    runs = [one(n) for n in range(8)]
    save(remote, *runs[4:])
    assert pull_into(local, remote).runs == 4
    # Recorded earlier, committed later: a growing number would miss them.
    save(remote, *runs[:4])
    done = pull_into(local, remote)
    assert (done.runs, done.known) == (4, 4)
    assert content(local) == content(remote)
    assert pull_into(local, remote).rows == 0


def test_batches_are_each_stored_at_once(remote: Target, local: Target) -> None:
    save(remote, *[one(n) for n in range(7)])
    stored: list[int] = []

    def watch(progress: object) -> None:
        stored.append(rows(local, "SELECT count(*) FROM run")[0][0])

    assert pull_into(local, remote, batch=3, report=watch).runs == 7
    assert sorted(set(stored)) == [0, 3, 6]
    assert content(local) == content(remote)


def test_verdicts_on_known_runs_come_along(remote: Target, local: Target) -> None:
    run = one(1)
    save(remote, run, one(2))
    clone_into(local, remote)
    late = make_verdict(run, "t.py::test_3", Label.GENUINE, evidence={"why": "x" * 300})
    with open_history(remote) as history:
        history.add_verdicts([late])
    done = pull_into(local, remote)
    assert (done.runs, done.verdicts, done.known) == (0, 1, 2)
    assert done.rows < 10
    assert content(local) == content(remote)
    assert pull_into(local, remote).rows == 0


def test_events_and_tombstones_come_along(
    server: PostgresServer, remote: Target, local: Target
) -> None:
    runs = [one(n) for n in range(3)]
    save(remote, *runs)
    clone_into(local, remote)
    project = rows(local, "SELECT id FROM project")[0][0]
    event, forged, gone = uuid7(), uuid7(), runs[1].head.id
    assert remote.database is not None
    value = {"state": "flaky", "reason": "näïve"}
    decided = Event(event, PROJECT.identity, MARK, "t.py::test_3", value, "Jane", START)
    with open_history(remote) as history:
        assert add_events(history.database, PROJECT, [decided]) == 1
    said = (
        f"INSERT INTO flakefighters.event VALUES ('{forged}', {project}, 'mark', 't.py::test_3', "
        f"'{{}}', NULL, 'somebody', {START}, '{'0' * 64}'); "
        f"INSERT INTO flakefighters.tombstone VALUES ('run', '{gone}', {START}, 'somebody'); "
    )
    removed = "; ".join(
        f"DELETE FROM flakefighters.{table} WHERE run = '{gone}'"
        for table in ("failure", "execution", "arrival")
    )
    removed += f"; DELETE FROM flakefighters.run WHERE id = '{gone}'"
    server.ask(said + removed, remote.database)
    done = pull_into(local, remote)
    assert (done.runs, done.events, done.purged) == (0, 1, 1)
    assert content(local) == content(remote)
    assert done.refused == {f"event {forged}": "is not what its hash says"}
    with open_history(local) as history:
        assert history.events(PROJECT.identity) == [decided]
    # What was purged does not come back, also not from one who still has it.
    other = remote._replace(database=server.create_database())
    try:
        save(other, runs[1])
        again = pull_into(local, other)
        assert (again.runs, again.purged) == (0, 1)
    finally:
        assert other.database is not None
        server.drop_database(other.database)


def test_runs_below_the_horizon_are_counted_and_left(remote: Target, local: Target) -> None:
    save(remote, *[one(n) for n in range(5)])
    save(local, one(10))
    project = rows(local, "SELECT id FROM project")[0][0]
    limit = START + 3 * 60_000_000
    rows(local, "INSERT INTO horizon VALUES (?, ?)", project, limit)
    done = pull_into(local, remote)
    assert (done.runs, done.beyond, done.clean) == (2, 3, True)
    assert pull_into(local, remote).rows == 0


# -- the same id -----------------------------------------------------------------------------


def test_other_content_is_refused_and_listed(remote: Target, local: Target) -> None:
    theirs, ours = one(1, branch="theirs"), one(1, branch="ours")
    ours = ours._replace(head=ours.head._replace(id=theirs.head.id))
    save(remote, theirs, one(2))
    save(local, ours)
    for way in (pull_into, clone_into):
        done = way(local, remote)
        with open_history(local) as here, open_history(remote) as there:
            name = theirs.head.id
            hashes = [each.content_hashes([name])[name] for each in (here, there)]
            assert here.load(name).head.branch == "ours"
        assert done.conflicts == [Conflict(name, *hashes)]
        assert not done.clean
    assert rows(local, "SELECT count(*) FROM run") == [(2,)]


def test_a_trusted_copy_takes_the_place_of_an_untrusted_one(remote: Target, local: Target) -> None:
    theirs, ours = one(1, branch="theirs"), one(1, branch="ours")
    ours = ours._replace(head=ours.head._replace(id=theirs.head.id))
    save(remote, theirs, verdicts=[make_verdict(theirs, "t.py::test_3")])
    save(local, ours, verdicts=[make_verdict(ours, "t.py::test_3")], trust=Trust.UNTRUSTED)
    done = pull_into(local, remote)
    assert (done.runs, done.replaced, done.clean) == (0, 1, True)
    assert content(local) == content(remote)
    assert rows(local, "SELECT trust, via FROM arrival") == [(2, "pull")]


def test_an_untrusted_copy_changes_nothing(
    remote: Target, local: Target, new_local: Callable[[str], Target]
) -> None:
    run = one(1)
    other = one(2, branch="other")._replace(head=one(2).head._replace(branch="other"))
    mine = other._replace(head=other.head._replace(branch="mine"))
    artifact = new_local("artifact.db")
    lie = make_verdict(run, "t.py::test_3", Label.FLAKY, at=5)
    save(artifact, run, other, verdicts=[lie])
    save(local, run, mine)
    done = pull_into(local, artifact)
    assert (done.runs, done.verdicts, len(done.conflicts)) == (0, 0, 1)
    assert content(local).verdicts == {}
    assert rows(local, "SELECT DISTINCT trust FROM arrival") == [(2,)]


def test_trust_is_gained_and_what_the_untrusted_said_is_dropped(
    remote: Target, local: Target, new_local: Callable[[str], Target]
) -> None:
    run = one(1)
    artifact = new_local("artifact.db")
    save(artifact, run, verdicts=[make_verdict(run, "t.py::test_3", Label.FLAKY, at=5)])
    pull_into(local, artifact)
    honest = make_verdict(run, "t.py::test_3", Label.GENUINE)
    save(remote, run, verdicts=[honest], trust=Trust.PR)
    done = pull_into(local, remote)
    assert (done.runs, done.known, done.replaced) == (0, 1, 0)
    assert content(local) == content(remote)
    assert rows(local, "SELECT min(trust) FROM arrival") == [(1,)]
    pull_into(local, artifact)
    assert content(local) == content(remote)


# -- files -----------------------------------------------------------------------------------


def test_from_an_artifact(local: Target, new_local: Callable[[str], Target]) -> None:
    artifact = new_local("artifact.db")
    runs = [one(n) for n in range(3)]
    save(artifact, *runs, verdicts=[make_verdict(runs[0], "t.py::test_3")])
    save(local, one(9))
    done = pull_into(local, artifact)
    assert (done.runs, done.clean) == (3, True)
    late = make_verdict(runs[1], "t.py::test_3")
    with open_history(artifact) as history:
        history.add_verdicts([late])
    save(artifact, one(4))
    done = pull_into(local, artifact)
    assert (done.runs, done.verdicts, done.known) == (1, 1, 3)
    trust = "SELECT trust, count(*) FROM arrival GROUP BY trust"
    assert rows(local, trust) == [(2, 1), (3, 4)]


def test_a_hostile_artifact(local: Target, new_local: Callable[[str], Target]) -> None:
    artifact = new_local("artifact.db")
    runs = [one(n) for n in range(3)]
    save(artifact, *runs)
    false = runs[1].head.id
    rows(artifact, "UPDATE run SET branch = 'lies' WHERE id = ?", false)
    done = pull_into(local, artifact)
    assert (done.runs, list(done.refused), done.clean) == (2, [false], False)
    rows(artifact, "INSERT INTO tombstone VALUES ('run', ?, 1, 'nobody')", runs[0].head.id)
    rows(artifact, "UPDATE verdict SET id = 1")
    assert pull_into(local, artifact).purged == 0
    assert len(content(local).runs) == 2
    with (
        pytest.raises(ForeignDatabaseError, match="more than"),
        ForeignHistory(path_of(artifact), Limits(file_bytes=10)),
    ):
        pass


# -- the line --------------------------------------------------------------------------------


@pytest.mark.parametrize("runs", [1, 40])
def test_few_round_trips(remote: Target, local: Target, runs: int) -> None:
    save(remote, *[one(n) for n in range(5)])
    clone_into(local, remote)
    save(remote, *[one(n) for n in range(10, 10 + runs)])
    assert remote.port is not None
    with SlowLine(remote.port) as line:
        assert pull_into(local, through(remote, line)).runs == runs
        assert line.turns <= 10
    assert content(local) == content(remote)


def test_a_known_suite_is_not_sent_again(remote: Target, local: Target) -> None:
    names = [f"tests/test_{n // 50}.py::test_number_{n}" for n in range(2000)]
    save(remote, make_run(names, at=1))
    clone_into(local, remote)
    save(remote, make_run([*names, "t.py::one_more"], at=2))
    done = pull_into(local, remote)
    assert (done.runs, done.clean) == (1, True)
    assert done.bytes < 30_000
    assert content(local) == content(remote)


def test_chains_stay_short(
    remote: Target, local: Target, new_local: Callable[[str], Target]
) -> None:
    def grown(n: int) -> Run:
        return make_run([f"t.py::test_{i}" for i in range(100 + n)], at=n)

    # The local chain ends where the other one begins.
    save(local, *[grown(n) for n in range(30)])
    save(remote, *[grown(n) for n in range(29, 55)])
    pull_into(local, remote)
    with open_history(local) as history:
        suites = {row[0] for row in history.database.query("SELECT id FROM suite")}
        links = links_of(history.database, SuiteLink, suites)
        assert max(len(chain_of(links, suite)) for suite in suites) <= MAX_CHAIN
        assert len(history.run_ids()) == 56
    theirs = content(remote)
    ours = content(local)
    assert {name: ours.runs[name] for name in theirs.runs} == theirs.runs


# -- together --------------------------------------------------------------------------------


def test_two_pulls_into_one_file_at_once(remote: Target, local: Target) -> None:
    save(remote, *[one(n) for n in range(12)])
    save(local, one(50))
    errors: list[BaseException] = []

    def work() -> None:
        try:
            assert pull_into(local, remote, batch=4).clean
        except BaseException as error:  # told by the main thread
            errors.append(error)

    workers = [threading.Thread(target=work) for _ in range(3)]
    for worker in workers:
        worker.start()
    for n in range(60, 66):
        save(local, one(n))
    for worker in workers:
        worker.join()
    assert errors == []
    assert rows(local, "SELECT count(*) FROM run") == [(19,)]
    theirs = content(remote)
    assert {name: content(local).runs[name] for name in theirs.runs} == theirs.runs


def test_only_into_sqlite(remote: Target, new_remote: Callable[[], Target]) -> None:
    with (
        open_history(remote) as source,
        open_history(new_remote()) as into,
        pytest.raises(ConfigError, match="no SQLite file"),
    ):
        pull(source, into)


def test_a_sqlite_file_is_a_foreign_one(local: Target, new_local: Callable[[str], Target]) -> None:
    save(local, one(1))

    def wrong(source: History) -> None:
        with open_history(new_local("other.db")) as into:
            pull(source, into)

    with open_history(local) as source, pytest.raises(TypeError, match="foreign"):
        wrong(source)
