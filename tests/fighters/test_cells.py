"""The cells of a CI matrix are no proof of each other."""

from __future__ import annotations

from typing import Any

from flakefighters.fighters import builtin, decide
from flakefighters.fighters.cells import unclear
from flakefighters.fighters.same_state import SameState
from flakefighters.model import Label, Outcome, Past, RunHead
from tests.fighters.cases import NOW, case, past

GITHUB: dict[str, Any] = {"build": "7", "job": "test", "attempt": 1, "environment": "e1"}


def head(**more: Any) -> RunHead:
    place = {**GITHUB, **more}
    return RunHead(id="f" * 32, project="p", started=NOW, state="s1", **place)


def cell(host: str, outcome: Outcome = Outcome.PASSED, minutes: int = 5, **more: Any) -> Past:
    return past(outcome, minutes=minutes, **{**GITHUB, "origin": {"host": host}, **more})


def test_another_run_of_the_same_job_is_no_proof() -> None:
    sister = cell("a")
    assert SameState().judge(case(head=head(), past=(sister,))) is None
    for other in ({"build": "6"}, {"attempt": 2}, {"job": "lint"}):
        found = SameState().judge(case(head=head(**other), past=(sister,)))
        assert found is not None
        assert found.label is Label.FLAKY


def test_parts_of_a_split_suite_are_told_apart_by_their_key() -> None:
    found = SameState().judge(case(head=head(shard="1/2"), past=(cell("a", shard="1/2"),)))
    assert found is not None


def test_a_pass_of_another_attempt_proves_only_if_all_cells_passed() -> None:
    """Rerunning the failed cells alone leaves the others in the first attempt."""
    attempt = head(attempt=2)
    broken = (cell("a"), cell("b", Outcome.FAILED, 6))
    assert SameState().judge(case(head=attempt, past=broken)) is None
    whole = (cell("a"), cell("b", minutes=6))
    assert SameState().judge(case(head=attempt, past=whole)) is not None
    skipped = (cell("a"), cell("b", Outcome.SKIPPED, 6))
    assert SameState().judge(case(head=attempt, past=skipped)) is not None


def test_a_build_of_which_cells_are_missing_proves_nothing() -> None:
    whole = tuple(cell(name, minutes=9, build="5") for name in "abc")
    part = (cell("a", minutes=5, build="6"), cell("b", minutes=6, build="6"))
    found = case(head=head(), past=(*part, *whole))
    assert unclear(found.head, found.past, found.comparable) == {one.run.id for one in part}


def test_another_cell_is_told_of() -> None:
    joint, _ = decide(case(head=head(), past=(cell("a"),), baseline=None), builtin())
    assert joint.label is Label.UNDECIDED
    assert joint.reason == (
        "passed, but perhaps only in another cell of this job's matrix (1 earlier result)"
    )


def test_a_service_that_does_not_tell_the_build() -> None:
    unknown: dict[str, Any] = {
        "build": None,
        "job": None,
        "attempt": None,
        "commit": "c",
        "origin": {"ci": "?"},
    }
    assert SameState().judge(case(head=head(**unknown), past=(past(**unknown),))) is None
    other = past(**{**unknown, "commit": "d"})
    assert SameState().judge(case(head=head(**unknown), past=(other,))) is not None


def test_runs_outside_ci_have_no_cells() -> None:
    found = case(past=(past(), past(Outcome.FAILED, minutes=6)))
    assert unclear(found.head, found.past, found.comparable) == frozenset()
