"""What a session asks at its start does not grow with the history."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from flakefighters.history import Evidence, History, open_history
from flakefighters.history.coverage import baselines
from flakefighters.judging.baselines import ordered
from flakefighters.model import Came, RunHead, Target, Trust
from tests.history.made_runs import MINUTE, PROJECT, START, make_run, make_state

SHORT, LONG, READ = 20, 2000, 20
TESTS = {f"t.py::test_{n}": "F" if n == 3 else "." for n in range(40)}


class NoCheckout:
    """A project without git."""

    def ancestors(self) -> tuple[str, ...]:
        return ()


def repeat(history: History, until: int) -> None:
    """Repeat the newest run until there are so many, a minute apart, without the time it takes."""
    ((count, last),) = history.database.query("SELECT count(*), max(started) FROM {s}run")
    ((one,),) = history.database.query("SELECT min(CAST(id AS text)) FROM {s}run")
    uuid = history.target.backend == "postgresql"
    columns = (
        "version content_hash project state listing environment suite sequence completeness "
        "selection origin context extra seen outcomes durations"
    ).replace(" ", ", ")
    name = "CAST(lpad(to_hex(n), 32, '0') AS uuid)" if uuid else "printf('%032x', n)"
    number = "CAST(value AS bigint)" if uuid else "value"
    every = "json_array_elements_text(CAST(:ns AS json)) AS value" if uuid else "json_each(:ns)"
    with history.database.writing("SELECT 1") as writer:
        writer.query(
            f"INSERT INTO {{s}}run (id, started, ended, {columns}) "
            f"SELECT {name}, :last + n * {MINUTE}, :last + n * {MINUTE} + 1, {columns} "
            f"FROM {{s}}run, (SELECT {number} AS n FROM {every}) numbers "
            "WHERE CAST(id AS text) = :one",
            ns=str(list(range(count, until))),
            last=last,
            one=one,
        )
        writer.query(
            "INSERT INTO {s}arrival (run, trust, received, via) SELECT id, 2, 1, 'x' "
            "FROM {s}run WHERE id NOT IN (SELECT run FROM {s}arrival)"
        )


def asked(history: History, monkeypatch: pytest.MonkeyPatch) -> tuple[list[str], int]:
    """The questions of a start and how many characters the answers have."""
    questions: list[str] = []
    size = 0
    query = history.database.query

    def count(sql: str, **params: object) -> object:
        nonlocal size
        answer = query(sql, **params)
        questions.append(sql)
        size += sum(len(str(value)) for row in answer for value in row)
        return answer

    with monkeypatch.context() as patch:
        patch.setattr(history.database, "query", count)
        head = RunHead(id="f" * 32, project=PROJECT.identity, started=START, trust=Trust.LOCAL)
        evidence = Evidence(judged=head, sources=[(history, Came.HERE)])
        runs, _ = ordered(evidence.builds(READ), NoCheckout())  # type: ignore[arg-type]
        assert len(runs) == READ
        # All of them, then those of each environment: the same rows once more.
        found = evidence.baselines(runs)
        assert evidence.baselines(runs[::2]) != []
        files = evidence.state_files([run.state for run in found if run.state])
    assert len(files) == 1
    return questions, size


def test_it_is_the_same_at_20_and_at_2000_runs(
    new_target: Callable[[], Target], monkeypatch: pytest.MonkeyPatch
) -> None:
    target = new_target()
    state = make_state("one", {f"m{n}.py": f"{n:016x}" for n in range(30)})
    said = []
    for length in (SHORT, LONG):
        with open_history(target) as history:
            if length == SHORT:
                history.save(make_run(TESTS, at=0, state=state))
            repeat(history, length)
            assert len(history.run_ids()) == length
        with open_history(target) as history:
            said.append(asked(history, monkeypatch))
    (few, small), (many, large) = said
    # The newest runs; their outcomes with their suites; the files of the states that matter.
    assert few == many
    assert len(few) == 3
    assert large == pytest.approx(small, rel=0.05)


def test_runs_that_hold_a_first_pass(history: History) -> None:
    draw = random.Random(5)
    names = [f"t.py::test_{n}" for n in range(9)]
    suites = [draw.sample(names, draw.randint(2, 9)) for _ in range(4)]
    passing: set[str] = set()
    expected = []
    for at in range(60, 0, -1):  # the newest one first
        results = {name: draw.choice(".FFFsE-") for name in draw.choice(suites)}
        if draw.random() < 0.2:
            results = dict.fromkeys(results, draw.choice(".F"))
        run = make_run(results, at=at, selection={"args": ["some"]})
        history.save(run)
        here = {name for name, how in results.items() if how == "."}
        expected += [] if here <= passing else [run.head.id]
        passing |= here
    runs = history.recent(PROJECT.identity, limit=60)
    history.coverage.fetch(runs)
    assert [run.id for run in baselines([history.coverage], runs)] == expected
    assert len(expected) > 2
    assert history.passed_tests(runs) == passing


def test_all_runs_are_read_only_if_asked_for(new_target: Callable[[], Target]) -> None:
    with open_history(new_target()) as history:
        history.save(make_run(TESTS, at=0))
        repeat(history, 600)
        assert {row.runs for row in history.test_rows(PROJECT.identity)} == {500}
        assert {row.runs for row in history.test_rows(PROJECT.identity, 1 << 31)} == {600}


def test_every_start_is_event_time(history: History) -> None:
    """Order is told by when runs started; when they arrived is kept beside it."""
    late, early = make_run(TESTS, at=9), make_run(TESTS, at=1)
    history.save(late)
    history.save(early)
    assert [run.started for run in history.recent(PROJECT.identity)] == [
        START + 9 * MINUTE,
        START + MINUTE,
    ]
    received: dict[str, int] = dict(history.database.query("SELECT run, received FROM {s}arrival"))
    assert received[late.head.id] <= received[early.head.id]
    assert all(at > START for at in received.values())
