"""Histories of every version: read, merged, and brought to a later one."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from flakefighters.errors import DatabaseError, SchemaTooNewError
from flakefighters.history import content, open_history
from flakefighters.history import sqlite as sqlite_room
from flakefighters.history.layout import OLDEST_READER, SCHEMA_VERSION, statements
from flakefighters.history.migrations import upgrade
from flakefighters.history.steps import STEPS, Step, planned
from flakefighters.model import Target, Trust
from tests.history.frozen import VERSIONS, hashes_of, load_sample
from tests.history.made_runs import make_run
from tests.postgres.server import shared_server
from tests.sync.contents import clone_into, pull_into, push_to
from tests.sync.contents import content as content_of

ROOT = Path(__file__).resolve().parents[2]
NEXT = SCHEMA_VERSION + 1
STEP = Step(
    version=NEXT,
    oldest_reader=1,
    what="runs have a mood",
    sqlite=("ALTER TABLE run ADD COLUMN mood TEXT", "CREATE TABLE later (id INTEGER)"),
    postgresql=(
        "ALTER TABLE __schema__.run ADD COLUMN mood TEXT",
        "CREATE TABLE __schema__.later (id INTEGER)",
    ),
)
#: For readers of this version it is too much.
BREAKING = STEP._replace(version=NEXT + 1, oldest_reader=NEXT + 1, sqlite=(), postgresql=())
#: Its last statement takes for ever.
SLOW = STEP._replace(
    sqlite=(
        *STEP.sqlite,
        """CREATE TABLE endless AS WITH RECURSIVE c(n) AS (
          SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 9000000000) SELECT max(n) FROM c""",
    ),
    postgresql=(*STEP.postgresql, "SELECT pg_sleep(600)"),
)

NewTarget = Callable[[], Target]


def ask(target: Target, sql: str) -> list[tuple[object, ...]]:
    """Past all of ours; ``{s}`` stands before a table."""
    if target.path is not None:
        with contextlib.closing(sqlite3.connect(target.path, isolation_level=None)) as connection:
            return connection.execute(sql.format(s="")).fetchall()
    assert target.database is not None
    return shared_server().ask(sql.format(s="flakefighters."), target.database)


def version_of(target: Target) -> int:
    ((value,),) = ask(target, "SELECT value FROM {s}meta WHERE key = 'schema_version'")
    if target.path is not None:
        assert ask(target, "PRAGMA user_version") == [(int(str(value)),)]
    return int(str(value))


@pytest.fixture
def empty(new_target: NewTarget, backend: str) -> Target:
    """A place for a history that is not there yet."""
    target = new_target()
    if backend == "postgresql":
        ask(target, "DROP SCHEMA flakefighters CASCADE")
    return target


@pytest.fixture
def sample(empty: Target, backend: str) -> Target:
    """The history of version 1."""
    load_sample(1, empty, shared_server() if backend == "postgresql" else None)
    return empty


# -- samples ---------------------------------------------------------------------------------


def test_there_is_a_sample_of_every_version() -> None:
    assert list(range(1, SCHEMA_VERSION + 1)) == VERSIONS


@pytest.mark.parametrize("version", VERSIONS)
def test_what_an_earlier_version_left_is_whole_today(
    empty: Target, backend: str, version: int, tmp_path: Path
) -> None:
    """Opened, brought to this version, read, and merged in either direction: the same hashes."""
    load_sample(version, empty, shared_server() if backend == "postgresql" else None)
    expected = hashes_of(version)
    assert upgrade(empty).after == SCHEMA_VERSION
    with open_history(empty) as history:
        assert history.run_ids() == set(expected)
        for name, hashed in expected.items():
            run = history.load(name)
            files = None if run.state is None else run.state.files
            listing = None if files is None else content.listing_id(files)
            assert content.content_hash(content.normal(run), listing) == hashed
        assert len(history.verdicts(expected)) == 2
        trusts = {history.find(name).trust for name in expected}
        assert trusts == set(Trust)
        assert history.save(make_run())
    other = Target(backend="sqlite", path=tmp_path / "other.db", display="other.db")
    done = pull_into(other, empty) if backend == "sqlite" else clone_into(other, empty)
    assert (done.refused, done.conflicts, done.runs) == ({}, [], len(expected) + 1)
    assert expected.items() <= content_of(other).hashes.items()
    assert content_of(empty).runs == content_of(other).runs


@pytest.mark.parametrize("version", VERSIONS)
def test_an_upgraded_schema_is_the_one_that_is_made_anew(
    empty: Target, new_target: NewTarget, backend: str, version: int
) -> None:
    load_sample(version, empty, shared_server() if backend == "postgresql" else None)
    upgrade(empty)
    fresh = new_target()
    open_history(fresh).close()
    question = (
        "SELECT type, name, sql FROM sqlite_master ORDER BY 1, 2"
        if backend == "sqlite"
        else "SELECT table_name, column_name, data_type, is_nullable, column_default "
        "FROM information_schema.columns WHERE table_schema = 'flakefighters' "
        "UNION ALL SELECT tablename, indexname, indexdef, '', '' FROM pg_indexes "
        "WHERE schemaname = 'flakefighters' UNION ALL "
        "SELECT viewname, '', definition, '', '' FROM pg_views WHERE schemaname = 'flakefighters' "
        "ORDER BY 1, 2, 3"
    )
    assert ask(empty, question) == ask(fresh, question)


def test_samples_of_both_databases_merge(backend: str, sample: Target, tmp_path: Path) -> None:
    """The same runs, made on both: nothing is new on the other side."""
    other = Target(backend="sqlite", path=tmp_path / "other.db", display="other.db")
    load_sample(1, other)
    if backend == "postgresql":
        assert push_to(sample, other).runs == 0
        assert pull_into(other, sample).known == len(hashes_of(1))
    done = pull_into(other, sample)
    assert (done.runs, done.conflicts, done.refused) == (0, [], {})


# -- steps -----------------------------------------------------------------------------------


def test_steps_lead_to_this_version_without_a_gap() -> None:
    assert [step.version for step in STEPS] == list(range(2, SCHEMA_VERSION + 1))
    assert not STEPS or STEPS[-1].oldest_reader == OLDEST_READER
    for version in range(1, SCHEMA_VERSION + 1):
        assert statements("sqlite", version)
        assert statements("postgresql", version)


def test_a_step_that_is_not_known_is_named() -> None:
    assert planned((STEP, BREAKING), SCHEMA_VERSION, "h") == (STEP, BREAKING)
    assert planned((STEP, BREAKING), NEXT + 1, "h") == ()
    with pytest.raises(DatabaseError, match=r"version 1, from which.*knows no way on.*earlier"):
        planned((BREAKING,), 1, "h")


def test_an_upgrade_loses_nothing(sample: Target) -> None:
    before = content_of(sample)
    tried = upgrade(sample, steps=(STEP, BREAKING), dry_run=True)
    assert (tried.before, tried.after) == (SCHEMA_VERSION, NEXT + 1)
    assert version_of(sample) == SCHEMA_VERSION
    done = upgrade(sample, steps=(STEP,))
    assert (done.before, done.after, done.steps) == (SCHEMA_VERSION, NEXT, (STEP,))
    assert version_of(sample) == NEXT
    assert ask(sample, "SELECT count(*), count(mood) FROM {s}run") == [(len(before.runs), 0)]
    # An older client, which is what we are now, reads it all, and changes nothing.
    with pytest.raises(SchemaTooNewError, match=r"pip install --upgrade"):
        open_history(sample)
    with open_history(sample._replace(read_only=True)) as history:
        assert history.content_hashes(history.run_ids()) == before.hashes
        for name, run in before.runs.items():
            loaded = history.load(name)
            assert loaded._replace(head=run.head) == run
        with pytest.raises(DatabaseError, match="for reading only"):
            history.save(make_run())
    with pytest.raises(SchemaTooNewError):
        upgrade(sample)


def test_what_older_readers_do_not_understand_is_closed_to_them(sample: Target) -> None:
    upgrade(sample, steps=(STEP, BREAKING))
    with pytest.raises(SchemaTooNewError):
        open_history(sample._replace(read_only=True))


def test_an_upgrade_makes_a_history_where_there_is_none(empty: Target) -> None:
    with pytest.raises(DatabaseError):
        upgrade(empty, dry_run=True)
    assert upgrade(empty, steps=()).after == SCHEMA_VERSION
    assert upgrade(empty).steps == ()


def test_a_step_that_fails_changes_nothing(sample: Target) -> None:
    broken = STEP._replace(
        sqlite=(*STEP.sqlite, "INSERT INTO nowhere VALUES (1)"),
        postgresql=(*STEP.postgresql, "INSERT INTO nowhere VALUES (1)"),
    )
    before = content_of(sample)
    with pytest.raises(DatabaseError, match="nowhere"):
        upgrade(sample, steps=(broken,))
    assert version_of(sample) == SCHEMA_VERSION
    assert content_of(sample) == before
    assert upgrade(sample, steps=(STEP,)).after == NEXT


def test_a_step_that_loses_what_others_refer_to_is_undone(sqlite_target: Target) -> None:
    load_sample(1, sqlite_target)
    lossy = STEP._replace(sqlite=("DELETE FROM project",))
    with pytest.raises(DatabaseError, match="refer to others"):
        upgrade(sqlite_target, steps=(lossy,))
    assert version_of(sqlite_target) == SCHEMA_VERSION


def test_reading_only_is_refused(sample: Target) -> None:
    with pytest.raises(DatabaseError, match="for reading only"):
        upgrade(sample._replace(read_only=True), steps=(STEP,))
    assert version_of(sample) == SCHEMA_VERSION


def test_an_earlier_version_is_read_and_not_written(
    sqlite_target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a later flakefighters does with the history that this one leaves."""
    load_sample(1, sqlite_target)
    monkeypatch.setattr(sqlite_room, "SCHEMA_VERSION", NEXT)
    with open_history(sqlite_target) as history:
        assert history.run_ids() == set(hashes_of(1))
        with pytest.raises(DatabaseError, match=r"older than this.*flakefighters upgrade"):
            history.save(make_run())


