"""The benchmark of whole runs: the states that it makes, and the table that it prints."""

from __future__ import annotations

import random
import sqlite3
import sys
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.benchmarks.overhead.branches import EDIT, STEPS, git, show
from tests.benchmarks.overhead.cases import Result
from tests.benchmarks.overhead.generated import GENERATED, make
from tests.benchmarks.overhead.measuring import Sample
from tests.benchmarks.overhead.projects import copy
from tests.benchmarks.overhead.report import Figures, as_markdown
from tests.benchmarks.overhead.rows import ROWS
from tests.benchmarks.verdicts import setups
from tests.benchmarks.verdicts.company import company_table, kinds_table
from tests.benchmarks.verdicts.fixes import reversed_fixes
from tests.benchmarks.verdicts.flaky import flaky_half
from tests.benchmarks.verdicts.genuine import genuine_half
from tests.benchmarks.verdicts.histories import PLACES, SHARES, Past, kinds_for, ways
from tests.benchmarks.verdicts.suite import Suite


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A git checkout with four source files and two test files."""
    folder = tmp_path / "shop"
    (folder / "src/shop").mkdir(parents=True)
    (folder / "tests").mkdir()
    for number in range(4):
        body = "def f():\n    return 1\n" * (number + 1)
        (folder / f"src/shop/part_{number}.py").write_text(body)
    (folder / "tests/test_few.py").write_text("def test_a(): pass\n")
    (folder / "tests/test_small.py").write_text(
        "".join(f"def test_{name}():\n    assert True\n" for name in "abc")
    )
    git(folder, "init", "-q", "-b", "work")
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "Shop")
    return folder


def test_a_checkout_is_copied_with_its_states(checkout: Path, tmp_path: Path) -> None:
    (checkout / "untracked.py").write_text("")
    project = copy(str(checkout), tmp_path / "into")
    assert (project.name, project.small) == ("shop", "tests/test_small.py")
    assert project.python_path == str(project.folder / "src")
    assert not (project.folder / "untracked.py").exists()
    assert git(checkout, "branch", "--format=%(refname:short)").split() == ["work"]
    assert {row.state for row in ROWS.values() if row.per_project} <= set(project.changed)
    assert [project.changed[step] for step in STEPS] == [1, 2, 3]


def test_an_edit_is_not_committed(checkout: Path, tmp_path: Path) -> None:
    folder = copy(str(checkout), tmp_path / "into").folder
    show(folder, EDIT)
    assert git(folder, "status", "--porcelain").split() == ["M", "src/shop/part_3.py"]
    assert git(folder, "rev-parse", "HEAD") == git(folder, "rev-parse", "base")
    show(folder, STEPS[-1])
    assert git(folder, "status", "--porcelain") == ""


def test_the_small_file_can_be_named(checkout: Path, tmp_path: Path) -> None:
    named = copy(f"{checkout}:tests/test_few.py", tmp_path / "into")
    assert named.small == "tests/test_few.py"
    with pytest.raises(SystemExit, match="has no file"):
        copy(f"{checkout}:tests/none.py", tmp_path / "into")
    with pytest.raises(SystemExit, match="is no git checkout"):
        copy(str(tmp_path), tmp_path / "into")


def test_every_row_has_its_project(tmp_path: Path) -> None:
    assert set(GENERATED) == {row.slug for row in ROWS.values() if not row.per_project}
    before, after = GENERATED["twenty-failing"]()
    lines = sum(text.count("\n") for text in before.values())
    assert 100_000 <= lines < 105_000
    assert set(after) <= set(before)
    make("one-failing", tmp_path / "made")
    assert git(tmp_path / "made", "diff", "--name-only", "base", "last") == "shop/rates.py\n"


def _samples(cpu: float, memory: int) -> list[Sample]:
    return [Sample(cpu, cpu, memory, 0, {"passed": 1}, "")] * 3


@pytest.mark.parametrize(
    ("python", "ours", "told"),
    [
        ("3.13", 2.1, "| 2.00 s | 1.05 | +0.10 s | 0.98 | 1.20 | 1.08 |"),
        ("3.13", 2.4, "| 2.00 s | **1.20** | +0.40 s | 1.15 | 1.20 | 1.08 |"),
        ("3.11", 2.26, "| 2.00 s | 1.13 | +0.26 s | 1.07 | 1.20 | 1.15 |"),
    ],
)
def test_the_table(python: str, ours: float, told: str) -> None:
    case = Result("shop: whole suite", ROWS["suite-edit"])
    case.samples = {"bare": _samples(2.0, 100), "ours": _samples(ours, 120)}
    start = Result("one trivial test", ROWS["one-test"])
    start.samples = {"bare": _samples(0.2, 100), "ours": _samples(0.33, 110)}
    figures = Figures(python, results=[case, start], startup=start)
    table = as_markdown([figures], 3)
    assert f"| shop: whole suite {told}\n" in table
    assert "| one trivial test | 0.20 s | 1.65 | +0.13 s |  | 1.10 | +0.15 s |\n" in table


@pytest.mark.slow
def test_fixes_are_reversed_where_they_are_tested(checkout: Path, tmp_path: Path) -> None:
    code, test = checkout / "src/shop/part_0.py", checkout / "tests/test_few.py"
    code.write_text("def f():\n    return 2\n")
    git(checkout, "commit", "-aqm", "Fix what no test tells")
    code.write_text("def f():\n    return 3\n")
    test.write_text("from shop import part_0\n\n\ndef test_f():\n    assert part_0.f() == 3\n")
    git(checkout, "commit", "-aqm", "Fix f()")
    suite = Suite(checkout, tmp_path / "work", sys.executable, ("-p", "no:cacheprovider"))
    (record,) = reversed_fixes(suite, "HEAD", 5, lambda key: False)
    assert (record["half"], record["path"]) == ("genuine", "src/shop/part_0.py")
    (failure,) = record["failures"]
    assert (failure["nodeid"], failure["label"]) == ("tests/test_few.py::test_f", "genuine")


def test_github_runs_in_a_new_clone(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(setups, "environment", lambda python, folder: python)
    monkeypatch.setattr(setups, "install", lambda python, folder, layout: None)
    (checkout / "flakefighters.db").write_text("before")
    ready = setups.prepare("github", checkout, "python", checkout)
    assert git(ready.folder, "rev-list", "--count", "--all") == "1\n"
    assert (ready.folder / "flakefighters.db").read_text() == "before"
    (ready.folder / "flakefighters.db").write_text("after")
    ready.finish(checkout)
    assert (checkout / "flakefighters.db").read_text() == "after"


def test_kinds_come_in_their_shares() -> None:
    kinds = Counter(kinds_for(map(str, range(10_000)), random.Random(1)).values())
    assert sum(SHARES.values()) == 100
    assert all(abs(kinds[kind] / 100 - share) < 2 for kind, share in SHARES.items())


@pytest.fixture(autouse=True)
def dates(monkeypatch: pytest.MonkeyPatch) -> None:
    """The benchmark draws by the names of commits: with the same dates they are the same."""
    for name in ("GIT_AUTHOR_DATE", "GIT_COMMITTER_DATE"):
        monkeypatch.setenv(name, "2026-01-01T00:00:00Z")


@pytest.fixture
def shop(checkout: Path) -> Path:
    """A checkout with tests of one function, and some commits."""
    (checkout / "src/shop/tax.py").write_text("def tax(net):\n    return net // 5\n")
    tests = "from shop import tax\n" + "".join(
        f"def test_{n}():\n    assert tax.tax({5 * n}) == {n}\n" for n in range(1, 7)
    )
    (checkout / "tests/test_tax.py").write_text(tests)
    git(checkout, "add", "-A")
    git(checkout, "commit", "-q", "-m", "Add tax")
    for number in range(3):
        (checkout / "src/shop/part_0.py").write_text(f"def f():\n    return {number}\n")
        git(checkout, "commit", "-aqm", "Change f()")
    return checkout


def _suite(folder: Path, work: Path) -> Suite:
    return Suite(folder, work, sys.executable, ("-p", "no:cacheprovider"))


def _past(suite: Suite) -> dict[str, list[tuple[str | None, str | None]]]:
    """Of each run in the kept history, what was said of what failed."""
    with closing(sqlite3.connect(suite.work / f"{suite.name}.history")) as connection:
        rows = connection.execute(
            "SELECT r.id, t.nodeid, v.label || ', ' || v.confidence FROM run r LEFT JOIN verdict v"
            " ON v.run = r.id AND v.fighter = 'joint' LEFT JOIN test t ON t.id = v.test"
            " ORDER BY r.started, v.at"
        )
        found: dict[str, list[tuple[str | None, str | None]]] = {}
        for run, nodeid, said in rows:
            found.setdefault(run, []).append((nodeid, said))
    return found


@pytest.mark.slow
def test_mutants_have_failed_by_chance_before(shop: Path, tmp_path: Path) -> None:
    suite = _suite(shop, tmp_path / "work")
    past = Past(4)
    (record,) = genuine_half(suite, "HEAD", 1, 1, lambda key: False, past=past)
    assert record["key"].endswith(" 4 earlier")
    names = {one["nodeid"] for one in record["failures"]}
    assert names
    assert all(one["label"] == "genuine" for one in record["failures"])
    assert all(one["ways"]["reruns"]["label"] == "genuine" for one in record["failures"])
    assert all(one["said"] for one in record["failures"])
    runs = list(_past(suite).values())
    assert len(runs) == past.runs
    assert runs[-1] == [(None, None)]  # the last one passes
    proved = {nodeid for run in runs for nodeid, said in run if said == "flaky, proved"}
    assert names & proved


@pytest.mark.slow
@pytest.mark.parametrize("place", PLACES)
def test_flaky_tests_have_failed_before(shop: Path, tmp_path: Path, place: str) -> None:
    suite = _suite(shop, tmp_path / "work")
    (record,) = flaky_half(suite, "HEAD", 1, 1, 1, lambda key: False, past=Past(4, place))
    assert len(_past(suite)) == 4
    assert record["failures"]
    for failure in record["failures"]:
        assert failure["error"] in SHARES
        assert failure["label"] == "flaky", failure
        assert failure["by"] == ("same_state" if place == "same" else "touched_change")


def test_ways_of_judging() -> None:
    assert list(ways(None, confirm=True)) == [""]
    assert list(ways(Past(10), confirm=False)) == ["", "reruns"]
    assert list(ways(Past(10), confirm=True)) == ["", "reruns", "trials"]
    assert (Past(10).states, Past(10, "same").states, Past(10).worlds) == (5, 1, 4)


def _failure(label: str, again: str, **said: str) -> dict[str, Any]:
    more = {"error": "order", "runs_change": False}
    return {"label": label, "ways": {"reruns": {"label": again}}, "said": said, **more}


def test_what_each_flakefighter_said_is_told() -> None:
    records: list[dict[str, Any]] = [
        {
            "half": "flaky",
            "failures": [
                _failure("flaky", "flaky", traceback="flaky"),
                _failure("genuine", "flaky", touched_change="genuine"),
            ],
        },
        {
            "half": "genuine",
            "failures": [
                _failure("genuine", "genuine", touched_change="genuine", traceback="flaky")
            ],
        },
        {"half": "genuine", "failures": None},
    ]
    table = company_table(records)
    assert "| `touched_change` | 1 | 0 | 0 | 1 |  | 0.0 % | 50.0 % | 100.0 % |\n" in table
    assert "| `traceback` | 0 | 1 | 1 | 0 | 50.0 % | 50.0 % |  | 0.0 % |\n" in table
    assert "| with reruns 1 | 1 | 0 | 2 | 0 | 100.0 % | 100.0 % | 100.0 % | 100.0 % |\n" in table
    told = kinds_table(records[:1])
    assert "| order | 2 | 0 | 1 (50.0 %) | 2 (100.0 %) |\n" in told
    assert company_table([{"half": "flaky", "failures": [{"label": "flaky"}]}]) == ""
