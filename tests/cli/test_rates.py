"""How often tests fail by chance, in lists and in ``explain``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from flakefighters.cli.rates import rated
from flakefighters.measures.failure_rate import posterior
from flakefighters.model import Label, Outcome, RunHead
from flakefighters.model.rows import Flakiness, TestRow
from tests.cli.conftest import MINUTE, OLD, PAY, TAX, Command, Shop, failed, make_run, verdict

CI: dict[str, Any] = {"build": "b", "job": "test", "attempt": 1}


def runs(*states: str, **head: Any) -> list[RunHead]:
    """Runs in one environment, one minute apart."""
    return [
        RunHead(
            id=f"{at:032x}",
            project="p",
            started=at,
            **{"state": state, "environment": "e", "environment_key": "k", **head},
        )
        for at, state in enumerate(states)
    ]


def row(outcomes: str, **more: Any) -> TestRow:
    return TestRow(
        nodeid="t.py::a",
        runs=len(outcomes),
        passes=0,
        failures=0,
        flips=0,
        mixed=0,
        last=Outcome.PASSED,
        last_run="0" * 32,
        last_failure=None,
        flaky=0,
        genuine=0,
        undecided=0,
        outcomes=outcomes,
        **more,
    )


def flakiness(heads: Sequence[RunHead], outcomes: str, **more: Any) -> Flakiness | None:
    return rated(heads, [row(outcomes, **more)])[0].flakiness


def counted(heads: Sequence[RunHead], outcomes: str, **more: Any) -> tuple[int, int]:
    found = flakiness(heads, outcomes, **more)
    assert found is not None
    return found.failures, found.executions


def test_a_state_that_did_both() -> None:
    heads = runs("one", "one", "two", "one", "two", "three")
    found = flakiness(heads, "F.FX.s")
    assert found is not None
    assert found[:3] == pytest.approx(posterior(2, 5))
    assert found[3:] == (2, 5)


def test_states_that_only_failed_do_not_count() -> None:
    heads = runs(*"abccddefgh")
    assert counted(heads, "..FFFEF...") == (0, 5)
    assert counted(heads, "-.........") == (0, 9)
    assert flakiness(heads, "ss-----?xs") is None


def test_attempts_count() -> None:
    heads = runs(*"ab")
    assert counted(heads, "R.") == (1, 3)
    assert counted(heads, "R.", again={0: (1, 0)}) == (1, 3)
    assert counted(heads, "R.", again={0: (1, 2)}) == (3, 5)
    assert counted(runs("a", "a"), "F.", again={0: (0, 2)}) == (3, 4)


def test_failures_that_are_genuine_do_not_count() -> None:
    heads = runs(*"abcdefghij")
    assert counted(heads, ".F.F.F.F.F", genuine_in=frozenset({1, 3, 5, 7, 9})) == (0, 5)
    assert counted(heads, ".F.F.F.F.F") == (5, 10)


def test_environments_are_apart_and_the_worst_one_is_shown() -> None:
    linux, windows = runs(*"aabbccdd"), runs(*"aabbccdd", environment="w", environment_key="w")
    both = [one for pair in zip(linux, windows, strict=True) for one in pair]
    assert counted(both, ".F" * 8) == (0, 8)
    assert counted(both, "...F" * 4) == (4, 8)
    newer = runs(*"aabbccdd", environment="with other distributions")
    both = [one for pair in zip(linux, newer, strict=True) for one in pair]
    assert counted(both, ".F.F" + "." * 12) == (0, 14)


def test_cells_that_cannot_be_told_apart_prove_nothing() -> None:
    pairs = runs(*"aabbccdd")
    assert counted(pairs, ".F" * 4) == (4, 8)
    cells = [one._replace(**{**CI, "build": f"b{at // 2}"}) for at, one in enumerate(pairs)]
    one_of_them = flakiness(cells, ".F......")
    assert one_of_them is not None
    assert one_of_them.failures == 0
    retries = [one._replace(**{**CI, "attempt": at}) for at, one in enumerate(pairs)]
    assert counted(retries, ".F......") == (1, 8)


# -- commands -------------------------------------------------------------------------------------


@pytest.fixture
def shaky(empty_shop: Shop) -> Shop:
    """PAY fails in each fifth run on a state that passes as well; TAX once, and is flaky."""

    def results() -> Iterator[tuple[Any, Any]]:
        for at in range(20):
            pay, tax = at % 5 == 4, at == 7
            outcomes = ("F" if pay else ".") + ("F" if tax else ".") + "."
            made = [failed(one) for one in ([PAY] * pay + [TAX] * tax)]
            name = f"{at:04x}"
            run = make_run(name, outcomes, started=empty_shop.now - at * MINUTE, executions=made)
            yield run, [verdict(name, one.nodeid, Label.FLAKY, "x") for one in made]

    empty_shop.save(*results())
    return empty_shop


def test_the_list_has_rates(shaky: Shop, command: Command) -> None:
    rows = {one["nodeid"]: one for one in command("tests", "--json").json}
    pay = rows[PAY]
    assert (pay["chance_failures"], pay["executions"]) == (4, 20)
    assert (pay["rate"], pay["low"], pay["high"]) == pytest.approx(posterior(4, 20), abs=1e-6)
    assert rows[OLD]["rate"] < 0.001
    shown = command("tests", "--flaky").out.splitlines()
    assert shown[1].split()[-1] == PAY
    assert "19% (7-34%)" in shown[1]
    assert len(shown) == 3


def test_the_surest_flaky_test_comes_first(shaky: Shop, command: Command) -> None:
    """Not the one that failed most often: three of three may be anything."""
    assert [one["nodeid"] for one in command("tests", "--flaky", "--json").json] == [PAY, TAX]


def test_genuine_failures_and_tests_that_came_later(empty_shop: Shop, command: Command) -> None:
    """OLD came with the second run; TAX fails on states of its own, which was genuine."""

    def run(at: int) -> tuple[Any, Any]:
        name, bad = f"{at:04x}", at % 4 == 3
        suite = [PAY, TAX, OLD] if at else [PAY, TAX]
        made = [failed(TAX)] if bad else []
        outcomes = "".join("F" if one == TAX and bad else "." for one in suite)
        started = empty_shop.now - (20 - at) * MINUTE
        one = make_run(name, outcomes, started=started, suite=suite, executions=made)
        one = one._replace(state=None, head=one.head._replace(state=None))
        return one, [verdict(name, TAX, Label.GENUINE, "x")] if bad else []

    empty_shop.save(*(run(at) for at in range(20)))
    rows = {one["nodeid"]: one for one in command("tests", "--json").json}
    assert (rows[TAX]["chance_failures"], rows[TAX]["executions"]) == (0, 15)
    assert (rows[PAY]["executions"], rows[OLD]["executions"]) == (20, 19)
    assert (rows[OLD]["runs"], rows[TAX]["flips"]) == (19, 9)
    assert rows[OLD]["last_run"] == rows[PAY]["last_run"]


def test_explain_tells_the_rate(shaky: Shop, command: Command) -> None:
    said = command("explain", PAY)
    assert (
        "fails by chance in 19% of executions (7 to 34%): "
        "4 of 20 executions that can be compared" in said.out
    )
    assert "by chance" not in command("explain", OLD).out
    found = command("explain", PAY, "--json").json
    assert found["flakiness"]["executions"] == 20
    several = command("explain", "tests", "--json").json
    assert {one["nodeid"]: one["executions"] for one in several["tests"]}[PAY] == 20
