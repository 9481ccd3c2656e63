"""``flakefighters prune`` and ``flakefighters purge``."""

from __future__ import annotations

import json
import os
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from flakefighters.capture.recovery import recover
from flakefighters.cli import main
from flakefighters.history import upkeep
from flakefighters.history.purge_text import signature_id
from tests.cli.conftest import MINUTE, PAY, Command, Shop, failed, make_run, run_id
from tests.history.leaks import SECRET

TOML = '[profiles.local]\nurl = "sqlite:///flakefighters.db"\n'


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upkeep, "PAUSE", 0.0)


def runs(command: Command) -> list[str]:
    return [run["id"] for run in command("runs", "--json", "--limit", "0").json]


# -- prune -----------------------------------------------------------------------------------


def test_prune_asks_on_a_terminal(
    shop: Shop, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    answers = iter([False, True])

    def answer(question: str, **_: object) -> bool:
        asked.append(question)
        return next(answers)

    monkeypatch.setattr("flakefighters.cli.prune.sys", Terminal)
    monkeypatch.setattr("flakefighters.cli.prune.typer.confirm", answer)
    assert main(["prune", "--keep-runs", "2"]) == 1
    assert len(runs(command)) == 3
    assert main(["prune", "--keep-runs", "2"]) == 0
    assert len(runs(command)) == 2
    assert main(["prune", "--keep-runs", "2"]) == 0, "there is nothing to ask for"
    assert main(["prune", "--keep-runs", "1", "--dry-run"]) == 0
    assert main(["prune", "--keep-runs", "1", "--yes"]) == 0
    assert len(runs(command)) == 1
    assert asked == ["Remove 1 run from sqlite:///flakefighters.db? It cannot be undone."] * 2


def test_prune_by_the_profile(shop: Shop, command: Command) -> None:
    (shop.path / "profiles.toml").write_text(TOML + "keep_runs = 2\n")
    said = command("prune", "--dry-run")
    assert said.code == 0
    assert "github.com/acme/shop: would prune 1 run that started before" in said.out
    assert "2 builds stay" in said.out
    assert len(runs(command)) == 3
    said = command("prune", "--json")
    assert said.code == 0
    (project,) = said.json["projects"]
    assert (project["runs"], project["builds_kept"], said.json["runs"]) == (1, 2, 1)
    assert project["before_us"] == shop.now - 30 * MINUTE
    assert runs(command) == [run_id("dddd"), run_id("bbbb")]
    assert command("prune").out.startswith("github.com/acme/shop: pruned 0 runs")


def test_prune_by_options(shop: Shop, command: Command) -> None:
    (shop.path / "profiles.toml").write_text(TOML + "keep_runs = 1\n")
    # Said on the command line, it takes the place of all that the profile says.
    assert "all 3 builds stay" in command("prune", "--keep-runs", "9").out
    assert "pruned 0 runs" in command("prune", "--keep-days", "1").out
    assert len(runs(command)) == 3
    assert command("prune", "--keep-runs", "1").code == 0
    assert runs(command) == [run_id("dddd")]


def test_prune_needs_to_know_how_much_to_keep(shop: Shop, command: Command) -> None:
    said = command("prune")
    assert said.code == 2
    assert "nothing says how much of the history to keep" in said.err
    assert "keep_runs" in said.err
    assert command("prune", "--keep-runs", "0").code == 2
    assert len(runs(command)) == 3


def test_prune_other_projects_only_if_asked(shop: Shop, command: Command) -> None:
    other = "github.com/acme/other"
    shop.save(
        *((make_run(f"e{n}", "...", started=shop.now - n, identity=other), ()) for n in range(3))
    )
    assert command("prune", "--keep-runs", "1").code == 0
    listed = ["runs", "--json", "--project"]
    assert len(command(*listed, other).json) == 3
    assert command("prune", "--keep-runs", "2", "--project", other).code == 0
    assert len(command(*listed, other).json) == 2
    assert (
        len(command("prune", "--keep-runs", "1", "--all-projects", "--json").json["projects"]) == 2
    )
    assert len(command(*listed, other).json) == 1


def test_prune_where_there_is_nothing(empty_shop: Shop, command: Command) -> None:
    said = command("prune", "--keep-runs", "1", "--json")
    assert (said.code, said.json["projects"]) == (0, [])
    assert not empty_shop.database.exists()
    assert "no history yet" in said.err


def test_prune_of_a_profile_that_only_reads(shop: Shop, command: Command) -> None:
    toml = TOML + 'keep_runs = 1\n[profiles.shared]\nurl = "sqlite:///flakefighters.db"\n'
    (shop.path / "profiles.toml").write_text(toml)
    for words in (["prune", "-p", "shared"], ["purge", "aaaa", "--yes", "-p", "shared"]):
        said = command(*words)
        assert said.code == 2
        assert "read-only" in said.err
    assert len(runs(command)) == 3


def test_what_was_pruned_is_not_explained_wrongly(shop: Shop, command: Command) -> None:
    assert command("prune", "--keep-runs", "2").code == 0
    said = command("explain", PAY, "--json")
    assert [one["run"]["id"] for one in said.json["results"]] == [run_id("dddd"), run_id("bbbb")]


# -- purge -----------------------------------------------------------------------------------


def leak(shop: Shop) -> None:
    shop.save(
        (make_run("c0de", "F..", started=shop.now - MINUTE, executions=[leaking()]), ()),
    )


def leaking() -> Any:
    return failed(PAY, "ValueError", f"E   ValueError: {SECRET}\n")


def bytes_of(shop: Shop) -> bytes:
    return b"".join(path.read_bytes() for path in shop.path.glob("flakefighters.db*"))


def signature(command: Command) -> str:
    (execution,) = command("show", "c0de", "--json").json["executions"]
    (failure,) = execution["failures"]
    assert failure["signature_id"] == signature_id(failure["signature"])
    return str(failure["signature_id"])


def test_purge_a_run(shop: Shop, command: Command) -> None:
    leak(shop)
    assert SECRET.encode() in bytes_of(shop)
    said = command("purge", "c0de", "--dry-run")
    assert (said.code, len(runs(command))) == (0, 4)
    assert "would purge run" in said.out
    said = command("purge", "c0de", "--yes", "--json")
    assert said.json["id"] == run_id("c0de")
    assert (said.json["kind"], said.json["runs"]) == ("run", 1)
    assert "change it" in said.err
    assert run_id("c0de") not in runs(command)
    assert SECRET.encode() not in bytes_of(shop)
    with closing(sqlite3.connect(shop.database)) as database:
        assert database.execute("SELECT kind, id FROM tombstone").fetchall() == [
            ("run", run_id("c0de"))
        ]


def test_purge_a_signature(shop: Shop, command: Command) -> None:
    leak(shop)
    name = signature(command)
    assert f"signature {name[:12]}" in command("show", "c0de", "--tracebacks").out
    assert f"signature {name[:12]}" in command("explain", PAY).out
    said = command("purge", name[:8], "--yes")
    assert said.code == 0
    assert f"purged signature {name} from 1 run in" in said.out
    assert SECRET.encode() not in bytes_of(shop)
    (execution,) = command("show", "c0de", "--json").json["executions"]
    assert execution["outcome"] == "failed"
    assert execution["failures"][0]["text"] == "<purged>"
    assert len(runs(command)) == 4


def test_purge_a_signature_by_its_text(shop: Shop, command: Command) -> None:
    leak(shop)
    text = command("show", "c0de", "--json").json["executions"][0]["failures"][0]["signature"]
    if all(character in "0123456789abcdef" for character in text):
        text = command("show", "c0de", "--json").json["executions"][0]["failures"][0][
            "signature_id"
        ]
    assert command("purge", text, "--yes").code == 0
    assert SECRET.encode() not in bytes_of(shop)


def test_purge_asks(shop: Shop, command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    said = command("purge", "aaaa")
    assert said.code == 2
    assert "--yes" in said.err
    asked: list[str] = []

    def answer(question: str, **_: object) -> bool:
        asked.append(question)
        return len(asked) > 1

    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    monkeypatch.setattr("flakefighters.cli.purge.sys", Terminal)
    monkeypatch.setattr("flakefighters.cli.purge.typer.confirm", answer)
    assert main(["purge", "aaaa"]) == 1
    assert len(runs(command)) == 3
    assert main(["purge", "aaaa"]) == 0
    assert len(runs(command)) == 2
    assert "cannot be undone" in asked[0]


class Terminal:
    class stdin:  # noqa: N801
        isatty = staticmethod(lambda: True)

    stderr = stdin


@pytest.mark.parametrize("name", ["eeee", "0123456", "no such text", "x" * 40])
def test_purge_of_what_is_not_there(shop: Shop, command: Command, name: str) -> None:
    said = command("purge", name, "--yes")
    assert said.code == 1
    assert "not-found" in said.err


def test_purge_of_several(shop: Shop, command: Command) -> None:
    leak(shop)
    assert "give more digits" in command("purge", "0", "--yes").err or len(runs(command)) == 4
    shop.save((make_run("1aaaa", "...", started=shop.now), ()))
    said = command("purge", "aaaa", "--yes")
    assert said.code == 1
    assert "give more digits" in said.err


def test_a_run_can_be_kept_out_before_it_comes(shop: Shop, command: Command) -> None:
    name = "0199000000007abc8000000000000001"
    said = command("purge", name, "--yes")
    assert said.code == 0
    assert "will be kept out" in said.out


def journal(shop: Shop, name: str, address: str, *, text: str) -> Path:
    """A journal that waits for another history."""
    run = make_run(name, "F..", started=shop.now - MINUTE)
    head = {"id": run.head.id, "project": run.head.project, "started": run.head.started}
    project = {"identity": run.project.identity, "label": "shop"}
    execution = {
        "nodeid": PAY,
        "attempt": 1,
        "outcome": "F",
        "output": f"token {text}",
        "failures": [{"phase": "call", "text": text, "signature": f"E {text}"}],
    }
    verdict = {
        "label": "flaky",
        "fighter": "joint",
        "version": 1,
        "confidence": "fair",
        "reason": f"said {text}",
        "evidence": {"signature": f"E {text}"},
        "run": run.head.id,
        "nodeid": PAY,
    }
    lines: list[Any] = [
        {"flakefighters": 1, "address": address, "host": "gone", "head": head, "project": project},
        {"suite": list(run.suite)},
        {"x": [0, 1, 1, 1], "execution": execution},
        {"end": True, "verdicts": [verdict]},
    ]
    folder = shop.path / ".flakefighters" / "spool"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{run.head.id}.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    os.utime(path, (1, 1))
    return path


def test_purge_takes_the_journal_of_a_run(shop: Shop, command: Command) -> None:
    path = journal(shop, "f00d", "ci@db:5432/flakes", text=SECRET)
    other = journal(shop, "f00e", "ci@db:5432/flakes", text="fine")
    name = "0199000000007abc8000000000000001"
    aside = path.parent / "set-aside"
    aside.mkdir()
    path = path.rename(aside / f"{name}.jsonl")
    said = command("purge", name, "--yes")
    assert said.code == 0
    assert "from 1 journal" in said.out
    assert not path.exists()
    assert other.exists()


def test_purge_empties_journals(shop: Shop, command: Command) -> None:
    path = journal(shop, "f00d", "ci@db:5432/flakes", text=SECRET)
    other = journal(shop, "f00e", "ci@db:5432/flakes", text="fine")
    before = other.read_bytes()
    shop.save(
        (
            make_run("c0de", "F..", started=shop.now - MINUTE, executions=[spoken(f"E {SECRET}")]),
            (),
        )
    )
    said = command("purge", signature_id(f"E {SECRET}")[:10], "--yes", "--json")
    assert said.json["journals"] == 1
    assert SECRET not in path.read_text()
    assert other.read_bytes() == before
    found = recover(path)
    assert found.run.executions[0].failures[0].text == "<purged>"
    assert found.verdicts[0].reason == "<purged>"
    assert SECRET.encode() not in bytes_of(shop)


def spoken(text: str) -> Any:
    one = failed(PAY, "ValueError", text)
    return one._replace(failures=(one.failures[0]._replace(signature=text),))
