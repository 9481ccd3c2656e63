"""A project whose history holds a few runs that are known to the last digit."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from flakefighters.cli import main
from flakefighters.history import open_history
from flakefighters.ids import h128
from flakefighters.model import (
    JOINT,
    Completeness,
    Confidence,
    Environment,
    Execution,
    Failure,
    Label,
    Outcome,
    Phase,
    Project,
    Run,
    RunHead,
    State,
    Target,
    Verdict,
)

IDENTITY = "github.com/acme/shop"
PAY = "tests/test_pay.py::test_pay"
TAX = "tests/test_tax.py::test_vat[näïve]"
OLD = "tests/test_old.py::test_old"
MINUTE = 60_000_000


def run_id(tail: str) -> str:
    """An id that ends with ``tail``."""
    return "01990000000070008000" + tail.rjust(12, "0")


def make_run(
    tail: str,
    outcomes: str,
    *,
    started: int,
    identity: str = IDENTITY,
    executions: Sequence[Execution] = (),
    suite: Sequence[str] = (PAY, TAX, OLD),
    completeness: Completeness = Completeness.COMPLETE,
    commit: str = "a1b2c3d4" * 5,
) -> Run:
    state = State(id=h128("state", commit), tree="1" * 40)
    environment = Environment(
        id=h128("environment"),
        key=h128("key"),
        settings={"python": "3.11", "os": "Linux"},
        distributions={"pytest": "9.2.0"},
    )
    return Run(
        head=RunHead(
            id=run_id(tail),
            project=identity,
            started=started,
            ended=started + 3_200_000,
            commit=commit,
            tree=state.tree,
            branch="main",
            dirty=tail.startswith("d"),
            state=state.id,
            environment=environment.id,
            environment_key=environment.key,
            completeness=completeness,
            origin={"program": "flakefighters 0.1.0"},
        ),
        project=Project(identity=identity, label=identity.rpartition("/")[2]),
        state=state,
        environment=environment,
        suite=suite,
        outcomes=outcomes,
        durations=[10] * 3 * len(suite),
        executions=executions,
    )


def failed(nodeid: str, exception: str = "AssertionError", text: str = "") -> Execution:
    return Execution(
        nodeid=nodeid,
        attempt=1,
        outcome=Outcome.FAILED,
        durations=(1000, 1000, 1000),
        failures=(
            Failure(
                phase=Phase.CALL,
                exception=exception,
                text=text or f"E   {exception}: oh\n",
                signature=h128("signature", exception),
            ),
        ),
    )


def verdict(tail: str, nodeid: str, label: Label, reason: str, fighter: str = JOINT) -> Verdict:
    return Verdict(
        label=label,
        fighter=fighter,
        version=1,
        confidence=Confidence.FAIR,
        reason=reason,
        evidence={"baseline": run_id("aaaa")},
        run=run_id(tail),
        nodeid=nodeid,
        at=1,
    )


@dataclass
class Shop:
    """A git repository with a history."""

    path: Path
    #: µs UTC; runs are placed before it.
    now: int

    @property
    def database(self) -> Path:
        return self.path / "flakefighters.db"

    def save(self, *runs: tuple[Run, Sequence[Verdict]]) -> None:
        target = Target(backend="sqlite", path=self.database, display="flakefighters.db")
        with open_history(target) as history:
            for run, verdicts in runs:
                assert history.save(run, verdicts)

    def fill(self) -> None:
        """Three runs: all passed; one flaky failure; a genuine failure, interrupted."""
        self.save(
            (make_run("aaaa", "...", started=self.now - 60 * MINUTE), ()),
            (
                make_run(
                    "bbbb",
                    "F..",
                    started=self.now - 30 * MINUTE,
                    executions=[failed(PAY, "OSError")],
                ),
                [
                    verdict("bbbb", PAY, Label.FLAKY, "passed on the same state in run aaaa"),
                    verdict("bbbb", PAY, Label.FLAKY, "the same, by name", "same_state"),
                ],
            ),
            (
                make_run(
                    "dddd",
                    ".F-",
                    started=self.now - 5 * MINUTE,
                    executions=[failed(TAX)],
                    completeness=Completeness.INTERRUPTED,
                ),
                [verdict("dddd", TAX, Label.GENUINE, "imports shop/tax.py, changed")],
            ),
        )


@dataclass
class Said:
    """What a command printed, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Command = Callable[..., Said]


@pytest.fixture
def calm_world(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No CI, no settings of the user, no git configuration of the machine."""
    for name in list(os.environ):
        if name.startswith(("FLAKEFIGHTERS", "GIT_", "GITHUB_", "CI_")) or name in (
            "CI",
            "BUILD_NUMBER",
            "CONTINUOUS_INTEGRATION",
            "GITLAB_CI",
            "PGPASSWORD",
            "COLUMNS",  # xdist sets it in its workers, and a table is fitted to it
        ):
            monkeypatch.delenv(name)
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home / ".config"))
    monkeypatch.setenv("XDG_STATE_HOME", str(home / ".state"))
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")


@pytest.fixture
def empty_shop(calm_world: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shop:
    """A repository without a history; the current folder."""
    path = tmp_path / "shop"
    (path / "tests").mkdir(parents=True)
    (path / "pytest.ini").write_text("[pytest]\n")
    subprocess.run(["git", "init", "-q", str(path)], check=True)
    url = "https://github.com/Acme/shop.git"
    subprocess.run(["git", "-C", str(path), "remote", "add", "origin", url], check=True)
    monkeypatch.chdir(path)
    return Shop(path, time.time_ns() // 1000)


@pytest.fixture
def shop(empty_shop: Shop) -> Shop:
    """The repository with its three runs."""
    empty_shop.fill()
    return empty_shop


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str]) -> Command:
    """Calls the command in this process."""

    def call(*arguments: str) -> Said:
        capsys.readouterr()
        code = main(arguments)
        printed = capsys.readouterr()
        return Said(code, printed.out, printed.err)

    return call
