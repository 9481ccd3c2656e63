"""The commands ``tests`` and ``explain``."""

from __future__ import annotations

import pytest

from tests.cli.conftest import OLD, PAY, TAX, Command, Shop, make_run, run_id


def test_tests_are_listed_the_most_troublesome_first(shop: Shop, command: Command) -> None:
    said = command("tests", "--json")
    rows = {row["nodeid"]: row for row in said.json}
    assert set(rows) == {PAY, TAX, OLD}
    assert said.json[-1]["nodeid"] == OLD
    assert (rows[PAY]["runs"], rows[PAY]["failures"], rows[PAY]["flips"]) == (3, 1, 2)
    assert rows[PAY]["flaky"] == 1
    assert rows[TAX]["genuine"] == 1
    assert rows[TAX]["last_outcome"] == "failed"
    assert rows[OLD]["last_failure"] is None
    text = command("tests").out
    assert text.splitlines()[0].split()[-1] == "TEST"
    assert PAY in text


def test_failed_and_limit(shop: Shop, command: Command) -> None:
    assert {row["nodeid"] for row in command("tests", "--json", "--failed").json} == {PAY, TAX}
    assert len(command("tests", "--json", "--limit", "1").json) == 1
    said = command("tests", "--runs", "1", "--failed", "--json")
    assert {row["nodeid"] for row in said.json} == {TAX}


def test_no_history_is_no_error(empty_shop: Shop, command: Command) -> None:
    said = command("tests")
    assert (said.code, said.out) == (0, "")
    assert str(empty_shop.path) in said.err
    assert command("tests", "--json").json == []


def test_nothing_failed_is_said(shop: Shop, command: Command) -> None:
    shop.database.unlink()
    shop.save((make_run("aaaa", "...", started=shop.now), ()))
    said = command("tests", "--failed")
    assert (said.code, said.out) == (0, "")
    assert "none of 3 tests failed" in said.err


def test_explain_tells_results_and_the_last_failure(shop: Shop, command: Command) -> None:
    said = command("explain", PAY)
    assert said.code == 0
    assert "in 3 runs: 2 passed, 1 failed" in said.out
    assert "flaky - passed on the same state in run aaaa" in said.out
    assert "Last failure: run bbbb" in said.out
    assert "same_state: FLAKY - the same, by name" in said.out
    assert "compared with run aaaa" in said.out  # the evidence
    assert "E   OSError: oh" in said.out


def test_explain_as_json(shop: Shop, command: Command) -> None:
    known = command("explain", TAX, "--json").json
    assert known["nodeid"] == TAX
    assert [one["outcome"] for one in known["results"]] == ["failed", "passed", "passed"]
    assert known["results"][0]["run"]["id"] == run_id("dddd")
    assert known["results"][0]["executions"][0]["failures"][0]["text"]
    assert len(command("explain", TAX, "--json", "--limit", "1").json["results"]) == 1


@pytest.mark.parametrize(
    ("folder", "spelling"),
    [
        ("tests", "test_pay.py::test_pay"),
        ("tests", "tests/test_pay.py::test_pay"),
        (".", "./tests/test_pay.py::test_pay"),
        ("..", "shop/tests/test_pay.py::test_pay"),
    ],
)
def test_explain_takes_a_node_id_as_it_looks_from_here(
    shop: Shop,
    command: Command,
    monkeypatch: pytest.MonkeyPatch,
    folder: str,
    spelling: str,
) -> None:
    monkeypatch.chdir(shop.path / folder)
    said = command("explain", spelling, "--json", "--rootdir", str(shop.path))
    assert said.json["nodeid"] == PAY


def test_explain_takes_a_node_id_relative_to_an_anchor_below_gits_top(
    shop: Shop, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = shop.path / "packages" / "api"
    package.mkdir(parents=True)
    (package / "pytest.ini").write_text("[pytest]\n")
    stored = "packages/api/test_x.py::test_y"
    identity = "github.com/acme/shop//packages/api"
    run = make_run("abab", ".", started=shop.now, suite=[stored], identity=identity)
    type(shop)(package, shop.now).save((run, ()))
    monkeypatch.chdir(package)
    for spelling in ("test_x.py::test_y", stored):
        assert command("explain", spelling, "--json").json["nodeid"] == stored


@pytest.mark.parametrize("name", ["st_pay", "tests/test_pay.py::test_pya", "TEST_PAY.PY"])
def test_explain_offers_near_names(shop: Shop, command: Command, name: str) -> None:
    said = command("explain", name)
    assert said.code == 1
    assert said.out == ""
    assert f"did you mean {PAY}" in said.err


def test_explain_of_a_stranger(shop: Shop, command: Command) -> None:
    said = command("explain", "zzz")
    assert said.code == 1
    assert "see `flakefighters tests`" in said.err


def test_explain_without_a_history(empty_shop: Shop, command: Command) -> None:
    said = command("explain", PAY)
    assert said.code == 1
    assert str(empty_shop.path) in said.err


def test_all_looks_at_every_run(shop: Shop, command: Command) -> None:
    """Whatever ``--runs`` says."""

    def most(*options: str) -> int:
        return max(int(row["runs"]) for row in command("tests", "--json", *options).json)

    assert most("--runs", "1") == 1
    assert most("--runs", "1", "--all") == most("--all") == 3
