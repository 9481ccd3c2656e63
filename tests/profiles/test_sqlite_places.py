"""Where a file of the project may place a history, and homes that are closed to us."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from flakefighters.errors import ConfigError
from flakefighters.profiles import places
from tests.profiles.world import World

HOME_URL = "sqlite:///~/.ssh/authorized_keys"


def of(name: str, url: str) -> str:
    return f'[profiles.{name}]\nurl = "{url}"\n'


def lay_links(world: World) -> None:
    """Links that a commit may hold."""
    (world.anchor / "out").symlink_to(world.home)
    (world.anchor / "file.db").symlink_to(world.home / "file.db")
    (world.anchor / "in").mkdir()
    (world.anchor / "there").symlink_to(world.anchor / "in")
    (world.anchor / "circle").symlink_to("circle")


OUTSIDE = [
    HOME_URL,
    "sqlite:////etc/cron.d/history",
    "sqlite:///../history.db",
    "sqlite:///in/../../history.db",
    "sqlite:///out/history.db",
    "sqlite:///out/../../history.db",
    "sqlite:///file.db",
    "sqlite:///.git/history.db",
    "sqlite:///in/.GIT/refs/heads/main",
]


@pytest.mark.parametrize("url", OUTSIDE)
def test_local_stays_in_the_project(world: World, url: str) -> None:
    """One line says where and what to write, and the run is recorded all the same."""
    lay_links(world)
    found = world.project(of("local", url)).resolve()
    assert found.record_to.path == world.anchor / "flakefighters.db"
    (note,) = found.notes
    assert "profiles.toml:2" in note
    assert "FLAKEFIGHTERS_PROFILES__LOCAL__URL" in note


@pytest.mark.parametrize("url", OUTSIDE)
def test_no_other_profile_leads_out(world: World, url: str) -> None:
    lay_links(world)
    world.project(of("mine", url))
    with pytest.raises(ConfigError, match="PROFILES__MINE__URL"):
        world.resolve(option_profile="mine")


def test_pyproject_and_addopts_are_files_of_the_project(world: World) -> None:
    world.pyproject(f'[tool.flakefighters.profiles.mine]\nurl = "{HOME_URL}"\n')
    with pytest.raises(ConfigError, match="leads out of the project"):
        world.resolve(option_profile="mine")
    with pytest.raises(ConfigError, match="leads out of the project"):
        world.resolve(option_url=HOME_URL, option_url_in_project=True)


@pytest.mark.parametrize("url", ["sqlite:///a/b.db", "sqlite:///there/b.db", "sqlite:///.github/b"])
def test_within_the_project(world: World, url: str) -> None:
    lay_links(world)
    found = world.project(of("local", url)).resolve()
    assert found.notes == ()
    assert found.record_to.path == world.anchor / url.removeprefix("sqlite:///")


def test_the_user_may_name_any_place(world: World) -> None:
    """A variable, the user's own file, the command line."""
    wanted = world.home / ".ssh" / "authorized_keys"
    world.user(of("mine", HOME_URL))
    assert world.resolve(option_profile="mine").target.path == wanted
    assert world.resolve(option_url=HOME_URL).target.path == wanted
    world.env(FLAKEFIGHTERS_PROFILES__LOCAL__URL=HOME_URL).project(of("local", "sqlite:///a.db"))
    assert world.resolve().target.path == wanted


def test_an_anchor_within_the_repository(world: World) -> None:
    """The project is the repository."""
    world.project(of("local", "sqlite:///../history.db"))
    assert world.resolve(project_root=world.root).target.path == world.root / "history.db"


def test_a_circle_of_links(world: World) -> None:
    (world.anchor / "profiles.toml").symlink_to("profiles.toml")
    lay_links(world)
    world.user_file.parent.mkdir(parents=True)
    world.user_file.symlink_to(world.user_file.name)
    assert world.resolve().target.path == world.anchor / "flakefighters.db"
    assert not places.may_hold_history(world.inputs(), Path("/circle/../etc"))


def closed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody may look into a folder, whoever we are."""
    real = os.stat

    def stat(path: Any, *args: Any, **more: Any) -> os.stat_result:
        if isinstance(path, (str, Path)) and folder in Path(path).parents:
            raise PermissionError(13, "Permission denied", str(path))
        return real(path, *args, **more)

    monkeypatch.setattr(os, "stat", stat)


URL = "postgresql://u:secret-enough@db.example.org/d"


def test_a_home_that_cannot_be_entered(
    world: World, monkeypatch: pytest.MonkeyPatch, no_keyring: None
) -> None:
    """Nothing of ours is there then, and libpq is told not to look for a certificate."""
    closed(world.home, monkeypatch)
    target = world.env(FLAKEFIGHTERS_PROFILES__X__URL=URL).resolve(option_profile="x").target
    assert "passfile" not in target.query
    assert target.query["sslcertmode"] == "disable"
    assert world.resolve().notes == ()


def test_a_folder_of_libpq_that_cannot_be_read(
    world: World, monkeypatch: pytest.MonkeyPatch, no_keyring: None
) -> None:
    world.env(FLAKEFIGHTERS_PROFILES__X__URL=URL)
    assert "sslcertmode" not in world.resolve(option_profile="x").target.query
    closed(world.home / ".postgresql", monkeypatch)
    assert world.resolve(option_profile="x").target.query["sslcertmode"] == "disable"
    world.env(PGSSLCERT="/etc/mine.crt")
    assert "sslcertmode" not in world.resolve(option_profile="x").target.query
