"""What is measured at each length of the history."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from flakefighters.history import Evidence, History, open_history
from flakefighters.history.content import project_id
from flakefighters.history.prune import Policy, plan, prune
from flakefighters.judging.baselines import ordered
from flakefighters.model import Came, Run, RunHead, Target, Trust, Verdict
from flakefighters.sync import clone, pull
from tests.benchmarks.history.lines import say
from tests.benchmarks.scale.measuring import Bench, typical
from tests.benchmarks.scale.project import DAY, PROJECT

__all__ = ["KEEP", "measured", "sizes"]

ROOT: Final = Path(__file__).resolve().parents[3]
#: Builds that a session looks at.
READ: Final = 50
#: How long the server keeps runs where it prunes, in days, as in docs/sync.md.
KEEP: Final = 180

_Made = Iterator[tuple[Run, list[Verdict]]]
Figures = dict[str, Any]


def measured(
    bench: Bench, made: _Made, folder: Path, *, rounds: int, days: tuple[int, ...]
) -> Figures:
    """Everything, in a database that may be changed; ``made`` are the runs to come."""
    found: Figures = {"sizes": sizes(bench)}
    with open_history(bench.target) as history:
        (newest,) = history.recent(PROJECT.identity, limit=1)
        found["runs"] = len(history.run_ids())
    _session(bench, made, 4 * rounds, found)
    _commands(bench, folder, rounds, found)
    _copies(bench, made, folder, found)
    for back in days:
        say(f"cloning {back} days")
        found[f"clone of {back} days"] = _cloned(bench, folder, newest.started - back * DAY)
    _retained(bench, made, newest.started, rounds, found)
    return found


def sizes(bench: Bench) -> dict[str, int]:
    """Bytes of the database, and by table: of its rows, and of its indexes."""
    server, name = bench.server, bench.database
    server.ask("VACUUM ANALYZE", name)
    found = {"database": int(server.ask(f"SELECT pg_database_size('{name}')")[0][0])}
    rows = server.ask(
        "SELECT c.relname, pg_table_size(c.oid), pg_indexes_size(c.oid) FROM pg_class c "
        "JOIN pg_namespace n ON n.oid = c.relnamespace "
        "WHERE n.nspname = 'flakefighters' AND c.relkind = 'r' ORDER BY 1",
        name,
    )
    for table, body, indexes in rows:
        found |= {table: int(body), f"{table}, indexes": int(indexes)}
    return found


def _session(bench: Bench, made: _Made, rounds: int, found: Figures) -> None:
    """What a session waits for: what it reads at its start, and that its run is saved."""
    say("start and save")
    found["start, near"] = bench.directly(rounds, _start, open_history)
    found["start, far"] = bench.through(rounds, _start, open_history)
    ahead = [next(made) for _ in range(2 * rounds)]
    found["save, near"] = bench.directly(
        rounds, lambda history: history.save(*ahead.pop()), open_history
    )
    found["save, far"] = bench.through(
        rounds, lambda history: history.save(*ahead.pop()), open_history
    )


class _NoCheckout:
    """A project without git: commits tell nothing of their order."""

    def ancestors(self) -> tuple[str, ...]:
        return ()


def _start(history: History) -> None:
    head = RunHead(id="f" * 32, project=PROJECT.identity, started=0, trust=Trust.LOCAL)
    evidence = Evidence(judged=head, sources=[(history, Came.HERE)])
    runs, _ = ordered(evidence.builds(READ), _NoCheckout())  # type: ignore[arg-type]
    passes = evidence.baselines(runs)
    evidence.baselines(runs[::2])
    evidence.state_files(list(dict.fromkeys(run.state for run in passes if run.state))[:6])


def _commands(bench: Bench, folder: Path, rounds: int, found: Figures) -> None:
    there = ("--database-url", bench.url, "--rootdir", str(folder))
    ours = (*there, "--project", PROJECT.identity)
    page = folder / "report.html"
    for name, command, times in (
        ("tests", ("tests", *ours), rounds),
        ("report", ("report", "-o", str(page), *ours), 1),
        ("check", ("check", *there), rounds),
    ):
        say(name)
        found[name] = typical([bench.timed(lambda: _run(*command)) for _ in range(times)])  # noqa: B023
    found["report, bytes"] = page.stat().st_size
    with open_history(bench.target) as history:
        found["tests, without Python's start"] = bench.timed(
            lambda: history.tests(PROJECT.identity, 500)
        )


def _run(*arguments: str) -> None:
    command = [sys.executable, "-m", "flakefighters", *arguments]
    where = {"PYTHONPATH": str(ROOT), "PATH": "", "HOME": "/nonexistent"}
    done = subprocess.run(command, env=where, capture_output=True, text=True, check=False)
    # Nobody should log in as the superuser that we are: `check` says so with a 1.
    if done.returncode not in (0, int(arguments[0] == "check")):
        raise RuntimeError(f"{arguments[0]}: {done.stdout[-2000:]}{done.stderr[-2000:]}")


def _copies(bench: Bench, made: _Made, folder: Path, found: Figures) -> None:
    """A clone of all, and pulls into it."""
    say("cloning everything")
    found["clone"] = _cloned(bench, folder, None, keep=True)
    local = _file(folder / "all.db")
    say("pulling")
    for name, runs in (("pull of nothing", 0), ("pull of 1 run", 1), ("pull of 20 runs", 20)):
        with open_history(bench.target) as history:
            for _ in range(runs):
                history.save(*next(made))
        with open_history(local) as into:
            found[name] = bench.through(
                1,
                lambda source: pull(source, into),
                lambda target: open_history(target._replace(read_only=True)),
            )
    _remove(folder / "all.db")


def _cloned(bench: Bench, folder: Path, since: int | None, *, keep: bool = False) -> Figures:
    path = folder / "all.db"
    with open_history(bench.target._replace(read_only=True)) as source:
        done: Any = None

        def work() -> None:
            nonlocal done
            done = clone(source, _file(path), since=since)

        cost = bench.timed(work)
    figures = {"cost": cost, "runs": done.runs, "rows": done.rows, "bytes": done.bytes}
    figures["file"] = path.stat().st_size
    if not keep:
        _remove(path)
    return figures


def _file(path: Path) -> Target:
    return Target(backend="sqlite", path=path, display=path.name)


def _remove(path: Path) -> None:
    for one in path.parent.glob(f"{path.name}*"):
        one.unlink()


def _retained(bench: Bench, made: _Made, now: int, rounds: int, found: Figures) -> None:
    """The same history with no more than :data:`KEEP` days."""
    say("pruning")
    project = project_id(PROJECT.identity)
    with open_history(bench.target) as history:
        asked = plan(history.database, project, Policy(keep_days=KEEP), now)
        found["prune, runs"] = asked.runs
        before = {} if asked.before is None else {project: asked.before}
        found["prune"] = bench.timed(lambda: prune(history.database, before))
    if not asked.runs:
        return
    kept: Figures = {}
    found["retained"] = kept
    # Only so does the file become smaller; without it the room is used by runs to come.
    kept["sizes, room kept"] = sizes(bench)
    bench.server.ask("VACUUM FULL", bench.database)
    kept["sizes"] = sizes(bench)
    _session(bench, made, 4 * rounds, kept)
