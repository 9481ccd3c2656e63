"""The rules of trust as questions to a history, and several histories as one."""

from __future__ import annotations

from pathlib import Path

import pytest

from flakefighters.history import Evidence, History, Reader, open_history
from flakefighters.model import Came, RunHead, Target, Trust, Use, believed
from tests.history.made_runs import (
    PROJECT,
    START,
    make_environment,
    make_run,
    make_state,
    make_verdict,
)

ID = PROJECT.identity
COMMIT = "a" * 40


def judged(trust: Trust = Trust.LOCAL, pr: str | None = None) -> RunHead:
    return RunHead(id="f" * 32, project=ID, started=START, trust=trust, pr=pr)


@pytest.mark.parametrize("reader_trust", Trust)
@pytest.mark.parametrize("pr", [None, "7"])
def test_the_question_and_the_table_agree(
    history: History, reader_trust: Trust, pr: str | None
) -> None:
    state = make_state("one", {"a.py": "0" * 16})
    at = 0
    for trust in Trust:
        for number in (None, "7", "8"):
            for commit in (COMMIT, "b" * 40):
                run = make_run(at=at, state=state, pr=number, commit=commit)
                history.save(run, trust=trust)
                at += 1
    reader = Reader(judged=judged(reader_trust, pr), commits=(COMMIT,))
    runs = history.recent(ID, limit=100)
    assert len(runs) == at
    for use, found in (
        (Use.BASELINE, history.believable(reader)),
        (Use.PROOF, history.runs_of_state(ID, state.id, limit=100, reader=reader)),
    ):
        expected = {
            run.id for run in runs if believed(run, use, reader.judged, merged=run.commit == COMMIT)
        }
        assert {run.id for run in found} == expected, use


def test_a_flood_of_others_hides_no_build(history: History) -> None:
    """13 pull requests of 4 cells, and untrusted runs without end, since the branch's own."""
    mine = make_run(at=0, build="main")
    history.save(mine)
    for n in range(13):
        for cell in range(4):
            history.save(make_run(at=1 + n, pr=str(n), build=f"pr{n}", job=str(cell)))
    for n in range(60):
        history.save(make_run(at=20 + n), trust=Trust.UNTRUSTED)
    found = history.believable(Reader(judged=judged()), builds=50)
    assert [run.id for run in found] == [mine.head.id]


def test_builds_are_counted_not_runs(history: History) -> None:
    for n in range(6):
        for cell in range(3):
            history.save(make_run(at=n, build=f"b{n}", job=str(cell)))
    found = history.believable(Reader(judged=judged()), builds=2)
    assert {run.build for run in found} == {"b5", "b4"}
    assert len(found) == 6


