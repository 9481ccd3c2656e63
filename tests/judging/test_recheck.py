"""A verdict is judged again by the history of its time, as long as that is there."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flakefighters.environment.variables import noted
from flakefighters.history import History, open_history, upkeep
from flakefighters.history.content import project_id
from flakefighters.history.prune import prune
from flakefighters.judging.recheck import recheck
from flakefighters.judging.retries import late_proofs
from flakefighters.model import Label, Recheck, Run, State, Target
from flakefighters.reports.page import plain
from flakefighters.reports.rechecks import recheck_page, recheck_record
from tests.history.made_runs import MINUTE, PROJECT, START, make_run, make_state, make_verdict

NODEID = "t.py::a"


@pytest.fixture
def history(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[History]:
    monkeypatch.setattr(upkeep, "PAUSE", 0.0)
    target = Target(backend="sqlite", path=tmp_path / "history.db", display="history.db")
    with open_history(target) as opened:
        yield opened


def judged_run(history: History, earlier: list[Run], at: int) -> Run:
    """A failing run whose verdict rests on passes on the same state."""
    for run in earlier:
        history.save(run)
    run = make_run({NODEID: "F"}, at=at)
    run = run._replace(seen={"runs": [one.head.id for one in reversed(earlier)]})
    history.save(run, [make_verdict(run, NODEID, Label.FLAKY)])
    return run


def again(history: History, run: Run) -> Recheck:
    (result,) = recheck(history, run, NODEID, history.verdicts([run.head.id]))
    return result


def page(result: Recheck) -> str:
    return plain(recheck_page("abcd", NODEID, [result]), "terminal")


def test_the_same_history_says_the_same(history: History) -> None:
    run = judged_run(history, [make_run({NODEID: "."}, at=at) for at in range(3)], at=5)
    result = again(history, run)
    assert result.as_then is not None
    assert result.as_then.label is result.now.label is Label.FLAKY
    assert (result.pruned, result.differs) == (0, False)
    assert "not reproducible" not in page(result)


def test_a_history_that_is_partly_gone_says_so(history: History) -> None:
    run = judged_run(history, [make_run({NODEID: "."}, at=at) for at in range(3)], at=5)
    prune(history.database, {project_id(PROJECT.identity): START + 4 * MINUTE})
    result = again(history, run)
    # Without the passes it would be undecided: that is no answer to what was asked.
    assert result.now.label is not Label.FLAKY
    assert (result.as_then, result.pruned, result.differs) == (None, 3, False)
    text = page(result)
    assert "as of then    not reproducible: 3 runs pruned" in text
    assert "would differ" not in text
    assert "would not change" not in text
    (record,) = recheck_record(run.head.id, NODEID, [result])["rechecks"]
    assert (record["as_then"], record["pruned_runs"], record["differs"]) == (None, 3, False)


def test_a_history_that_is_only_long_ago_is_found(history: History) -> None:
    run = judged_run(history, [make_run({NODEID: "."}, at=at) for at in range(3)], at=5)
    for at in range(10, 40):
        history.save(make_run({"t.py::b": "."}, at=at))
    (result,) = recheck(history, run, NODEID, history.verdicts([run.head.id]), limit=2)
    assert result.pruned == 0
    assert result.as_then is not None
    assert result.as_then.label is Label.FLAKY


def run_with(how: str, at: int, mode: str | None, **context: object) -> Run:
    """A run with this value of a variable."""
    environ = {"OTHER": str(at)} | ({} if mode is None else {"MODE": mode})
    run = make_run({NODEID: how}, at=at)
    context["variables"] = noted(environ, PROJECT.identity)
    return run._replace(head=run.head._replace(context=context))


@pytest.mark.parametrize(
    ("then", "now", "label"),
    [("prod", None, Label.UNDECIDED), (None, "prod", Label.UNDECIDED), ("a", "a", Label.FLAKY)],
)
def test_variables_count_when_the_project_is_not_there(
    history: History, then: str | None, now: str | None, label: Label
) -> None:
    failed = run_with("F", 1, then)._replace(seen={"runs": [], "asked": ["MODE"]})
    history.save(failed, [make_verdict(failed, NODEID, Label.GENUINE)])
    history.save(run_with(".", 2, now))
    result = again(history, failed)
    assert result.now.label is label
    assert ("$MODE" in result.now.reason) is (label is Label.UNDECIDED)


@pytest.mark.parametrize(
    ("evidence", "label"), [({"draws": False}, Label.FLAKY), ({}, Label.GENUINE)]
)
def test_a_seed_matters_to_who_draws(
    history: History, evidence: dict[str, object], label: Label
) -> None:
    failed = run_with("F", 1, None, seeds={"randomly": 1})
    verdict = make_verdict(failed, NODEID, Label.GENUINE)._replace(evidence=evidence)
    history.save(failed, [verdict])
    passed = run_with(".", 2, None, seeds={"randomly": 2})
    history.save(passed)
    history.add_verdicts(late_proofs(passed, history, tuple, now=START + 5 * MINUTE))
    last = max(history.verdicts([failed.head.id]), key=lambda one: one.at)
    assert last.label is label
    assert (again(history, failed).now.label is Label.FLAKY) is (label is Label.FLAKY)


OUTCOMES = st.sampled_from([".", "F", "s"])
STATES = st.sampled_from([make_state(name) for name in ("one", "two")])


@settings(max_examples=25, deadline=None, suppress_health_check=[*HealthCheck])
@given(
    before=st.lists(st.tuples(OUTCOMES, STATES), max_size=5),
    after=st.lists(st.tuples(OUTCOMES, STATES, st.integers(0, 20)), min_size=1, max_size=5),
    seed=st.randoms(use_true_random=False),
)
def test_whatever_arrives_later_the_same_history_says_the_same(
    before: list[tuple[str, State]],
    after: list[tuple[str, State, int]],
    seed: random.Random,
) -> None:
    earlier = [make_run({NODEID: how}, at=at, state=on) for at, (how, on) in enumerate(before)]
    later = [make_run({NODEID: how}, at=at, state=on) for how, on, at in after]
    with tempfile.TemporaryDirectory() as folder:
        target = Target(backend="sqlite", path=Path(folder) / "h.db", display="h.db")
        with open_history(target) as history:
            run = judged_run(history, earlier, at=6)
            first = again(history, run)
            assert first.as_then is not None
            assert first.as_then.label is first.now.label
            seed.shuffle(later)
            for one in later:
                history.save(one)
                result = again(history, run)
                assert result.as_then == first.as_then
                assert result.before == first.before