# -- with others about -----------------------------------------------------------------------


def test_whoever_records_meanwhile_loses_nothing(sample: Target) -> None:
    """Each run is whole in the history, or was refused in plain words and is still in hand."""
    before = set(hashes_of(1))
    kept: list[str] = []
    refused: list[Exception] = []
    started = threading.Event()

    def record() -> None:
        for n in range(400):
            run = make_run({"t.py::a": "F", "t.py::b": "."}, at=n)
            try:
                with open_history(sample) as history:
                    history.save(run)
            except DatabaseError as error:
                refused.append(error)
                return
            kept.append(run.head.id)
            started.set()

    writers = [threading.Thread(target=record) for _ in range(2)]
    for writer in writers:
        writer.start()
    assert started.wait(30)
    done = upgrade(sample, steps=(STEP,))
    for writer in writers:
        writer.join(60)
    assert done.after == version_of(sample) == NEXT
    assert len(refused) == 2
    assert all(isinstance(error, SchemaTooNewError) for error in refused), refused
    with open_history(sample._replace(read_only=True)) as history:
        assert history.run_ids() == before | set(kept)
        for name in kept:
            assert len(history.load(name).executions) == 1


def test_whoever_has_it_open_meanwhile_is_told(sample: Target) -> None:
    with open_history(sample) as history:
        upgrade(sample, steps=(STEP,))
        with pytest.raises(SchemaTooNewError):
            history.save(make_run())
        assert history.run_ids() == set(hashes_of(1))  # reading goes on


