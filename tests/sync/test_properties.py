"""Wherever runs are recorded and however they travel, in the end everybody has the same."""

from __future__ import annotations

import os
import signal
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flakefighters.history import open_history, upkeep
from flakefighters.history.content import normal, project_id
from flakefighters.history.prune import prune
from flakefighters.history.purge import find_signatures, purge
from flakefighters.history.purge_text import purged_run
from flakefighters.model import Label, Run, Target
from tests.history import any_runs
from tests.history.made_runs import MINUTE, START, make_run, make_state, make_verdict
from tests.postgres.server import PostgresServer
from tests.sync.conftest import EMPTY
from tests.sync.contents import Content, clone_into, content, pull_into, push_to, save
from tests.sync.killed import killed

# Drawing a database is slow, so examples are few; with ``FFTEST_LONG=1`` many, for long (or as
# many as ``FFTEST_EXAMPLES`` says).
LONG = os.environ.get("FFTEST_LONG", "") not in ("", "0")
QUICK = settings(
    max_examples=int(os.environ.get("FFTEST_EXAMPLES", "400" if LONG else "5")),
    deadline=None,
    database=None,
    suppress_health_check=[*HealthCheck],
)


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upkeep, "PAUSE", 0.0)


nodeids = st.sampled_from([f"t.py::test_{n}[{odd}]" for n in range(6) for odd in ("a", "é\t")])
results = st.dictionaries(nodeids, st.sampled_from("...FEsR"), min_size=1, max_size=8)
files = st.dictionaries(
    st.sampled_from(["a.py", "b/ü.py", 'c"\\.py', "d.txt"]),
    st.text("0123456789abcdef", min_size=16, max_size=16),
)


@st.composite
def plain_runs(draw: st.DrawFn) -> Run:
    """Runs that may leave a machine and share much."""
    tree = draw(st.sampled_from(["one", "two", "three"]))
    return normal(
        make_run(
            draw(results),
            at=draw(st.integers(0, 9)),
            state=make_state(tree, draw(st.none() | files)),
            dirty=False,
            branch=draw(any_runs.optional_texts),
            context=draw(any_runs.mappings),
        )
    )


class Machines:
    """Two laptops, and a team's server between them."""

    def __init__(self, folder: Path, team: Target):
        self.team = team
        self.laptops = [
            Target(backend="sqlite", path=folder / f"{n}.db", display=f"{n}.db") for n in range(2)
        ]
        for laptop in self.laptops:
            open_history(laptop).close()
        self.recorded: dict[str, Run] = {}
        #: Ids of the runs and of the signatures that were purged.
        self.gone: set[str] = set()
        self.emptied: set[str] = set()
        self.horizon = 0

    def prune(self, where: int, at: int) -> None:
        """Keep less on one machine."""
        before = START + at * MINUTE
        with open_history([*self.laptops, self.team][where]) as history:
            known = {project_id(identity) for identity, _ in history.projects()}
            prune(history.database, dict.fromkeys(known, before))
        if known:
            self.horizon = max(self.horizon, before)

    def purge(self, where: int, kind: str) -> None:
        """Purge the first run or signature that a machine knows."""
        with open_history([*self.laptops, self.team][where]) as history:
            if kind == "run":
                found = sorted(history.run_ids())[:1]
                self.gone.update(found)
            else:
                found = sorted(find_signatures(history.database, ""))[:1]
                self.emptied.update(found)
            for name in found:
                purge(history.database, (kind, name, 1, "somebody"))

    def expected(self) -> dict[str, Run]:
        """The runs that everybody has in the end."""
        return {
            name: purged_run(run, self.emptied)
            for name, run in self.recorded.items()
            if name not in self.gone and run.head.started >= self.horizon
        }

    def record(self, where: int, run: Run, judged: bool) -> None:
        target = [*self.laptops, self.team][where]
        failed = [one.nodeid for one in run.executions if one.failures]
        said = [make_verdict(run, failed[0])] if judged and failed else []
        save(target, run, verdicts=said)
        self.recorded[run.head.id] = run

    def judge(self, where: int, at: int) -> None:
        """Judge a run again that is there."""
        with open_history([*self.laptops, self.team][where]) as history:
            for name in sorted(history.run_ids())[:1]:
                run = self.recorded[name]
                if run.executions:
                    verdict = make_verdict(run, run.executions[0].nodeid, Label.GENUINE, at=at)
                    history.add_verdicts([verdict])

    def move(self, way: str, laptop: int) -> None:
        target = self.laptops[laptop]
        if way == "push":
            done = push_to(self.team, target)
        elif way == "clone":
            done = clone_into(target, self.team)
        else:
            done = pull_into(target, self.team, batch=2)
        assert done.clean

    def kill(self, way: str, laptop: int, point: int) -> None:
        """Begin to move, and die at a report or within the work of SQLite."""
        more = {"batch": 2} if way == "pull" else {}
        where = {"reports": point} if point % 2 else {"steps": 3 * point}
        code = killed(self.team, self.laptops[laptop], **where, **more)
        assert code in (0, -signal.SIGKILL)

    def exchange(self) -> list[Content]:
        """Everybody gives and gets everything."""
        for way in ("push", "pull"):
            for laptop in range(2):
                self.move(way, laptop)
        return [self.kept(content(target)) for target in (*self.laptops, self.team)]

    def kept(self, whole: Content) -> Content:
        """What lies within everybody's horizon."""
        names = {run for run, one in whole.runs.items() if one.head.started >= self.horizon}
        return Content(
            {run: one for run, one in whole.runs.items() if run in names},
            {run: said for run, said in whole.hashes.items() if run in names},
            {text: one for text, one in whole.verdicts.items() if one.run in names},
        )


