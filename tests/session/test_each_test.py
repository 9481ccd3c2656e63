"""What each test ran, from several processes to the controller; pytest runs it in tests/e2e."""

from __future__ import annotations

import json
import sys
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flakefighters.capture import wire
from flakefighters.judging.baselines import Lookback
from flakefighters.model import Coverage, Watch
from flakefighters.model.trace import Code
from flakefighters.session import each_test as module
from flakefighters.session.each_test import Listener, Teller, watched

OUT = "_flakefighters_ran"


class Trace:
    """A process that tests run in; it counts functions in its own way."""

    asleep = False

    def __init__(self) -> None:
        self.codes: dict[int, Code] = {}
        self.ran: set[int] | None = set()

    def covered(self, _item: Any) -> tuple[set[int], dict[int, Code]] | None:
        return None if self.ran is None else (self.ran, self.codes)

    def run(self, *names: str) -> None:
        numbers = {code.name: number for number, code in self.codes.items()}
        for name in names:
            if name not in numbers:
                numbers[name] = 3 * len(self.codes) + 1
                self.codes[numbers[name]] = Code("shop.py", name, 1)
        self.ran = {numbers[name] for name in names}


def collector(mode: str = "auto") -> Listener:
    made = Listener(mode)
    if sys.version_info < (3, 12) and mode == "auto":
        made.unknown = None
    return made


def report(nodeid: str, worker: str | None = None, when: str = "teardown") -> Any:
    node = None if worker is None else SimpleNamespace(gateway=SimpleNamespace(id=worker))
    return SimpleNamespace(nodeid=nodeid, when=when, node=node, outcome="passed")


def end(teller: Teller, one: Any) -> None:
    """The test's process makes its last report."""
    hook = teller.pytest_runtest_makereport(item=None, call=SimpleNamespace(excinfo=None))
    next(hook)
    with pytest.raises(StopIteration):
        hook.send(one)


def travel(teller: Teller, ran: Listener, one: Any) -> None:
    """The report is logged here, and then on the controller."""
    teller.pytest_runtest_logreport(one)
    carried = getattr(one, OUT, None)
    assert carried == json.loads(json.dumps(carried)), "plain data"
    ran.pytest_runtest_logreport(one)
    assert not hasattr(one, OUT)


def found(ran: Listener, outcomes: str, suite: list[str]) -> tuple[Coverage | None, list[str]]:
    notes: list[str] = []
    view: Any = SimpleNamespace(
        recorder=SimpleNamespace(suite=suite, outcomes=outcomes),
        names=lambda nodeid: f"base/{nodeid}",
        notes=notes,
    )
    return ran.coverage(view), notes


def functions(coverage: Coverage, nodeid: str) -> set[str]:
    bits = coverage.ran[f"base/{nodeid}"]
    return {
        unit.partition("::")[2] for place, unit in enumerate(coverage.units) if bits >> place & 1
    }


NAMES = st.integers(0, 2**40 - 1).map(lambda bits: {f"f{n}" for n in range(40) if bits >> n & 1})


@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["gw0", "gw1", "gw2"]), NAMES), min_size=1))
def test_workers_count_in_their_own_ways(tests: list[tuple[str, set[str]]]) -> None:
    traces = {name: Trace() for name in ("gw0", "gw1", "gw2")}
    tellers = {name: Teller(trace) for name, trace in traces.items()}  # type: ignore[arg-type]
    ran = collector()
    suite = [f"t.py::test_{n}" for n in range(len(tests))]
    for nodeid, (worker, names) in zip(suite, tests, strict=True):
        traces[worker].run(*sorted(names))
        one = report(nodeid, worker)
        end(tellers[worker], one)
        travel(tellers[worker], ran, one)
    coverage, notes = found(ran, "F" + "." * (len(tests) - 1), suite)
    assert coverage is not None
    assert notes == []
    assert coverage.failed == {f"base/{suite[0]}"}
    for nodeid, (_, names) in zip(suite, tests, strict=True):
        assert functions(coverage, nodeid) == names
    assert Coverage.from_json(json.loads(json.dumps(coverage.to_json()))) == coverage


