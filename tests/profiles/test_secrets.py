"""Whom a password may reach, and what the project's files may not say."""

from __future__ import annotations

import traceback
from pathlib import Path
from typing import Any

import pytest

from flakefighters.errors import ConfigError
from flakefighters.profiles import resolve
from tests.profiles.world import PLACE, TEAM, World, variable

pytestmark = pytest.mark.usefixtures("no_keyring")
SECRET = "s3cret-s3cret"
CI_PASSWORD = variable("ci", "password")
CI_HOST = variable("ci", "password_host")
CI_URL = variable("ci", "url")


def sent(world: World, profile: str = "ci") -> str | None:
    """The password that would be handed to the database of a profile."""
    found = world.resolve(option_profile=profile)
    assert SECRET not in repr(found)
    return found.target.password.reveal() if found.target.password else None


# -- bound passwords ---------------------------------------------------------------------------


def test_password_beside_its_url(world: World) -> None:
    world.env(**{CI_URL: "postgresql://w@h.example/d", CI_PASSWORD: SECRET})
    assert sent(world) == SECRET


def test_password_inside_its_url(world: World) -> None:
    world.env(**{CI_URL: f"postgresql://w:{SECRET}%40@h.example/d"})
    assert sent(world) == SECRET + "@"


def test_password_is_not_for_the_url_of_another_source(world: World) -> None:
    world.project().env(**{CI_PASSWORD: SECRET})
    found = world.resolve(option_profile="ci")
    assert found.target.password is None
    assert found.notes[-1] == (
        f"the password in {CI_PASSWORD} is not used, as it was not given for {PLACE}; "
        f"if it is meant for that, set {CI_HOST}={PLACE}"
    )


@pytest.mark.parametrize(
    "place",
    [
        PLACE,
        "db.example.org",
        "DB.example.org.",
        "db.example.org:5432",
        "ci_writer@db.example.org",
        "db.example.org/flakes",
        "postgresql://ci_writer@db.example.org/flakes",
    ],
)
def test_password_host_allows(world: World, place: str) -> None:
    assert sent(world.project().env(**{CI_PASSWORD: SECRET, CI_HOST: place})) == SECRET


@pytest.mark.parametrize(
    "place",
    [
        "evil.example",
        "db.example.org.evil.example",
        "db.example.org:5433",
        "other@db.example.org",
        "db.example.org/other",
        "ci_writer@db.example.org:6543/flakes",
    ],
)
def test_password_host_refuses(world: World, place: str) -> None:
    assert sent(world.project().env(**{CI_PASSWORD: SECRET, CI_HOST: place})) is None


@pytest.mark.parametrize("place", ["", " "])
def test_empty_password_host_allows_nothing(world: World, place: str) -> None:
    assert sent(world.project().env(**{CI_PASSWORD: SECRET, CI_HOST: place})) is None


@pytest.mark.parametrize("place", ["@", "a b", "h:port", "sqlite:///x.db", "/d", "h1,h2"])
def test_malformed_password_host(world: World, place: str) -> None:
    world.project().env(**{CI_PASSWORD: SECRET, CI_HOST: place})
    with pytest.raises(ConfigError, match=f"password_host .*{CI_HOST}"):
        world.resolve(option_profile="ci")


@pytest.mark.parametrize(
    "place",
    [
        "ci_writer@evil.example:5432/flakes",
        "ci_writer@db.example.org:6666/flakes",
        "mallory@db.example.org:5432/flakes",
        "ci_writer@db.example.org:5432/mallory",
        "ci_writer@db.example.org.evil.example/flakes",
    ],
)
def test_a_pull_request_cannot_redirect_the_password(world: World, place: str) -> None:
    world.ci().env(**{CI_PASSWORD: SECRET, CI_HOST: PLACE})
    assert sent(world.project()) == SECRET
    changed = TEAM.replace(f"postgresql://{PLACE}", f"postgresql://{place}")
    found = world.project(changed).resolve(option_profile="ci")
    assert found.profile == "local"  # CI without credentials
    assert found.target.password is None
    world.pyproject("").project("")
    world.pyproject(f'[tool.flakefighters.profiles.ci]\nurl = "postgresql://{place}"\n')
    assert sent(world) is None


def test_a_pull_request_cannot_use_another_profiles_password(world: World) -> None:
    world.project(TEAM.replace('ci_profile = "ci"', 'ci_profile = "shared"'))
    world.ci().env(**{CI_PASSWORD: SECRET, CI_HOST: PLACE})
    assert world.resolve().target.password is None


def test_the_users_url_password_follows_to_the_same_place_only(world: World) -> None:
    world.project().user(f'[profiles.ci]\nurl = "postgresql://{PLACE}"\npassword = "{SECRET}"\n')
    assert sent(world) == SECRET
    world.user(f'[profiles.ci]\nurl = "postgresql://ci_writer:{SECRET}@db.example.org/flakes"\n')
    assert sent(world) == SECRET
    world.project(TEAM.replace("db.example.org", "evil.example"))
    assert sent(world) is None


