"""What a history takes in each database, and where the bytes go."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

from flakefighters.history import open_history
from flakefighters.model import Target
from flakefighters.reports.transfers import amount
from tests.benchmarks.history.lines import fill, table
from tests.benchmarks.history.made import made_runs
from tests.postgres.server import PostgresServer

__all__ = ["storage"]

#: Different failures; all others are failures that were seen before.
KINDS = 400
Sizes = dict[str, int]


def storage(options: argparse.Namespace, server: PostgresServer, folder: Path) -> None:
    """Fill both databases with the same runs, and say what takes how much."""
    runs, tests, failing = options.stored_runs, options.stored_tests, options.failing
    name = server.create_database()
    path = folder / "stored.db"
    local = Target(backend="sqlite", path=path, display=path.name)
    sizes: dict[str, Callable[[], Sizes]] = {
        "SQLite": lambda: _sqlite(local),
        "PostgreSQL": lambda: _postgresql(server, name),
    }
    counts: Sizes = {}
    new: Sizes = {}
    found: dict[str, tuple[Sizes, Sizes]] = {}
    for (backend, measure), target in zip(sizes.items(), (local, server.target(name)), strict=True):
        made = made_runs(runs + 1, tests, failing=failing, text=options.text, kinds=KINDS)
        fill(target, [next(made)], 1)
        first, before = measure(), _counts(target)
        fill(target, made, runs)
        found[backend] = first, measure()
        counts = _counts(target)
        new = {part: count - before[part] for part, count in counts.items()}
    rows = []
    for part, (tables, unit, number) in _PARTS.items():
        count = number(new, runs * tests)
        cells = []
        for first, last in found.values():
            grown = sum(last.get(one, 0) - first.get(one, 0) for one in tables)
            cells.append(f"{grown / max(1, count):.1f} B")
        rows.append([part, f"{count:,} {unit}", *cells])
    texts = [last["failure_text"] / counts["failure_text"] for _, last in found.values()]
    rows.append(
        ["a failure that is new", f"{counts['failure_text']:,} texts"]
        + [f"{size:,.0f} B" for size in texts]
    )
    totals = [sum(last.values()) for _, last in found.values()]
    rows.append(["all of it", f"{runs + 1:,} runs", *map(amount, totals)])
    table(
        f"Stored: {runs:,} runs of {tests:,} tests after a first one, {failing:.1%} failing, "
        f"{KINDS} different failures with tracebacks of {options.text:,} characters",
        ["what", "how many", *found],
        rows,
    )
    server.drop_database(name)


_PARTS: dict[str, tuple[tuple[str, ...], str, Callable[[Sizes, int], int]]] = {
    "outcome and duration of a test in a run": (
        ("run", "suite", "test", "sequence"),
        "results",
        lambda counts, results: results,
    ),
    "a failed execution": (
        ("execution", "failure"),
        "executions",
        lambda counts, _: counts["execution"],
    ),
    "a verdict": (("verdict",), "verdicts", lambda counts, _: counts["verdict"]),
    "its evidence": (("evidence",), "bodies", lambda counts, _: counts["evidence"]),
    "a state with 4 changed files": (
        ("state", "listing", "arrival"),
        "states",
        lambda counts, _: counts["state"],
    ),
}


def _counts(target: Target) -> Sizes:
    names = ("execution", "failure_text", "verdict", "evidence", "state")
    with open_history(target) as history:
        return {
            name: history.database.query(f"SELECT count(*) FROM {{s}}{name}")[0][0]
            for name in names
        }


def _sqlite(target: Target) -> Sizes:
    """Bytes in pages by table, indexes included."""
    with open_history(target) as history:
        try:
            rows = history.database.query(
                "SELECT m.tbl_name, sum(d.pgsize) FROM dbstat d "
                "JOIN sqlite_master m ON m.name = d.name GROUP BY 1"
            )
        except Exception:  # this SQLite was built without dbstat
            assert target.path is not None
            return {"run": target.path.stat().st_size}
    return dict(rows)


def _postgresql(server: PostgresServer, name: str) -> Sizes:
    """Bytes by table after a vacuum: rows, what is stored beside them, indexes."""
    server.ask("VACUUM ANALYZE", name)
    rows = server.ask(
        "SELECT c.relname, pg_total_relation_size(c.oid) FROM pg_class c "
        "JOIN pg_namespace n ON n.oid = c.relnamespace "
        "WHERE n.nspname = 'flakefighters' AND c.relkind = 'r'",
        name,
    )
    return {table: int(size) for table, size in rows}