_kills = st.tuples(
    st.just("kill"), st.sampled_from(["pull", "clone"]), st.integers(0, 1), st.integers(1, 30)
)
steps = st.lists(
    st.one_of(
        st.tuples(st.just("record"), st.integers(0, 2), plain_runs(), st.booleans()),
        st.tuples(st.just("judge"), st.integers(0, 2), st.integers(0, 9)),
        st.tuples(st.just("move"), st.sampled_from(["push", "pull", "clone"]), st.integers(0, 1)),
        st.tuples(st.just("prune"), st.integers(0, 2), st.integers(0, 6)),
        st.tuples(st.just("purge"), st.integers(0, 2), st.sampled_from(["run", "signature"])),
        *([_kills] if sys.platform != "win32" else []),
    ),
    min_size=3,
    max_size=30 if LONG else 12,
)


@QUICK
@given(steps)
def test_any_interleaving_ends_in_equal_content(
    server: PostgresServer, remote: Target, steps: Sequence[tuple[Any, ...]]
) -> None:
    assert remote.database is not None
    server.ask(EMPTY, remote.database)
    with tempfile.TemporaryDirectory() as folder:
        machines = Machines(Path(folder), remote)
        for kind, *arguments in steps:
            getattr(machines, kind)(*arguments)
        first, second, team = machines.exchange()
        assert first == second == team
        assert team.runs == machines.expected()
        assert machines.exchange() == [team] * 3


@QUICK
@given(
    st.lists(st.tuples(plain_runs(), st.integers(0, 2)), min_size=1, max_size=6),
    st.permutations(range(3)),
)
def test_union_of_files_in_any_order(runs: Sequence[tuple[Run, int]], order: Sequence[int]) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)

        def at(stem: str) -> Target:
            return Target(backend="sqlite", path=folder / f"{stem}.db", display=stem)

        parts = [at(f"part{n}") for n in range(3)]
        for part in parts:
            open_history(part).close()
        for run, where in runs:
            save(parts[where], run)
        one, other, both = at("one"), at("other"), at("both")
        for part in parts:
            clone_into(one, part)
        for n in order:
            pull_into(other, parts[n], batch=1)
        clone_into(both, other)
        pull_into(both, one)
        pull_into(both, parts[0])
        whole = {run.head.id: run for run, _ in runs}
        assert content(one).runs == whole
        assert content(one) == content(other) == content(both)


def test_an_artifact_of_any_run(
    new_local: Callable[[str], Target], remote: Target, local: Target
) -> None:
    run = make_run({"t.py::a": "F"}, at=1, dirty=False, branch="\x11 \ud800 \x00 \\N \\\\ \n\t\r\b")
    said = make_verdict(run, "t.py::a")._replace(reason="\\x \x0b \x1f \u2028")
    save(remote, run, verdicts=[said])
    clone_into(local, remote)
    artifact = new_local("artifact.db")
    pull_into(artifact, local)
    assert content(remote) == content(local) == content(artifact)


@pytest.mark.parametrize("text", ["\\", "\\\\N", "a\tb", '"', "\x7f", "\u2028", "\U0010ffff"])
def test_texts_survive_the_line(remote: Target, local: Target, text: str) -> None:
    run = make_run({f"t.py::{text}": "F"}, at=1, branch=text, context={text: [text]})
    run = run._replace(head=run.head._replace(job=text * 50_000))
    save(remote, run)
    clone_into(local, remote)
    assert content(local).runs == {run.head.id: normal(run)}
