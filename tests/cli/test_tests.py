"""The commands ``tests`` and ``explain``."""

from __future__ import annotations

import pytest

from flakefighters.cli.options import moment
from flakefighters.errors import ConfigError
from flakefighters.model import Confidence, Label, Outcome
from tests.cli.conftest import (
    MINUTE,
    OLD,
    PAY,
    TAX,
    Command,
    Shop,
    failed,
    make_run,
    run_id,
    verdict,
)


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


@pytest.mark.parametrize(
    "name", ["st_pay", "tests/test_pay.py::test_pya", "TEST_PAY.PY", "test_payy"]
)
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


# -- the verdict that stands, and columns that add up ----------------------------------------------


def test_the_newest_joined_verdict_counts(shop: Shop, command: Command) -> None:
    later = verdict(
        "dddd", TAX, Label.FLAKY, "passed on the same state in run eeee, 1 minute later"
    )._replace(
        confidence=Confidence.PROVED,
        at=2,
    )
    from flakefighters.history import open_history
    from flakefighters.model import Target

    with open_history(Target(backend="sqlite", path=shop.database)) as history:
        assert history.add_verdicts([later]) == 1
    rows = {row["nodeid"]: row for row in command("tests", "--json").json}
    assert [rows[TAX][key] for key in ("failures", "flaky", "genuine")] == [1, 1, 0]
    assert command("runs", "--json").json[0]["verdicts"] == {"flaky": 1}
    whole = command("show", "dddd", "--json").json
    assert [(one["label"], one["stands"]) for one in whole["verdicts"]] == [
        ("genuine", False),
        ("flaky", True),
    ]
    assert whole["labels"] == {"flaky": 1}
    shown = command("show", "dddd").out
    assert "FLAKY - passed on the same state in run eeee, 1 minute later (was: genuine)" in shown
    assert "GENUINE" not in shown
    explained = command("explain", TAX).out
    assert "flaky - passed on the same state in run eeee" in explained
    assert "genuine - " not in explained
    assert {row["nodeid"] for row in command("tests", "--flaky", "--json").json} == {PAY, TAX}


def test_a_test_counts_once_in_a_run(empty_shop: Shop, command: Command) -> None:
    """However often it was tried, and however many failures an attempt had."""
    first, last = failed(PAY), failed(PAY)._replace(attempt=2)
    last = last._replace(failures=last.failures * 2)
    green = failed(PAY)._replace(attempt=2, outcome=Outcome.PASSED, failures=())
    empty_shop.save(
        (
            make_run("aaaa", "F", started=empty_shop.now, suite=[PAY], executions=[first, last]),
            [
                verdict("aaaa", PAY, Label.FLAKY, "x"),
                verdict("aaaa", PAY, Label.UNDECIDED, "x")._replace(attempt=2),
                verdict("aaaa", PAY, Label.GENUINE, "x")._replace(attempt=2, index=1),
            ],
        ),
        (
            make_run("bbbb", "R", started=empty_shop.now, suite=[PAY], executions=[first, green]),
            [verdict("bbbb", PAY, Label.FLAKY, "x")],
        ),
        (make_run("cccc", "F", started=empty_shop.now, suite=[PAY], executions=[first]), ()),
        (make_run("dddd", ".", started=empty_shop.now, suite=[PAY]), ()),
    )
    (row,) = command("tests", "--json").json
    counted = [row[key] for key in ("flaky", "genuine", "undecided", "unjudged")]
    assert counted == [1, 1, 0, 1]
    assert sum(counted) == row["failures"] + row["mixed"] == 3
    assert row["flake_rate"] == 0.25
    verdicts = {one["id"][-4:]: one["verdicts"] for one in command("runs", "--json").json}
    assert verdicts["aaaa"] == {"genuine": 1, "undecided": 1}  # of the last attempt that failed
    head, line = command("tests").out.splitlines()
    cells = dict(zip(head.replace("FLAKE RATE", "RATE").split(), line.split(), strict=False))
    assert [cells[name] for name in ("RUNS", "FAILED", "UNJUDGED", "RATE")] == [
        "4",
        "3",
        "1",
        f"{row['rate']:.0%}",
    ]
    assert (row["chance_failures"], row["executions"]) == (4, 6)  # attempts are executions
    assert row["low"] < row["rate"] < row["high"]


