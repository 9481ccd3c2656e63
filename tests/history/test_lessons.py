"""Earlier failures that may teach something, read from both databases."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from flakefighters.history import Evidence, History, events, lessons, open_history
from flakefighters.ids import uuid7
from flakefighters.judging import experience
from flakefighters.judging.experience import ended_by_change, gather
from flakefighters.model import (
    Came,
    Confidence,
    Experience,
    Failure,
    Label,
    Lesson,
    Phase,
    Run,
    RunHead,
    Target,
    Trust,
)
from flakefighters.model.decisions import MARK, Event, signature_target
from tests.history.made_runs import PROJECT, START, make_run, make_state, make_verdict

ID = PROJECT.identity
FLAKY, GENUINE, UNDECIDED = Label.FLAKY, Label.GENUINE, Label.UNDECIDED
SANDBOX = "ConnectionError\nthe sandbox is gone\nin shop/pay.py:send"
DISK = "OSError\nno space left\nin shop/disk.py:write"


def failed(
    nodeid: str = "t.py::a",
    signature: str = SANDBOX,
    *,
    at: int = 0,
    state: str = "one",
    text: str = "E   ConnectionError: the sandbox is gone",
    **more: Any,
) -> Run:
    """A run in which one test failed, and ``t.py::b`` passed."""
    run = make_run({nodeid: "F", "t.py::b": "."}, at=at, state=make_state(state), **more)
    failure = Failure(Phase.CALL, exception="ConnectionError", text=text, signature=signature)
    return run._replace(executions=(run.executions[0]._replace(failures=(failure,)),))


def passed(*, at: int, state: str = "two", **more: Any) -> Run:
    return make_run(["t.py::a", "t.py::b"], at=at, state=make_state(state), **more)


def learn(
    *histories: History, signature: str = SANDBOX, nodeid: str = "t.py::new", **judged: Any
) -> Experience:
    head = RunHead(id="f" * 32, project=ID, started=START + 10**12, **judged)
    evidence = Evidence(judged=head, sources=[(one, Came.HERE) for one in histories])
    return gather(evidence, {nodeid: [signature]})


def told(found: Experience) -> list[tuple[str, Label, str]]:
    return [(one.nodeid, one.label, one.how) for one in found.lessons]


def supposed(run: Run, label: Label = GENUINE, **more: Any) -> Any:
    made = make_verdict(run, run.suite[0], label, **more)
    return made._replace(confidence=Confidence.STRONG)


def test_what_is_proved_is_a_lesson_for_failures_like_it(history: History) -> None:
    run = failed()
    history.save(run, [make_verdict(run, "t.py::a")])
    (one,) = learn(history).lessons
    text = run.executions[0].failures[0].text
    assert one == Lesson(
        run.head.id, START, "t.py::a", FLAKY, "proof", "ConnectionError", SANDBOX, text
    )
    # One line in common is enough, and the text is not read then.
    (near,) = learn(history, signature="OSError\nbroken\nin shop/pay.py:send").lessons
    assert (near.signature, near.text) == (SANDBOX, "")
    # The exception alone is not, nor is the shape of an assertion.
    assert learn(history, signature="ConnectionError\nno route\nin a.py:f").lessons == ()
    # The same test counts whatever it said.
    (own,) = learn(history, signature=DISK, nodeid="t.py::a").lessons
    assert own.text == text


def test_the_shape_of_an_assertion_is_nothing_in_common(history: History) -> None:
    run = failed(signature="AssertionError\nassert # == #\nin t.py:a")
    history.save(run, [make_verdict(run, "t.py::a")])
    assert learn(history, signature="AssertionError\nassert # == #\nin u.py:b").lessons == ()
    assert len(learn(history, signature="AssertionError\nassert # != #\nin t.py:a").lessons) == 1


def test_a_failure_that_a_change_ended_was_genuine(history: History) -> None:
    run = failed()
    history.save(run, [supposed(run)])
    assert told(learn(history)) == []
    history.save(passed(at=1, state="one"))
    assert told(learn(history)) == []  # on its own state
    other = failed("t.py::c", DISK, at=2, state="three")
    history.save(other, [supposed(other)])
    after = make_run(["t.py::c"], at=3, state=make_state("four"))
    history.save(after)
    assert told(learn(history, signature=DISK)) == [("t.py::c", GENUINE, "fix")]


def test_equal_failures_are_one_lesson(history: History) -> None:
    for at in range(3):
        run = failed(at=at, state=str(at))
        history.save(run, [make_verdict(run, "t.py::a")])
    run = failed(at=4, state="4", text="E   ConnectionError: the sandbox is gone, again")
    history.save(run, [make_verdict(run, "t.py::a")])
    found = learn(history).lessons
    assert [(one.runs, one.started > START + 2 * 60_000_000) for one in found] == [
        (1, True),
        (3, False),
    ]
    assert found[0].run == run.head.id


@pytest.mark.parametrize(
    ("trust", "pr", "reader", "reader_pr", "counts"),
    [
        (Trust.PROTECTED, None, Trust.PR, "7", True),
        (Trust.LOCAL, None, Trust.LOCAL, None, True),
        (Trust.LOCAL, None, Trust.PROTECTED, None, False),
        (Trust.PR, "7", Trust.PR, "7", True),
        (Trust.PR, "8", Trust.PR, "7", False),
        (Trust.UNTRUSTED, None, Trust.LOCAL, None, False),
    ],
)
def test_only_believed_runs_teach(
    history: History,
    trust: Trust,
    pr: str | None,
    reader: Trust,
    reader_pr: str | None,
    counts: bool,
) -> None:
    run = failed(pr=pr)
    history.save(run, [make_verdict(run, "t.py::a")], trust=trust)
    assert bool(learn(history, trust=reader, pr=reader_pr).lessons) is counts


def test_a_pass_that_is_not_believed_confirms_nothing(history: History) -> None:
    run = failed()
    history.save(run, [supposed(run)], trust=Trust.PROTECTED)
    history.save(passed(at=1), trust=Trust.LOCAL)
    assert told(learn(history, trust=Trust.PROTECTED)) == []
    history.save(passed(at=2), trust=Trust.PROTECTED)
    assert told(learn(history, trust=Trust.PROTECTED)) == [("t.py::a", GENUINE, "fix")]


def test_people_mark_tests_and_signatures(history: History) -> None:
    run = failed()
    history.save(run, [supposed(run, UNDECIDED)])
    assert learn(history).lessons == ()
    mark = Event(
        uuid7(START), ID, MARK, signature_target(SANDBOX), {"state": "flaky"}, "ann", START
    )
    assert events.add(history.database, PROJECT, [mark]) == 1
    assert told(learn(history)) == [("t.py::a", FLAKY, "mark")]


def test_two_histories_are_one(history: History, new_target: Callable[[], Target]) -> None:
    here, both = failed(at=1), failed("t.py::c", at=2)
    history.save(here, [make_verdict(here, "t.py::a")])
    with open_history(new_target()) as other:
        for one in (history, other):
            one.save(both, [supposed(both)])
        assert told(learn(history, other)) == [("t.py::a", FLAKY, "proof")]
        other.add_verdicts([make_verdict(both, "t.py::c", at=both.head.started + 10**9)])
        assert told(learn(history, other)) == [
            ("t.py::c", FLAKY, "proof"),
            ("t.py::a", FLAKY, "proof"),
        ]


def test_a_foreign_file_says_nothing_of_runs_that_are_believed(
    history: History, new_target: Callable[[], Target]
) -> None:
    run = failed()
    history.save(run, [supposed(run)])
    with open_history(new_target()) as foreign:
        foreign.save(run, [make_verdict(run, "t.py::a")])
        head = RunHead(id="f" * 32, project=ID, started=START + 10**12)
        evidence = Evidence(judged=head, sources=[(history, Came.HERE), (foreign, Came.FILE)])
        assert gather(evidence, {"t.py::new": [SANDBOX]}).lessons == ()


def test_few_questions_however_much_there_is(
    history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    for at in range(12):
        run = failed(f"t.py::a[{at}]", at=at, state=str(at))
        history.save(run, [supposed(run) if at % 2 else make_verdict(run, run.suite[0])])
    asked = []
    query = history.database.query

    def counted(sql: str, **params: object) -> Any:
        asked.append(sql)
        return query(sql, **params)

    monkeypatch.setattr(history.database, "query", counted)
    assert len(learn(history).lessons) == 6
    assert len(asked) <= 6
    asked.clear()
    assert learn(history, signature=DISK).lessons == ()
    assert len(asked) == 1


def test_what_is_more_than_is_read_is_said(
    history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    for at in range(4):
        run = failed(f"t.py::a[{at}]", at=at, state=str(at))
        history.save(run, [make_verdict(run, run.suite[0])])
    assert not learn(history).cut
    for module in (lessons, experience):
        monkeypatch.setattr(module, "MOST", 3)
    found = learn(history)
    assert (len(found.lessons), found.cut) == (3, True)
    assert found.lessons[0].nodeid == "t.py::a[3]"


def test_of_many_signatures_those_with_most_in_common_are_read(
    history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    near = SANDBOX.replace("gone", "away") + "\nin shop/http.py:post"
    for at, signature in enumerate([SANDBOX, near, f"{DISK}\nin shop/pay.py:send"]):
        run = failed(signature=signature, at=at, state=str(at))
        history.save(run, [make_verdict(run, "t.py::a")])
    asked = near.replace("away", "far away")
    assert len(learn(history, signature=asked).lessons) == 3
    monkeypatch.setattr(lessons, "MOST_SIGNATURES", 1)
    assert [one.signature for one in learn(history, signature=asked).lessons] == [near]
    assert [one.signature for one in learn(history).lessons] == [SANDBOX]


def test_odd_texts_are_found_again(history: History) -> None:
    odd = "ValueError\nno 100%_'\"\\ \x00 \ud800 é\nin shop/pay.py:send"
    run = failed("t.py::a\x00", odd, text="\x00é")
    history.save(run, [make_verdict(run, "t.py::a\x00")])
    (one,) = learn(history, signature=odd).lessons
    assert (one.signature, one.nodeid, one.text) == (odd, "t.py::a\x00", "\x00é")


def test_the_run_that_is_judged_is_no_lesson(history: History) -> None:
    run = failed()
    history.save(run, [make_verdict(run, "t.py::a")])
    evidence = Evidence(judged=run.head, sources=[(history, Came.HERE)])
    assert gather(evidence, {"t.py::a": [SANDBOX]}).lessons == ()


def test_scores_know_what_a_change_ended(history: History) -> None:
    one, after = failed(), passed(at=1)
    other = failed("t.py::c", DISK, at=2, state="three")
    for run in (one, other):
        history.save(run, [supposed(run)])
    history.save(after)
    heads = history.recent(ID)
    found = ended_by_change(history, heads, history.readings([head.id for head in heads]))
    assert found == {(one.head.id, "t.py::a", 1, 0)}
    assert ended_by_change(history, heads, ()) == set()
    passes = history.lessons.passes(ID, ["t.py::a", "t.py::b"], [after.head.id, one.head.id])
    assert {name: [each.run for each in some] for name, some in passes.items()} == {
        "t.py::a": [after.head.id],
        "t.py::b": [after.head.id, one.head.id],
    }
