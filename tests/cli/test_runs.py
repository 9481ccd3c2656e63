"""The commands ``runs`` and ``show``."""

from __future__ import annotations

from pathlib import Path

import pytest

from flakefighters.model import Label
from tests.cli.conftest import (
    MINUTE,
    PAY,
    TAX,
    Command,
    Shop,
    failed,
    make_run,
    run_id,
    verdict,
)


def test_runs_are_listed_newest_first(shop: Shop, command: Command) -> None:
    said = command("runs")
    assert said.code == 0
    head, *rows = said.out.splitlines()
    assert head.split()[:4] == ["RUN", "STARTED", "TOOK", "TESTS"]
    assert [row.split()[0] for row in rows] == ["dddd", "bbbb", "aaaa"]
    assert "5 minutes ago" in rows[0]
    assert "a1b2c3d+" in rows[0]
    assert "interrupted" in rows[0]
    assert "\x1b" not in said.out
    assert said.err == ""


def test_runs_as_json_are_whole_and_in_utc(shop: Shop, command: Command) -> None:
    newest, middle, oldest = command("runs", "--json").json
    assert newest["id"] == run_id("dddd")
    assert newest["started_us"] == shop.now - 5 * MINUTE
    assert newest["started"].endswith("Z")
    assert newest["completeness"] == "interrupted"
    assert newest["verdicts"] == {"genuine": 1}
    assert middle["verdicts"] == {"flaky": 1}
    assert oldest["outcomes"] == {"passed": 3}


def test_limit(shop: Shop, command: Command) -> None:
    assert len(command("runs", "--json", "--limit", "2").json) == 2
    assert len(command("runs", "--json", "--limit", "0").json) == 3


def test_short_ids_are_longer_where_they_would_be_alike(shop: Shop, command: Command) -> None:
    shop.save((make_run("1aaaa", "...", started=shop.now - 2 * MINUTE), ()))
    names = [row.split()[0] for row in command("runs").out.splitlines()[1:]]
    assert names == ["1aaaa", "dddd", "bbbb", "0aaaa"]
    assert command("show", "1aaaa").code == 0


def test_no_history_is_no_error_and_says_where_it_looked(
    empty_shop: Shop, command: Command
) -> None:
    said = command("runs")
    assert (said.code, said.out) == (0, "")
    assert str(empty_shop.path) in said.err
    assert "flakefighters.db" in said.err
    assert command("runs", "--json").json == []
    assert not empty_shop.database.exists()
    assert sorted(path.name for path in empty_shop.path.iterdir()) == [
        ".git",
        "pytest.ini",
        "tests",
    ]


def test_runs_of_other_projects_are_named_not_shown(empty_shop: Shop, command: Command) -> None:
    other = make_run("cccc", "...", started=empty_shop.now, identity="example.org/else/where")
    empty_shop.save((other, ()))
    said = command("runs")
    assert (said.code, said.out) == (0, "")
    assert "example.org/else/where" in said.err
    for choice in (("--project", "example.org/else/where"), ("--project", "where")):
        assert [run["id"] for run in command("runs", "--json", *choice).json] == [run_id("cccc")]
    assert "example.org/else/where" in command("runs", "--all-projects").out
    unknown = command("runs", "--project", "nowhere")
    assert unknown.code == 1
    assert "example.org/else/where" in unknown.err


@pytest.mark.parametrize("start", [".", "tests"])
def test_the_history_is_found_from_within_the_project(
    shop: Shop, command: Command, monkeypatch: pytest.MonkeyPatch, start: str
) -> None:
    monkeypatch.chdir(shop.path / start)
    assert len(command("runs", "--json").json) == 3