def test_an_attempt_that_is_never_logged_leaves_nothing_out() -> None:
    """A plugin may log the last attempt alone: it tells of what the others ran first as well."""
    trace = Trace()
    teller, ran = Teller(trace), collector()  # type: ignore[arg-type]
    trace.run("a", "b")
    end(teller, report("t.py::test"))
    trace.run("a", "c")
    last = report("t.py::test")
    end(teller, last)
    travel(teller, ran, last)
    coverage, _ = found(ran, "F", ["t.py::test"])
    assert coverage is not None
    assert functions(coverage, "t.py::test") == {"a", "c"}


def test_only_what_passed_or_failed_in_the_end_is_a_witness() -> None:
    trace = Trace()
    teller, ran = Teller(trace), collector()  # type: ignore[arg-type]
    outcomes = {"failed": "F", "error": "E", "passed": ".", "skipped": "s", "mixed": "M"}
    for name in outcomes:
        trace.run("a")
        one = report(name)
        end(teller, one)
        travel(teller, ran, one)
    coverage, _ = found(ran, "".join(outcomes.values()), list(outcomes))
    assert coverage is not None
    assert set(coverage.ran) == {"base/failed", "base/error", "base/passed"}
    assert coverage.failed == {"base/failed", "base/error"}


def test_nothing_failed() -> None:
    assert found(collector(), ".", ["t.py::test"]) == (None, [])


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (lambda one: setattr(one, OUT, {"ran": "zz", "new": []}), "cannot be read"),
        (lambda one: setattr(one, OUT, ["ran"]), "cannot be read"),
        (lambda one: setattr(one, OUT, {"ran": "0100"}), "cannot be read"),
        (lambda one: None, "were not seen"),
    ],
)
def test_why_it_is_not_known(spoil: Any, why: str) -> None:
    ran = collector()
    one = report("t.py::test")
    spoil(one)
    ran.pytest_runtest_logreport(one)
    coverage, (note,) = found(ran, "F", ["t.py::test"])
    assert coverage is None
    assert note.startswith("coverage_independence has nothing to go by: ")
    assert why in note


def test_what_a_worker_never_named_is_left_to_doubt() -> None:
    ran = collector()
    one = report("t.py::test")
    setattr(one, OUT, {"ran": "03", "new": [[0, "shop.py::a"]]})
    ran.pytest_runtest_logreport(one)
    coverage, (note,) = found(ran, "F", ["t.py::test"])
    assert coverage is None
    assert "cannot be read" in note


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_BYTES", 10)
    trace = Trace()
    teller, ran = Teller(trace), collector()  # type: ignore[arg-type]
    suite = [f"t.py::test_{n}" for n in range(30)]
    for nodeid in suite:
        trace.run("a", "b")
        one = report(nodeid)
        end(teller, one)
        travel(teller, ran, one)
    coverage, (note,) = found(ran, "F" * 30, suite)
    assert coverage is None
    assert "too many functions" in note
    assert not ran._ran


def test_functions_that_are_not_watched_any_more() -> None:
    trace = Trace()
    trace.ran = None
    teller, ran = Teller(trace), collector()  # type: ignore[arg-type]
    one = report("t.py::test")
    teller.pytest_runtest_logreport(one)
    assert not hasattr(one, OUT), "it was made in a child process"
    end(teller, one)
    travel(teller, ran, one)
    coverage, (note,) = found(ran, "F", ["t.py::test"])
    assert coverage is None
    assert "not watched in all tests" in note


def test_what_is_watched() -> None:
    checkout: Any = SimpleNamespace(files=lambda: {"src/shop/__init__.py": "1"})
    before = Lookback(Watch(base="/p"))
    after = watched(before, checkout, collector())
    assert after.watch == Watch(base="/p", packages={"shop": "src"}, each_test=True)
    assert after.watch.unchanged
    assert not after.watch.empty
    assert wire.load(Watch, json.loads(json.dumps(wire.plain(after.watch)))) == after.watch
    assert watched(before, checkout, collector("off")) is before