def test_an_unusable_password_does_not_hide_a_usable_one(world: World) -> None:
    world.project().env(**{CI_PASSWORD: "for-something-else"})
    world.user(f'[profiles.ci]\npassword = "{SECRET}"\npassword_host = "{PLACE}"\n')
    assert sent(world) == SECRET


def test_password_file_outside_of_the_project(world: World) -> None:
    outside = world.root / "secrets.toml"
    outside.write_text(f'[profiles.ci]\nurl = "postgresql://w@h.example/d"\npassword = "{SECRET}"')
    assert sent(world.env(FLAKEFIGHTERS_PROFILES_FILE=str(outside))) == SECRET


# -- files of the project ------------------------------------------------------------------------


REFUSED = {
    "password": f'url = "postgresql://w@h.example/d"\npassword = "{SECRET}"\n',
    "password_host": 'url = "postgresql://w@h.example/d"\npassword_host = "h.example"\n',
    "url": f'url = "postgresql://w:{SECRET}@h.example/d"\n',
}


@pytest.mark.parametrize("field", REFUSED)
@pytest.mark.parametrize("place", ["profiles.toml", "pyproject.toml", "variable", "user", "link"])
def test_no_passwords_in_the_project(world: World, field: str, place: str) -> None:
    text = f"[profiles.ci]\n{REFUSED[field]}"
    if place == "profiles.toml":
        world.project(text)
    elif place == "pyproject.toml":
        world.pyproject(text.replace("[profiles.ci]", "[tool.flakefighters.profiles.ci]"))
    elif place == "variable":
        (world.anchor / "ci.toml").write_text(text)
        world.env(FLAKEFIGHTERS_PROFILES_FILE=str(world.root / "home" / ".." / "shop" / "ci.toml"))
    elif place == "link":
        (world.anchor / "ci.toml").write_text(text)
        (world.root / "link.toml").symlink_to(world.anchor / "ci.toml")
        world.env(FLAKEFIGHTERS_PROFILES_FILE=str(world.root / "link.toml"))
    options: dict[str, Any] = {}
    if place == "user":
        (world.anchor / "cfg").mkdir()
        (world.anchor / "cfg" / "profiles.toml").write_text(text)
        options["user_config_dir"] = world.anchor / "cfg"
    with pytest.raises(
        ConfigError, match="holds a password, which a file of the project"
    ) as caught:
        world.resolve(option_profile="ci", **options)
    assert f"profile ci: {field}" in str(caught.value)
    assert "flakefighters login ci" in str(caught.value)
    assert SECRET not in str(caught.value)
    found = world.resolve(**options)  # another profile: goes on, and says so
    assert any("holds a password" in note for note in found.notes)
    assert SECRET not in repr(found) + repr(world.settings(**options))


def test_above_the_anchor_is_the_project_too(world: World) -> None:
    (world.root / "ci.toml").write_text(f"[profiles.ci]\n{REFUSED['password']}")
    world.env(FLAKEFIGHTERS_PROFILES_FILE="../ci.toml")
    assert sent(world) == SECRET
    with pytest.raises(ConfigError, match="holds a password"):
        world.resolve(option_profile="ci", project_root=world.root)


def test_url_option_from_the_projects_addopts(world: World) -> None:
    url = f"postgresql://w:{SECRET}@h.example/d"
    found = world.resolve(option_url=url)
    assert found.target.password is not None
    assert found.target.libpq_defaults
    with pytest.raises(ConfigError, match="in addopts") as caught:
        world.resolve(option_url=url, option_url_in_project=True)
    assert SECRET not in str(caught.value)
    found = world.env(PGPASSWORD=SECRET).resolve(
        option_url="postgresql://w@h.example/d", option_url_in_project=True
    )
    assert found.target.password is None
    assert not found.target.libpq_defaults


# -- TLS ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("host", "mode"),
    [
        ("db.example.org", "require"),
        ("localhost.example.org", "require"),
        ("10.0.0.1", "require"),
        ("localhost", "prefer"),
        ("127.8.9.1", "prefer"),
        ("[::1]", "prefer"),
        ("%2Fvar%2Frun%2Fpostgresql", "prefer"),
    ],
)
def test_usual_sslmode(world: World, host: str, mode: str) -> None:
    world.env(**{CI_URL: f"postgresql://u:p@{host}/d"})
    target = world.resolve(option_profile="ci").target
    assert target.sslmode == mode
    assert target.require_auth == "scram-sha-256"


