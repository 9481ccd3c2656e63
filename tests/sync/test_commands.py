"""The commands ``clone``, ``pull``, ``push`` and ``sync``, as a user types them."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from flakefighters.capture.journal import Journal
from flakefighters.cli import main
from flakefighters.cli.meter import meter
from flakefighters.model import Label, Run, Target
from flakefighters.reports.transfers import amount, transfer_page
from flakefighters.session.places import address
from flakefighters.sync import Conflict, Progress, Transfer
from tests.history.made_runs import make_run, make_verdict
from tests.postgres.server import PostgresServer
from tests.sync.contents import content, rows, save

KEPT = ("PATH", "HOME", "TMPDIR", "TEMP", "TMP", "SYSTEMROOT", "LANG", "PYTHONPATH")


def one(at: int, **more: object) -> Run:
    more.setdefault("dirty", False)
    return make_run({"t.py::a": "F", "t.py::b": "."}, at=at, **more)  # type: ignore[arg-type]


@pytest.fixture
def folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, server: PostgresServer, remote: Target
) -> Path:
    """A checkout whose profiles name the server, far from any CI."""
    for name in list(os.environ):
        if name not in KEPT:
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("SHARED", "CI"):
        monkeypatch.setenv(f"FLAKEFIGHTERS_PROFILES__{name}__PASSWORD", server.password)
        monkeypatch.setenv(f"FLAKEFIGHTERS_PROFILES__{name}__PASSWORD_HOST", "127.0.0.1")
    project = tmp_path / "shop"
    project.mkdir()
    subprocess.run(["git", "init", "-q", project], check=True)
    origin = "https://github.com/acme/shop.git"
    subprocess.run(["git", "-C", project, "remote", "add", "origin", origin], check=True)
    configure(project, remote, "shared", "ci")
    monkeypatch.chdir(project)
    return project


def configure(folder: Path, target: Target, *profiles: str) -> None:
    url = f"postgresql://{target.user}@127.0.0.1:{target.port}/{target.database}"
    text = "".join(f'[profiles.{name}]\nurl = "{url}"\n' for name in profiles)
    (folder / "profiles.toml").write_text(text)


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str], folder: Path) -> Callable[..., tuple[int, str, str]]:
    """Runs the command; returns exit code, stdout and stderr."""

    def run(*arguments: str) -> tuple[int, str, str]:
        capsys.readouterr()
        code = main(arguments)
        out, err = capsys.readouterr()
        return code, out, err

    return run


def file_of(folder: Path, name: str = "flakefighters.db") -> Target:
    return Target(backend="sqlite", path=folder / name, display=name)


Say = Callable[..., tuple[int, str, str]]


def test_clone_then_pull(say: Say, folder: Path, remote: Target) -> None:
    save(remote, one(1), one(2))
    code, out, err = say("clone")
    assert (code, err) == (0, "")
    assert out.startswith("cloned 2 runs from postgresql://127.0.0.1:")
    assert " into sqlite:///flakefighters.db\n" in out
    assert content(file_of(folder)) == content(remote)
    save(remote, one(3))
    code, out, err = say("pull")
    assert (code, err) == (0, "")
    assert out.startswith("pulled 1 run from postgresql://")
    assert "2 there already" in out
    code, out, _ = say("pull", "--json", "-p", "ci")
    record = json.loads(out)
    assert (code, record["runs"], record["known"], record["conflicts"]) == (0, 0, 3, [])


def test_without_shared_it_is_ci(say: Say, folder: Path, remote: Target) -> None:
    save(remote, one(1))
    configure(folder, remote, "ci")
    assert say("clone")[:2][0] == 0
    configure(folder, remote)
    code, out, err = say("clone")
    assert (code, out) == (2, "")
    assert "neither profile shared nor ci has a URL" in err


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("clone", "--from", "nowhere"), 2, "no profile 'nowhere'"),
        (("clone", "--into", "shared"), 2, "no SQLite file"),
        (("clone", "--since", "soon"), 2, "'soon' is no time"),
        (("clone", "--from", "sqlite:///absent.db"), 3, "absent.db does not exist"),
        (("pull", "--from", "mysql://x/y"), 2, "the URL"),
        (("pull", "--rootdir", "absent"), 2, "no such folder"),
        (("push", "--to", "shared"), 2, "is read-only for profile shared"),
        (("push", "--spool", "absent"), 2, "no such folder"),
        (("clone", "--from", "postgresql://u@127.0.0.1:1/d"), 3, "nobody listens"),
    ],
)
def test_what_cannot_be_done(say: Say, arguments: tuple[str, ...], code: int, message: str) -> None:
    found, out, err = say(*arguments)
    assert (found, out) == (code, "")
    assert message in err


def test_no_password_is_shown(say: Say, folder: Path, server: PostgresServer) -> None:
    url = f"postgresql://flaky_owner:hunter2-hunter2@127.0.0.1:{server.port}/nothing"
    code, out, err = say("clone", "--from", url)
    assert code == 3
    assert "wrong password" in err
    assert "hunter2" not in out + err


def test_conflicts_end_with_1(say: Say, folder: Path, remote: Target) -> None:
    theirs = one(1, branch="theirs")
    save(remote, theirs)
    save(file_of(folder), one(1, branch="ours", id=theirs.head.id))
    for command in ("clone", "pull", "sync"):
        code, out, _ = say(command)
        assert code == 1
        assert f"CONFLICT {theirs.head.id}" in out
    code, out, _ = say("push", "--local-runs", "--json")
    assert code == 1
    assert [clash["run"] for clash in json.loads(out)["conflicts"]] == [theirs.head.id]


def test_late_runs_tell_which_verdicts_would_differ(say: Say, folder: Path, remote: Target) -> None:
    failed = one(1)
    said = make_verdict(failed, "t.py::a", Label.GENUINE, fighter="joint")
    save(file_of(folder), failed, verdicts=[said])
    proof = make_run({"t.py::a": ".", "t.py::b": "."}, at=2, dirty=False)
    save(remote, proof)
    code, out, err = say("sync")
    assert code == 0
    assert "pulled 1 run " in out
    assert "1 verdict would differ now, by runs that came later:" in err
    assert f"t.py::a in run {failed.head.id[-4:]}: genuine -> flaky (by run " in err
    assert "see flakefighters explain NODEID --run RUN --recheck" in err
    assert "would differ" not in say("sync")[2]
    # Both are shown: what was said then, and what would be said now.
    out = say("explain", "t.py::a")[1]
    assert "GENUINE" in out
    assert "as of today  FLAKY - passed on the same state in run" in out
    assert "--recheck" in out
    recheck = json.loads(say("explain", "t.py::a", "--json")[1])["recheck"]
    assert (recheck["run"], recheck["rechecks"][0]["differs"]) == (failed.head.id, True)
    save(remote, one(3))
    assert json.loads(say("pull", "--json")[1])["would_differ"] == []


def test_late_runs_in_json(say: Say, folder: Path, remote: Target) -> None:
    failed = one(1)
    said = make_verdict(failed, "t.py::a", Label.UNDECIDED, fighter="joint")
    save(file_of(folder), failed, verdicts=[said])
    proof = make_run({"t.py::a": "."}, at=2, dirty=False)
    save(remote, proof)
    code, out, _ = say("clone", "--json")
    (told,) = json.loads(out)["would_differ"]
    assert code == 0
    assert (told["before"], told["now"], told["by_runs"]) == (
        *("undecided", "flaky"),
        [proof.head.id],
    )


def test_an_artifact_is_pulled_as_untrusted(say: Say, folder: Path) -> None:
    save(file_of(folder, "artifact.db"), one(1), one(2))
    code, out, _ = say("pull", "--from", "sqlite:///artifact.db")
    assert (code, out.splitlines()[0][:13]) == (0, "pulled 2 runs")
    assert rows(file_of(folder), "SELECT DISTINCT trust, via FROM arrival") == [(3, "pull")]
    # What nobody vouches for is not sent on.
    code, out, _ = say("push", "--local-runs")
    assert (code, "2 kept back: untrusted" in out) == (0, True)


def test_push_sends_local_runs_only_if_asked(say: Say, folder: Path, remote: Target) -> None:
    save(file_of(folder), one(1), one(2, dirty=True))
    code, out, _ = say("push")
    assert (code, out.splitlines()[0][:13]) == (0, "pushed 0 runs")
    code, out, _ = say("push", "--local-runs")
    assert code == 0
    assert "pushed 1 run from the spool and sqlite:///flakefighters.db" in out
    assert "1 kept back: uncommitted changes" in out
    assert len(content(remote).runs) == 1


def test_a_project_without_a_name_is_not_pushed(say: Say, folder: Path, remote: Target) -> None:
    subprocess.run(["git", "remote", "remove", "origin"], check=True)
    save(file_of(folder), one(1))
    code, _, err = say("push", "--local-runs")
    assert code == 2
    assert "set project" in err
    text = (folder / "profiles.toml").read_text()
    (folder / "profiles.toml").write_text('project = "github.com/acme/shop"\n' + text)
    assert say("push", "--local-runs")[0] == 0
    assert len(content(remote).runs) == 1


def test_sync_goes_both_ways(say: Say, folder: Path, remote: Target) -> None:
    save(remote, one(1))
    save(file_of(folder), one(2))
    code, out, err = say("sync", "--local-runs")
    assert code == 0
    assert "is read-only: nothing is sent there" in err
    assert len(content(remote).runs) == 1
    code, out, err = say("sync", "--local-runs", "--from", "ci", "--json")
    parts = json.loads(out)
    assert [(part["done"], part["runs"]) for part in parts] == [("pulled", 0), ("pushed", 1)]
    assert content(file_of(folder)) == content(remote)


# -- journals --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def nobody() -> int:
    """The id of a process that is over."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


