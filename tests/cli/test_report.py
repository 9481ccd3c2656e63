"""The command ``report``: every format, from the same history."""

from __future__ import annotations

import csv
import importlib
import io
import json
import subprocess
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from flakefighters.model import Label
from tests.cli.conftest import MINUTE, OLD, PAY, TAX, Command, Shop, failed, make_run, verdict
from tests.requirements import need_module

ROOT = Path(__file__).resolve().parents[2]


def test_markdown_of_the_newest_run_is_what_comes_without_options(
    shop: Shop, command: Command
) -> None:
    said = command("report")
    assert (said.code, said.err) == (0, "")
    assert said.out.startswith("### flakefighters: 1 genuine\n")
    assert "run `dddd`" in said.out
    assert "imports shop/tax.py, changed" in said.out
    assert "failed in 1 of 3 runs" in said.out
    assert command("report", "bbbb").out.startswith("### flakefighters: 1 flaky\n")


def test_json_has_the_schema_of_the_session_file(shop: Shop, command: Command) -> None:
    need_module("jsonschema")
    told = command("report", "bbbb", "--format", "json").json
    schema = json.loads((ROOT / "docs/reference/run.schema.json").read_text("utf-8"))
    jsonschema: Any = importlib.import_module("jsonschema")
    jsonschema.validate(told, schema)
    assert told["saved"] is True
    assert told["exit_code"] == 1
    assert told["counts"]["verdicts"] == {"flaky": 1}
    (failure,) = told["failures"]
    assert failure["verdict"]["reason"] == "passed on the same state in run aaaa"
    assert [one["fighter"] for one in failure["said"]] == ["same_state"]
    looked = told["looked_at"]
    assert (looked["runs"], looked["branch"]) == (3, None)
    assert {one["nodeid"] for one in looked["tests"]} == {PAY, TAX}


def test_junit_as_pytest_and_surefire_write_it(shop: Shop, command: Command) -> None:
    (suite,) = ET.fromstring(command("report", "bbbb", "--format", "junit").out)
    assert {name: suite.get(name) for name in ("tests", "failures", "errors", "skipped")} == {
        "tests": "3",
        "failures": "1",
        "errors": "0",
        "skipped": "0",
    }
    case = suite[0]
    assert (case.get("classname"), case.get("name")) == ("tests.test_pay", "test_pay")
    values = {one.get("name"): one.get("value") for one in case.iter("property")}
    assert values["flakefighters_verdict"] == "flaky"
    failure = case.find("failure")
    assert failure is not None
    assert failure.get("message") == "OSError: oh"
    (newest,) = ET.fromstring(command("report", "dddd", "--format", "junit").out)
    assert newest.get("tests") == "2"  # one was not run


def test_csv_of_all_tests_and_of_one_run(shop: Shop, command: Command) -> None:
    rows = list(csv.DictReader(io.StringIO(command("report", "--format", "csv").out)))
    assert [row["nodeid"] for row in rows] == [PAY, TAX, OLD]  # a genuine failure costs nothing
    assert (rows[0]["red_builds"], rows[0]["red_alone"], rows[0]["lost_seconds"]) == (
        "1",
        "1",
        "3.2",
    )
    named = list(csv.DictReader(io.StringIO(command("report", "dddd", "--format", "csv").out)))
    assert [(row["outcome"], row["verdict"]) for row in named] == [
        ("passed", ""),
        ("failed", "genuine"),
        ("not run", ""),
    ]


def test_csv_has_no_formula(empty_shop: Shop, command: Command) -> None:
    name = "=cmd|'/C calc'!A0"
    run = make_run(
        "eeee", "F", started=empty_shop.now - MINUTE, suite=[name], executions=[failed(name)]
    )
    empty_shop.save((run, [verdict("eeee", name, Label.FLAKY, "+1 is =2")]))
    for more in ((), ("eeee",)):
        (row,) = csv.DictReader(io.StringIO(command("report", *more, "--format", "csv").out))
        assert row["nodeid"] == f"'{name}"


