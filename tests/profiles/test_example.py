"""The file that `flakefighters init` writes."""

from __future__ import annotations

import re
from pathlib import Path

from flakefighters.profiles.fields import PROFILE_FIELDS, TOP_FIELDS
from tests.profiles.world import World, variable

ROOT = Path(__file__).parents[2]
EXAMPLE = (ROOT / "flakefighters" / "profiles" / "example.toml").read_text(encoding="utf-8")


def test_the_two_files_are_one() -> None:
    assert (ROOT / "profiles.example.toml").read_text(encoding="utf-8") == EXAMPLE


def test_it_loads_as_it_is(world: World) -> None:
    found = world.project(EXAMPLE).resolve()
    assert found.notes == ()
    assert found.target.display == "sqlite:///flakefighters.db"
    assert world.ci().resolve().profile == "local"


def test_it_loads_with_everything_switched_on(world: World) -> None:
    text, count = re.subn(r"(?m)^# (\w+ = )", r"\1", EXAMPLE)
    assert count == 11
    world.project(text).ci().env(
        **{
            variable("ci", "password"): "s3cret",
            variable("ci", "password_host"): "ci_writer@db.example.org:5432/flakes",
        }
    )
    found = world.resolve()
    assert found.notes == ()
    assert found.profile == "ci"
    assert found.target.sslmode == "verify-full"
    assert found.target.sslrootcert is not None
    assert found.settings.on_error == "fail"
    assert found.settings.project == "github.com/acme/shop"
    views = world.profiles()
    assert views["shared"].display == "postgresql://db.example.org/flakes"
    assert not any(view.problem for view in views.values())


def test_it_names_only_what_exists() -> None:
    known = {spec.name for spec in (*TOP_FIELDS, *PROFILE_FIELDS)}
    assert set(re.findall(r"(?m)^(?:# )?(\w+) = ", EXAMPLE)) <= known
