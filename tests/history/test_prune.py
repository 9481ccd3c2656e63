"""A history that is pruned holds what one holds that never got the older runs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flakefighters.history import History, open_history, upkeep
from flakefighters.history.content import project_id
from flakefighters.history.intake import Saved
from flakefighters.history.prune import Plan, Policy, Pruned, horizons, plan, prune, raise_horizon
from flakefighters.history.sqlite import SqliteDatabase
from flakefighters.model import Project, Run, Target, Trust
from tests.history import any_runs
from tests.history.made_runs import (
    MINUTE,
    PROJECT,
    START,
    make_failure,
    make_run,
    make_state,
    make_verdict,
)
from tests.history.test_properties import fresh

DAY = 24 * 60 * MINUTE
NOW = START + 100 * DAY
SHOP = project_id(PROJECT.identity)
OTHER = Project(identity="github.com/acme/other", label="other")
TABLES = [
    "run",
    "execution",
    "failure",
    "verdict",
    "arrival",
    "evidence",
    "failure_text",
    "sequence",
    "environment",
]
TABLES += ["state", "listing", "suite", "test"]


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upkeep, "PAUSE", 0.0)


def counts(history: History) -> dict[str, int]:
    return {
        table: history.database.query(f"SELECT count(*) FROM {{s}}{table}")[0][0]
        for table in TABLES
    }


def prune_to(history: History, at: int, project: str = PROJECT.identity) -> Pruned:
    return prune(history.database, {project_id(project): START + at * MINUTE})


def rich_run(at: int, **more: Any) -> Run:
    """A run that uses a row of its own in every table."""
    state = make_state(str(at), {f"{n}.py": "0" * 16 for n in range(at + 1)})
    results = {f"t.py::{n}": "." for n in range(5)} | {f"t.py::only_{at}": "F"}
    run = make_run(results, at=at, state=state, order=[[at % 5, 5 - at % 5]], **more)
    failure = make_failure(f"E {at}")
    return run._replace(executions=(run.executions[0]._replace(failures=(failure,)),))


def fill(history: History, runs: Sequence[Run], **more: Any) -> None:
    for run in runs:
        said = [
            make_verdict(run, one.nodeid, evidence={"of": run.head.id}) for one in run.executions
        ]
        assert history.save(run, said, **more)


# -- what goes and what stays ----------------------------------------------------------------


def test_nothing_is_left_of_older_runs(new_target: Callable[[], Target], history: History) -> None:
    runs = [rich_run(at) for at in range(8)]
    fill(history, runs)
    done = prune_to(history, 5)
    assert done.runs == 5
    assert done.rows["evidence"] == done.rows["failure_text"] == 5
    assert horizons(history.database) == {SHOP: START + 5 * MINUTE}
    with open_history(new_target()) as never:
        fill(never, runs[5:])
        kept = [run.head.id for run in runs[5:]]
        assert history.run_ids() == never.run_ids() == set(kept)
        assert history.content_hashes(kept) == never.content_hashes(kept)
        assert sorted(history.verdicts(kept), key=str) == sorted(never.verdicts(kept), key=str)
        for run in kept:
            assert history.load(run) == never.load(run)
        # What the kept are told relative to may stay, and the tests in that.
        spared = {"suite", "listing", "test"}
        ours, theirs = counts(history), counts(never)
        assert {n: c for n, c in ours.items() if n not in spared} == {
            n: c for n, c in theirs.items() if n not in spared
        }
    assert prune_to(history, 5) == Pruned(freed=done.freed and 0, spare=done.spare)


def test_all_runs_of_a_project_can_go(history: History) -> None:
    fill(history, [rich_run(at) for at in range(3)])
    others = [make_run(at=at, project=OTHER) for at in range(3)]
    fill(history, others)
    done = prune_to(history, 99)
    assert done.runs == 3
    assert history.run_ids() == {run.head.id for run in others}
    assert counts(history)["execution"] == counts(history)["failure_text"] == 0
    prune_to(history, 99, OTHER.identity)
    assert set(counts(history).values()) == {0}
    assert len(history.projects()) == 2


def test_a_chain_of_suites_keeps_what_is_needed(history: History) -> None:
    names = [f"t.py::{n}" for n in range(60)]
    runs = [make_run([*names, f"t.py::new_{at}"], at=at) for at in range(40)]
    fill(history, runs)
    prune_to(history, 39)
    assert history.load(runs[-1].head.id).suite == runs[-1].suite
    fill(history, [make_run([*names, "t.py::late"], at=50)])
    prune_to(history, 51)
    assert set(counts(history).values()) == {0}


def test_a_run_that_is_pruned_is_not_taken_in_again(history: History) -> None:
    old, new = rich_run(1), rich_run(9)
    fill(history, [old, new])
    prune_to(history, 5)
    assert history.save(old) is Saved.BEYOND
    assert not history.save(old)
    assert history.save(new) is Saved.KNOWN
    assert history.save(make_run(at=5)) is Saved.NEW  # the horizon itself is kept
    assert history.save(make_run(at=1, project=OTHER)) is Saved.NEW


def test_the_horizon_only_rises(history: History) -> None:
    fill(history, [rich_run(9)])
    for at, then in ((5, 5), (3, 5), (7, 7), (7, 7)):
        raise_horizon(history.database, {SHOP: START + at * MINUTE})
        assert horizons(history.database) == {SHOP: START + then * MINUTE}
    assert prune_to(history, 1).runs == 0
    assert horizons(history.database) == {SHOP: START + 7 * MINUTE}


def test_killed_in_between_the_next_one_completes(
    history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = [rich_run(at) for at in range(12)]
    fill(history, runs)
    kept = runs[10:]
    steps = 0
    genuine = upkeep.Pace.batch

    def dying(pace: upkeep.Pace, database: Any) -> Any:
        nonlocal steps
        steps += 1
        if steps == limit:
            raise KeyboardInterrupt
        return genuine(pace, database)

    monkeypatch.setattr(upkeep.Pace, "batch", dying)
    monkeypatch.setattr(upkeep.Pace.__init__, "__defaults__", (3,))
    for limit in range(1, 30):  # noqa: B007 - read in dying()
        steps = 0
        try:
            prune_to(history, 10)
        except KeyboardInterrupt:
            # Whatever is there is whole.
            for name in history.run_ids():
                history.load(name)
            continue
        break
    else:
        pytest.fail("it never came to an end")
    assert limit > 3
    assert history.run_ids() == {run.head.id for run in kept}
    assert counts(history)["evidence"] == counts(history)["failure_text"] == 2


@settings(
    max_examples=12,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.lists(any_runs.runs(PROJECT), min_size=1, max_size=6), st.data())
def test_any_history_pruned_is_one_that_never_had_the_rest(
    runs: Sequence[Run], data: st.DataObject
) -> None:
    before = data.draw(st.sampled_from([0, *(run.head.started for run in runs), 2**51]))
    with fresh(2) as (history, never):
        for run in runs:
            history.save(run)
            if run.head.started >= before:
                never.save(run)
        prune(history.database, {SHOP: before})
        kept = sorted(history.run_ids())
        assert set(kept) == never.run_ids()
        assert history.content_hashes(kept) == never.content_hashes(kept)
        assert [history.load(name) for name in kept] == [never.load(name) for name in kept]
        assert history.database.query("PRAGMA foreign_key_check") == []
        assert history.database.query("PRAGMA integrity_check") == [("ok",)]
        for run in runs:
            history.save(run)
        assert sorted(history.run_ids()) == kept


# -- policies --------------------------------------------------------------------------------


def planned(history: History, **policy: int | None) -> Plan:
    return plan(history.database, SHOP, Policy(**policy), NOW)


def test_builds_are_counted_not_runs(history: History) -> None:
    runs = [
        make_run(at=10 * build + shard, build=str(build), shard=str(shard))
        for build in range(4)
        for shard in range(3)
    ]
    fill(history, runs)
    assert planned(history, keep_runs=2) == Plan(START + 20 * MINUTE, 6, 2)
    assert planned(history, keep_runs=4) == Plan(None, 0, 4)
    assert planned(history) == Plan(None, 0, 4)
    # A run without a build is a build of its own.
    fill(history, [make_run(at=90), make_run(at=91)])
    assert planned(history, keep_runs=3) == Plan(START + 30 * MINUTE, 9, 3)


def test_a_late_retry_does_not_make_a_build_young(history: History) -> None:
    fill(history, [make_run(at=at, build="old") for at in (0, 95)])
    fill(history, [make_run(at=at, build=str(at)) for at in (50, 90)])
    assert planned(history, keep_runs=2) == Plan(START + 50 * MINUTE, 1, 2)


def test_days(history: History) -> None:
    fill(history, [make_run(at=60 * 24 * day) for day in (10, 50, 95, 99)])
    assert planned(history, keep_days=30) == Plan(NOW - 30 * DAY, 2, 2)
    # Even where that is long ago, the last build stays.
    assert planned(history, keep_days=1) == Plan(START + 99 * DAY, 3, 1)
    # What either of them keeps stays.
    assert planned(history, keep_days=30, keep_runs=3) == Plan(START + 50 * DAY, 1, 3)
    assert planned(history, keep_days=30, keep_runs=1) == Plan(NOW - 30 * DAY, 2, 2)


def test_what_anybody_could_have_made_up_pushes_nothing_out(history: History) -> None:
    fill(history, [make_run(at=at) for at in range(3)])
    fill(history, [make_run(at=at) for at in range(50, 60)], trust=Trust.UNTRUSTED)
    future = make_run(at=0)
    far = future._replace(head=future.head._replace(started=NOW + 10 * DAY))
    fill(history, [far])
    assert planned(history, keep_runs=3) == Plan(None, 0, 3)
    assert planned(history, keep_runs=2).before == START + MINUTE


def test_an_empty_history(history: History) -> None:
    assert planned(history, keep_runs=1, keep_days=1) == Plan(None, 0, 0)
    assert prune(history.database, {}).runs == 0


# -- space -----------------------------------------------------------------------------------


def test_space_is_given_back(sqlite_target: Target) -> None:
    with open_history(sqlite_target) as history:
        for at in range(30):
            run = rich_run(at)
            failure = make_failure(f"E {at} " + "long text " * 1000)
            fill(
                history,
                [run._replace(executions=(run.executions[0]._replace(failures=(failure,)),))],
            )
        history.database.query("PRAGMA wal_checkpoint(TRUNCATE)")
        assert sqlite_target.path is not None
        before = sqlite_target.path.stat().st_size
        done = prune_to(history, 28)
        assert done.freed is not None
        assert done.freed > before / 2
        assert sqlite_target.path.stat().st_size == before - done.freed
        assert done.spare == 0


def test_space_stays_where_somebody_reads(sqlite_target: Target) -> None:
    with open_history(sqlite_target) as history, open_history(sqlite_target) as other:
        fill(history, [rich_run(at) for at in range(60)])
        assert isinstance(other.database, SqliteDatabase)
        reading = other.database.connection.cursor()
        reading.execute("SELECT id FROM run")
        reading.fetchone()
        assert prune_to(history, 58).runs == 58
        reading.close()
        assert len(other.run_ids()) == 2


def test_a_history_that_is_only_read_is_not_pruned(sqlite_target: Target) -> None:
    with open_history(sqlite_target) as history:
        fill(history, [rich_run(0)])
    with (
        open_history(sqlite_target._replace(read_only=True)) as history,
        pytest.raises(Exception, match="opened for reading only"),
    ):
        prune_to(history, 5)