@pytest.mark.parametrize("mode", ["disable", "allow", "prefer"])
@pytest.mark.parametrize("way", ["field", "url"])
def test_the_project_cannot_loosen_tls(world: World, mode: str, way: str) -> None:
    query, line = (f"?sslmode={mode}", "") if way == "url" else ("", f'sslmode = "{mode}"')
    world.project(f'[profiles.ci]\nurl = "postgresql://u@h.example/d{query}"\n{line}\n')
    with pytest.raises(ConfigError, match=rf"sslmode {mode} is looser than require.*toml:[23]"):
        world.resolve(option_profile="ci")
    world.env(**{variable("ci", "sslmode"): mode})  # whoever runs it may
    assert world.resolve(option_profile="ci").target.sslmode == mode


def test_the_project_can_tighten_tls(world: World) -> None:
    world.project(TEAM.replace("/flakes", "/flakes?sslmode=verify-full&sslrootcert=ca.pem"))
    target = world.resolve(option_profile="ci").target
    assert target.sslmode == "verify-full"
    assert target.sslrootcert == str(world.anchor / "ca.pem")
    assert "sslmode" not in target.query


def test_the_project_loses_to_a_stricter_user(world: World) -> None:
    world.user('[profiles.ci]\nsslmode = "verify-full"\nsslrootcert = "~/ca.pem"\n')
    world.project(
        f'[profiles.ci]\nurl = "postgresql://{PLACE}"\nsslmode = "require"\nsslrootcert = "x.pem"'
    )
    found = world.resolve(option_profile="ci")
    assert found.target.sslmode == "verify-full"
    assert found.target.sslrootcert == str(world.home / "ca.pem")
    assert any("sslmode require in profiles.toml:3 is not used" in note for note in found.notes)
    origin = {s.name: s.origin for s in world.settings().settings}
    assert origin["profiles.ci.sslmode"] == "~/.config/flakefighters/profiles.toml:2"


def test_the_systems_authorities(world: World) -> None:
    world.env(**{CI_URL: "postgresql://u:p@h.example/d?sslrootcert=system"})
    target = world.resolve(option_profile="ci").target
    assert target.sslmode == "verify-full"
    assert target.sslrootcert is not None
    assert target.sslrootcert == "system" or Path(target.sslrootcert).is_file()


def test_local_hosts_may_go_without(world: World) -> None:
    world.project('[profiles.ci]\nurl = "postgresql://u@localhost/d?sslmode=disable"\n')
    assert world.resolve(option_profile="ci").target.sslmode == "disable"


@pytest.mark.parametrize(
    "query", ["require_auth=password", "channel_binding=disable", "ssl_min_protocol_version=TLSv1"]
)
def test_the_project_cannot_weaken_the_login(world: World, query: str) -> None:
    url = f"postgresql://u@h.example/d?{query}"
    world.project(f'[profiles.ci]\nurl = "{url}"\n')
    with pytest.raises(ConfigError, match="which a file of the project may not"):
        world.resolve(option_profile="ci")
    world.env(**{CI_URL: url})
    world.resolve(option_profile="ci")


# -- libpq's own sources -------------------------------------------------------------------------

LIBPQ = {
    "PGPASSWORD": SECRET,
    "PGHOST": "pg.example",
    "PGHOSTADDR": "192.0.2.1",
    "PGUSER": "pguser",
    "PGPORT": "7777",
    "PGDATABASE": "pgdb",
    "PGSSLMODE": "disable",
    "PGREQUIREAUTH": "password",
    "PGSSLROOTCERT": "/pg/ca.pem",
}


def test_libpq_counts_for_urls_that_are_not_from_the_project(world: World) -> None:
    (world.home / ".pgpass").touch()
    target = world.env(**LIBPQ, **{CI_URL: "postgresql://"}).resolve(option_profile="ci").target
    assert target.libpq_defaults
    assert target.password is not None
    assert target.password.reveal() == SECRET
    assert (target.host, target.port) == ("pg.example", 7777)
    assert (target.user, target.database) == ("pguser", "pgdb")
    # They may tighten, and no more.
    assert (target.sslmode, target.require_auth) == ("require", "scram-sha-256")
    assert target.sslrootcert is None
    assert target.query["passfile"] == str(world.home / ".pgpass")
    assert target.query["hostaddr"] == target.query["options"] == ""
    assert target.display == "postgresql://pg.example:7777/pgdb"


def test_the_applications_database_is_not_the_historys(world: World) -> None:
    url = "postgresql://u@h.example"
    app = {**LIBPQ, "PGOPTIONS": "-c statement_timeout=1", "PGSERVICE": "app"}
    target = world.env(**app, **{CI_URL: url}).resolve(option_profile="ci").target
    assert (target.host, target.port, target.user, target.database) == ("h.example", None, "u", "u")
    assert (target.sslmode, target.require_auth) == ("require", "scram-sha-256")
    assert target.query["hostaddr"] == target.query["options"] == ""
    assert target.query["sslrootcert"] == ""


