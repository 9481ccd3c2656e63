"""Properties that hold for any runs."""

from __future__ import annotations

import functools
import random
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flakefighters.history import History, content, open_history
from flakefighters.model import Project, Run, Target
from tests.history import any_runs
from tests.postgres.server import shared_server

QUICK = settings(
    max_examples=15,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
PROJECT = Project(identity="p", label="p")


@contextmanager
def fresh(count: int) -> Iterator[list[History]]:
    """Open histories in files that vanish."""
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        made = []
        for i in range(count):
            path = Path(folder) / f"{i}.db"
            path.write_bytes(empty())
            target = Target(backend="sqlite", path=path, display="h")
            made.append(stack.enter_context(open_history(target)))
        yield made


@functools.cache
def empty() -> bytes:
    """An empty history: quicker to copy than to create."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "empty.db"
        open_history(Target(backend="sqlite", path=path, display="h")).close()
        return path.read_bytes()


def everything(history: History) -> dict[str, Run]:
    return {name: history.load(name) for name in history.run_ids()}


def copy(source: History, into: History) -> None:
    """Union, by way of the runs themselves."""
    for name in sorted(source.run_ids() - into.run_ids(), key=lambda each: random.random()):
        into.save(source.load(name), source.verdicts([name]))


@QUICK
@given(any_runs.runs())
def test_any_run_comes_back_as_it_was(run: Run) -> None:
    with fresh(1) as (history,):
        assert history.save(run)
        assert history.load(run.head.id) == run
        assert not history.save(history.load(run.head.id))


@settings(QUICK, max_examples=8)
@given(st.lists(any_runs.runs(PROJECT), min_size=1, max_size=5), st.randoms(use_true_random=False))
def test_equal_content_has_equal_hashes_in_any_order_of_arrival(
    runs: Sequence[Run], chance: random.Random
) -> None:
    with fresh(2) as (one, two):
        for run in runs:
            one.save(run)
        shuffled = list(runs)
        chance.shuffle(shuffled)
        for run in shuffled:
            two.save(run)
        ids = [run.head.id for run in runs]
        assert one.content_hashes(ids) == two.content_hashes(ids)
        assert everything(one) == everything(two) == {run.head.id: run for run in runs}


@settings(QUICK, max_examples=8)
@given(st.lists(st.tuples(any_runs.runs(PROJECT), st.integers(0, 2)), max_size=6))
def test_union_is_commutative_associative_and_idempotent(
    where: Sequence[tuple[Run, int]],
) -> None:
    with fresh(6) as (a, b, c, left, right, again):
        for run, place in where:
            (a, b, c)[place].save(run)
        for source in (a, b, c):
            copy(source, left)
        for source in (c, b):
            copy(source, right)
        copy(a, again)
        copy(right, again)
        copy(left, again)
        copy(left, again)
        copy(b, a)
        copy(a, b)
        copy(c, a)
        whole = {run.head.id: run for run, _ in where}
        assert everything(left) == everything(again) == everything(a) == whole
        assert len(everything(right)) <= len(whole)


@pytest.fixture(scope="module")
def postgres_history() -> Iterator[History]:
    try:
        server = shared_server()
    except LookupError as error:
        pytest.skip(str(error))
    name = server.create_database()
    with open_history(server.target(name)) as history:
        yield history
    server.drop_database(name)


@settings(QUICK, suppress_health_check=[*HealthCheck])
@given(any_runs.runs())
def test_postgresql_and_sqlite_agree(postgres_history: History, run: Run) -> None:
    with fresh(1) as (history,):
        history.save(run)
        assert postgres_history.save(run)
        assert postgres_history.load(run.head.id) == run
        assert not postgres_history.save(history.load(run.head.id))
        ids = [run.head.id]
        assert history.content_hashes(ids) == postgres_history.content_hashes(ids)


@QUICK
@given(any_runs.texts)
def test_json_is_reversible_and_plain(text: str) -> None:
    made = content.to_json({text: [text]})
    assert content.from_json(made) == {text: [text]}
    made.encode("utf-8")
    assert "\\u0000" not in made
