"""``flakefighters quarantine`` and ``flakefighters mark``."""

from __future__ import annotations

import json
import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from flakefighters.cli import deciding
from flakefighters.cli.deciding import author, last_day
from flakefighters.cli.place import Asked, find_place
from flakefighters.errors import ConfigError
from flakefighters.history import open_history
from flakefighters.model import Label, Target
from tests.cli.conftest import (
    IDENTITY,
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

TAXES = "tests/test_tax.py::test_vat"
LATER = 2_000_000_000_000_000  # 2033


@pytest.fixture(autouse=True)
def _ada(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deciding, "author", lambda place: "Ada")


def events(shop: Shop) -> list[tuple[str, str, str]]:
    with closing(sqlite3.connect(shop.database)) as connection:
        return connection.execute("SELECT kind, target, value FROM event ORDER BY id").fetchall()


# -- add, list, remove -----------------------------------------------------------------------


def test_in_and_out(shop: Shop, command: Command) -> None:
    (shop.path / "CODEOWNERS").write_text("tests/ @qa\n")
    said = command("quarantine", "add", PAY, "--until", "2999-12-31", "--reason", "the sandbox")
    assert (said.code, said.err) == (0, "")
    assert said.out == f"{PAY} quarantined until 2999-12-31 by Ada, owner @qa: the sandbox\n"
    said = command("quarantine", "add", "test_pay", "--issue", "https://x/1", "--owner", "Bob")
    assert said.out == f"{PAY} quarantined without an end by Ada, owner Bob (https://x/1)\n"
    (one,) = command("quarantine", "list", "--json").json
    assert {name: one[name] for name in ("target", "state", "until", "issue", "owner", "by")} == {
        "target": PAY,
        "state": "on",
        "until": None,
        "issue": "https://x/1",
        "owner": "Bob",
        "by": "Ada",
    }
    assert (one["expired"], one["passed"], one["release"]) == (False, 0, False)
    said = command("quarantine", "list")
    assert re.search(rf"{PAY} .* Bob .* Ada .*https://x/1", said.out)
    said = command("quarantine", "remove", PAY, "--reason", "mended", "--json")
    assert (said.json["state"], said.json["reason"]) == ("off", "mended")
    said = command("quarantine", "list")
    assert (said.code, said.out) == (0, "")
    assert "no test is in quarantine" in said.err
    assert command("quarantine", "list", "--json").json == []
    assert [kind for kind, _, _ in events(shop)] == ["quarantine"] * 3
    said = command("quarantine", "remove", PAY)
    assert said.code == 1
    assert "is not in quarantine" in said.err


def test_a_function_stands_for_all_of_its_parameters(shop: Shop, command: Command) -> None:
    assert command("quarantine", "add", TAXES).code == 0
    assert [target for _, target, _ in events(shop)] == [TAXES]
    assert TAXES in command("explain", TAX).out


@pytest.mark.parametrize(
    ("arguments", "code", "text"),
    [
        (["add", "tests/test_pay.py::test_payy"], 1, "did you mean"),
        (["add", "tests"], 1, "may be"),
        (["add", PAY, "--until", "soon"], 2, "is no day"),
        (["add", PAY, "--until", "2020-01-01"], 2, "is over"),
        (["add", PAY, "--reason", "x" * 501], 2, "more than 500 characters"),
        (["import", "nothing.jsonl"], 2, "cannot read nothing.jsonl"),
        (["export", "no/where.jsonl"], 2, "cannot write"),
    ],
)
def test_wrong_words(
    shop: Shop, command: Command, arguments: list[str], code: int, text: str
) -> None:
    said = command("quarantine", *arguments)
    assert (said.code, said.out) == (code, "")
    assert text in said.err
    assert events(shop) == []


def test_without_a_history(empty_shop: Shop, command: Command) -> None:
    for arguments in (["add", PAY], ["list"], ["suggest"], ["export"]):
        said = command("quarantine", *arguments)
        assert (said.code, said.out) == (1, ""), arguments
    assert not empty_shop.database.exists()


def test_a_read_only_profile(shop: Shop, command: Command) -> None:
    toml = '[profiles.team]\nurl = "sqlite:///flakefighters.db"\nread_only = true\n'
    (shop.path / "profiles.toml").write_text(toml)
    for arguments in (["quarantine", "add", PAY], ["mark", PAY, "flaky"]):
        said = command(*arguments, "--profile", "team")
        assert said.code == 2
        assert "read-only for profile team" in said.err
    assert command("quarantine", "list", "--profile", "team").code == 0


def test_terms_that_are_over_speak_up(
    shop: Shop, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    command("quarantine", "add", PAY, "--until", "1d")
    monkeypatch.setattr("time.time_ns", lambda: LATER * 1000)
    said = command("quarantine", "list")
    assert "expired 20" in said.out
    assert f"decide again {PAY}: the quarantine expired after 20" in said.err
    assert command("quarantine", "list", "--json").json[0]["expired"] is True


def test_thirty_passes_propose_release(shop: Shop, command: Command) -> None:
    command("quarantine", "add", PAY)
    at = command("quarantine", "list", "--json").json[0]["at_us"]
    shop.save(*((make_run(f"c{n:03}", "...", started=at + n), ()) for n in range(29)))
    command("quarantine", "add", PAY, "--reason", "still")
    assert command("quarantine", "list", "--json").json[0]["passed"] == 29
    assert command("quarantine", "suggest", "--json").json == []
    shop.save((make_run("cfff", "...", started=at + 99), ()))
    assert f"release {PAY}: passed 30 times in quarantine" in command("quarantine", "list").err
    said = command("quarantine", "suggest")
    assert f"release {PAY}: passed 30 times in quarantine" in said.out


def test_suggestions_have_evidence(shop: Shop, command: Command) -> None:
    said = command("quarantine", "suggest")
    assert (said.code, said.out) == (0, "")
    assert "nothing to propose" in said.err
    run = make_run("eeee", "F..", started=shop.now - MINUTE, executions=[failed(PAY, "OSError")])
    shop.save((run, [verdict("eeee", PAY, Label.FLAKY, "passed on the same state")]))
    (one,) = command("quarantine", "suggest", "--json").json
    assert one == {
        "what": "quarantine",
        "target": PAY,
        "why": "flaky in 2 of 4 runs",
        "last": "flaky [fair] - passed on the same state",
    }
    assert command("quarantine", "suggest").out.startswith(f"quarantine {PAY}: flaky in 2 of 4")
    command("mark", PAY, "genuine", "--reason", "it is real")
    assert command("quarantine", "suggest", "--json").json == []


# -- text that can be committed --------------------------------------------------------------


def test_export_and_import(shop: Shop, command: Command, tmp_path: Path) -> None:
    command("quarantine", "add", PAY, "--reason", "\x1b[31mred\n::error::no")
    command("mark", TAX, "flaky")
    file = tmp_path / "decided.jsonl"
    assert command("quarantine", "export", str(file)).err == f"wrote 2 events to {file}\n"
    assert command("quarantine", "export").out == file.read_text()
    before = events(shop)
    shop.database.unlink()
    said = command("quarantine", "import", str(file))
    assert (said.code, said.out) == (0, "added 2 events, 0 there already\n")
    assert events(shop) == before
    said = command("quarantine", "import", str(file), "--json")
    assert said.json == {"new": 0, "known": 2, "refused": [], "other_projects": []}
    listed = command("quarantine", "list").out
    assert "\x1b" not in listed
    assert "\n::error" not in listed
    # Then come the runs: the project is the same one.
    shop.fill()
    assert command("quarantine", "list", "--json").json[0]["target"] == PAY


def test_import_takes_what_is_right(shop: Shop, command: Command, tmp_path: Path) -> None:
    command("quarantine", "add", PAY)
    text = command("quarantine", "export").out
    plain = json.loads(text)
    forged = json.dumps({**plain, "target": TAX})
    file = tmp_path / "decided.jsonl"
    file.write_text(forged + "\n" + text)
    said = command("quarantine", "import", str(file))
    assert said.code == 1
    assert "line 1: it was changed since it was written" in said.err
    assert len(events(shop)) == 1
    command_other = command("quarantine", "import", str(file), "--project", "nowhere")
    assert command_other.code == 1


def test_events_of_another_project_are_left_out(
    shop: Shop, command: Command, tmp_path: Path
) -> None:
    file = tmp_path / "decided.jsonl"
    shop.save((make_run("9999", "...", started=shop.now, identity="github.com/acme/other"), ()))
    command("quarantine", "add", PAY, "--project", "github.com/acme/other")
    command("quarantine", "export", str(file), "--project", "github.com/acme/other")
    shop.database.unlink()
    said = command("quarantine", "import", str(file))
    assert said.out == "added 0 events, 0 there already\n"
    assert "left out: events of github.com/acme/other" in said.err


# -- marks -----------------------------------------------------------------------------------


def test_marks_are_shown_and_taken_back(shop: Shop, command: Command) -> None:
    said = command("mark", PAY, "flaky", "--reason", "the sandbox")
    assert said.out == f"{PAY} marked flaky by Ada, just now: the sandbox\n"
    said = command("explain", PAY)
    assert "marked flaky by Ada, just now: the sandbox" in said.out
    (one,) = command("explain", PAY, "--json").json["decisions"]
    assert (one["kind"], one["state"], one["by"]) == ("mark", "flaky", "Ada")
    assert command("mark", PAY, "fixed", "--json").json["state"] == "fixed"
    assert "marked fixed" in command("explain", PAY).out
    assert command("mark", PAY, "--undo").out == f"{PAY} mark taken back by Ada, just now\n"
    assert command("mark", PAY, "--undo").code == 1


def test_a_mark_on_a_signature(shop: Shop, command: Command) -> None:
    shown = command("show", run_id("bbbb"), "--tracebacks").out
    match = re.search(r"signature ([0-9a-f]{12})", shown)
    assert match is not None
    assert command("mark", match[1], "genuine", "--reason", "disk").code == 0
    assert "marked genuine by Ada" in command("explain", PAY).out
    assert "marked genuine" not in command("explain", TAX).out
    said = command("mark", "ffffffffffff", "genuine")
    assert said.code == 1
    assert "no signature in this history begins with" in said.err


@pytest.mark.parametrize("words", [[PAY], [PAY, "odd"], [PAY, "flaky", "--undo"]])
def test_wrong_marks(shop: Shop, command: Command, words: list[str]) -> None:
    assert command("mark", *words).code == 2
    assert events(shop) == []


def test_later_decisions_are_later_whatever_the_clock_says(
    shop: Shop, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("time.time_ns", lambda: LATER * 1000)
        command("quarantine", "add", PAY)
    command("quarantine", "remove", PAY)
    assert command("quarantine", "list", "--json").json == []
    with open_history(Target(backend="sqlite", path=shop.database)) as history:
        on, off = history.events(IDENTITY)
        assert off.supersedes == (on.id,)
        assert off.id > on.id


# -- who and until when ----------------------------------------------------------------------


def test_who_decides(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("getpass.getuser", lambda: "login")
    place = find_place(Asked())
    config = shop.path / ".git" / "config"
    plain = config.read_text()
    assert author(place, {}) == "login"
    assert author(place, {"GITHUB_ACTOR": "octocat"}) == "octocat"
    config.write_text(plain + "[user]\n\temail = ada@example.org\n")
    assert author(place, {}) == "login"
    config.write_text(plain + "[user]\n\temail = ada@example.org\n\tname = Ada Lovelace\n")
    assert author(place, {"GITHUB_ACTOR": "octocat"}) == "Ada Lovelace"
    config.write_text(plain + "[user]\n\temail = ada@example.org\n")

    def nobody() -> str:
        raise KeyError("uid")

    monkeypatch.setattr("getpass.getuser", nobody)
    assert author(place, {}) == "ada@example.org"
    config.write_text(plain)
    assert author(place, {}) == "unknown"


@pytest.mark.parametrize(
    ("text", "expected"),
    [("1970-01-03", "1970-01-03"), ("1970-01-02", "1970-01-02"), ("3d", "1970-01-05")],
)
def test_last_days(text: str, expected: str) -> None:
    assert last_day(text, 86_400_000_000) == expected
    with pytest.raises(ConfigError):
        last_day("1970-01-01", 86_400_000_000)


def test_weeks() -> None:
    assert last_day("2w", 0) == "1970-01-15"
