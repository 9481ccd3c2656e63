"""Results of each test over many runs, whatever these collected."""

from __future__ import annotations

import random

from flakefighters.history import History
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
