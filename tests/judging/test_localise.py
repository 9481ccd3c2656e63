"""Attempts summed up, kept within bounds, joined over runs, and ranked."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flakefighters.judging.localise import Tally, bounded, localise
from flakefighters.measures.spectra import METRICS, Counts
from flakefighters.model.spectra import Ran, RanFile, RanFunction, Spectrum, ranges

Attempt = tuple[bool, list[list[Any]]]


def spectrum(*attempts: Attempt, blob: str | None = "one") -> Spectrum:
    tally = Tally()
    for failed, ran in attempts:
        tally.add(failed, ran)
    return tally.spectrum(lambda _: blob)


def ran(*lines: int, path: str = "shop.py", name: str = "tax", first: int = 1) -> list[Any]:
    return [path, name, first, [number for pair in ranges(lines) for number in pair]]


def scores(found: Any) -> dict[Any, float]:
    return {(one.path, one.line): one.score for one in found.lines}


# -- one run ---------------------------------------------------------------------------------


def test_attempts_are_summed_up() -> None:
    found = spectrum(
        (True, [ran(2, 3, 5)]),
        (True, [ran(2, 3)]),
        (False, [ran(2, 4), ran(9, name="vat", first=8)]),
    )
    assert (found.failed, found.passed) == (2, 1)
    functions = found.files["shop.py"].functions
    assert functions["vat"] == RanFunction(8, Ran(0, 1), {9: Ran(0, 1)})
    assert functions["tax"].ran == Ran(2, 1)
    assert functions["tax"].lines == {2: Ran(2, 1), 3: Ran(2, 0), 5: Ran(1, 0), 4: Ran(0, 1)}


def test_functions_of_one_name_are_one() -> None:
    found = spectrum((True, [ran(4, 5, name="f.<lambda>", first=4), ran(5, name="f.<lambda>")]))
    (function,) = found.files["shop.py"].functions.values()
    assert function == RanFunction(1, Ran(1, 0), {4: Ran(1, 0), 5: Ran(1, 0)})


def test_lines_of_one_run_are_ranked() -> None:
    one = spectrum(
        (True, [ran(2, 3)]), (True, [ran(2, 3, 4)]), (False, [ran(2)]), (False, [ran(2, 4)])
    )
    for name, metric in METRICS.items():
        found = localise("t", {"run": one}, name)
        assert scores(found) == {
            ("shop.py", 2): metric(Counts(2, 2, 0, 0)),
            ("shop.py", 3): metric(Counts(2, 0, 0, 2)),
            ("shop.py", 4): metric(Counts(1, 1, 1, 1)),
        }
        assert found.lines[0].line == 3
    assert [(one.function, one.line, one.ran) for one in found.functions] == [("tax", 1, Ran(2, 2))]


def test_a_line_of_two_functions_is_the_outer_ones() -> None:
    one = spectrum(
        (True, [ran(2), ran(2, name="tax.<locals>.<genexpr>")]),
        (False, [ran(2)]),
    )
    (found,) = localise("t", {"run": one}).lines
    assert (found.function, found.ran) == ("tax", Ran(1, 1))


def test_equal_lines_share_a_rank() -> None:
    one = spectrum((True, [ran(2, 3, 5)]), (False, [ran(2)]))
    found = localise("t", {"run": one})
    assert [(one.line, one.rank) for one in found.lines] == [(3, 1), (5, 1), (2, 3)]


# -- several runs ----------------------------------------------------------------------------


def test_lines_are_joined_where_the_file_is_the_same() -> None:
    new = spectrum((True, [ran(2, 3)]))
    old = spectrum((False, [ran(2)]), (False, [ran(2)]))
    other = spectrum((False, [ran(2, 3)]), blob="two")
    found = localise("t", {"c": new, "b": old, "a": other})
    assert (found.failed, found.passed, found.runs) == (1, 3, ("c", "b", "a"))
    assert [(one.line, one.ran, one.spared) for one in found.lines] == [
        (3, Ran(1, 0), Ran(0, 2)),
        (2, Ran(1, 2), Ran(0, 0)),
    ]
    # Functions are known by name: the other content counts.
    assert [one.ran for one in found.functions] == [Ran(1, 3)]


def test_a_content_that_is_not_known_equals_no_other() -> None:
    known = {
        "b": spectrum((True, [ran(3)]), blob=None),
        "a": spectrum((False, [ran(3)]), blob=None),
    }
    (found,) = localise("t", known).lines
    assert (found.ran, found.spared) == (Ran(1, 0), Ran(0, 0))


def test_what_a_run_never_reached_counts_as_not_run() -> None:
    new = spectrum((True, [ran(3)]))
    old = spectrum((False, [ran(1, path="other.py")]))
    found = {one.path: one for one in localise("t", {"b": new, "a": old}).lines}
    assert found["shop.py"].spared == Ran(0, 1)
    # Of a run from which something was left out nobody can tell.
    found = {one.path: one for one in localise("t", {"b": new, "a": old._replace(left=1)}).lines}
    assert found["shop.py"].spared == Ran(0, 0)


lines = st.sets(st.integers(1, 8), max_size=6)
attempts = st.lists(st.tuples(st.booleans(), lines), max_size=6)


@settings(deadline=None)
@given(st.lists(attempts, min_size=1, max_size=4))
def test_joined_runs_say_what_one_run_of_all_attempts_says(runs: list[Any]) -> None:
    def of(some: list[Any]) -> Spectrum:
        return spectrum(*((failed, [ran(*which)] if which else []) for failed, which in some))

    apart = localise("t", {str(n): of(some) for n, some in enumerate(runs)})
    together = localise("t", {"all": of([one for some in runs for one in some])})
    assert apart._replace(runs=()) == together._replace(runs=())


# -- as stored -------------------------------------------------------------------------------

counts = st.builds(Ran, st.integers(0, 2), st.integers(0, 2))
functions = st.builds(
    RanFunction, st.integers(0, 99), counts, st.dictionaries(st.integers(0, 99), counts, max_size=4)
)
files = st.builds(
    RanFile,
    st.sampled_from([None, "0123456789abcdef"]),
    st.dictionaries(st.sampled_from(["f", "f.<lambda>"]), functions, max_size=2),
)
any_spectra = st.builds(
    Spectrum,
    st.integers(0, 9),
    st.integers(0, 9),
    st.dictionaries(st.text(max_size=3), files, max_size=2),
    st.integers(0, 3),
)


@settings(deadline=None)
@given(any_spectra)
def test_a_spectrum_survives_the_way_through_json(one: Spectrum) -> None:
    assert Spectrum.from_json(json.loads(json.dumps(one.to_json()))) == one


@pytest.mark.parametrize(
    "value",
    [
        {},
        {"failed": -1, "passed": 0, "files": {}},
        {"failed": 1, "passed": 0, "files": []},
        {"failed": 1, "passed": 0, "files": {"a.py": {"blob": None}}},
        {"failed": 1, "passed": 0, "files": {"a.py": {"blob": None, "functions": {"f": [1, 1]}}}},
    ],
)
def test_what_makes_no_sense_is_refused(value: Mapping[str, Any]) -> None:
    with pytest.raises((ValueError, KeyError, TypeError)):
        Spectrum.from_json(value)


@pytest.mark.parametrize("text", ["5-1", "1-9999999", "x", "-4"])
def test_lines_of_another_world_are_refused(text: str) -> None:
    function = [1, 1, 0, {"1,0": text}]
    files = {"a.py": {"blob": None, "functions": {"f": function}}}
    with pytest.raises(ValueError):
        Spectrum.from_json({"failed": 1, "passed": 0, "files": files})


def big(failed: int, passed: int) -> Spectrum:
    suspicious = [ran(*range(10, 30, 2), name="suspicious")] if failed else []
    return spectrum(
        *[(True, [*suspicious, *(ran(n, name=f"f{n}") for n in range(100, 200))])] * failed,
        *[(False, [ran(n, name=f"f{n}") for n in range(100, 300)])] * passed,
    )


def test_within_bounds_all_is_kept() -> None:
    known = {"t": big(1, 1)}
    assert bounded(known) == ({"t": known["t"].to_json()}, ())


def test_of_too_much_what_failing_attempts_ran_is_kept() -> None:
    known = {"mixed": big(1, 2), "failed": big(1, 0), "passed": big(0, 1)}
    kept, out = bounded(known, 2_000)
    assert len(json.dumps(kept)) <= 2_000
    assert next(iter(kept)) == "mixed"
    assert out[-1] == "passed"
    small = Spectrum.from_json(kept["mixed"])
    assert small.left
    assert (small.failed, small.passed) == (1, 2)
    assert "suspicious" in small.files["shop.py"].functions
    best = localise("t", {"run": small}).lines[0]
    assert (best.function, best.ran, best.spared) == ("suspicious", Ran(1, 0), Ran(0, 2))


@settings(deadline=None)
@given(st.dictionaries(st.text(max_size=3), any_spectra, max_size=3), st.integers(0, 3_000))
def test_the_bound_holds(known: dict[str, Spectrum], most: int) -> None:
    kept, out = bounded(known, most)
    assert len(json.dumps(kept, separators=(",", ":"))) <= most + 2
    assert {*kept, *out} == known.keys()
