"""One description of the schema, and everything made from it agrees with it."""

from __future__ import annotations

import contextlib
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from flakefighters.history import generate, open_history, schema, views
from flakefighters.model import Label, Target
from tests.history.made_runs import make_run, make_verdict
from tests.postgres.server import shared_server


@pytest.mark.parametrize("path", generate.outputs(), ids=lambda path: path.name)
def test_generated_files_are_up_to_date(path: Any) -> None:
    assert path.read_text(encoding="utf-8") == generate.outputs()[path], (
        "run python -m flakefighters.history.generate"
    )


def test_every_table_and_column_is_explained() -> None:
    for table in schema.define().sorted_tables:
        assert table.comment
        for column in table.columns:
            assert column.comment, f"{table.name}.{column.name}"


def test_a_local_history_loads_nothing_heavy() -> None:
    code = (
        "import sys, pathlib, tempfile\n"
        "from flakefighters.history import open_history\n"
        "from flakefighters.model import Target\n"
        "with tempfile.TemporaryDirectory() as folder:\n"
        "    path = pathlib.Path(folder) / 'h.db'\n"
        "    open_history(Target(backend='sqlite', path=path)).close()\n"
        "heavy = {'sqlalchemy', 'psycopg2', 'pydantic', 'asyncio', 'multiprocessing'}\n"
        "sys.exit(' '.join(heavy & set(sys.modules)) or 0)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def view_rows(target: Target, sql: str) -> list[tuple[Any, ...]]:
    """Ask as a person would, with a client of one's own."""
    if target.backend == "sqlite":
        assert target.path is not None
        with contextlib.closing(sqlite3.connect(target.path)) as connection:
            return connection.execute(sql).fetchall()
    assert target.database is not None
    return shared_server().ask(f"SET search_path = flakefighters; {sql}", target.database)


def test_views_show_what_the_store_shows(new_target: Callable[[], Target]) -> None:
    target = new_target()
    runs = [
        make_run({"t.py::a": ".", "t.py::b": "."}, at=0),
        make_run({"t.py::b": "F", "t.py::c": "-", "t.py::a": "."}, at=1, branch="main"),
        make_run({"t.py::d": "s", "t.py::b": "."}, at=2),
    ]
    with open_history(target) as history:
        for run in runs:
            history.save(run)
        history.add_verdicts([make_verdict(runs[1], "t.py::b", Label.GENUINE)])

    shown = view_rows(
        target,
        "SELECT tests, passed, failed, skipped, not_run, seconds, branch, trust "
        "FROM runs ORDER BY started",
    )
    assert shown == [
        (2, 2, 0, 0, 0, 1.0, None, "local"),
        (3, 1, 1, 0, 1, 1.0, "main", "local"),
        (2, 1, 0, 1, 0, 1.0, None, "local"),
    ]
    shown = view_rows(
        target,
        "SELECT nodeid, attempt, outcome, setup, call, teardown, reason "
        "FROM executions ORDER BY started, nodeid",
    )
    assert shown == [
        ("t.py::a", 1, ".", 0.0001, 0.0020, 0.0001, None),
        ("t.py::b", 1, ".", 0.0001, 0.0021, 0.0001, None),
        ("t.py::a", 1, ".", 0.0001, 0.0022, 0.0001, None),
        ("t.py::b", 1, "F", 0.0001, 0.0020, 0.0001, None),
        ("t.py::b", 1, ".", 0.0001, 0.0021, 0.0001, None),
        ("t.py::d", 1, "s", 0.0001, 0.0020, 0.0001, "not today"),
    ]
    shown = view_rows(target, "SELECT nodeid, runs, passes, failures FROM tests ORDER BY nodeid")
    assert shown == [("t.py::a", 2, 2, 0), ("t.py::b", 3, 2, 1), ("t.py::d", 1, 0, 0)]
    shown = view_rows(target, "SELECT nodeid, phase, exception, text FROM failures")
    assert shown == [("t.py::b", "call", "AssertionError", "E assert 1 == 2")]
    shown = view_rows(target, "SELECT nodeid, label, evidence FROM verdicts")
    assert shown == [("t.py::b", "genuine", '{"baseline":null,"seen":[1,2]}')]
    for name in views.VIEWS:
        assert isinstance(view_rows(target, f"SELECT count(*) FROM {name}"), Sequence)
