"""Results of each test over many runs, whatever these collected."""

from __future__ import annotations

import random

import pytest

from flakefighters.history import History
from flakefighters.history.overview import times
from tests.history.made_runs import PROJECT, make_run


def test_suites_take_turns(history: History) -> None:
    """Branches with other tests, a selection, and runs in which all or nothing passed."""
    draw = random.Random(3)
    names = [f"t.py::test_{n}" for n in range(12)]
    suites = [names, [*names[:3], "t.py::new", *names[4:]], names[5:7], names[::-1], ["u.py::a"]]
    runs = [{name: draw.choice("..F") for name in draw.choice(suites)} for _ in range(20)]
    runs += [dict.fromkeys(names, "."), dict.fromkeys(names[:4], "-")]
    for at, results in enumerate(runs):
        history.save(make_run(results, at=at))
    book = history.tests(PROJECT.identity)
    assert len(book.runs) == len(runs)
    for row in book.rows:
        assert row.outcomes == "".join(results.get(row.nodeid, "-") for results in runs)
        alone = history.tests(PROJECT.identity, only=row.nodeid).rows
        assert [one.outcomes for one in alone] == [row.outcomes]
        assert row.last_run == book.runs[len(row.outcomes.rstrip("-")) - 1].id
    known = {row.nodeid for row in book.rows}
    assert known == {name for results in runs for name, how in results.items() if how != "-"}


def test_durations_are_read_many_runs_at_a_time(
    history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [f"t.py::test_{n}" for n in range(3)]
    runs = [make_run(dict.fromkeys(names[at % 2 :], "."), at=at) for at in range(45)]
    for run in runs:
        history.save(run)
    random.Random(2).shuffle(runs)
    query, questions = history.database.query, []

    def asked(sql: str, **params: object) -> object:
        questions.append(sql)
        return query(sql, **params)

    monkeypatch.setattr(history.database, "query", asked)
    ids = [run.head.id for run in runs]
    found = times(history, ids, 2)
    assert sum("r.durations" in sql for sql in questions) == 3
    assert found.runs == {run.head.id: 100 * sum(run.durations) for run in runs}
    for name, sums in found.tests.items():
        spent = [
            100 * sum(run.durations[phase::3][run.suite.index(name)] for phase in range(3))
            if name in run.suite
            else 0
            for run in runs
        ]
        assert list(sums) == [sum(spent[at : at + 2]) for at in range(0, 45, 2)]


def test_one_test_comes_without_the_others(
    history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [f"t.py::test_{n:03}" for n in range(400)]
    suites = [names, names[7:], names[:7], names[::-1]]
    runs = [make_run(dict.fromkeys(suites[at % 4], ".F"[at % 3 > 1]), at=at) for at in range(13)]
    runs.append(make_run(dict(zip(names, "F.E" * 134, strict=False)), at=20))
    for run in runs:
        history.save(run)
    query, size = history.database.query, 0

    def asked(sql: str, **params: object) -> list[tuple[object, ...]]:
        nonlocal size
        answer = query(sql, **params)
        size += sum(len(str(value)) for row in answer for value in row) * ("outcomes" in sql)
        return answer

    monkeypatch.setattr(history.database, "query", asked)
    for name in (names[0], names[6], names[399]):
        found = {row.run.id: row for row in history.executions_of(name, PROJECT.identity)}
        assert found.keys() == {run.head.id for run in runs if name in run.suite}
        for run in runs:
            alone = history.executions_of(name, PROJECT.identity, run=run.head.id)
            assert alone == tuple(found[run.head.id] for _ in range(name in run.suite))
            if name in run.suite:
                at = run.suite.index(name)
                row = found[run.head.id]
                assert row.outcome == run.outcomes[at]
                assert list(row.durations) == [100 * n for n in run.durations[3 * at : 3 * at + 3]]
    if history.target.backend == "postgresql":
        assert size < 6 * len(runs) * 60


@pytest.mark.parametrize("damaged", ["Z.F", ".F", ".FF.", "Z"])
def test_a_run_with_damaged_outcomes_is_left_out(
    history: History, monkeypatch: pytest.MonkeyPatch, damaged: str
) -> None:
    names = [f"t.py::test_{n}" for n in range(3)]
    sound, broken = (make_run(dict(zip(names, ".F.", strict=True)), at=at) for at in (0, 1))
    for run in (sound, broken):
        history.save(run)
    query = history.database.query

    def spoilt(sql: str, **params: object) -> object:
        rows = query(sql, **params)
        if "r.outcomes" not in sql:
            return rows
        return [(*row[:-1], damaged) if row[0] == broken.head.id else row for row in rows]

    monkeypatch.setattr(history.database, "query", spoilt)
    book = history.tests(PROJECT.identity)
    assert [head.id for head in book.runs] == [sound.head.id]
    assert all(len(row.outcomes) == 1 for row in book.rows)