@pytest.mark.parametrize(
    ("given", "field", "value"),
    [
        ({"PGSSLMODE": "verify-full"}, "sslmode", "verify-full"),
        ({"PGSSLMODE": "verify-ca", "PGSSLROOTCERT": "/pg/ca.pem"}, "sslrootcert", "/pg/ca.pem"),
        ({"PGSSLMODE": "allow"}, "sslmode", "require"),
        ({"PGSSLMODE": "nonsense"}, "sslmode", "require"),
        ({"PGCHANNELBINDING": "require"}, "channel_binding", "require"),
        ({"PGCHANNELBINDING": "disable"}, "channel_binding", "prefer"),
        ({"PGSSLMINPROTOCOLVERSION": "TLSv1.3"}, "ssl_min_protocol_version", "TLSv1.3"),
        ({"PGSSLMINPROTOCOLVERSION": "TLSv1"}, "ssl_min_protocol_version", "TLSv1.2"),
    ],
)
def test_libpqs_variables_may_tighten(
    world: World, given: dict[str, str], field: str, value: str
) -> None:
    target = (
        world.env(**given, **{CI_URL: "postgresql://u:p@h.example/d"})
        .resolve(option_profile="ci")
        .target
    )
    found = target.query.get(field) if hasattr(target, field) is False else getattr(target, field)
    assert found == value


def test_libpq_does_not_count_for_urls_of_the_project(world: World) -> None:
    (world.home / ".pgpass").touch()
    target = world.project().env(**LIBPQ).resolve(option_profile="ci").target
    assert not target.libpq_defaults
    assert target.password is None
    assert (target.sslmode, target.require_auth) == ("require", "scram-sha-256")
    assert target.sslrootcert is None
    assert target.query["hostaddr"] == target.query["options"] == ""
    assert not Path(target.query["passfile"]).exists()


@pytest.mark.parametrize("url", ["postgresql:///d", "postgresql://h.example", "postgresql://h/d"])
def test_urls_of_the_project_are_complete(world: World, url: str) -> None:
    world.project(f'[profiles.ci]\nurl = "{url}"\n').env(**LIBPQ)
    with pytest.raises(ConfigError, match=r"names no (host|user|database)"):
        world.resolve(option_profile="ci")


def test_pgpass_is_credentials_in_ci(world: World) -> None:
    world.ci().env(**{CI_URL: "postgresql://w@h.example/d"})
    assert world.resolve().profile == "local"
    (world.home / ".pgpass").touch()
    assert world.resolve().profile == "ci"


# -- tracebacks ----------------------------------------------------------------------------------


def with_locals(error: BaseException) -> str:
    """A traceback as pytest prints it with --showlocals, without the test's own frame."""
    shown = traceback.TracebackException.from_exception(error, capture_locals=True)
    shown.stack = traceback.StackSummary.from_list(shown.stack[1:])
    return "".join(shown.format())


@pytest.mark.parametrize(
    "variables",
    [
        {CI_URL: f"postgresql://u:{SECRET}#x@h.example/d"},
        {CI_URL: f"postgresql://u:{SECRET}@h.example/d?service=x"},
        {CI_PASSWORD: SECRET, CI_URL: "postgresql://u@h.example/d", CI_HOST: "a b"},
        {CI_PASSWORD: SECRET, variable("ci", "read_only"): SECRET},
        {CI_PASSWORD: SECRET, CI_URL: "postgresql://u@h/d", variable("ci", "schema"): "X Y"},
        {CI_PASSWORD: SECRET, variable("ci", "passwrod"): SECRET},
    ],
)
def test_errors_have_no_secret_even_with_local_variables(
    world: World, variables: dict[str, str]
) -> None:
    inputs = world.env(**variables).inputs(option_profile="ci")
    with pytest.raises(ConfigError) as caught:
        resolve(inputs)
    assert SECRET not in with_locals(caught.value)


@pytest.mark.parametrize("rest", ["#x@h/d", "@h/d?service=x", "@h,i/d", "/d@h/d"])
def test_nor_for_a_url_of_the_command_line(world: World, rest: str) -> None:
    inputs = world.inputs(option_url=f"postgresql://u:{SECRET}{rest}")
    with pytest.raises(ConfigError) as caught:
        resolve(inputs)
    assert SECRET not in with_locals(caught.value)


def test_url_of_the_command_line_without_password_in_ci(world: World) -> None:
    found = world.ci().resolve(option_url="postgresql://u@h.example/d")
    assert found.header() == (
        "profile local (--flakefighters-database-url, but the database URL has no password) -> "
        "sqlite:///flakefighters.db"
    )
    assert found.notes == (
        "the database URL has no password for u@h.example:5432/d; this run is recorded in local",
    )
