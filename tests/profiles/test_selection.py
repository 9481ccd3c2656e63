"""Which profile is used, and what the header says of it."""

from __future__ import annotations

import pytest

from flakefighters.errors import ConfigError
from tests.profiles.world import PLACE, World, variable

pytestmark = pytest.mark.usefixtures("no_keyring")
PASSWORD = {variable("ci", "password"): "s3cret-s3cret", variable("ci", "password_host"): PLACE}


def test_nothing_configured(world: World) -> None:
    found = world.resolve()
    assert found.header() == "profile local (default) -> sqlite:///flakefighters.db"
    assert found.target.path == world.anchor / "flakefighters.db"
    assert found.record_to == found.target
    assert found.notes == ()


def test_default_profile_names_its_line(world: World) -> None:
    found = world.project().resolve()
    assert found.header() == (
        "profile local (default_profile in profiles.toml:1) -> sqlite:///flakefighters.db"
    )


def test_ci_is_detected(world: World) -> None:
    found = world.project().ci().env(**PASSWORD).resolve()
    assert found.header() == (
        "profile ci (CI detected: GitHub Actions) -> postgresql://db.example.org/flakes"
    )
    assert found.ci is not None
    assert found.notes == ()
    assert found.target.password is not None
    assert found.target.password.reveal() == "s3cret-s3cret"


def test_unknown_ci_names_the_variable(world: World) -> None:
    found = world.project().env(CI="1", **PASSWORD).resolve()
    assert found.reason == "CI detected: variable CI"


def test_option_before_variable_before_ci_before_default(world: World) -> None:
    world.project("".join(f'[profiles.{n}]\nurl = "sqlite:///{n}.db"\n' for n in "abcd"))
    world.env(FLAKEFIGHTERS_PROFILE="b", FLAKEFIGHTERS_CI_PROFILE="c").ci()
    world.env(FLAKEFIGHTERS_DEFAULT_PROFILE="d")
    chosen = []
    url = world.resolve(option_profile="a", option_url="sqlite:///x.db")
    chosen.append((url.profile, url.reason))
    option = world.resolve(option_profile="a")
    chosen.append((option.profile, option.reason))
    for gone in ("FLAKEFIGHTERS_PROFILE", "CI", "FLAKEFIGHTERS_DEFAULT_PROFILE"):
        found = world.resolve()
        chosen.append((found.profile, found.reason))
        world.environ[gone] = ""
    chosen.append((world.resolve().profile, world.resolve().reason))
    assert chosen == [
        (None, "--flakefighters-database-url"),
        ("a", "--flakefighters-profile"),
        ("b", "FLAKEFIGHTERS_PROFILE"),
        ("c", "CI detected: GitHub Actions"),
        ("d", "default_profile in FLAKEFIGHTERS_DEFAULT_PROFILE"),
        ("local", "default"),
    ]


def test_url_option_uses_no_profile(world: World) -> None:
    found = world.project().resolve(option_url="postgres://me:pw@localhost/x")
    assert found.header() == (
        "database URL (--flakefighters-database-url) -> postgresql://localhost/x"
    )
    assert (found.profile, found.target.profile) == (None, None)
    assert found.target.password is not None


@pytest.mark.parametrize("name", ["CI", "ci", "Ci"])
def test_names_in_any_case(world: World, name: str) -> None:
    assert world.project().env(**PASSWORD).resolve(option_profile=name).profile == "ci"


def test_dash_is_underscore_in_variables(world: World) -> None:
    world.project('[profiles.My-Team]\nread_only = false\nurl = "sqlite:///a.db"\n')
    world.env(FLAKEFIGHTERS_PROFILES__MY_TEAM__URL="sqlite:///b.db")
    for spelling in ("my-team", "MY_TEAM", "My-Team"):
        found = world.resolve(option_profile=spelling)
        assert found.target.path == world.anchor / "b.db"


def test_unknown_name_is_fatal_and_named(world: World) -> None:
    with pytest.raises(ConfigError) as caught:
        world.project().resolve(option_profile="shraed")
    assert str(caught.value) == (
        "there is no profile 'shraed'; known are ci, local, shared "
        "(set in --flakefighters-profile); did you mean shared?"
    )
    with pytest.raises(ConfigError, match=r"set in FLAKEFIGHTERS_PROFILE\)"):
        world.env(FLAKEFIGHTERS_PROFILE="nope").resolve()
    found = world.project('default_profile = "nope"').env(FLAKEFIGHTERS_PROFILE="").resolve()
    assert found.reason == "profiles.toml:1, but there is no such profile"
    assert found.profile == "local"
    [note] = found.notes
    assert "there is no profile 'nope'" in note
    assert "(set in profiles.toml:1)" in note
    with pytest.raises(ConfigError, match="there is no profile ''"):
        world.resolve(option_profile="")


# -- CI without credentials --------------------------------------------------------------------


def test_ci_without_credentials_goes_on_in_local(world: World) -> None:
    found = world.project().ci().resolve()
    assert found.header() == (
        "profile local (CI detected: GitHub Actions, but ci has no password) -> "
        "sqlite:///flakefighters.db"
    )
    assert found.notes == (
        f"profile ci has no password for {PLACE}; this run is recorded in local",
    )


