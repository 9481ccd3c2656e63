"""What goes into a history comes out of it, on both databases."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from flakefighters.errors import ConflictError, DatabaseError, NotFoundError
from flakefighters.history import History, content, open_history
from flakefighters.ids import h64, uuid7
from flakefighters.model import (
    Execution,
    Label,
    Outcome,
    Phase,
    Project,
    Target,
    Trust,
)
from tests.history.made_runs import (
    PROJECT,
    START,
    make_environment,
    make_failure,
    make_run,
    make_state,
    make_verdict,
)

ID = PROJECT.identity


def test_a_run_comes_back_as_it_was(history: History) -> None:
    run = make_run(
        {"t.py::a": ".", "t.py::b": "F", "t.py::c": "s", "t.py::d": "-"},
        state=make_state("one", {"a.py": "0" * 16, "b/c.py": "1" * 16}),
        order=((2, 0), (1,)),
        commit="a" * 40,
        dirty=False,
        selection={"keyword": "not slow", "deselected": 3},
        context={"url": "https://ci.example.org/1"},
        extra={"of a later version": [1, {"a": None}]},
    )
    verdicts = (make_verdict(run, "t.py::b"), make_verdict(run, "t.py::b", fighter="same_state"))
    assert history.save(run, verdicts)
    assert history.load(run.head.id) == run
    assert history.verdicts([run.head.id]) == verdicts
    assert history.projects() == ((ID, "acme/shop"),)
    assert history.run_ids() == {run.head.id}


def test_readings_are_verdicts_without_what_they_rest_on(history: History) -> None:
    run = make_run({"t.py::a\x00": "F"})
    proof = make_verdict(run, "t.py::a\x00", evidence={"by": "trial", "trials": [1]})
    other = make_verdict(run, "t.py::a\x00", fighter="same_state")
    assert history.save(run, [proof, other])
    bare = other._replace(reason="", evidence={})
    assert history.readings([run.head.id]) == (
        proof._replace(reason="", evidence={"by": "trial"}),
        bare,
    )
    assert history.readings([]) == ()


def test_several_attempts_with_several_failures(history: History) -> None:
    failures = (
        make_failure("first", phase=Phase.CALL, subtest="i=3", facts={"seed": 7}),
        make_failure("", phase=Phase.TEARDOWN, exception=None, signature=""),
    )
    first = Execution(nodeid="t.py::a", attempt=1, outcome=Outcome.FAILED, failures=failures)
    second = Execution(
        nodeid="t.py::a",
        attempt=2,
        outcome=Outcome.PASSED,
        durations=(None, 5, 1),
        worker="gw1",
        output="said\n",
    )
    run = make_run({"t.py::a": "R", "t.py::b": "."})._replace(executions=(first, second))
    history.save(run)
    assert history.load(run.head.id).executions == (first, second)
    (past,) = history.past(["t.py::a"], history.recent(ID))["t.py::a"]
    assert past.outcome is Outcome.MIXED
    assert past.attempts == (Outcome.FAILED, Outcome.PASSED)
    assert past.signatures == (failures[0].signature, "")


def test_saving_again_changes_nothing(history: History) -> None:
    run = make_run({"t.py::a": "F"})
    assert history.save(run)
    assert not history.save(run)
    assert not history.save(run._replace(executions=list(run.executions)), via="push")
    assert history.run_ids() == {run.head.id}


def test_other_content_under_the_same_id_is_refused(history: History) -> None:
    run = make_run({"t.py::a": "."})
    history.save(run)
    with pytest.raises(ConflictError, match="other content"):
        history.save(run._replace(outcomes="F"))
    assert history.load(run.head.id) == run


def test_the_most_trusted_arrival_counts(history: History) -> None:
    run = make_run()
    history.save(run, trust=Trust.UNTRUSTED, via="pull")
    assert history.recent(ID)[0].trust is Trust.UNTRUSTED
    assert not history.save(run, trust=Trust.PROTECTED)
    assert not history.save(run, trust=Trust.UNTRUSTED)
    assert history.recent(ID)[0].trust is Trust.PROTECTED


def test_duplicate_node_ids_keep_their_first_place(history: History) -> None:
    run = make_run(["t.py::a", "t.py::b"])._replace(
        suite=("t.py::a", "t.py::b", "t.py::a"),
        outcomes=".sF",
        durations=tuple(range(9)),
        order=((2, 1, 0),),
    )
    history.save(run)
    loaded = history.load(run.head.id)
    assert (loaded.suite, loaded.outcomes) == (("t.py::a", "t.py::b"), ".s")
    assert loaded.durations == (0, 1, 2, 3, 4, 5)
    assert loaded.order == ((1, 0),)


def test_parts_that_do_not_fit_are_refused(history: History) -> None:
    with pytest.raises(ValueError, match="2 tests has 1 outcomes"):
        history.save(make_run(["t.py::a", "t.py::b"])._replace(outcomes="."))
    assert history.run_ids() == set()


def test_an_empty_run_is_a_run(history: History) -> None:
    run = make_run([])._replace(state=None, environment=None)
    run = run._replace(head=run.head._replace(state=None, environment=None, environment_key=None))
    history.save(run)
    assert history.load(run.head.id) == run
    assert history.run_rows(ID)[0].tests == 0


def test_megabytes_of_text_survive(history: History) -> None:
    text = "\u202e\x00\ud800 100% :name {s} \\ '" * 30_000
    run = make_run({"t.py::a": "F"})
    failure = make_failure(text, facts={"example": text})
    run = run._replace(executions=(run.executions[0]._replace(failures=(failure,)),))
    history.save(run)
    assert history.load(run.head.id) == run


# -- Which runs ------------------------------------------------------------------------------


def test_recent_runs_come_newest_first_whatever_the_order_of_arrival(history: History) -> None:
    runs = [make_run(at=minute) for minute in (3, 1, 4, 0, 2)]
    for run in runs:
        history.save(run)
    history.save(make_run(project=Project(identity="other", label="other"), at=9))
    recent = history.recent(ID)
    assert [head.started for head in recent] == sorted((r.head.started for r in runs), reverse=True)
    assert history.recent(ID, limit=2) == recent[:2]
    assert history.recent("unknown") == ()


def test_a_start_in_the_future_is_not_believed(history: History) -> None:
    run = make_run()
    late = run._replace(head=run.head._replace(id=uuid7(), started=START * 2))
    history.save(run)
    history.save(late)
    assert [head.id for head in history.recent(ID)] == [run.head.id]
    assert history.load(late.head.id) == late


def test_runs_of_a_state(history: History) -> None:
    one, two = make_state("one"), make_state("two")
    runs = [make_run(at=i, state=state) for i, state in enumerate((one, two, one))]
    for run in runs:
        history.save(run)
    found = history.runs_of_state(ID, one.id)
    assert [head.id for head in found] == [runs[2].head.id, runs[0].head.id]
    assert history.runs_of_state(ID, "unknown") == ()


def test_a_run_is_found_by_its_last_digits(history: History) -> None:
    run = make_run(id="0190" + "0" * 24 + "9f3c")
    twin = make_run(id="0191" + "0" * 24 + "9f3c")
    other = make_run(id="0192" + "0" * 24 + "abcd", project=Project(identity="o", label="o"))
    for each in (run, twin, other):
        history.save(each)
    assert history.find("ABCD").id == other.head.id
    assert history.find(run.head.id).id == run.head.id
    assert history.find("0190" + "0" * 24 + "9f3c", ID).id == run.head.id
    with pytest.raises(NotFoundError, match="several runs end with 9f3c"):
        history.find("9f3c")
    for wrong in ("ffff", "no hex", "", "%"):
        with pytest.raises(NotFoundError):
            history.find(wrong)
    with pytest.raises(NotFoundError):
        history.find("abcd", ID)
    with pytest.raises(NotFoundError):
        history.load("f" * 32)


# -- What was seen before --------------------------------------------------------------------


def test_past_results_stand_in_the_order_of_the_runs_asked_for(history: History) -> None:
    runs = [
        make_run({"t.py::a": ".", "t.py::b": "."}, at=0),
        make_run({"t.py::b": "F", "t.py::c": ".", "t.py::a": "."}, at=1),
        make_run({"t.py::a": "."}, at=2),
        make_run({"t.py::a": "-", "t.py::b": "s"}, at=3),
    ]
    for run in runs:
        history.save(run)
    history.add_verdicts([make_verdict(runs[1], "t.py::b", Label.GENUINE)])
    history.add_verdicts([make_verdict(runs[1], "t.py::b", Label.FLAKY, at=START * 2)])
    heads = history.recent(ID)
    past = history.past(["t.py::b", "t.py::a", "gone"], heads)
    assert [(p.run.id, p.outcome.value) for p in past["t.py::b"]] == [
        (runs[3].head.id, "s"),
        (runs[1].head.id, "F"),
        (runs[0].head.id, "."),
    ]
    assert [p.outcome.value for p in past["t.py::a"]] == ["-", ".", ".", "."]
    assert past["gone"] == ()
    failed = past["t.py::b"][1]
    assert failed.attempts == (Outcome.FAILED,)
    assert failed.signatures == (make_failure().signature,)
    assert failed.labels == ("genuine",)  # as it was judged at the time
    backwards = history.past(["t.py::b"], heads[::-1])["t.py::b"]
    assert backwards == past["t.py::b"][::-1]
    assert history.past(["t.py::b"], ()) == {"t.py::b": ()}
    assert history.past([], heads) == {}


def test_files_of_states_are_resolved(history: History) -> None:
    listings = [
        {"a.py": "0" * 16, "b.py": "1" * 16, "c.py": "2" * 16},
        {"a.py": "0" * 16, "b.py": "3" * 16, "c.py": "2" * 16},
        {"b.py": "3" * 16, "c.py": "2" * 16, "d.py": "4" * 16},
        None,
    ]
    states = [make_state(str(i), files) for i, files in enumerate(listings)]
    for i, state in enumerate(states):
        history.save(make_run(at=i, state=state))
    ids = [state.id for state in states]
    assert history.state_files([*ids, "unknown"]) == dict(zip(ids[:3], listings[:3], strict=True))
    assert [history.has_state_files(each) for each in ids] == [True, True, True, False]
    rows = history.database.query("SELECT count(*) FROM {s}listing WHERE base IS NOT NULL")
    assert rows == [(2,)]


def test_environments_by_id(history: History) -> None:
    environment = make_environment("3.12", pytest="9.2", **{"typing-extensions": "4"})
    history.save(make_run(environment=environment))
    assert history.environments([environment.id, "?"]) == {environment.id: environment}


def test_verdicts_are_added_once_and_only_to_known_runs(history: History) -> None:
    run = make_run({"t.py::a": "F"})
    history.save(run)
    verdict = make_verdict(run, "t.py::a")
    assert history.add_verdicts([verdict, verdict]) == 1
    assert history.add_verdicts([verdict]) == 0
    assert history.add_verdicts([]) == 0
    assert history.verdicts([run.head.id]) == (verdict,)
    with pytest.raises(NotFoundError):
        history.add_verdicts([verdict._replace(run="0" * 32)])


# -- Summaries -------------------------------------------------------------------------------


def test_summaries_of_runs_tests_and_one_test(history: History) -> None:
    runs = [
        make_run({"t.py::a": ".", "t.py::b": "."}, at=0),
        make_run({"t.py::a": ".", "t.py::b": "F"}, at=1),
        make_run({"t.py::a": "s", "t.py::b": "."}, at=2),
    ]
    verdict = make_verdict(runs[1], "t.py::b")
    for run in runs:
        history.save(run, [verdict] if run is runs[1] else ())
    newest, middle, _ = history.run_rows(ID)
    assert newest.outcomes == {Outcome.PASSED: 1, Outcome.SKIPPED: 1}
    assert newest.tests == 2
    assert middle.outcomes == {Outcome.PASSED: 1, Outcome.FAILED: 1}
    assert middle.labels == {Label.FLAKY: 1}
    assert len(history.run_rows(None, limit=2)) == 2

    a, b = history.test_rows(ID)
    assert (a.nodeid, a.runs, a.passes, a.failures, a.last) == ("t.py::a", 2, 2, 0, "s")
    assert (b.runs, b.passes, b.failures, b.flips, b.flaky) == (3, 2, 1, 2, 1)
    assert b.last_failure == runs[1].head.started
    assert b.last_run == runs[2].head.id
    assert len(history.test_rows(ID, runs=1)) == 2

    rows = history.executions_of("t.py::b", ID)
    assert [row.outcome.value for row in rows] == [".", "F", "."]
    assert rows[1].executions == runs[1].executions
    assert rows[1].verdicts == (verdict,)
    assert rows[1].durations == (100, 2100, 100)
    assert history.executions_of("t.py::x", ID) == ()


# -- Opening ---------------------------------------------------------------------------------


def test_a_history_is_kept_and_keeps_its_id(new_target: Callable[[], Target]) -> None:
    target = new_target()
    run = make_run()
    with open_history(target) as history:
        history.save(run)
        name = history.database_id
    history.close()
    with pytest.raises(DatabaseError, match="closed"):
        history.run_ids()
    with open_history(target._replace(read_only=True)) as history:
        assert history.database_id == name
        assert history.schema_version == 1
        assert history.load(run.head.id) == run
        with pytest.raises(DatabaseError, match="reading only"):
            history.save(make_run())


def test_suites_hang_on_each_other_in_chains_of_bounded_length(history: History) -> None:
    names = [f"t.py::test_{i}" for i in range(40)]
    runs = []
    for i in range(80):
        suite = [*names[: 20 + i // 8], f"u.py::test_{i}", *names[35:]]
        if i % 7 == 3:
            suite.reverse()
        runs.append(make_run(suite, at=i))
        history.save(runs[-1])
    for run in runs:
        assert history.load(run.head.id).suite == run.suite
    rows: dict[str, str | None] = dict(history.database.query("SELECT id, base FROM {s}suite"))
    whole = [name for name, base in rows.items() if base is None]
    assert len(rows) == 80
    assert len(whole) == 1

    def depth(name: str | None) -> int:
        return 0 if name is None else 1 + depth(rows[name])

    assert max(map(depth, rows)) == 32


def test_runs_of_an_alias_are_evidence(history: History) -> None:
    before = Project(identity="local:1", label="shop")
    old, new = make_run(project=before, at=1), make_run(at=2)
    stranger = make_run(project=Project(identity="other", label="other"), at=3)
    for run in (old, new, stranger):
        history.save(run)
    assert [one.id for one in history.recent(ID)] == [new.head.id]
    history.aliases = (before.identity, ID)
    assert new.head.state is not None
    for found in (history.recent(ID), history.runs_of_state(ID, new.head.state)):
        assert [one.id for one in found] == [new.head.id, old.head.id]
    assert [one.id for one in history.recent(ID, limit=1)] == [new.head.id]
    assert len(history.past(["t.py::a"], history.recent(ID))["t.py::a"]) == 2
    # Nobody else's project gets any.
    assert [one.id for one in history.recent("other")] == [stranger.head.id]


def test_many_tests_have_the_ids_that_each_has() -> None:
    names = ["t.py::a", "t.py::é[\x00]", "t.py::\udc80", ""]
    assert content.test_ids("shop", names) == [h64("test", "shop", name) for name in names]
