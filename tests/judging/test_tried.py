"""What strategies of reruns ask a history."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from flakefighters.history import Evidence, open_history
from flakefighters.judging import tried
from flakefighters.judging.tried import names_for
from flakefighters.model import Came, Target, Trust
from tests.history.made_runs import make_run, make_state, make_verdict

HERE, ELSEWHERE = make_state("here"), make_state("elsewhere")


@contextmanager
def evidence(folder: Path, *runs: dict[str, str]) -> Iterator[Evidence]:
    """Of runs elsewhere but for the last one; a test called x.py::flaky was judged so."""
    with open_history(Target(backend="sqlite", path=folder / "h.db")) as history:
        for number, results in enumerate(runs, 1):
            run = make_run(results, at=number, state=HERE if number == len(runs) else ELSEWHERE)
            history.save(run, [make_verdict(run, one) for one in results if "flaky" in one])
        judged = make_run(at=99, state=HERE).head._replace(trust=Trust.LOCAL)
        yield Evidence(judged=judged, sources=[(history, Came.HERE)])


RUNS: list[dict[str, str]] = [
    {"x.py::flaky": "F", "x.py::broken": "F", "x.py::old": "."},
    {"x.py::broken": "F", "x.py::fine[1]": ".", "x.py::fine[2]": "."},
]


def test_names(tmp_path: Path) -> None:
    with evidence(tmp_path, *RUNS) as known:
        assert names_for("previously-flaky", known, 50) == frozenset(["x.py::flaky"])
        assert names_for("previously-flaky", known, 1) == frozenset()
        here = {"x.py::fine[1]", "x.py::fine[2]"}
        assert names_for("flaky", known, 50) == frozenset(["x.py::flaky", *here])
        functions = {"x.py::flaky", "x.py::broken", "x.py::old", "x.py::fine"}
        assert names_for("new", known, 50) == frozenset(functions)


def test_nothing_is_known(tmp_path: Path) -> None:
    with evidence(tmp_path) as empty:
        assert names_for("new", empty, 50) is None
        assert names_for("flaky", empty, 50) == frozenset()


def test_too_many_tests(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tried, "_MOST", 3)
    with evidence(tmp_path, *RUNS) as known:
        assert names_for("new", known, 50) is None
