"""The command ``init``: sharing a history, and workflows."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from flakefighters.cli import workflows
from tests.cli.conftest import Command, Shop

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = (ROOT / "flakefighters" / "profiles" / "example.toml").read_text("utf-8")
#: Nobody listens there.
URL = "postgresql://ci_writer:s3cret-w0rd@127.0.0.1:1/flakes"
RECIPES = ROOT / "flakefighters" / "cli" / "recipes"


def test_init_shared_leads_through_the_set_up(empty_shop: Shop, command: Command) -> None:
    said = command("init", "--yes", "--shared", URL, "--ci", "github")
    assert said.code == 0
    settings = tomllib.loads((empty_shop.path / "profiles.toml").read_text("utf-8"))
    assert settings["profiles"]["ci"]["url"] == "postgresql://ci_writer@127.0.0.1:1/flakes"
    shared = settings["profiles"]["shared"]
    assert shared["url"] == "postgresql://flakefighters_reader@127.0.0.1:1/flakes"
    assert shared["read_only"] is True
    workflow = (empty_shop.path / ".github/workflows/tests.yml").read_text("utf-8")
    assert "FLAKEFIGHTERS_PROFILES__CI__URL: ${{ secrets.FLAKES_URL }}" in workflow
    # Data on stdout is the SQL alone, to be piped.
    assert said.out.startswith("-- Rights in the history")
    assert 'TO "ci_writer"' in said.out
    for part in (
        "flakefighters upgrade --database-url postgresql://OWNER@127.0.0.1:1/flakes",
        "FLAKES_URL, in GitHub",
        "postgresql://ci_writer:PASSWORD@127.0.0.1:1/flakes",
        "ALTER ROLE flakefighters_reader LOGIN",
        "flakefighters login shared",
        "FAILED  network",
    ):
        assert part in said.err, part
    everything = said.out + said.err + workflow + (empty_shop.path / "profiles.toml").read_text()
    assert "s3cret" not in everything


def test_init_shared_writes_over_the_plain_example_only(empty_shop: Shop, command: Command) -> None:
    path = empty_shop.path / "profiles.toml"
    path.write_text(EXAMPLE, encoding="utf-8")
    assert command("init", "--shared", URL).code == 0
    assert 'url = "postgresql://ci_writer@' in path.read_text("utf-8")
    path.write_text("# mine\n")
    assert command("init", "--shared", URL).code == 2
    assert path.read_text() == "# mine\n"


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("sqlite:///x.db", "shared in PostgreSQL"),
        ("postgresql:///flakes", "shared in PostgreSQL"),
        ("postgresql://u:s3cret#x@h/d", "holds a #"),
        ("mysql://u:s3cret@h/d", "neither"),
    ],
)
def test_init_shared_refuses_what_cannot_be_shared(
    empty_shop: Shop, command: Command, url: str, words: str
) -> None:
    said = command("init", "--shared", url)
    assert said.code == 2
    assert words in said.err
    assert "--shared" in said.err
    assert "s3cret" not in said.err
    assert not (empty_shop.path / "profiles.toml").exists()


def test_supabases_pooler_wants_the_project_in_each_users_name(
    empty_shop: Shop, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flakefighters.cli.setup.examine_here", lambda *_, **__: True)
    host = "aws-0-eu-central-1.pooler.supabase.com:5432"
    said = command("init", "--shared", f"postgresql://writer.abcdef@{host}/postgres")
    settings = (empty_shop.path / "profiles.toml").read_text("utf-8")
    assert f'"postgresql://flakefighters_reader.abcdef@{host}/postgres"' in settings
    assert 'TO "writer"' in said.out
    assert "abcdef" not in said.out


def test_without_a_server_the_history_is_in_the_cache(empty_shop: Shop, command: Command) -> None:
    said = command("init", "--yes", "--ci", "gitlab")
    assert (said.code, said.out) == (0, "")
    settings = tomllib.loads((empty_shop.path / "profiles.toml").read_text("utf-8"))
    assert settings["ci_profile"] == "local"
    assert "cache:" in (empty_shop.path / ".gitlab-ci.yml").read_text("utf-8")


def test_a_workflow_that_is_there_is_left_as_it_is(empty_shop: Shop, command: Command) -> None:
    path = empty_shop.path / ".github" / "workflows" / "tests.yml"
    path.parent.mkdir(parents=True)
    path.write_text("name: mine\n")
    said = command("init", "--shared", URL, "--ci", "github", "--force")
    assert said.code == 0
    assert path.read_text() == "name: mine\n"
    assert "FLAKEFIGHTERS_PROFILES__CI__URL: ${{ secrets.FLAKES_URL }}" in said.err


@pytest.mark.parametrize("name", ["github", "github-cache", "gitlab", "gitlab-cache"])
def test_the_documents_show_what_init_writes(name: str) -> None:
    text = (ROOT / "docs" / "ci.md").read_text("utf-8")
    (block,) = re.findall(rf"<!-- ci: {name} -->\n```yaml\n(.*?)```", text, re.DOTALL)
    assert block == (RECIPES / f"{name}.yml").read_text("utf-8")


@pytest.mark.parametrize(
    ("origin", "wanted"),
    [
        (None, "flakefighters=="),
        (
            '{"url": "https://git.example.org/f", "vcs_info": {"vcs": "git", "commit_id": "abc"}}',
            "flakefighters @ git+https://git.example.org/f@abc",
        ),
        ('{"url": "file:///home/me/f", "dir_info": {"editable": true}}', None),
        ('{"url": "https://user:tok@h/f", "vcs_info": {"vcs": "git", "commit_id": "a"}}', None),
        ("{", None),
    ],
)
def test_a_workflow_installs_what_is_installed_here(
    monkeypatch: pytest.MonkeyPatch, origin: str | None, wanted: str | None
) -> None:
    class Found:
        def read_text(self, name: str) -> str | None:
            return origin

    monkeypatch.setattr("importlib.metadata.distribution", lambda name: Found())
    found = workflows.requirement()
    assert found is wanted if wanted is None else (found or "").startswith(wanted)
