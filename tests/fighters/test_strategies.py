"""Each flakefighter on cases made by hand."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from flakefighters.fighters import builtin
from flakefighters.fighters.changed_imports import ChangedImports
from flakefighters.fighters.persistent import Broken, Persistent, streak
from flakefighters.fighters.same_state import Rerun, SameState
from flakefighters.fighters.sentences import crossed
from flakefighters.fighters.systemic import Systemic
from flakefighters.fighters.touched_change import TouchedChange
from flakefighters.model import (
    OPEN,
    Change,
    ChangeKind,
    Confidence,
    Doubt,
    DoubtKind,
    Failure,
    Label,
    Outcome,
    Phase,
    Touching,
    Trust,
    setting,
)
from tests.fighters.cases import NOW, baseline, case, change, past, reach

FAILED, PASSED = Outcome.FAILED, Outcome.PASSED


# -- same state ------------------------------------------------------------------------------


def test_a_pass_on_the_same_state() -> None:
    said = SameState().judge(case(past=(past(minutes=12), past(minutes=20))))
    assert said is not None
    assert (said.label, said.confidence) == (Label.FLAKY, Confidence.PROVED)
    assert said.reason.startswith("passed on the same state in run 000c (12 minutes ago)")
    assert said.reason.endswith(" and in 1 other run")
    assert said.evidence["passed"] == 2
    assert said.evidence["act_on"] == said.evidence["passes"][0]


@pytest.mark.parametrize(
    ("more", "unsure"),
    [
        ({}, False),
        ({"stable": baseline()}, False),
        ({"stable": baseline(change("shop/tax.py")), "reach": reach("shop/tax.py")}, True),
        ({"stable": baseline(change("shop/tax.py")), "reach": reach("shop/pay.py")}, False),
        ({"stable": baseline(change("shop/tax.py"))}, True),
        (
            {
                "stable": replace(baseline(change("shop/tax.py")), touching=Touching(watched=True)),
                "reach": reach("shop/tax.py"),
            },
            False,
        ),
    ],
    ids=["never", "no change", "reached", "not reached", "nothing known", "watched"],
)
def test_where_functions_are_not_watched_a_change_may_have_brought_it(
    more: dict[str, Any], unsure: bool
) -> None:
    said = SameState().judge(case(past=(past(),), **more))
    assert said is not None
    assert not said.introduced
    assert said.evidence.get("unsure", False) is unsure


def test_a_pass_of_another_pull_request_is_proof_and_nothing_is_done_for_it() -> None:
    said = SameState().judge(case(past=(past(pr="8"),)))
    assert said is not None
    assert said.confidence is Confidence.PROVED
    assert "act_on" not in said.evidence


@pytest.mark.parametrize(
    "head",
    [
        {"state": "s2"},
        {"state": None},
        {"environment": "e2"},
        {"trust": Trust.UNTRUSTED},
        {"trust": Trust.PR, "pr": "7"},
        {"context": {"debugger": True}},
    ],
    ids=str,
)
def test_passes_that_prove_nothing(head: dict[str, Any]) -> None:
    assert SameState().judge(case(past=(past(**head),))) is None


def test_a_failure_on_the_same_state_proves_nothing() -> None:
    assert SameState().judge(case(past=(past(FAILED),))) is None
    assert SameState().judge(case(past=(past(Outcome.SKIPPED),))) is None


def test_no_state_no_proof() -> None:
    made = case(past=(past(state=None),))
    assert SameState().judge(replace(made, head=made.head._replace(state=None))) is None


def test_a_pass_after_a_rerun_counts() -> None:
    said = SameState().judge(case(past=(past(Outcome.MIXED),)))
    assert said is not None
    assert said.label is Label.FLAKY


def test_chance_of_a_property_test() -> None:
    failure = Failure(phase=Phase.CALL, exception="ValueError", facts={"property": True})
    said = SameState().judge(case(failure=failure, past=(past(),)))
    assert said is not None
    assert said.label is Label.UNDECIDED
    assert "falsifying example" in said.reason
    assert said.evidence[OPEN] is False


def test_chance_of_a_seed() -> None:
    made = case(past=(past(context={"seeds": {"randomly": "1"}}),))
    new = replace(made, head=made.head._replace(context={"seeds": {"randomly": "2"}}))
    same = replace(made, head=made.head._replace(context={"seeds": {"randomly": "1"}}))
    said = SameState().judge(new)
    assert said is not None
    assert said.label is Label.UNDECIDED
    assert "randomly=2" in said.reason
    assert said.evidence[OPEN] is True
    said = SameState().judge(same)
    assert said is not None
    assert said.label is Label.FLAKY


def test_what_statistics_may_settle_of_a_test_that_touched_nothing() -> None:
    touched = replace(baseline(), touching=Touching())
    example = Failure(phase=Phase.CALL, exception="ValueError", facts={"property": True})
    found = TouchedChange().judge(case(baseline=touched, failure=example))
    made = case(baseline=touched)
    seeded = replace(made, head=made.head._replace(context={"seeds": {"randomly": "2"}}))
    new = TouchedChange().judge(seeded)
    assert found is not None
    assert new is not None
    assert [one.label for one in (found, new)] == [Label.UNDECIDED] * 2
    assert [one.evidence[OPEN] for one in (found, new)] == [False, True]


def test_another_attempt_disagrees() -> None:
    made = case()
    again = made.execution._replace(attempt=2, outcome=PASSED, failures=())
    said = Rerun().judge(replace(made, attempts=(made.execution, again)))
    assert said is not None
    assert (said.label, said.confidence) == (Label.FLAKY, Confidence.PROVED)
    assert Rerun().judge(made) is None


# -- many at once ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("failing", "executed", "same", "speaks"),
    [
        (9, 9, 9, False),
        (10, 20, 1, True),
        (10, 21, 1, False),
        (30, 1000, 30, True),
        (40, 1000, 29, False),
        (10, 10, 10, True),
    ],
)
def test_systemic(failing: int, executed: int, same: int, speaks: bool) -> None:
    said = Systemic().judge(case(failing=failing, executed=executed, same_signature=same))
    assert (said is not None) is speaks
    if said is not None:
        assert said.label is Label.UNDECIDED


# -- persistent ------------------------------------------------------------------------------


def failed(minutes: int, *labels: str, signature: str = "sig") -> Any:
    return past(FAILED, minutes=minutes, signatures=(signature,), labels=labels, state="s0")


def test_streak() -> None:
    before = (failed(30), failed(10), past(Outcome.SKIPPED, minutes=20), past(minutes=40))
    assert [one.run.started for one in streak(case(past=before))] == [
        NOW - 10 * 60_000_000,
        NOW - 30 * 60_000_000,
    ]
    assert streak(case(past=(past(minutes=5), *before))) == []
    assert streak(case(past=(failed(5, signature="other"), *before))) == []


def test_persistent() -> None:
    said = Persistent().judge(case(past=(failed(10, "genuine"),)))
    assert said is not None
    assert said.label is Label.GENUINE
    assert Persistent().judge(case(past=(failed(10, "flaky"), failed(20, "genuine")))) is None
    assert Persistent().judge(case(past=(past(minutes=5), failed(10, "genuine")))) is None
    assert Persistent().judge(case()) is None


def test_another_environment_is_another_matter() -> None:
    """Neither its failures nor its passes count in a row."""
    elsewhere = past(FAILED, signatures=("sig",), labels=("genuine",), environment="e2")
    assert Persistent().judge(case(past=(elsewhere,))) is None
    passed = past(minutes=5, environment="e2")
    assert Persistent().judge(case(past=(passed, failed(10, "genuine")))) is not None


@pytest.mark.parametrize(
    ("head", "counts"),
    [
        ({"trust": Trust.UNTRUSTED}, False),
        ({"trust": Trust.PR, "pr": "7"}, False),
        ({"pr": "7"}, False),  # of another pull request, not merged
        ({"trust": Trust.PROTECTED}, True),
    ],
    ids=str,
)
def test_a_row_of_failures_is_made_of_runs_that_are_believed(
    head: dict[str, Any], counts: bool
) -> None:
    row = past(FAILED, minutes=5, signatures=("sig",), labels=("genuine",), **head)
    assert (Persistent().judge(case(past=(row,))) is not None) is counts
    # Nor does such a run's pass end one.
    passes = past(minutes=3, **head)
    said = Persistent().judge(case(past=(passes, failed(10, "genuine"))))
    assert (said is None) is counts


def test_what_is_not_believed_is_named() -> None:
    sentence = "passed in run c337, which came from a file and is not believed"
    said = ChangedImports().judge(case(not_believed=sentence))
    assert said is not None
    assert (said.label, said.reason) == (Label.UNDECIDED, sentence)
    said = ChangedImports().judge(case(searched=False))
    assert said is not None
    assert said.reason == "never passed before in the runs that were looked at"


def test_broken() -> None:
    assert Broken().judge(case(past=(failed(10),))) is None
    said = Broken().judge(case(past=(failed(10), failed(20))))
    assert said is not None
    assert said.label is Label.UNDECIDED
    assert "3 times in a row" in said.reason
    assert Broken().judge(case(past=(failed(10), past(minutes=15), failed(20)))) is None


# -- changed imports -------------------------------------------------------------------------


def test_a_changed_file_is_imported() -> None:
    made = case(baseline=baseline(change("shop/tax.py")), reach=reach("shop/tax.py"))
    said = ChangedImports().judge(made)
    assert said is not None
    assert said.label is Label.GENUINE
    assert said.reason == "imports shop/tax.py, changed since it last passed (a1b2c3d)"


@pytest.mark.parametrize(
    ("commits", "expected"),
    [
        (("9826683 'raise rate'",), "changed in 9826683 'raise rate'"),
        (("b 'x'", "c 'y'", "d 'z'"), "changed in b 'x', c 'y' and 1 more"),
        (("uncommitted edit",), "changed since it last passed (uncommitted edit)"),
        ((), "changed since it last passed (a1b2c3d)"),
    ],
)
def test_the_commit_that_changed_it_is_named(commits: tuple[str, ...], expected: str) -> None:
    made = case(
        baseline=baseline(change("shop/tax.py")),
        reach=reach("shop/tax.py"),
        commits={("shop/tax.py", None): commits},
    )
    said = ChangedImports().judge(made)
    assert said is not None
    assert said.reason == f"imports shop/tax.py, {expected}"


@pytest.mark.parametrize("known", [True, False], ids=["passed", "never"])
@pytest.mark.parametrize("limit", ["crash", "memory", "timeout"])
def test_what_was_ended_from_outside_is_undecided(limit: str, known: bool) -> None:
    made = case(
        failure=Failure(phase=Phase.CALL, facts={"limit": limit}),
        baseline=baseline(change("shop/tax.py")) if known else None,
        reach=reach("shop/tax.py"),
        own_change="is new since run aaaa",
    )
    said = ChangedImports().judge(made)
    assert said is not None
    assert said.label is Label.UNDECIDED
    assert "which may have nothing to do with the change" in said.reason


def test_its_own_file_comes_first() -> None:
    made = case(
        baseline=baseline(change("a.py"), change("tests/test_a.py")),
        reach=reach("a.py", "tests/test_a.py"),
    )
    said = ChangedImports().judge(made)
    assert said is not None
    assert said.reason.startswith("its own file tests/test_a.py changed")


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        (baseline(change("other.py")), "it does not import the one file that changed"),
        (baseline(change("data.csv", ChangeKind.DATA)), "data.csv changed"),
        (baseline(change("requests", ChangeKind.DISTRIBUTION)), "requests changed"),
        (baseline(complete=False, unknown="no files"), "not wholly known: no files"),
        (baseline(), "nothing that is known changed"),
    ],
)
def test_imports_never_excuse(changes: Any, word: str) -> None:
    said = ChangedImports().judge(case(baseline=changes, reach=reach("shop/tax.py")))
    assert said is not None
    assert said.label is Label.UNDECIDED
    assert word in said.reason


@pytest.mark.parametrize(
    ("changes", "is_open"),
    [
        (baseline(change("other.py")), False),  # what it opened and started is not known
        (replace(baseline(change("other.py")), touching=Touching(watched=False)), True),
        (baseline(), True),
    ],
    ids=["unwatched", "files watched", "no change"],
)
def test_statistics_may_excuse_what_was_watched(changes: Any, is_open: bool) -> None:
    said = ChangedImports().judge(case(baseline=changes, reach=reach("shop/tax.py")))
    assert said is not None
    assert said.evidence[OPEN] is is_open


def test_never_passed() -> None:
    said = ChangedImports().judge(case())
    assert said is not None
    assert (said.label, said.reason) == (
        Label.UNDECIDED,
        "never passed before in any known run",
    )
    said = ChangedImports().judge(case(past=(failed(10), past(Outcome.MIXED))))
    assert said is not None
    assert said.reason.startswith("passed in further attempts only (")
    said = ChangedImports().judge(case(own_change="is new since run 9f3c"))
    assert said is not None
    assert said.label is Label.GENUINE
    said = ChangedImports().judge(case(history=False))
    assert said is not None
    assert "could not be read" in said.reason


@pytest.mark.parametrize("fighter", builtin(), ids=lambda one: one.name)
def test_without_a_recorded_pass_never_flaky(fighter: Any) -> None:
    for made in (
        case(),
        case(past=(failed(10), failed(20), failed(30))),
        case(past=(past(Outcome.SKIPPED), past(Outcome.XFAILED), past(Outcome.UNFINISHED))),
        case(failing=100, executed=100, same_signature=100),
        case(own_change="changed since run 9f3c"),
    ):
        said = fighter.judge(made)
        assert said is None or said.label is not Label.FLAKY


def _setting(name: str, how: str = "changed") -> Doubt:
    made = Change(kind=ChangeKind.SETTING, path=name, how=how)
    if how == "changed":
        made = replace(made, before="x", after="y")
    return Doubt(DoubtKind.ELSEWHERE, made)


@pytest.mark.parametrize(
    ("doubts", "reason"),
    [
        ([_setting("ci.job")], "it last passed elsewhere (a1b2c3d): the CI job x -> y"),
        (
            [_setting("ci.job"), _setting("ci.stage"), _setting("ci.workflow")],
            "it last passed elsewhere (a1b2c3d): the CI job x -> y, the CI stage x -> y and 1 more",
        ),
        (
            [_setting("ci.job", "added"), _setting("ci.vendor", "added")],
            "passed outside CI (a1b2c3d), fails in CI",
        ),
    ],
)
def test_a_pass_in_another_place_is_told_in_words(doubts: list[Doubt], reason: str) -> None:
    touching = Touching(doubts=tuple(doubts))
    said = TouchedChange().judge(case(baseline=replace(baseline(), touching=touching)))
    assert said is not None
    assert (said.label, said.reason) == (Label.UNDECIDED, reason)
    assert said.evidence["doubts"] == [["elsewhere", reason]]


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ("removed", "passed in CI (a1b2c3d), fails here"),
        ("added", "passed outside CI (a1b2c3d), fails in CI"),
        ("changed", None),
    ],
)
def test_what_passed_in_ci_and_fails_here(how: str, said: str | None) -> None:
    change = Change(kind=ChangeKind.SETTING, path="ci.vendor", how=how)
    assert crossed([change], "a1b2c3d") == said
    assert setting("ci.vendor") == "the CI service"
    assert setting("ci.job") == "the CI job"
    assert setting("pytest.--strict") == "pytest's option --strict"
    assert setting("pytest.xfail_strict") == "pytest's setting xfail_strict"
    assert setting("option") == "option"