@pytest.fixture
def journal(folder: Path, nobody: int) -> Callable[..., Path]:
    """Writes the journal of a run that could not be delivered."""

    def write(run: Run, to: str, spool: Path = folder / ".flakefighters" / "spool") -> Path:
        written = Journal(spool, run.head.id)
        written.begin(run.head, run.project, run.state, run.environment, to)
        written.suite(list(run.suite))
        by_name = {execution.nodeid: execution for execution in run.executions}
        written.closed(
            (place, tuple(run.durations[3 * place : 3 * place + 3]), by_name.get(nodeid))  # type: ignore[misc]
            for place, nodeid in enumerate(run.suite)
        )
        written.end(run.head, run.environment, run.state, {}, None, [make_verdict(run, "t.py::a")])
        text = written.path.read_text()
        written.path.write_text(text.replace(f'"pid":{os.getpid()}', f'"pid":{nobody}', 1))
        return written.path

    return write


def test_the_spool_is_pushed(say: Say, remote: Target, journal: Callable[..., Path]) -> None:
    runs = [one(n) for n in range(3)]
    sent = [journal(runs[0], address(remote)), journal(runs[1], address(remote))]
    other = journal(runs[2], "writer@elsewhere:5432/flakes")
    code, out, err = say("push")
    assert (code, out.splitlines()[0][:35]) == (0, "pushed 2 runs from the spool to pos")
    assert "1 more waits for writer@elsewhere:5432/flakes: no profile has that address" in err
    assert not any(path.exists() for path in sent)
    assert other.exists()
    found = content(remote)
    assert found.runs == {run.head.id: run for run in runs[:2]}
    assert len(found.verdicts) == 2
    assert say("push")[1].startswith("pushed 0 runs")


