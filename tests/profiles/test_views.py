from __future__ import annotations

import pytest

from flakefighters.errors import ConfigError
from tests.profiles.world import PLACE, World, variable


def test_profiles(world: World) -> None:
    world.project().user(
        '[profiles.work]\nurl = "sqlite:///~/work.db"\n[profiles.bad]\nurl = "x"\n'
    )
    world.env(**{variable("ci", "password"): "s3cret", variable("ci", "password_host"): PLACE})
    views = world.profiles()
    assert list(views) == ["local", "ci", "shared", "bad", "work"]
    assert [view.name for view in views.values() if view.active] == ["local"]
    assert views["local"].reason == "default_profile in profiles.toml:1"
    assert views["ci"].display == "postgresql://db.example.org/flakes"
    assert views["ci"].origin == "profiles.toml:8"
    assert views["ci"].password == variable("ci", "password")
    assert views["shared"].read_only
    assert views["work"].display == "sqlite:///~/work.db"
    assert "is not a database URL" in (views["bad"].problem or "")


def test_profiles_without_a_url_and_without_a_choice(world: World) -> None:
    views = world.env(FLAKEFIGHTERS_PROFILE="nope").profiles()
    assert [view.active for view in views.values()] == [False, False, False]
    assert views["shared"].problem == "has no URL"


def test_settings_show_what_was_overridden_and_no_password(world: World) -> None:
    world.project().user(
        f'project = "b"\n[profiles.ci]\nurl = "postgresql://u:s3cret@h/d"\npassword = "s3cret2"\n'
        f'password_host = "{PLACE}"\n'
    )
    world.env(FLAKEFIGHTERS_PROJECT="a", FLAKEFIGHTERS_PROFILE="ci")
    view = world.settings()
    shown = {setting.name: setting for setting in view.settings}
    user = "~/.config/flakefighters/profiles.toml"
    assert shown["project"].overrides == ((f"{user}:1", "b"),)
    assert shown["profile"].value == "ci"
    assert shown["profile"].variable == "FLAKEFIGHTERS_PROFILE"
    url = shown["profiles.ci.url"]
    assert url.origin == "profiles.toml:8"
    assert url.overrides == ((f"{user}:3", "postgresql://u@h/d"),)
    password = shown["profiles.ci.password"]
    assert (password.value, password.origin) == ("***", f"{user}:4")
    assert shown["profiles.ci.connect_timeout"].value == "10"
    assert shown["profiles.ci.sslrootcert"].value is None
    assert "s3cret" not in repr(view)
    assert [(file.path.name, file.status) for file in view.files] == [
        ("profiles.toml", "read"),
        ("pyproject.toml", "absent"),
        ("profiles.toml", "read"),
    ]


def test_settings_never_raise(world: World) -> None:
    world.project("[broken").user("profiles = 3").env(FLAKEFIGHTERS_PROFILE="x")
    view = world.settings()
    assert len(view.notes) >= 2
    assert view.files[0].status.startswith("is not valid TOML")
    assert world.profiles()["local"].problem is None
    with pytest.raises(ConfigError):
        world.profiles(option_profile="local")
