"""Whatever a server says, nothing false gets into a local history."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flakefighters.history import open_history
from flakefighters.history.content import normal
from flakefighters.model import Label, Project, Run, Target
from flakefighters.sync.verify import verify
from tests.history import any_runs
from tests.history.made_runs import make_environment, make_run, make_state, make_verdict
from tests.postgres.server import PostgresServer
from tests.sync.contents import clone_into, content, path_of, pull_into, rows, save

FILES = {f"m{n}.py": f"{n:016x}" for n in range(8)}


def some() -> list[Run]:
    """Three runs; what they share hangs together, the last one is of another project."""
    first = {f"t.py::test_{n}": "F" if n == 3 else "." for n in range(9)}
    other = Project(identity="github.com/acme/other", label="other")
    made = [
        make_run(first, at=1, state=make_state("a", FILES), order=[[1, 0], range(2, 9)]),
        make_run(
            {**first, "t.py::late": "s"}, at=2, state=make_state("b", FILES | {"m1.py": "f" * 16})
        ),
        make_run(first, at=3, project=other, state=make_state("c", {"x.py": "0" * 16})),
    ]
    return [normal(run) for run in made]


@contextmanager
def staged(path: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("BEGIN")
        yield connection
        connection.execute("COMMIT")


def checked(path: Path) -> dict[str, str]:
    with staged(path) as connection:
        return verify(connection)


@settings(
    max_examples=12,
    deadline=None,
    database=None,
    suppress_health_check=[*HealthCheck],
)
@given(st.lists(any_runs.runs(), min_size=1, max_size=3))
def test_any_run_that_we_write_stands(
    tmp_path_factory: pytest.TempPathFactory, runs: list[Run]
) -> None:
    path = tmp_path_factory.mktemp("any") / "history.db"
    target = Target(backend="sqlite", path=path, display="h")
    save(target, *runs)
    commits = {
        run.head.id
        for run in runs
        for text in (run.head.commit, run.head.tree)
        if text and not (len(text) in (40, 64) and set(text) <= set("0123456789abcdef"))
    }
    strange = {
        run.head.id
        for run in runs
        if run.state
        and any(".." in p.split("/") or p.startswith("/") for p in run.state.files or {})
    }
    refused = checked(path)
    assert set(refused) == commits | strange


def test_odd_paths_stand(local: Target) -> None:
    odd = {"a\x00b": "0" * 16, "\x11": "1" * 16, "\ud800/ä": "2" * 16, "": "3" * 16}
    save(
        local, make_run(state=make_state("odd", odd), environment=make_environment(**{"\x11": "1"}))
    )
    assert checked(path_of(local)) == {}


UPDATES = {
    # The same node ids, so the hash of the run does not tell.
    "another project's suite": "UPDATE {s}run SET suite = (SELECT o.suite FROM {s}run o "
    "WHERE o.project <> run.project) WHERE id = '{run}'",
    "a branch": "UPDATE {s}run SET branch = 'lies' WHERE id = '{run}'",
    "a start": "UPDATE {s}run SET started = started + 1 WHERE id = '{run}'",
    "outcomes": "UPDATE {s}run SET outcomes = '.' WHERE id = '{run}'",
    "unknown outcomes": "UPDATE {s}run SET outcomes = '!' WHERE id = '{run}'",
    "too few outcomes": "UPDATE {s}run SET outcomes = '..' WHERE id = '{run}'",
    "durations": "UPDATE {s}run SET durations = replace(durations, '1', '2') WHERE id = '{run}'",
    "strange durations": "UPDATE {s}run SET durations = replace(durations, ',', ', ') "
    "WHERE id = '{run}'",
    "no durations": "UPDATE {s}run SET durations = 'null' WHERE id = '{run}'",
    "an origin": "UPDATE {s}run SET origin = '[1]' WHERE id = '{run}'",
    "not JSON": "UPDATE {s}run SET context = '{' WHERE id = '{run}'",
    "a recipe": "UPDATE {s}run SET version = 2 WHERE id = '{run}'",
    "a hash": "UPDATE {s}run SET content_hash = 'x' WHERE id = '{run}'",
    "completeness": "UPDATE {s}run SET completeness = 'whole' WHERE id = '{run}'",
    "no order": "UPDATE {s}run SET sequence = NULL WHERE id = '{run}'",
    "an outcome": "UPDATE {s}execution SET outcome = 'E' WHERE run = '{run}'",
    "a reason": "UPDATE {s}execution SET reason = 'why not' WHERE run = '{run}'",
    "a phase": "UPDATE {s}failure SET phase = 'setup' WHERE run = '{run}'",
    "facts": "UPDATE {s}failure SET facts = '{}' || ' ' WHERE run = '{run}'",
    "no failure": "DELETE FROM {s}failure WHERE run = '{run}'",
    "no execution": "DELETE FROM {s}failure WHERE run = '{run}'; "
    "DELETE FROM {s}execution WHERE run = '{run}'",
}
#: Each falsifies something that the first run shares with the second.
SHARED = {
    "a suite's order": "UPDATE {s}suite SET added = replace(added, '[', '[1,') "
    "WHERE base IS NULL AND n = 9",
    "a suite's size": "UPDATE {s}suite SET n = 3 WHERE base IS NULL",
    "a listing": "UPDATE {s}listing SET files = replace(files, 'm7.py', 'm9.py') "
    "WHERE base IS NULL",
    "a way out": "UPDATE {s}listing SET files = replace(files, 'm7.py', '../m7') "
    "WHERE base IS NULL",
    "a failure's text": "UPDATE {s}failure_text SET text = 'E innocent'",
    "a signature": "UPDATE {s}failure_text SET signature = 'equal'",
    "an environment": "UPDATE {s}environment SET key = 'k'",
    "distributions": "UPDATE {s}environment SET distributions = '{}'",
    "a node id": "UPDATE {s}test SET nodeid = nodeid || 'x'",
    "a masked node id": "UPDATE {s}test SET masked = 'x'",
    "a project": "UPDATE {s}project SET identity = 'evil' || identity",
}


@pytest.fixture(scope="module")
def honest(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Run]]:
    """A file with three runs, to be copied."""
    path = tmp_path_factory.mktemp("honest") / "history.db"
    runs = some()
    said = [make_verdict(runs[0], "t.py::test_3", Label.FLAKY)]
    save(Target(backend="sqlite", path=path, display="h"), *runs, verdicts=said)
    return path, runs


@pytest.fixture
def falsify(honest: tuple[Path, list[Run]], local: Target) -> Callable[[str], dict[str, str]]:
    """Changes a copy at ``local``, checks it, and returns what was refused."""

    def change(sql: str) -> dict[str, str]:
        shutil.copyfile(honest[0], path_of(local))
        sql = sql.replace("{s}", "").replace("{run}", honest[1][0].head.id)
        with closing(sqlite3.connect(path_of(local))) as connection:
            connection.executescript(sql)
        return checked(path_of(local))

    return change


@pytest.mark.parametrize("what", UPDATES)
def test_a_false_run_stays_out(
    falsify: Callable[[str], dict[str, str]],
    honest: tuple[Path, list[Run]],
    local: Target,
    what: str,
) -> None:
    _, (bad, *others) = honest
    assert list(falsify(UPDATES[what])) == [bad.head.id]
    assert content(local).runs == {run.head.id: run for run in others}


@pytest.mark.parametrize("what", SHARED)
def test_false_facts_stay_out_with_all_that_rests_on_them(
    falsify: Callable[[str], dict[str, str]],
    honest: tuple[Path, list[Run]],
    local: Target,
    what: str,
) -> None:
    _, runs = honest
    assert {run.head.id for run in runs[:2]} <= set(falsify(SHARED[what]))
    content(local)
    # Honest runs with the same keys can be recorded, and say what they say.
    with open_history(local) as history:
        for run in runs:
            history.save(run)
            assert history.load(run.head.id) == run


@pytest.mark.parametrize(
    "what",
    [
        "UPDATE {s}verdict SET label = 'genuine'",
        "UPDATE {s}verdict SET reason = 'because'",
        "UPDATE {s}verdict SET label = 'fine'",
        "UPDATE {s}verdict SET test = 1",
        "UPDATE {s}evidence SET body = '{}'",
        "UPDATE {s}evidence SET body = '{'",
    ],
)
def test_false_verdicts_stay_out(
    falsify: Callable[[str], dict[str, str]], local: Target, what: str
) -> None:
    refused = falsify(what)
    assert [name.split()[0] for name in refused] == ["verdict"]
    found = content(local)
    assert (len(found.runs), found.verdicts) == (3, {})


def test_a_server_is_not_believed_either(
    server: PostgresServer, remote: Target, local: Target
) -> None:
    runs = some()
    save(remote, *runs)
    assert remote.database is not None
    sql = UPDATES["durations"].replace("{s}", "flakefighters.").replace("{run}", runs[0].head.id)
    server.ask(sql, remote.database)
    done = clone_into(local, remote)
    assert (list(done.refused), done.runs, done.clean) == ([runs[0].head.id], 2, False)
    again = pull_into(local, remote)
    assert (list(again.refused), again.runs) == ([runs[0].head.id], 0)
    assert set(content(local).runs) == {run.head.id for run in runs[1:]}


def test_a_false_suite_under_a_key_that_is_here_changes_nothing(
    server: PostgresServer, remote: Target, local: Target
) -> None:
    runs = some()
    save(local, runs[0])
    save(remote, *runs)
    assert remote.database is not None
    sql = SHARED["a suite's order"].replace("{s}", "flakefighters.")
    server.ask(sql, remote.database)
    pull_into(local, remote)
    with open_history(local) as history:
        for name in history.run_ids():
            assert history.load(name) in runs


def test_links_that_go_in_circles_or_nowhere(tmp_path: Path, local: Target) -> None:
    runs = some()
    save(local, *runs)
    rows(local, "UPDATE suite SET base = (SELECT id FROM suite s WHERE s.n = 10) WHERE n = 9")
    rows(local, "UPDATE listing SET base = 'nowhere'")
    refused = checked(path_of(local))
    assert {run.head.id for run in runs} <= set(refused)


def test_what_passes_is_removed_from_nothing(
    local: Target, new_local: Callable[[str], Target]
) -> None:
    save(local, *some())
    before = content(local)
    assert checked(path_of(local)) == {}
    assert content(local) == before