def test_a_file_is_written_whole_and_its_name_tells_the_format(
    shop: Shop, command: Command, tmp_path: Path
) -> None:
    for name, start in {
        "report.html": "<!doctype html>",
        "report.md": "### flakefighters",
        "report.json": "{\n",
        "report.xml": "<?xml",
        "report.csv": "nodeid,",
    }.items():
        path = tmp_path / name
        path.write_text("what was there before")
        said = command("report", "-o", str(path))
        assert (said.code, said.out) == (0, "")
        assert name in said.err
        assert path.read_text("utf-8").startswith(start)
    assert not [path.name for path in tmp_path.iterdir() if path.name.startswith(".report")]
    assert command("report", "-o", str(tmp_path / "no" / "report.md")).code == 2


def test_html_is_nothing_for_a_terminal(
    shop: Shop, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    said = command("report", "--format", "html")
    assert (said.code, said.out) == (2, "")
    assert "-o report.html" in said.err


def test_runs_are_chosen_by_branch_and_time(shop: Shop, command: Command) -> None:
    assert "run `dddd`" in command("report", "--branch", "main").out
    assert command("report", "--branch", "none").code == 1
    old = command("report", "--since", "10min", "--format", "json").json
    assert old["looked_at"]["runs"] == 1
    assert command("report", "--since", "never").code == 2


def test_no_history_is_said(empty_shop: Shop, command: Command) -> None:
    said = command("report")
    assert (said.code, said.out) == (1, "")
    assert "no history yet" in said.err
    assert not empty_shop.database.exists()


def _data(page: Path) -> dict[str, object]:
    text = page.read_text("utf-8").partition('id="data">')[2].partition("</script>")[0]
    found: dict[str, object] = json.loads(text)
    return found


def test_a_change_is_shown_as_git_has_it(
    empty_shop: Shop, command: Command, tmp_path: Path
) -> None:
    """From this checkout's objects alone, and only if the runs tested these very commits."""
    code = empty_shop.path / "shop.py"
    commits = []
    for rate in (20, 19):
        code.write_text(f"def tax(price):\n    return price * {rate} // 100\n")
        git = ["git", "-C", str(empty_shop.path), "-c", "user.name=a", "-c", "user.email=a@b"]
        subprocess.run([*git, "add", "shop.py"], check=True)
        subprocess.run([*git, "commit", "-qm", "x"], check=True)
        done = subprocess.run([*git, "rev-parse", "HEAD"], check=True, capture_output=True)
        commits.append(done.stdout.decode().strip())
    touched = [
        ["ran", "function", path, "tax()", 1, "changed"] for path in ("shop.py", "/etc/passwd")
    ]
    given = verdict("bbbb", TAX, Label.GENUINE, "ran tax()")
    given = given._replace(
        evidence={
            "by": "touched_change",
            "baseline": given.evidence["baseline"],
            "touched": touched,
        }
    )
    passed = make_run("aaaa", "...", started=empty_shop.now - 9 * MINUTE, commit=commits[0])
    red = make_run(
        "bbbb", ".F.", started=empty_shop.now - MINUTE, commit=commits[1], executions=[failed(TAX)]
    )
    empty_shop.save((passed, ()), (red, [given]))
    page = tmp_path / "report.html"
    assert command("report", "-o", str(page)).code == 0
    (failure,) = _data(page)["run"]["failures"]  # type: ignore[index]
    (diff,) = failure["diffs"]
    assert diff["path"] == "shop.py"
    assert diff["lines"][1:] == [
        " def tax(price):",
        "-    return price * 20 // 100",
        "+    return price * 19 // 100",
    ]
    assert (failure["cause"], failure["change"]) == ("ran what changed", "tax() in shop.py")
    assert "```diff\n" in command("report").out
    dirty = make_run(
        "dddd", ".F.", started=empty_shop.now, commit=commits[1], executions=[failed(TAX)]
    )
    empty_shop.save((dirty, [given._replace(run=dirty.head.id)]))
    assert "```diff\n" not in command("report").out