def test_two_upgrades_at_once(sample: Target) -> None:
    """One of them does it; the other finds nothing to do, or a version that is too new for it."""
    done: list[int] = []

    def run() -> None:
        with contextlib.suppress(SchemaTooNewError):
            done.append(len(upgrade(sample, steps=(STEP,)).steps))

    both = [threading.Thread(target=run) for _ in range(2)]
    for thread in both:
        thread.start()
    for thread in both:
        thread.join(60)
    assert sum(done) == 1
    assert version_of(sample) == NEXT


CHILD = """
import json, os, sys
from pathlib import Path
from flakefighters.history.migrations import Step, upgrade
from flakefighters.model import Secret, Target
told = json.loads(sys.stdin.read())
target, step = told["target"], told["step"]
target["path"] = target["path"] and Path(target["path"])
target["password"] = target["password"] and Secret(target["password"])
step |= {name: tuple(step[name]) for name in ("sqlite", "postgresql")}
upgrade(Target(**target), steps=(Step(**step),))
"""


def started_upgrade(target: Target, step: Step) -> subprocess.Popen[str]:
    """In a process of its own; returns when it is in the middle of its last statement."""
    fields = ("backend", "host", "port", "user", "database", "display")
    told = {name: getattr(target, name) for name in fields}
    told["path"] = target.path and str(target.path)
    told["password"] = target.password and target.password.reveal()
    names = ("version", "oldest_reader", "what", "sqlite", "postgresql")
    process = subprocess.Popen(
        [sys.executable, "-c", CHILD],
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert process.stdin is not None
    process.stdin.write(
        json.dumps({"target": told, "step": {name: getattr(step, name) for name in names}})
    )
    process.stdin.close()
    until = time.monotonic() + 30
    while not _is_under_way(target):
        assert process.poll() is None, process.stderr and process.stderr.read()
        assert time.monotonic() < until
        time.sleep(0.05)
    return process


def _is_under_way(target: Target) -> bool:
    if target.path is None:
        asked = "SELECT count(*) FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(600)'"
        return ask(target, asked) == [(1,)]
    with contextlib.closing(sqlite3.connect(target.path, timeout=0)) as connection:
        try:
            connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            time.sleep(0.3)  # it has the lock: now its statements run
            return True
    return False


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs SIGKILL")
def test_killed_in_the_middle_it_has_changed_nothing(sample: Target) -> None:
    before = content_of(sample)
    with started_upgrade(sample, SLOW) as process:
        process.kill()
    if sample.path is None:
        # The server notices when it next speaks to whoever is gone.
        ask(
            sample,
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE query = 'SELECT pg_sleep(600)'",
        )
    assert version_of(sample) == SCHEMA_VERSION
    assert content_of(sample) == before
    assert upgrade(sample, steps=(STEP,)).after == NEXT


def test_only_an_upgrade_loads_the_steps(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path\n"
        "from flakefighters.history import open_history\n"
        "from flakefighters.model import Target\n"
        f"open_history(Target(backend='sqlite', path=Path({str(tmp_path / 'h.db')!r}))).close()\n"
        "sys.exit(any('migrations' in name for name in sys.modules))\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT, timeout=60)