def test_what_a_test_lacks_is_looked_up_in_one_question(
    history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = make_run(["t.py::old"], at=0)
    forked = make_run(["t.py::forked"], at=1)
    history.save(old)
    history.save(forked, trust=Trust.UNTRUSTED)
    for n in range(5):
        history.save(make_run(["t.py::b"], at=10 + n))
    evidence = Evidence(judged=judged(), sources=[(history, Came.HERE)])
    known = [run.id for run in evidence.builds(3)]
    asked: list[str] = []
    query = history.database.query

    def count(sql: str, **params: object) -> object:
        asked.append(sql)
        return query(sql, **params)

    with monkeypatch.context() as patch:
        patch.setattr(history.database, "query", count)
        passes, others, every = evidence.further(
            ["t.py::old", "t.py::forked", "t.py::never"], known
        )
    assert len(asked) == 1
    assert {nodeid: one.run.id for nodeid, one in passes.items()} == {"t.py::old": old.head.id}
    tail = forked.head.id[-4:]
    assert others == {
        "t.py::forked": f"passed in run {tail}, which came from a file and is not believed"
    }
    assert every
    monkeypatch.setattr("flakefighters.history.earlier.MOST", 2)
    assert evidence.further(["t.py::never"], known)[2] is False


def test_a_list_of_files_is_taken_from_whom_one_believes(history: History) -> None:
    honest, lie = make_state("one", {"a.py": "0" * 16}), make_state("one", {"a.py": "1" * 16})
    history.save(make_run(at=0, state=lie), trust=Trust.UNTRUSTED)
    history.save(make_run(at=1, state=lie, pr="8"), trust=Trust.PR)
    reader = Reader(judged=judged(Trust.PROTECTED))
    assert history.has_state_files(honest.id)
    assert not history.has_state_files(honest.id, reader)
    assert history.state_files([honest.id], reader) == {}
    history.save(make_run(at=2, state=honest), trust=Trust.PROTECTED)
    assert history.has_state_files(honest.id, reader)
    assert history.state_files([honest.id], reader) == {honest.id: honest.files}


def test_two_histories_are_one_body_of_evidence(tmp_path: Path) -> None:
    targets = [
        Target(backend="sqlite", path=tmp_path / f"{n}.db", display=f"{n}.db") for n in range(2)
    ]
    runs = [make_run(["t.py::a"], at=n) for n in range(3)]
    with open_history(targets[0]) as other, open_history(targets[1]) as mine:
        other.save(runs[0])
        other.save(runs[1])
        mine.save(runs[1])
        mine.save(runs[2])
        trusted = other.target._replace(trust=Trust.PROTECTED)
        for given, expected in ((None, runs[1:]), (trusted, runs)):
            if given is not None:
                other.target = given
            evidence = Evidence(judged=judged(), sources=[(other, Came.FILE), (mine, Came.HERE)])
            found = evidence.builds(50)
            ids = [run.head.id for run in reversed(expected)]
            assert [run.id for run in found] == ids
            past = evidence.past(["t.py::a"], found)["t.py::a"]
            assert [one.run.id for one in past] == ids
            assert evidence.baselines(found)


DAMAGE = {
    "outcome": "UPDATE {s}run SET outcomes = 'ZZ' WHERE id = :run",
    "one outcome": "UPDATE {s}run SET outcomes = 'Z' WHERE id = :run",
    "too many": "UPDATE {s}run SET outcomes = '....' WHERE id = :run",
    "completeness": "UPDATE {s}run SET completeness = 'perhaps' WHERE id = :run",
    "json": "UPDATE {s}run SET context = '{{' WHERE id = :run",
    "deep": f"UPDATE {{s}}run SET selection = '{'[' * 100_000}' WHERE id = :run",
    "trust": "UPDATE {s}arrival SET trust = 9 WHERE run = :run",
    "attempt": "UPDATE {s}execution SET outcome = 'no' WHERE run = :run",
    "durations": "UPDATE {s}execution SET durations = '{{' WHERE run = :run",
    "label": "UPDATE {s}verdict SET label = 'maybe' WHERE run = :run",
    "evidence": "UPDATE {s}evidence SET body = '{{'",
    "suite": "UPDATE {s}suite SET added = '{{' WHERE id = "
    "(SELECT suite FROM {s}run WHERE id = :run)",
    "members": 'UPDATE {s}suite SET added = \'["x", "y"]\', base = NULL WHERE id = '
    "(SELECT suite FROM {s}run WHERE id = :run)",
    "no such tests": "UPDATE {s}suite SET added = '[1, 2]', base = NULL, removed = '[]' WHERE id = "
    "(SELECT suite FROM {s}run WHERE id = :run)",
    "settings": "UPDATE {s}environment SET settings = '{{' WHERE id = "
    "(SELECT environment FROM {s}run WHERE id = :run)",
    "listing": "UPDATE {s}listing SET files = '{{' WHERE id = "
    "(SELECT listing FROM {s}run WHERE id = :run)",
}


@pytest.mark.parametrize("what", DAMAGE)
def test_a_row_that_cannot_be_read_stops_nobody(history: History, what: str) -> None:
    tests = {"t.py::a": "F", "t.py::b": "."}
    good = make_run(
        {"t.py::a": "."},
        at=0,
        state=make_state("g", {"g.py": "2" * 16}),
        environment=make_environment("3.12"),
    )
    bad = make_run(
        tests, at=1, state=make_state("one", {"a.py": "0" * 16}), environment=make_environment()
    )
    history.save(good)
    history.save(bad, [make_verdict(bad, "t.py::a")])
    with history.database.writing("SELECT 1") as writer:
        sql = DAMAGE[what].replace("{{", "{")
        writer.query(sql, **({"run": bad.head.id} if ":run" in sql else {}))

    evidence = Evidence(judged=judged(), sources=[(history, Came.HERE)])
    runs = evidence.builds(50)
    assert good.head.id in {run.id for run in runs}
    past = evidence.past(["t.py::a"], runs)["t.py::a"]
    assert good.head.id in {one.run.id for one in past}
    assert good.head.id in {run.id for run in evidence.baselines(runs)}
    assert evidence.further(["t.py::a"], [])[0]["t.py::a"].run.id == good.head.id
    states = [run.head.state for run in (good, bad) if run.head.state]
    assert states[0] in evidence.state_files(states)
    assert make_environment("3.12").id in evidence.environments(
        [make_environment("3.12").id, make_environment().id]
    )
    assert good.head.id in {row.run.id for row in history.run_rows(ID)}
    assert "t.py::a" in {row.nodeid for row in history.test_rows(ID)}
    assert good.head.id in {row.run.id for row in history.executions_of("t.py::a", ID)}
    history.verdicts([bad.head.id])
    # Runs that come later are recorded, though they would build on what is damaged.
    later = make_run(
        {**tests, "t.py::c": "."},
        at=2,
        state=make_state("two", {"a.py": "3" * 16}),
        environment=make_environment("3.14"),
    )
    assert history.save(later, [make_verdict(later, "t.py::a")])
    assert history.load(later.head.id).suite == later.suite


@pytest.mark.parametrize("column", ["started", "ended"])
def test_a_time_that_is_no_number(sqlite_target: Target, column: str) -> None:
    """SQLite keeps any text in a column of numbers."""
    with open_history(sqlite_target) as history:
        good, bad = make_run(at=0), make_run(at=1)
        for run in (good, bad):
            history.save(run)
        with history.database.writing("SELECT 1") as writer:
            writer.query(f"UPDATE {{s}}run SET {column} = 'x' WHERE id = :run", run=bad.head.id)
        assert set(history.heads([good.head.id, bad.head.id])) == {good.head.id}
