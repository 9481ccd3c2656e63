"""Runs that arrive late may know better: which verdicts would differ, and by which runs."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from flakefighters.history import open_history
from flakefighters.judging.recheck import recheck
from flakefighters.judging.revisions import Revisions, find_revisions
from flakefighters.model import Label, Run, Target, Trust, Verdict
from flakefighters.reports.revisions import revision_lines, revision_records
from tests.history.made_runs import make_environment, make_run, make_state, make_verdict
from tests.sync.contents import clone_into, pull_into, rows, save

A, B = "t.py::a", "t.py::b"
HERE, ELSEWHERE = make_state("here"), make_state("elsewhere")


def failing(at: int, label: Label = Label.GENUINE, **more: object) -> tuple[Run, list[Verdict]]:
    """A run in which one test failed, judged by what it touched."""
    more.setdefault("state", HERE)
    run = make_run({A: "F", B: "."}, at=at, dirty=False, **more)  # type: ignore[arg-type]
    said = [make_verdict(run, A, label, fighter=name) for name in ("joint", "touched_change")]
    return run, said


def passing(at: int, **more: object) -> Run:
    more.setdefault("state", HERE)
    return make_run({A: ".", B: "."}, at=at, dirty=False, **more)  # type: ignore[arg-type]


def after_pull(local: Target, remote: Target) -> Revisions:
    done = pull_into(local, remote)
    with open_history(local) as history:
        return find_revisions(history, done.arrived)


def told(found: Revisions) -> list[tuple[str, str, str, tuple[str, ...]]]:
    return [
        (one.before.nodeid, one.before.label.value, one.now.label.value, one.by)
        for one in found.revisions
    ]


@pytest.mark.parametrize("label", [Label.GENUINE, Label.UNDECIDED])
@pytest.mark.parametrize("late_at", [3, 7], ids=["started before it", "started after it"])
def test_a_pass_on_the_same_state_makes_it_flaky(
    remote: Target, local: Target, label: Label, late_at: int
) -> None:
    run, said = failing(5, label)
    save(local, run, verdicts=said)
    proof = passing(late_at)
    save(remote, proof, passing(4, state=ELSEWHERE))
    found = after_pull(local, remote)
    assert told(found) == [(A, label.value, "flaky", (proof.head.id,))]
    lines = list(revision_lines(found.revisions, found.left))
    assert lines[0] == "1 verdict would differ now, by runs that came later:"
    assert lines[1].startswith(f"  {A} in run {run.head.id[-4:]}: {label.value} -> flaky (by run ")
    (record,) = revision_records(found.revisions)
    assert (record["run"], record["by_runs"]) == (run.head.id, [proof.head.id])
    # Said once: nothing arrived with the next pull.
    found = after_pull(local, remote)
    assert (found.revisions, found.left) == ([], 0)


def test_all_runs_that_prove_it_are_named(remote: Target, local: Target) -> None:
    run, said = failing(5)
    save(local, run, verdicts=said)
    proofs = [passing(at) for at in (1, 2, 8)]
    save(remote, *proofs, failing(3)[0])
    newest_first = tuple(one.head.id for one in reversed(proofs))
    assert told(after_pull(local, remote)) == [(A, "genuine", "flaky", newest_first)]


def test_what_was_known_before_is_not_told_again(remote: Target, local: Target) -> None:
    run, said = failing(5)
    save(local, run, passing(6), verdicts=said)
    save(remote, passing(7))
    assert told(after_pull(local, remote)) == []


def test_what_was_amended_is_not_told(remote: Target, local: Target) -> None:
    run, said = failing(5)
    amended = make_verdict(run, A, Label.FLAKY, at=said[0].at + 10)
    save(local, run, verdicts=[*said, amended])
    save(remote, passing(7))
    assert told(after_pull(local, remote)) == []


@pytest.mark.parametrize(
    "other",
    [
        {"state": ELSEWHERE},
        {"environment": make_environment("3.11", pytest="9.2")},
        {"context": {"debugger": True}},
    ],
    ids=["other state", "other environment", "debugged"],
)
def test_other_passes_prove_nothing(
    remote: Target, local: Target, other: dict[str, object]
) -> None:
    run, said = failing(5)
    save(local, run, verdicts=said)
    save(remote, passing(3, **other))
    assert told(after_pull(local, remote)) == []


def test_an_untrusted_file_changes_nothing_until_it_comes_from_the_server(
    remote: Target, local: Target, new_local: Callable[[str], Target]
) -> None:
    run, said = failing(5)
    save(local, run, verdicts=said)
    artifact, proof = new_local("artifact.db"), passing(7)
    save(artifact, proof)
    assert told(after_pull(local, artifact)) == []
    save(remote, proof, trust=Trust.LOCAL)
    assert told(after_pull(local, remote)) == [(A, "genuine", "flaky", (proof.head.id,))]


def test_runs_and_verdicts_that_come_together(remote: Target, local: Target) -> None:
    run, said = failing(5)
    save(local, passing(1, state=ELSEWHERE))
    save(remote, passing(6), run, verdicts=said)
    with open_history(local) as history:
        done = clone_into(local, remote)
        found = find_revisions(history, done.arrived)
    assert [one[:3] for one in told(found)] == [(A, "genuine", "flaky")]


def test_a_new_clone_asks_nothing(remote: Target, local: Target) -> None:
    run, said = failing(5)
    save(remote, run, passing(6), verdicts=said)
    assert clone_into(local, remote).arrived == []


def test_an_earlier_genuine_failure_makes_a_later_one_genuine(
    remote: Target, local: Target
) -> None:
    run, _ = failing(5, Label.UNDECIDED, state=ELSEWHERE)
    save(local, run, verdicts=[make_verdict(run, A, Label.UNDECIDED)])
    earlier, said = failing(3)
    save(remote, earlier, verdicts=said)
    assert told(after_pull(local, remote)) == [(A, "undecided", "genuine", (earlier.head.id,))]


def test_what_is_pruned_is_not_guessed(remote: Target, local: Target) -> None:
    run, said = failing(5)
    save(local, run._replace(seen={"runs": ["0" * 32]}), verdicts=said)
    save(remote, passing(6))
    assert told(after_pull(local, remote)) == []


def test_it_ends_in_time(remote: Target, local: Target) -> None:
    made = [failing(at) for at in range(2)]
    save(local, *[run for run, _ in made], verdicts=[one for _, said in made for one in said])
    save(remote, passing(9))
    done = pull_into(local, remote)
    with open_history(local) as history:
        assert len(find_revisions(history, done.arrived).revisions) == 2
        assert len(find_revisions(history, done.arrived, runs=1).revisions) == 1
        found = find_revisions(history, done.arrived, seconds=0)
    assert (found.revisions, found.left) == ([], 2)
    assert list(revision_lines([], 2)) == [
        "no time was left to judge the failures of 2 older runs again"
    ]


def test_many_failures_are_judged_quickly(local: Target, remote: Target) -> None:
    tests = {f"t.py::test_{n}": "F" if n % 80 == 0 else "." for n in range(2000)}
    run = make_run(tests, at=5, state=HERE, dirty=False)
    failed = [nodeid for nodeid, outcome in tests.items() if outcome == "F"]
    save(local, run, verdicts=[make_verdict(run, nodeid, Label.GENUINE) for nodeid in failed])
    save(remote, make_run(list(tests), at=6, state=HERE, dirty=False))
    done = pull_into(local, remote)
    with open_history(local) as history:
        started = time.process_time()
        found = find_revisions(history, done.arrived)
        assert time.process_time() - started < 2
    assert (len(found.revisions), found.left) == (25, 0)


def test_nothing_is_asked_if_nothing_arrived(local: Target) -> None:
    class Nobody:
        def __getattr__(self, name: str) -> object:
            raise AssertionError(name)

    assert find_revisions(Nobody(), []).revisions == []  # type: ignore[arg-type]


def test_commits_first_then_time(local: Target) -> None:
    """The run on an ancestor stands before those that only started later."""
    near = passing(1, commit="a" * 40)
    far = passing(3, commit="b" * 40)
    run = make_run({A: "F", B: "."}, at=5, state=HERE, dirty=False, commit="c" * 40)
    # Ancestry as the run saw it: a is its parent, b, though tested later, is further away.
    run = run._replace(seen={"runs": [near.head.id, far.head.id]})
    unknown, same_as_near = passing(9, commit="d" * 40), passing(0, commit="a" * 40)
    own = passing(8, commit="c" * 40)
    save(local, near, far, run, unknown, same_as_near, own, verdicts=[make_verdict(run, A)])
    with open_history(local) as history:
        (result,) = recheck(history, run, A, history.verdicts([run.head.id]))
    assert result.as_then is not None
    assert list(result.as_then.evidence["passes"]) == [near.head.id, far.head.id]
    best_first = [own, near, same_as_near, far, unknown]
    assert list(result.now.evidence["passes"]) == [one.head.id for one in best_first]
    assert result.later == (unknown.head.id, own.head.id, same_as_near.head.id)


def test_both_times_are_kept(remote: Target, local: Target) -> None:
    early = passing(1)
    save(remote, early)
    before = time.time_ns() // 1000
    pull_into(local, remote)
    ((started, received, via),) = rows(
        local, "SELECT r.started, a.received, a.via FROM run r JOIN arrival a ON a.run = r.id"
    )
    assert started == early.head.started
    assert before <= received <= time.time_ns() // 1000
    assert via == "pull"
