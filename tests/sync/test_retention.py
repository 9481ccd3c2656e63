"""Histories that keep different lengths of time, and what was purged on one of them."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import pytest

from flakefighters.errors import ConfigError
from flakefighters.history import History, open_history, upkeep
from flakefighters.history.content import normal, project_id
from flakefighters.history.prune import horizons, prune
from flakefighters.history.purge import purge, tombstones
from flakefighters.history.purge_text import PLACEHOLDER, purged_run, signature_id
from flakefighters.model import Run, Secret, Target
from flakefighters.sync import clone
from flakefighters.sync import tombstones as marks
from flakefighters.sync.inventory import Inventory
from flakefighters.sync.results import unreported
from flakefighters.sync.source import LONG_AGO, inventory_of, reading
from tests.history.leaks import SECRET, SIGNATURE, leaking_run, leaking_verdict
from tests.history.made_runs import MINUTE, PROJECT, START, make_run, make_verdict
from tests.postgres.server import PostgresServer
from tests.sync.contents import clone_into, content, path_of, pull_into, push_to, rows, save

SHOP = project_id(PROJECT.identity)
NAME = signature_id(SIGNATURE)


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upkeep, "PAUSE", 0.0)


def at(n: int) -> int:
    return START + n * MINUTE


def plain(n: int) -> Run:
    return normal(make_run({"t.py::a": "F", "t.py::b": "."}, at=n, dirty=False))


def leaking(n: int) -> Run:
    return normal(leaking_run(at=n, dirty=False))


def prune_at(target: Target, n: int) -> None:
    with open_history(target) as history:
        prune(history.database, {SHOP: at(n)})


def purge_at(target: Target, kind: str, name: str, when: int = 1) -> None:
    with open_history(target) as history:
        purge(history.database, (kind, name, when, "somebody"))


def stones(target: Target) -> set[tuple[str, str]]:
    with open_history(target) as history:
        return set(tombstones(history.database))


# -- horizons --------------------------------------------------------------------------------


def test_what_is_beyond_the_horizon_is_counted_not_copied(local: Target, remote: Target) -> None:
    runs = [plain(n) for n in range(6)]
    save(remote, *runs)
    save(local, plain(9))
    prune_at(local, 4)
    done = pull_into(local, remote)
    assert (done.runs, done.beyond, done.pruned) == (2, 4, 0)
    assert done.clean
    done = clone_into(local, remote)
    assert (done.runs, done.beyond, done.known) == (0, 4, 2)
    # The other side keeps what it has, and its own horizon.
    assert len(content(remote).runs) == 6
    prune_at(remote, 5)
    done = push_to(remote, local)
    assert (done.runs, done.known, done.beyond) == (1, 1, 1)
    assert len(content(local).runs) == 3


def test_a_clone_of_the_newest_runs_stays_one(local: Target, remote: Target) -> None:
    runs = [plain(n) for n in range(6)]
    save(remote, *runs)
    purge_at(remote, "run", runs[5].head.id)
    with open_history(remote) as source:
        done = clone(source, local, since=at(3))
        assert (done.runs, done.beyond, done.created, done.clean) == (2, 3, True, True)
        with pytest.raises(ConfigError, match="is there already"):
            clone(source, local, since=at(3))
    assert set(content(local).runs) == {run.head.id for run in runs[3:5]}
    assert [path.name for path in path_of(local).parent.iterdir()] == ["local.db"]
    with open_history(local) as history:
        assert horizons(history.database) == {SHOP: at(3)}
        assert set(tombstones(history.database)) == {("run", runs[5].head.id)}
    save(remote, plain(7))
    done = pull_into(local, remote)
    assert (done.runs, done.known, done.beyond) == (1, 2, 3)


def test_what_is_beyond_is_not_even_listed(remote: Target) -> None:
    save(remote, *(plain(n) for n in range(6)))
    with open_history(remote) as source, reading(source, unreported) as reader:
        for asked in ({"horizons": {SHOP: at(4)}}, {"since": at(4)}):
            found = reader.inventory(**asked)
            assert (len(found.runs), found.beyond) == (2, 4)
        assert len(reader.inventory({SHOP + 1: at(4)}).runs) == 6


def test_a_push_lists_nothing_older_than_what_is_here(
    local: Target, remote: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = [plain(n) for n in range(6)]
    save(remote, *runs)
    save(local, runs[4], plain(9))
    listed: list[int] = []

    def count(history: History, since: int = LONG_AGO) -> Inventory:
        found = inventory_of(history, since)
        listed.append(len(found.runs))
        return found

    monkeypatch.setattr(import_module("flakefighters.sync.push"), "inventory_of", count)
    done = push_to(remote, local)
    assert (done.runs, done.known, listed) == (1, 1, [2, 2])
    assert len(content(remote).runs) == 7


@pytest.mark.parametrize("way", [pull_into, clone_into])
def test_who_follows_keeps_no_more(
    local: Target, remote: Target, way: Callable[..., object]
) -> None:
    save(remote, *(plain(n) for n in range(6)))
    pull_into(local, remote)
    save(local, plain(1))
    prune_at(remote, 4)
    way(local, remote)
    assert len(content(local).runs) == 7
    way(local, remote, follow=True)
    assert content(local) == content(remote)
    with open_history(local) as history:
        assert horizons(history.database) == {SHOP: at(4)}
        assert not history.save(plain(3))


def test_a_fresh_clone_follows(local: Target, remote: Target) -> None:
    save(remote, *(plain(n) for n in range(6)))
    prune_at(remote, 4)
    clone_into(local, remote, follow=True)
    with open_history(local) as history:
        assert horizons(history.database) == {SHOP: at(4)}


def test_a_lower_horizon_is_not_followed(local: Target, remote: Target) -> None:
    save(remote, *(plain(n) for n in range(6)))
    prune_at(remote, 2)
    pull_into(local, remote)
    prune_at(local, 4)
    assert pull_into(local, remote, follow=True).beyond == 2
    with open_history(local) as history:
        assert horizons(history.database) == {SHOP: at(4)}


def test_the_horizon_of_a_file_is_nobodys_business(
    local: Target, new_local: Callable[[str], Target]
) -> None:
    artifact = new_local("artifact.db")
    save(artifact, *(plain(n) for n in range(6)))
    save(local, plain(0))
    prune_at(artifact, 4)
    assert pull_into(local, artifact, follow=True).runs == 2
    assert len(content(local).runs) == 3


# -- tombstones ------------------------------------------------------------------------------


def test_a_purged_run_is_purged_everywhere(
    local: Target, remote: Target, new_local: Callable[[str], Target]
) -> None:
    runs = [plain(n) for n in range(3)]
    save(remote, *runs)
    other = new_local("other.db")
    clone_into(local, remote)
    clone_into(other, remote)
    purge_at(local, "run", runs[1].head.id)
    assert push_to(remote, local).purged == 1
    assert pull_into(other, remote).purged == 1
    assert content(local) == content(remote) == content(other)
    assert stones(local) == stones(remote) == stones(other) == {("run", runs[1].head.id)}
    # Nor does it come back, from whoever still has it.
    artifact = new_local("artifact.db")
    save(artifact, *runs)
    for target in (local, other):
        done = pull_into(target, artifact)
        assert (done.runs, done.purged, done.known) == (0, 1, 2)
    assert push_to(remote, artifact).purged == 1
    assert content(local) == content(remote) == content(other)


def test_a_purged_signature_is_emptied_everywhere(
    local: Target, remote: Target, new_local: Callable[[str], Target]
) -> None:
    runs = [leaking(n) for n in range(3)]
    save(remote, *runs, verdicts=[leaking_verdict(run) for run in runs])
    other, artifact = new_local("other.db"), new_local("artifact.db")
    clone_into(local, remote)
    clone_into(other, remote)
    clone_into(artifact, remote)
    purge_at(remote, "signature", NAME)
    assert pull_into(local, remote).purged == 3
    assert push_to(remote, other).purged == 3
    whole = content(remote)
    assert whole.runs == {run.head.id: purged_run(run, {NAME}) for run in runs}
    assert SECRET not in str(whole)
    for target in (local, other):
        assert content(target) == whole
        assert SECRET.encode() not in path_of(target).read_bytes()
    # Whoever still has it brings nothing of it, and there is no conflict.
    more = leaking(7)
    save(artifact, more, verdicts=[leaking_verdict(more)])
    for done in (pull_into(local, artifact), clone_into(local, artifact)):
        assert done.clean
    assert content(local).runs[more.head.id] == purged_run(more, {NAME})
    assert SECRET.encode() not in path_of(local).read_bytes()
    done = push_to(remote, artifact)
    assert done.clean
    assert SECRET not in str(content(remote))


def test_nothing_of_it_enters_even_for_a_moment(
    local: Target, new_local: Callable[[str], Target], monkeypatch: pytest.MonkeyPatch
) -> None:
    artifact = new_local("artifact.db")
    save(artifact, leaking(1))
    purge_at(local, "signature", NAME)
    # As if the transfer were killed once its rows are stored.
    monkeypatch.setattr(marks, "apply_tombstones", lambda *_: 0)
    assert pull_into(local, artifact).runs == 1
    assert SECRET.encode() not in path_of(local).read_bytes()


def test_a_fresh_clone_holds_nothing_of_it(local: Target, remote: Target) -> None:
    run = leaking(1)
    save(remote, run, verdicts=[leaking_verdict(run)])
    with open_history(remote) as history:
        # As if the purge had been killed after its first step.
        from flakefighters.history.purge import add_tombstones

        add_tombstones(history.database, [("signature", NAME, 1, "me")])
    assert clone_into(local, remote).clean
    assert content(local).runs == {run.head.id: purged_run(run, {NAME})}
    assert SECRET.encode() not in path_of(local).read_bytes()


def test_verdicts_that_come_alone(local: Target, remote: Target) -> None:
    run = leaking(1)
    save(remote, run)
    clone_into(local, remote)
    purge_at(local, "signature", NAME)
    late = leaking_verdict(run, at=run.head.started + 5)
    with open_history(remote) as history:
        history.add_verdicts([late])
    for _ in range(2):
        assert pull_into(local, remote).clean
        (said,) = content(local).verdicts.values()
        assert (said.reason, said.evidence) == (PLACEHOLDER, {})
        assert SECRET.encode() not in path_of(local).read_bytes()


def test_only_the_owner_purges_for_all(
    server: PostgresServer, local: Target, remote: Target
) -> None:
    run = leaking(1)
    save(remote, run)
    clone_into(local, remote)
    purge_at(local, "signature", NAME)
    role = "flaky_pusher"
    server.ask(f"CREATE ROLE {role} LOGIN PASSWORD 'pusher-password'")
    try:
        server.ask(
            f"GRANT USAGE ON SCHEMA flakefighters TO {role}; "
            f"GRANT SELECT, INSERT ON ALL TABLES IN SCHEMA flakefighters TO {role}",
            remote.database or "",
        )
        pusher = remote._replace(user=role, password=Secret("pusher-password"))
        fresh = leaking(5)
        save(local, fresh)
        done = push_to(pusher, local)
        assert done.clean
        assert done.kept_back == {"purges that only the owner may send": 1}
        assert (done.runs, done.known) == (1, 1)
        # What it sent was empty, what was there is the owner's to purge.
        assert content(remote).runs[fresh.head.id] == purged_run(fresh, {NAME})
        assert content(remote).runs[run.head.id] == run
        # And nothing of it comes back.
        assert pull_into(local, pusher).clean
        assert SECRET.encode() not in path_of(local).read_bytes()
        done = push_to(remote, local)
        assert (done.purged, done.kept_back) == (1, {})
        assert content(remote) == content(local)
    finally:
        server.ask(f"DROP OWNED BY {role}; DROP ROLE {role}", remote.database or "")


def test_a_file_that_somebody_made_purges_nothing(
    local: Target, new_local: Callable[[str], Target]
) -> None:
    run = leaking(1)
    artifact = new_local("artifact.db")
    save(local, run)
    save(artifact, run, plain(2))
    purge_at(artifact, "run", run.head.id)
    assert pull_into(local, artifact).runs == 1
    assert run.head.id in content(local).runs
    assert stones(local) == set()


def test_of_the_same_purge_the_earliest_is_remembered(local: Target, remote: Target) -> None:
    save(remote, plain(1))
    clone_into(local, remote)
    purge_at(local, "run", "0" * 32, when=7)
    purge_at(remote, "run", "0" * 32, when=5)
    pull_into(local, remote)
    assert rows(local, "SELECT at FROM tombstone") == [(5,)]


@pytest.mark.parametrize("order", list(itertools.permutations(range(4)))[::5])
def test_in_any_order(
    order: tuple[int, ...], remote: Target, new_local: Callable[[str], Target], tmp_path: Path
) -> None:
    """Two people purge different things of the same run while others exchange it."""
    one, other = new_local("one.db"), new_local("other.db")
    run = leaking(1)
    second = signature_id(run.executions[2].failures[0].signature)
    said = [leaking_verdict(run), make_verdict(run, "t.py::b")]
    save(remote, run, plain(2), verdicts=said)
    clone_into(one, remote)
    clone_into(other, remote)
    steps: list[Callable[[], object]] = [
        lambda: purge_at(one, "signature", NAME),
        lambda: purge_at(other, "signature", second),
        lambda: push_to(remote, one),
        lambda: pull_into(other, remote),
    ]
    for step in order:
        steps[step]()
    for target in (one, other, one):
        assert push_to(remote, target).clean
        assert pull_into(target, remote).clean
    assert pull_into(other, remote).clean
    whole = content(remote)
    assert content(one) == content(other) == whole
    assert whole.runs[run.head.id] == purged_run(run, {NAME, second})
    assert stones(one) == stones(other) == stones(remote)
