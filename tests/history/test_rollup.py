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