def test_a_damaged_journal_is_set_aside(
    say: Say, remote: Target, journal: Callable[..., Path]
) -> None:
    path = journal(one(1), address(remote))
    path.write_text(path.read_text().replace('"project":{', '"object":{', 1))
    code, out, _ = say("push")
    assert code == 1
    assert f"REFUSED {path.name}" in out
    assert not path.exists()
    assert (path.parent / "set-aside" / path.name).exists()
    assert say("push")[0] == 0


def test_what_cannot_be_sent_stays(
    say: Say, folder: Path, remote: Target, journal: Callable[..., Path]
) -> None:
    path = journal(one(1), address(remote))
    (folder / "profiles.toml").write_text(
        (folder / "profiles.toml").read_text().replace(f"/{remote.database}", "/gone")
    )
    waiting = path.read_text().replace(f"/{remote.database}", "/gone")
    path.write_text(waiting)
    code, _, err = say("push")
    assert code == 3
    assert "no database gone" in err
    assert path.read_text() == waiting


def test_another_machines_spool_is_pushed_or_pulled(
    say: Say, folder: Path, remote: Target, journal: Callable[..., Path], tmp_path: Path
) -> None:
    run = one(1)
    path = journal(run, address(remote), tmp_path / "spool")
    code, out, _ = say("pull", "--from", str(path.parent))
    assert (code, out[:12]) == (0, "pulled 1 run")
    assert content(file_of(folder)).runs == {run.head.id: run}
    assert rows(file_of(folder), "SELECT trust FROM arrival") == [(3,)]
    assert path.exists()
    assert say("pull", "--from", str(path.parent))[1].startswith("pulled 0 runs")
    assert say("push", "--spool", str(path.parent))[1].startswith("pushed 1 run ")
    assert not path.exists()
    code, out, _ = say("pull")
    assert (code, "1 there already" in out) == (0, True)
    assert rows(file_of(folder), "SELECT min(trust) FROM arrival") == [(2,)]


