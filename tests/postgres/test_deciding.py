"""Decisions and the exit code with a shared history: who may decide, and whose pass is acted on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.project import Project, code
from tests.postgres.server import shared_server
from tests.postgres.team import Team, team_on

TEST = "test_it.py::test_moody"
PROVED = "exit code 0: the only failure is flaky, proved"


@pytest.fixture(scope="module")
def team() -> Iterator[Team]:
    try:
        server = shared_server()
    except LookupError as error:
        pytest.skip(str(error))
    with team_on(server) as team:
        yield team


class Shop:
    """A project, and people who reach its history in roles of their own."""

    def __init__(self, team: Team, project: Project, down: Path, name: str):
        self.team, self.project, self.down = team, project, down
        self.project.env["FLAKEFIGHTERS_PROJECT"] = f"github.com/acme/{name}"
        text = """
            import os

            def test_moody():
                assert not os.path.exists({path!r})
            """
        project.write({"test_it.py": code(text).replace("{path!r}", repr(str(down)))})

    def url(self, task: str) -> str:
        team = self.team
        where = f"127.0.0.1:{team.server.port}/{team.database}"
        return f"postgresql://{team.names[task]}:{team.password}@{where}"

    def log_in(self, task: str) -> None:
        """From now on, in this role."""
        self.project.env["FLAKEFIGHTERS_PROFILES__LOCAL__URL"] = self.url(task)

    def run(self, task: str, *args: str, fails: bool, expect: int) -> str:
        """A run of the tests in a role; returns the closing line."""
        self.log_in(task)
        if fails:
            self.down.touch()
        else:
            self.down.unlink(missing_ok=True)
        return self.project.pytest("--color=no", *args, expect=expect).closing


@pytest.fixture
def shop(team: Team, tmp_path: Path, request: pytest.FixtureRequest) -> Shop:
    return Shop(team, Project(tmp_path), tmp_path / "down", request.node.name)


def test_a_protected_pass_is_acted_on_by_a_pull_request(shop: Shop) -> None:
    shop.run("writer", fails=False, expect=0)
    closing = shop.run("pr_writer", "--flakefighters-suppress", fails=True, expect=0)
    assert closing.endswith(PROVED)


def test_the_pass_of_a_pull_request_excuses_nobody_else(shop: Shop) -> None:
    shop.run("pr_writer", fails=False, expect=0)
    closing = shop.run("writer", "--flakefighters-suppress", fails=True, expect=1)
    assert closing.endswith("exit code stays 1: 1 undecided")


def test_a_curator_decides_and_everybody_heeds_it(shop: Shop) -> None:
    shop.run("writer", fails=False, expect=0)
    for task in ("writer", "pr_writer", "reader"):
        shop.log_in(task)
        for words in (("quarantine", "add", TEST), ("mark", TEST, "flaky")):
            done = shop.project.flakefighters(*words)
            assert done.returncode == 3, (task, done.stdout)
            assert f"{shop.team.names[task]} may not" in done.stderr
            assert "only a curator may decide" in done.stderr
            assert shop.team.password not in done.stderr
    shop.log_in("curator")
    done = shop.project.flakefighters("quarantine", "add", TEST, "--until", "2999-01-31")
    assert done.returncode == 0, done.stderr
    enforce = "--flakefighters-quarantine=enforce"
    assert shop.run("pr_writer", enforce, fails=True, expect=0).endswith(PROVED)
    shop.log_in("reader")
    done = shop.project.flakefighters("quarantine", "list")
    assert (done.returncode, TEST in done.stdout) == (0, True)


def test_what_was_decided_offline_is_pushed(shop: Shop) -> None:
    shop.run("writer", fails=False, expect=0)
    del shop.project.env["FLAKEFIGHTERS_PROFILES__LOCAL__URL"]
    for words in (
        ("pull", "--from", shop.url("reader")),
        ("quarantine", "add", TEST, "--reason", "slow"),
    ):
        done = shop.project.flakefighters(*words)
        assert done.returncode == 0, done.stderr
    done = shop.project.flakefighters("push", "--to", shop.url("writer"))
    assert done.returncode == 0, done.stderr
    assert "1 kept back: mark that only a curator may send" in done.stdout
    done = shop.project.flakefighters("push", "--to", shop.url("curator"))
    assert done.returncode == 0, done.stderr
    assert "1 mark" in done.stdout
    enforce = "--flakefighters-quarantine=enforce"
    assert shop.run("writer", enforce, fails=True, expect=0).endswith(PROVED)