def test_branch_and_since_choose_runs(shop: Shop, command: Command) -> None:
    old = make_run("1111", "FF.", started=shop.now - 9 * 24 * 60 * MINUTE)
    shop.save((old._replace(head=old.head._replace(branch="stable")), ()))

    def runs(*options: str) -> int:
        return max((row["runs"] for row in command("tests", "--json", *options).json), default=0)

    assert runs() == 4
    assert runs("--branch", "stable") == 1
    assert runs("--branch", "main") == 3
    assert runs("--since", "7d") == 3
    assert runs("--since", "2001-01-01") == 4
    said = command("tests", "--branch", "nobody")
    assert (said.code, said.out) == (0, "")
    assert "no test ran in the runs that were asked for" in said.err
    assert command("tests", "--since", "yesterday").code == 2


def test_the_list_has_a_limit(empty_shop: Shop, command: Command) -> None:
    suite = [f"tests/test_many.py::test_{number:02}" for number in range(40)]
    empty_shop.save((make_run("aaaa", "." * 40, started=empty_shop.now, suite=suite), ()))
    said = command("tests")
    assert len(said.out.splitlines()) == 31
    assert "10 more tests (--limit 0 shows all)" in said.err
    assert len(command("tests", "--limit", "0").out.splitlines()) == 41
    assert len(command("tests", "--json").json) == 40


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("7d", 10**15 - 7 * 86_400_000_000),
        ("90 min ago", 10**15 - 90 * 60_000_000),
        ("1970-01-02", 86_400_000_000),
        ("1970-01-01T01:00+01:00", 0),
    ],
)
def test_moments(text: str, wanted: int) -> None:
    assert moment(text, 10**15) == wanted


@pytest.mark.parametrize("text", ["", "soon", "7", "-7d", "9999999d", "2026-13-01", "d"])
def test_what_is_no_moment(text: str) -> None:
    with pytest.raises(ConfigError, match="--since"):
        moment(text, 10**15)


# -- names that stand for several tests ------------------------------------------------------------

MANY = [
    "tests/unit/test_m.py::test_n[1]",
    "tests/unit/test_m.py::test_n[2]",
    "tests/unit/test_m.py::test_name",
    "tests/unit/test_m.py::TestBox::test_n",
    "tests/other/test_m2.py::test_alone[x::y]",
]


@pytest.fixture
def many(empty_shop: Shop) -> Shop:
    run = make_run(
        "aaaa",
        "F..F.",
        started=empty_shop.now,
        suite=MANY,
        executions=[failed(MANY[0]), failed(MANY[3])],
    )
    verdicts = [
        verdict("aaaa", MANY[0], Label.GENUINE, "ran f()"),
        verdict("aaaa", MANY[3], Label.FLAKY, "passed before"),
    ]
    empty_shop.save((run, verdicts))
    return empty_shop


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("tests/unit/test_m.py::test_n", [0, 1]),
        ("./tests/unit/test_m.py::test_n", [0, 1]),
        ("tests/unit/test_m.py", [0, 1, 2, 3]),
        ("tests/unit/", [0, 1, 2, 3]),
        ("tests", [0, 1, 2, 3, 4]),
        ("test_m.py", [0, 1, 2, 3]),
        ("test_n", [0, 1, 3]),
        ("unit/test_m.py::test_n", [0, 1]),
    ],
)
def test_explain_takes_what_pytest_takes(
    many: Shop, command: Command, name: str, wanted: list[int]
) -> None:
    said = command("explain", name)
    assert said.code == 0
    assert f": {len(wanted)} tests" in said.out.splitlines()[0]
    found = command("explain", name, "--json").json
    assert {one["nodeid"] for one in found["tests"]} == {MANY[at] for at in wanted}
    failing = [MANY[at] for at in wanted if at in (0, 3)]
    assert sorted(one["nodeid"] for one in found["results"]) == sorted(failing)


@pytest.mark.parametrize(
    ("name", "wanted"),
    [("TestBox", 3), ("test_alone", 4), ("test_name", 2), ("TestBox::test_n", 3), (MANY[4], 4)],
)
def test_a_name_of_one_test_explains_it(
    many: Shop, command: Command, name: str, wanted: int
) -> None:
    assert command("explain", name, "--json").json["nodeid"] == MANY[wanted]
    assert command("explain", name, "--json").json["results"]


def test_what_is_told_of_several(many: Shop, command: Command) -> None:
    said = command("explain", "tests/unit")
    for part in ("GENUINE - ran f()", "FLAKY - passed before", "last failed in run aaaa"):
        assert part in said.out
    assert "name one of them" in said.err
    again = command("explain", "tests/unit", "--recheck")
    assert again.code == 1
    assert "stands for 4 tests" in again.err
    # The only one that failed in that run.
    assert command("explain", "test_m.py::test_n", "--run", "aaaa").code == 0