def test_rootdir_and_database_url(
    shop: Shop, command: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    assert command("runs", "--json").json == []
    assert len(command("runs", "--json", "--rootdir", str(shop.path)).json) == 3
    url = f"sqlite:///{shop.database}"
    said = command("runs", "--json", "--all-projects", "--database-url", url)
    assert len(said.json) == 3
    missing = command("runs", "--rootdir", str(tmp_path / "nowhere"))
    assert missing.code == 2
    assert "nowhere" in missing.err


def test_a_damaged_database_is_said_to_be_so(empty_shop: Shop, command: Command) -> None:
    empty_shop.database.write_bytes(b"This is not a database, whatever its name says." * 99)
    for arguments in (("runs",), ("show", "dddd"), ("tests",), ("explain", PAY)):
        said = command(*arguments)
        assert said.code == 3, arguments
        assert said.out == ""
        assert "flakefighters.db" in said.err
        assert "[foreign-database]" in said.err
        assert "Traceback" not in said.err


def test_wrong_usage(shop: Shop, command: Command) -> None:
    assert command("runs", "--no-such-option").code == 2
    assert command("show", "dddd", "bbbb").code == 2
    assert command("no-such-command").code == 2
    unknown = command("runs", "--profile", "nobody")
    assert unknown.code == 2
    assert "nobody" in unknown.err


def test_show_tells_head_counts_and_verdicts(shop: Shop, command: Command) -> None:
    said = command("show", "dddd")
    assert said.code == 0
    assert run_id("dddd") in said.out
    for part in (
        "shop",
        "5 minutes ago), took 3.2 s",
        "a1b2c3d4a1b2c3d4",
        "on main, with uncommitted changes",
        "os Linux, python 3.11",
        "interrupted",
        "3: 1 passed, 1 failed, 1 not run",
        f"FAILED {TAX}",
        "in call: AssertionError",
        "GENUINE - imports shop/tax.py, changed [fair]",
    ):
        assert part in said.out
    assert "E   AssertionError" not in said.out
    assert "E   AssertionError: oh" in command("show", "dddd", "--tracebacks").out


def test_show_as_json(shop: Shop, command: Command) -> None:
    run = command("show", "bbbb", "--json").json
    assert run["id"] == run_id("bbbb")
    assert run["results"][0] == {"nodeid": PAY, "outcome": "failed"}
    (execution,) = run["executions"]
    assert execution["failures"][0]["exception"] == "OSError"
    assert {one["fighter"] for one in run["verdicts"]} == {"joint", "same_state"}
    assert run["environment_details"]["distributions"] == {"pytest": "9.2.0"}


def test_show_says_what_it_leaves_out(empty_shop: Shop, command: Command) -> None:
    suite = [f"tests/test_many.py::test_{number}" for number in range(9)]
    run = make_run(
        "eeee",
        "F" * 9,
        started=empty_shop.now,
        suite=suite,
        executions=[failed(name) for name in suite],
    )
    empty_shop.save((run, ()))
    said = command("show", "eeee", "--limit", "4")
    assert said.out.count("FAILED") == 4
    assert "5 more" in said.err
    assert command("show", "eeee", "--limit", "0").out.count("FAILED") == 9


@pytest.mark.parametrize("name", ["ffff", "not-an-id", ""])
def test_an_unknown_run_is_not_found(shop: Shop, command: Command, name: str) -> None:
    said = command("show", name)
    assert said.code == 1
    assert said.out == ""
    assert "[not-found]" in said.err


def test_show_without_a_history(empty_shop: Shop, command: Command) -> None:
    said = command("show", "aaaa")
    assert said.code == 1
    assert str(empty_shop.path) in said.err


def test_a_hostile_history_cannot_steer_the_terminal(empty_shop: Shop, command: Command) -> None:
    nasty = "tests/test_\x1b[2J\u202egnp.py::test_\x07\n::error::x"
    execution = failed(nasty, "\x1b]0;x\x07Error", "E  \x1b[31m\u2066bad\x9b2J\n")
    run = make_run("\x61bcd", "F", started=empty_shop.now, suite=[nasty], executions=[execution])
    run = run._replace(head=run.head._replace(branch="\x1b[5mblink"))
    empty_shop.save((run, [verdict("abcd", nasty, Label.FLAKY, "because \x1b[0m\u202e")]))
    for arguments in (
        ("runs",),
        ("runs", "--json"),
        ("show", "abcd", "--tracebacks"),
        ("show", "abcd", "--json"),
        ("tests",),
        ("explain", nasty),
        ("explain", nasty + "?"),
    ):
        said = command(*arguments)
        for letter in "\x1b\x07\x9b\u202e\u2066":
            assert letter not in said.out + said.err, (arguments, letter)
        assert "\n::error" not in said.out + said.err


def test_show_without_a_run_is_the_newest(shop: Shop, command: Command) -> None:
    other = make_run("eeee", "...", started=shop.now, identity="example.org/else/where")
    shop.save((other, ()))
    assert command("show", "--json").json["id"] == run_id("dddd")
    assert command("show", "--json", "--project", "where").json["id"] == run_id("eeee")


def test_show_without_any_run(empty_shop: Shop, command: Command) -> None:
    said = command("show")
    assert said.code == 1
    assert str(empty_shop.path) in said.err
    assert "None" not in said.err


@pytest.mark.parametrize("width", [60, 80])
def test_runs_fit_the_terminal(
    shop: Shop, command: Command, monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    long = make_run("eeee", "F..", started=shop.now, executions=[failed(PAY)])
    head = long.head._replace(branch="feature/a-branch-with-a-long-name", job="tests", pr="12")
    shop.save((long._replace(head=head), [verdict("eeee", PAY, Label.FLAKY, "x")]))
    lines = command("runs").out.splitlines()
    assert max(map(len, lines)) <= width
    assert "1 flaky" in lines[1]
    assert "interrupted" in lines[2]