def test_sync_of_a_folder_only_pulls(
    say: Say, remote: Target, journal: Callable[..., Path], tmp_path: Path
) -> None:
    path = journal(one(1), address(remote), tmp_path / "spool")
    code, out, err = say("sync", "--from", str(path.parent))
    assert (code, out[:12]) == (0, "pulled 1 run")
    assert "is a folder of journals" in err


# -- words -----------------------------------------------------------------------------------


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_progress_is_for_terminals(monkeypatch: pytest.MonkeyPatch) -> None:
    for stream, shown in ((Terminal(), True), (io.StringIO(), False)):
        monkeypatch.setattr(sys, "stderr", stream)
        with meter() as report:
            report(Progress("copying", 12_345, 6_700_000))
        text = stream.getvalue()
        assert ("copying: 12,345 rows, 6.7 MB" in text) is shown
        assert text == "" or text.endswith("\r\x1b[K")


def test_amounts() -> None:
    sizes = (0, 999, 1000, 52_900_000, 999_999_999, 3_000_000_000)
    said = ["0 B", "999 B", "1.0 kB", "52.9 MB", "1.0 GB", "3.0 GB"]
    assert [amount(size) for size in sizes] == said


def test_a_page_says_all_of_it() -> None:
    done = Transfer(
        runs=2,
        known=3,
        verdicts=1,
        events=2,
        replaced=1,
        beyond=4,
        purged=5,
        conflicts=[Conflict("c" * 32, "a" * 64, "b" * 64)],
        refused={f"{n:032x}": "false" for n in range(25)},
    )
    text = "\n".join(
        "".join(span.text for span in block.spans)  # type: ignore[union-attr]
        for block in transfer_page("pulled", "there", "here", done)
    )
    for words in (
        "pulled 2 runs, 1 verdict, 2 marks from there into here",
        "3 there already; 1 replaced an untrusted copy; 4 beyond retention; 5 purged",
        "CONFLICT " + "c" * 32,
        "REFUSED " + "0" * 32 + ": false",
        "and 5 more",
    ):
        assert words in text


def test_the_record_is_json() -> None:
    from flakefighters.reports.transfers import transfer_record

    done: dict[str, Any] = transfer_record("pulled", "a", "b", Transfer())
    assert json.loads(json.dumps(done)) == done
    with pytest.raises(AttributeError):
        transfer_record("pulled", "a", "b", object())  # type: ignore[arg-type]
