"""What attempts ran stays with its run, and burdens nothing else."""

from __future__ import annotations

from typing import Any

from flakefighters.history import History
from flakefighters.history.spectra import spectra
from flakefighters.model.spectra import Spectrum
from tests.history.made_runs import PROJECT, make_run

ONE: dict[str, Any] = {
    "failed": 1,
    "passed": 2,
    "files": {"shop.py": {"blob": "0" * 16, "functions": {"tax": [3, 1, 2, {"1,0": "4-5 9"}]}}},
}


def test_they_are_read_by_run(history: History) -> None:
    told = make_run(at=2, extra={"spectra": {"t.py::a": ONE}})
    plain, odd = make_run(at=1), make_run(at=0, extra={"spectra": {"t.py::a": {"failed": -1}}})
    for run in (told, plain, odd):
        history.save(run)
    names = [run.head.id for run in (told, plain, odd)]
    found = spectra(history.database, names, history.unreadable)
    assert found == {told.head.id: {"t.py::a": Spectrum.from_json(ONE)}}
    assert list(history.unreadable.runs) == [odd.head.id]
    assert spectra(history.database, [], history.unreadable) == {}


def test_lists_of_runs_come_without_them(history: History) -> None:
    run = make_run(extra={"spectra": {"t.py::a": ONE}})
    history.save(run)
    (head,) = history.recent(PROJECT.identity)
    assert head.extra == {}
    assert head._replace(extra=run.head.extra) == history.load(run.head.id).head
