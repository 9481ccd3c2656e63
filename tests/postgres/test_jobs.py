"""CI jobs of a protected branch, of a pull request and of a fork, each with its own role."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from flakefighters.errors import DatabaseError
from flakefighters.history import open_history
from flakefighters.history.foreign import ForeignHistory
from flakefighters.model import RunHead, Target, Trust
from flakefighters.sync import pull
from tests.cli.pgbouncer import pgbouncer
from tests.e2e.project import Ended, Project
from tests.history.made_runs import make_run
from tests.postgres.server import PostgresServer
from tests.postgres.team import Team, team_on
from tests.sync.contents import save

IDENTITY = "github.com/acme/shop"
SHOP = {
    "shop.py": """
        def total(prices):
            return sum(prices)
    """,
    "test_it.py": """
        import os
        from shop import total

        def test_total():
            assert total([1, 2]) == 3

        def test_moody():
            assert not os.path.exists(os.path.expanduser("~/bad-mood"))
    """,
}

Checkout = Callable[..., Project]


def build(project: Project, *, expect: int) -> Ended:
    """Run pytest in a build of its own: cells of one build are no proof of each other."""
    return project.pytest(
        expect=expect, env={"BUILDKITE": "true", "BUILDKITE_BUILD_ID": uuid4().hex}
    )


def in_a_bad_mood(project: Project) -> Ended:
    """A run in which the moody test fails."""
    mood = project.home / "bad-mood"
    mood.touch()
    try:
        return build(project, expect=1)
    finally:
        mood.unlink()


@pytest.fixture
def team(postgres_server: PostgresServer) -> Iterator[Team]:
    with team_on(postgres_server) as team:
        yield team


@pytest.fixture
def checkout(tmp_path: Path, team: Team) -> Checkout:
    """Makes a checkout in which CI uses a role, on any machine."""

    def make(name: str, task: str | None, port: int | None = None) -> Project:
        project = Project(tmp_path / name)
        project.init()
        project.commit({name: text for name, text in SHOP.items() if "." in name})
        project.git("remote", "add", "origin", f"https://{IDENTITY}.git")
        project.env["CI"] = "true"
        if task is not None:
            way = team.target(task)
            prefix = "FLAKEFIGHTERS_PROFILES__CI__"
            project.env[f"{prefix}URL"] = (
                f"postgresql://{way.user}:{team.password}@127.0.0.1:{port or way.port}/"
                f"{way.database}"
            )
        return project

    return make


def heads(team: Team) -> list[RunHead]:
    with open_history(team.target("reader", read_only=True), create=False) as history:
        return list(history.recent(IDENTITY))


@pytest.mark.parametrize(
    ("task", "trust", "pooled"),
    [("writer", Trust.PROTECTED, True), ("pr_writer", Trust.PR, False)],
    ids=["protected and pooled", "pull request"],
)
def test_the_plugin_works_whole_as_a_writer(
    team: Team, checkout: Checkout, task: str, trust: Trust, pooled: bool
) -> None:
    """Look back, judge and save: all that a session asks of its history."""
    with contextlib.ExitStack() as stack:
        port = None
        if pooled:
            users = {team.names[task]: team.password}
            port = stack.enter_context(pgbouncer(team.server, "transaction", users=users))
        project = checkout("shop", task, port)
        if trust is Trust.PR:
            # Such runs are evidence within one pull request: it needs a number.
            project.env["BUILDKITE_PULL_REQUEST"] = "7"
        first = build(project, expect=0)
        assert first.warnings == []
        assert first.closing.endswith("saved to ci")
        moody = in_a_bad_mood(project)
        assert moody.warnings == []
        assert [label for label, _ in moody.verdicts] == ["FLAKY"]
        project.write({"shop.py": "def total(prices):\n    return len(prices)\n"})
        broken = build(project, expect=1)
        assert broken.warnings == []
        assert [label for label, _ in broken.verdicts] == ["GENUINE"]
    assert [head.trust for head in heads(team)] == [trust] * 3
    assert project.spool == []


def test_a_pull_request_after_the_protected_branch(team: Team, checkout: Checkout) -> None:
    """It would add to the failure there that it passed here: it may not, and that is no trouble."""
    main, pull_request = checkout("main", "writer"), checkout("pr", "pr_writer")
    assert main.git("rev-parse", "HEAD^{tree}") == pull_request.git("rev-parse", "HEAD^{tree}")
    in_a_bad_mood(main)
    passed = build(pull_request, expect=0)
    assert passed.warnings == []
    assert passed.closing.endswith("saved to ci")
    ours, theirs = heads(team)
    assert (ours.trust, theirs.trust) == (Trust.PR, Trust.PROTECTED)
    with open_history(team.target("reader", read_only=True), create=False) as history:
        assert {one.label.value for one in history.verdicts([theirs.id])} == {"undecided"}
    again = build(main, expect=0)  # this one may
    assert again.warnings == []
    with open_history(team.target("reader", read_only=True), create=False) as history:
        assert "flaky" in {one.label.value for one in history.verdicts([theirs.id])}


def test_a_fork_records_locally_and_the_base_takes_it_in_as_untrusted(
    team: Team, checkout: Checkout
) -> None:
    base = checkout("base", "writer")
    build(base, expect=0)
    # The fork's job: no secret, an empty variable for each.
    fork = checkout("fork", None)
    fork.env |= dict.fromkeys(
        (f"FLAKEFIGHTERS_PROFILES__CI__{name}" for name in ("PASSWORD", "PASSWORD_HOST")), ""
    )
    (fork.root / "profiles.toml").write_text(
        f'[profiles.ci]\nurl = "postgresql://ci@127.0.0.1:{team.server.port}/{team.database}"\n'
    )
    ended = in_a_bad_mood(fork)
    assert ended.closing.endswith("saved to local")
    artifact = fork.database
    with fork.history() as history:
        (forked,) = history.recent(IDENTITY)
        assert forked.trust is Trust.LOCAL  # so the file says

    # The base repository's own job has the pull requests' role, and no code of the fork.
    collect = checkout("collect", "pr_writer")
    pull = ("pull", "--from", f"sqlite:///{artifact}", "--into", "ci")
    done = collect.flakefighters(*pull)
    assert (done.returncode, done.stderr) == (0, "")
    assert "1 run" in done.stdout
    again = collect.flakefighters(*pull)
    assert "0 runs" in again.stdout
    assert "1 there already" in again.stdout
    trusts = {head.id: head.trust for head in heads(team)}
    assert trusts[forked.id] is Trust.UNTRUSTED
    assert sorted(trusts.values()) == ["protected", "untrusted"]


def test_an_artifact_cannot_replace_or_raise_anything(team: Team, tmp_path: Path) -> None:
    honest = make_run({"t.py::a": "."}, dirty=False)
    save(team.target("writer"), honest)
    forged = honest._replace(outcomes="F", executions=make_run({"t.py::a": "F"}).executions)
    other = make_run({"t.py::a": "F"}, at=1)
    file = Target(backend="sqlite", path=tmp_path / "a.db", display="a.db")
    save(file, forged, other, trust=Trust.PROTECTED)
    assert file.path is not None
    with ForeignHistory(file.path) as source, open_history(team.target("pr_writer")) as into:
        done = pull(source, into)
    assert [clash.run for clash in done.conflicts] == [honest.head.id]
    assert done.runs == 1
    with open_history(team.target("reader"), create=False) as history:
        assert history.load(honest.head.id).outcomes == "."
        assert history.find(other.head.id).trust is Trust.UNTRUSTED
    # Nor with the role of the protected branch.
    third = make_run({"t.py::a": "F"}, at=2)
    save(file, third, trust=Trust.PROTECTED)
    with ForeignHistory(file.path) as source, open_history(team.target("writer")) as into:
        assert pull(source, into).runs == 1
        assert into.find(third.head.id).trust is Trust.UNTRUSTED
        assert into.find(other.head.id).trust is Trust.UNTRUSTED


def test_a_writer_neither_makes_nor_upgrades_nor_prunes_a_history(
    team: Team, checkout: Checkout
) -> None:
    project = checkout("shop", "writer")
    done = project.flakefighters("upgrade", "-p", "ci")
    assert done.returncode == 0  # there is nothing to do
    done = project.flakefighters("prune", "-p", "ci", "--keep-runs", "1")
    assert done.returncode == 3
    error, more = done.stderr.splitlines()
    assert more.startswith("more: ")
    assert f"{team.names['writer']} may not prune, only the owner of the history may" in error
    team.ask("owner", "DROP SCHEMA flakefighters CASCADE")
    done = project.flakefighters("upgrade", "-p", "ci")
    assert done.returncode == 3
    error, more = done.stderr.splitlines()
    assert more.startswith("more: ")
    assert f"{team.names['writer']} may not create one" in error
    assert "as the owner" in error
    ended = build(project, expect=0)
    assert "may not create one" in " ".join(ended.warnings)
    assert len(project.spool) == 1
    with pytest.raises(DatabaseError, match="may not create one"):
        open_history(team.target("writer"))
