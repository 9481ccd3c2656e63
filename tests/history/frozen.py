"""Histories as each version of the schema left them, kept as text and never changed again.

``python -m tests.history.frozen`` makes those of the current version, once, on both databases.
"""

from __future__ import annotations

import contextlib
import json
import re
import sqlite3
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from flakefighters.history import open_history
from flakefighters.history.layout import SCHEMA_VERSION, statements
from flakefighters.ids import uuid7
from flakefighters.model import Completeness, Outcome, Project, Run, Target, Trust, Verdict
from tests.history.made_runs import make_failure, make_run, make_state, make_verdict
from tests.postgres.server import PostgresServer, shared_server

__all__ = ["SAMPLES", "VERSIONS", "hashes_of", "load_sample"]

SAMPLES = Path(__file__).parent / "samples"
#: The versions that there are samples of.
VERSIONS = sorted(int(path.stem.rpartition("-")[2]) for path in SAMPLES.glob("sqlite-*.sql"))

_ODD = "tests/test_ä.py::test_[\x00-\ud800-\U0001f9ea-'\\]"


def hashes_of(version: int) -> dict[str, str]:
    """Run ids and their content hashes in the samples of this version."""
    text = (SAMPLES / f"hashes-{version}.json").read_text("utf-8")
    return dict(json.loads(text))


def load_sample(version: int, target: Target, server: PostgresServer | None = None) -> None:
    """Make the history at ``target`` from a sample."""
    text = (SAMPLES / f"{target.backend}-{version}.sql").read_text("utf-8")
    if target.path is not None:
        with contextlib.closing(sqlite3.connect(target.path)) as connection:
            connection.executescript(text)
        return
    assert server is not None
    assert target.database is not None
    server.ask(text.replace("__schema__", f'"{target.schema}"'), target.database)


# -- making them -----------------------------------------------------------------------------


def _history() -> list[tuple[Run, Sequence[Verdict], Trust]]:
    """A bit of everything."""
    files = {f"shop/part_{n}.py": f"{n:016x}" for n in range(12)}
    suite = {f"tests/test_{n // 4}.py::test_{n}": "." for n in range(16)} | {_ODD: "."}
    one = make_run(
        suite, state=make_state("one", files), commit="a" * 40, branch="main", dirty=False
    )
    names = list(suite)
    results = {**suite, names[0]: "F", names[3]: "s", names[5]: "E", names[7]: "x", _ODD: "F"}
    two = make_run(
        results,
        at=1,
        state=make_state("two", {**files, "shop/part_3.py": "f" * 16}),
        order=[[3, 1, 2], [0]],
        build="b-17",
        job="tests",
        shard="1/2",
        attempt=2,
        pr="7",
        base_branch="main",
        context={"url": "https://ci.example.org/17", "label": "näïve"},
        extra={"later": {"field": [1, None]}},
    )
    failing = two.executions[0]
    two = two._replace(
        executions=(
            failing._replace(failures=(make_failure("E é\x00\ud800 '\\ \u2028", subtest="i=1"),)),
            *two.executions[1:],
        ),
        seen={"runs": [one.head.id]},
    )
    again = {**suite, names[0]: "R", "tests/test_9.py::test_new": "."}
    three = make_run(
        {name: letter for name, letter in again.items() if name != names[8]},
        at=2,
        completeness=Completeness.INTERRUPTED,
    )
    passed_later = three.executions[0]._replace(attempt=1, outcome=Outcome.FAILED)
    three = three._replace(
        executions=(
            passed_later,
            passed_later._replace(attempt=2, failures=(), outcome=Outcome.PASSED),
        ),
    )
    other = make_run({"a.py::b": "?"}, at=3, project=Project(identity="local:1f", label="play"))
    return [
        (one, (), Trust.PROTECTED),
        (
            two,
            [make_verdict(two, names[0]), make_verdict(two, _ODD, fighter="same_state")],
            Trust.PR,
        ),
        (three, (), Trust.LOCAL),
        (other, (), Trust.UNTRUSTED),
    ]


def _decisions(names: dict[str, int]) -> list[str]:
    """Rows of tables that runs do not fill."""
    project = names["github.com/acme/shop"]
    return [
        f"INSERT INTO {{s}}tombstone VALUES ('run', '{uuid7()}', 1767225600000000, 'ann')",
        f"INSERT INTO {{s}}horizon VALUES ({project}, 1700000000000000)",
    ]


def _fill(target: Target, runs: list[tuple[Run, Sequence[Verdict], Trust]]) -> dict[str, str]:
    with open_history(target) as history:
        for run, verdicts, trust in runs:
            assert history.save(run, verdicts, trust=trust)
        return history.content_hashes(history.run_ids())


def _sqlite(runs: list[tuple[Run, Sequence[Verdict], Trust]], folder: Path) -> tuple[str, Any]:
    path = folder / "sample.db"
    hashes = _fill(Target(backend="sqlite", path=path, display="sample"), runs)
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        ask = connection.execute
        for statement in _decisions(dict(ask("SELECT identity, id FROM project"))):
            ask(statement.format(s=""))
        pragmas = [
            f"PRAGMA {name} = {ask(f'PRAGMA {name}').fetchone()[0]};"
            for name in ("application_id", "user_version")
        ]
        return "\n".join([*pragmas, *connection.iterdump()]) + "\n", hashes


def _postgres(runs: list[tuple[Run, Sequence[Verdict], Trust]]) -> tuple[str, Any]:
    server = shared_server()
    name = server.create_database()
    hashes = _fill(server.target(name), runs)
    prefix = "flakefighters."
    known = dict(server.ask(f"SELECT identity, id FROM {prefix}project", name))
    for statement in _decisions(known):
        server.ask(statement.format(s=prefix), name)
    made = statements("postgresql")
    tables = re.findall(r"^CREATE TABLE __schema__\.(\w+)", "\n".join(made), re.MULTILINE)
    lines = [f"{statement.strip()};" for statement in made]
    with contextlib.closing(server.connect(name)) as connection, connection.cursor() as cursor:
        for table in tables:
            # What others are relative to comes first.
            order = "base NULLS FIRST, 1" if table in ("suite", "listing") else "1"
            cursor.execute(f"SELECT * FROM {prefix}{table} ORDER BY {order}")
            for row in cursor.fetchall():
                values = cursor.mogrify(", ".join(["%s"] * len(row)), row).decode()
                lines.append(f"INSERT INTO __schema__.{table} VALUES ({values});")
    server.drop_database(name)
    return "\n".join(lines) + "\n", hashes


def main() -> None:
    """Write the samples of the current version; what is there stays."""
    if SCHEMA_VERSION in VERSIONS:
        raise SystemExit(f"there are samples of version {SCHEMA_VERSION}, and they stay")
    runs = _history()
    with tempfile.TemporaryDirectory() as folder:
        sqlite, hashes = _sqlite(runs, Path(folder))
    postgres, same = _postgres(runs)
    assert hashes == same
    for name, text in (
        (f"sqlite-{SCHEMA_VERSION}.sql", sqlite),
        (f"postgresql-{SCHEMA_VERSION}.sql", postgres),
        (f"hashes-{SCHEMA_VERSION}.json", json.dumps(hashes, indent=1, sort_keys=True) + "\n"),
    ):
        (SAMPLES / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
