"""Passwords that a program of the user's prints."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from flakefighters.errors import ConfigError
from flakefighters.profiles import commands
from tests.profiles.world import TEAM, World, variable

pytestmark = pytest.mark.usefixtures("no_keyring")
PLACE = "reader@db.example.org:5432/flakes"


def own(world: World, command: str, place: str = PLACE) -> World:
    """The team's profiles, and a command in the user's own file."""
    line = command if command.startswith("[") else f"'''{command}'''"
    return world.project(TEAM).user(
        f"[profiles.shared]\npassword_host = '{place}'\npassword_command = {line}\n"
    )


@pytest.mark.parametrize("command", ["echo s3cret-s3cret", "['printf', 's3cret-s3cret\\n']"])
def test_what_the_command_prints_is_the_password(world: World, command: str) -> None:
    found = own(world.env(PATH=os.environ["PATH"]), command).resolve(option_profile="shared")
    assert found.target.password is not None
    assert found.target.password.reveal() == "s3cret-s3cret"
    assert found.notes == ()
    assert "s3cret" not in repr(found)


def test_it_runs_for_the_profile_in_use_only(world: World, tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    own(world.env(PATH=os.environ["PATH"]), f"touch {mark}").resolve()
    world.resolve(option_profile="shared", need_credentials=False)
    assert world.profiles()["shared"].password == "~/.config/flakefighters/profiles.toml:3"
    assert not mark.exists()
    world.resolve(option_profile="shared")
    assert mark.exists()


def test_it_goes_to_no_other_place(world: World) -> None:
    found = own(world, "echo s3cret-s3cret", "reader@other.example").resolve(
        option_profile="shared"
    )
    assert found.target.password is None
    assert "was not given for" in found.notes[0]


@pytest.mark.parametrize("where", ["project", "pyproject", "variable", "named"])
def test_only_the_users_own_file_may_name_it(world: World, tmp_path: Path, where: str) -> None:
    mark = tmp_path / "mark"
    world.env(PATH=os.environ["PATH"])
    text = f"[profiles.shared]\nurl = 'postgresql://{PLACE}'\npassword_command = 'touch {mark}'\n"
    if where == "project":
        world.project(text)
    elif where == "pyproject":
        world.pyproject(text.replace("[profiles", "[tool.flakefighters.profiles"))
    elif where == "variable":
        world.project().env(**{variable("shared", "password_command"): f"touch {mark}"})
    else:
        (tmp_path / "named.toml").write_text(text)
        world.env(FLAKEFIGHTERS_PROFILES_FILE=str(tmp_path / "named.toml"))
    with pytest.raises(ConfigError, match="only your own configuration may name"):
        world.resolve(option_profile="shared")
    assert not mark.exists()


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("no-such-program-here", "cannot be started (No such file or directory)"),
        ("sh -c 'echo s3cret-s3cret; exit 3'", "failed with exit code 3"),
        ("true", "did not print one line"),
        ("printf 'two\\nlines'", "did not print one line"),
        ("cat", "did not print one line"),
    ],
)
def test_what_goes_wrong_is_one_line_without_its_output(
    world: World, command: str, words: str
) -> None:
    found = own(world.env(PATH=os.environ["PATH"]), command).resolve(option_profile="shared")
    assert found.target.password is None
    [note] = found.notes
    assert words in note
    assert "~/.config/flakefighters/profiles.toml:3" in note
    assert "s3cret" not in note


def test_it_is_not_waited_for_without_end() -> None:
    start = time.monotonic()
    answer = commands.run(["sh", "-c", "sleep 60 & sleep 60"], os.environ, seconds=0.2)
    assert answer == (None, "did not end within 0.2 s")
    assert time.monotonic() - start < 20


def test_its_arguments_are_not_shown(world: World) -> None:
    shown = str(own(world, "op read --token=s3cret-s3cret").settings().settings)
    assert "op ***" in shown
    assert "s3cret" not in shown