def test_also_when_named_and_when_the_secret_is_empty(world: World) -> None:
    empty = dict.fromkeys(PASSWORD, "")
    found = world.project().ci().env(**empty).resolve(option_profile="ci")
    assert found.profile == "local"
    assert len(found.notes) == 1


@pytest.mark.parametrize(
    "url", ["", "postgresql://ci:@db.example.org/flakes", "postgresql://:@db.example.org/flakes"]
)
def test_absent_secrets_within_a_url(world: World, url: str) -> None:
    found = world.ci().env(**{variable("ci", "url"): url}).resolve()
    assert found.profile == "local"
    assert len(found.notes) == 1


def test_ci_with_nothing_configured(world: World) -> None:
    found = world.ci().resolve()
    assert found.profile == "local"
    assert found.reason == "CI detected: GitHub Actions, no history is configured"
    assert found.notes == ()
    assert found.ci is not None


@pytest.mark.parametrize("url", ["postgresql://w:p#w-long-enough@h/d", "postgresql://w:p/w@h/d"])
def test_a_malformed_secret_is_one_line(world: World, url: str) -> None:
    """A password that some service has generated does not end every job with exit code 4."""
    world.ci().env(**{variable("ci", "url"): url})
    for environ in ({}, {"FLAKEFIGHTERS_PROFILE": "ci"}):
        found = world.env(**environ).resolve()
        assert found.profile == "local"
        [note] = found.notes
        assert f"(set in {variable('ci', 'url')})" in note
        assert "; this run is recorded in local" in note
        assert "%23" in note
        assert "p#w" not in note
    with pytest.raises(ConfigError):
        world.resolve(option_profile="ci")
    with pytest.raises(ConfigError):
        world.env(**{variable("ci", "on_error"): "fail"}).resolve()


@pytest.mark.parametrize("how", ["option", "variable", "file", "check"])
def test_a_url_in_place_of_a_name_shows_no_password(world: World, how: str) -> None:
    url = "postgresql://u:hunter2@h/d"
    if how == "file":
        said = str(world.project(f'default_profile = "{url}"').resolve().notes)
    else:
        if how == "variable":
            world.env(FLAKEFIGHTERS_PROFILE=url)
        with pytest.raises(ConfigError) as caught:
            world.resolve(option_profile=None if how == "variable" else url)
        said = f"{caught.value}"
    assert "a database URL is no profile's name" in said
    assert "hunter2" not in said


def test_a_url_as_the_name_of_a_table_shows_no_password(world: World) -> None:
    world.project('[profiles."postgresql://u:hunter2@h/d"]\nread_only = true\n')
    assert "hunter2" not in str(world.settings())
    assert "hunter2" not in str(world.resolve())


def test_on_error_fail_stops_ci_without_credentials(world: World) -> None:
    world.project().ci().env(**{variable("ci", "on_error"): "fail"})
    with pytest.raises(ConfigError, match="has no password for"):
        world.resolve()


def test_no_url_outside_ci_is_fatal(world: World) -> None:
    with pytest.raises(ConfigError, match="profile shared has no URL") as caught:
        world.resolve(option_profile="shared")
    assert caught.value.remedy is not None
    assert variable("shared", "url") in caught.value.remedy


def test_without_need_of_credentials_ci_keeps_its_profile(world: World) -> None:
    assert world.project().ci().resolve(need_credentials=False).profile == "ci"


def test_password_less_methods_need_no_password(world: World) -> None:
    url = "postgresql://ci@db.example.org/flakes?require_auth=none"
    assert world.ci().env(**{variable("ci", "url"): url}).resolve().profile == "ci"


# -- read-only ---------------------------------------------------------------------------------


def test_read_only_records_in_local(world: World) -> None:
    world.project().env(PGPASSWORD="x")
    found = world.resolve(option_profile="shared")
    assert found.target.profile == "shared"
    assert found.target.read_only
    assert found.record_to.profile == "local"
    assert found.header() == (
        "profile shared (--flakefighters-profile) -> postgresql://db.example.org/flakes, "
        "read-only; recording to local -> sqlite:///flakefighters.db"
    )


def test_settings_of_the_place_that_is_written(world: World) -> None:
    world.project(
        '[profiles.shared]\nurl = "sqlite:///s.db"\nkeep_runs = 5\non_error = "fail"\n'
        '[profiles.local]\nkeep_runs = 7\nstore_output = "failures"\n'
    ).env(
        FLAKEFIGHTERS_STATE_ENV="TZ, LANG",
        FLAKEFIGHTERS_SECRET_ENV="LICENCE",
        FLAKEFIGHTERS_PROJECT="github.com/acme/shop",
    )
    settings = world.resolve(option_profile="shared").settings
    assert settings.keep_runs == 7
    assert settings.store_output == "failures"
    assert settings.on_error == "fail"
    assert settings.state_env == ("TZ", "LANG")
    assert settings.secret_env == ("LICENCE",)
    assert settings.project == "github.com/acme/shop"


def test_local_cannot_be_read_only(world: World) -> None:
    world.project("[profiles.local]\nread_only = true\n")
    with pytest.raises(ConfigError, match=r"local is read-only.*profiles.toml:2"):
        world.resolve()
