"""The order of trials over several failing tests, and what is left out."""

from __future__ import annotations

from typing import Any

import pytest

from flakefighters.model import Confidence, Label, Outcome, Verdict
from flakefighters.trials.bench import Bench
from flakefighters.trials.confirm import confirm
from flakefighters.trials.questions import Question
from flakefighters.trials.runs import Seen


class Lab:
    """Every test passes when it is run again; each child takes four seconds."""

    def __init__(self) -> None:
        self.ran: list[tuple[str, ...]] = []
        self.now = 0.0

    def here(self, tests: Any, _seconds: float) -> Seen:
        self.now += 4
        self.ran.append(tuple(tests))
        return Seen(outcomes=dict.fromkeys(tests, Outcome.PASSED))


def question(name: str) -> Question:
    verdict = Verdict(Label.UNDECIDED, "joint", 1, Confidence.FAIR, "unclear", nodeid=name)
    return Question(name, (verdict,), ("Error",), company=("t.py::first", "t.py::second"))


@pytest.mark.parametrize(
    ("seconds", "proved", "tried"), [(60.0, 3, 3), (18.0, 2, 3), (6.0, 0, 2), (0.5, 0, 0)]
)
def test_each_is_tried_once_and_then_one_after_the_other(
    seconds: float, proved: int, tried: int
) -> None:
    lab = Lab()
    bench = Bench(python=("python",), seconds=seconds)
    found = confirm(
        [question(name) for name in ("t.py::a", "t.py::b", "t.py::c")],
        lab,  # type: ignore[arg-type]
        bench,
        befores={},
        state=("s", None),
        clock=lambda: lab.now,
        now=lambda: 1,
    )
    assert [len(one) for one in lab.ran] == sorted(len(one) for one in lab.ran)
    assert (found.settled, len(found.verdicts)) == (proved, tried)
    assert len(found.notes) == (tried < 3)


def test_no_more_tests_than_asked_for() -> None:
    lab = Lab()
    bench = Bench(python=("python",), seconds=60.0, tests=1)
    found = confirm(
        [question("t.py::a"), question("t.py::b")],
        lab,  # type: ignore[arg-type]
        bench,
        befores={},
        state=("s", None),
        clock=lambda: lab.now,
        now=lambda: 1,
    )
    assert (len(found.verdicts), found.settled) == (1, 1)
    assert "1 failing test not put on trial" in found.notes[0]
