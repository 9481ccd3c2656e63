"""What sources say, what is wrong with them, and when that matters."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from flakefighters.errors import ConfigError
from flakefighters.profiles import resolve
from flakefighters.profiles.selection import select
from tests.profiles.world import TEAM, World, variable

HEAVY = ("pydantic", "pydantic_settings", "keyring", "sqlalchemy", "psycopg2", "asyncio")


# -- the short way -----------------------------------------------------------------------------


def test_a_plain_start_imports_nothing_heavy(world: World) -> None:
    code = (
        "import sys, pathlib; before = set(sys.modules);"
        "from flakefighters.profiles import Inputs, resolve;"
        f"print(resolve(Inputs(anchor=pathlib.Path({str(world.anchor)!r}), environ={{}})).profile);"
        "print(*sorted({m.partition('.')[0] for m in set(sys.modules) - before}))"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    profile, modules = out.stdout.splitlines()
    assert profile == "local"
    assert not {*HEAVY, "tomllib", "subprocess"} & set(modules.split())


@pytest.mark.parametrize(
    "pyproject",
    [
        None,
        "",
        "[project]\nname = 'shop'\n",
        "[project]\ndependencies = ['flakefighters']\n",
        "[tool.flakefighters]\n",
        "[tool.pytest.ini_options]\nflakefighters = true\n",
        "tool = 3 # flakefighters\n",
        "[broken",
    ],
)
def test_short_and_long_way_agree(world: World, pyproject: str | None) -> None:
    if pyproject is not None:
        world.pyproject(pyproject)
    world.env(FLAKEFIGHTERS="1", FLAKEFIGHTERS_PROFILE="", flakefighters_x=" ")
    short = resolve(world.inputs())
    assert short == select(world.inputs(), None, need_credentials=True)
    assert short.profile == "local"
    assert short.notes == ()


# -- names and keys ----------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["1a", "a--b", "a__b", "a-", "_a", "ä", "a b", "a.b", ""])
def test_bad_names(world: World, name: str) -> None:
    world.project(f'[profiles."{name}"]\nurl = "sqlite:///x.db"\n')
    [note] = world.resolve().notes
    assert "cannot be a profile's name" in note
    assert "profiles.toml:1" in note
    with pytest.raises(ConfigError):
        world.resolve(option_profile=name)


@pytest.mark.parametrize("twin", ["CI", "Ci"])
def test_twins(world: World, twin: str) -> None:
    world.project(
        f'[profiles.ci]\nurl = "sqlite:///a.db"\n[profiles.{twin}]\nurl = "sqlite:///b.db"\n'
    )
    [note] = world.resolve().notes
    assert f"profile {twin} is the same as ci" in note
    with pytest.raises(ConfigError, match="is the same as ci"):
        world.resolve(option_profile="ci")


def test_twins_of_variables(world: World) -> None:
    name = variable("local", "url")
    world.env(**{name: "sqlite:///a.db", name.lower(): "sqlite:///b.db"})
    with pytest.raises(ConfigError, match="differ only in case"):
        world.resolve(option_profile="local")
    [note] = world.resolve().notes
    assert "differ only in case" in note
    world.env(**{name.lower(): "sqlite:///a.db"})
    assert world.resolve().target.path == world.anchor / "a.db"


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("FLAKEFIGHTERS_PROFIL", "FLAKEFIGHTERS_PROFILE"),
        ("FLAKEFIGHTERS_DEFAULT_PROFIL", "FLAKEFIGHTERS_DEFAULT_PROFILE"),
        ("FLAKEFIGHTERS_PROFILE__CI__URL", "FLAKEFIGHTERS_PROFILES__CI__URL"),
        ("FLAKEFIGHTERS_PROFILES_CI_URL", "FLAKEFIGHTERS_PROFILES__CI__URL"),
        ("FLAKEFIGHTERS_PROFILES__CI", None),
        ("FLAKEFIGHTERS_ZZZ", None),
    ],
)
def test_unknown_variables_are_named(world: World, name: str, meant: str | None) -> None:
    [note] = world.env(**{name: "sqlite:///x.db"}).resolve().notes
    assert note.startswith(f"unknown variable {name}")
    if meant is not None:
        assert note.endswith(f"did you mean {meant}?")


def test_unknown_keys_matter_in_the_active_profile_only(world: World) -> None:
    world.project('defualt_profile = "ci"\n[profiles.ci]\nurll = "x"\n')
    [note] = world.resolve().notes
    assert note == (
        "unknown setting defualt_profile (set in profiles.toml:1); did you mean default_profile? "
        "(and 1 more: see `flakefighters config`)"
    )
    assert (
        "unknown setting urll in profile ci (set in profiles.toml:3); did you mean url?"
        in world.settings().notes
    )
    with pytest.raises(ConfigError, match="unknown setting urll"):
        world.resolve(option_profile="ci")
    [note] = world.project("").env(**{variable("local", "readonly"): "1"}).resolve().notes
    assert "did you mean read_only" in note


# -- values ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("field", "value", "complaint"),
    [
        ("connect_timeout", '"soon"', "must be a whole number"),
        ("connect_timeout", "0", "greater than or equal to 1"),
        ("connect_timeout", "1.5", "must be a whole number"),
        ("read_only", '"perhaps"', "must be true or false"),
        ("keep_runs", "-1", "greater than or equal to 1"),
        ("store_output", '"all"', "must be 'none' or 'failures'"),
        ("on_error", '"die"', "must be 'warn' or 'fail'"),
        ("sslmode", '"yes"', "must be 'disable'"),
        ("schema", '"Robert; drop"', "must be lower-case letters"),
        ("url", "3", "must be text"),
        ("url", '"mysql://h/d"', "is neither sqlite"),
        ("url", "['x']", "must be text"),
        ("sslrootcert", "3", "must be text"),
    ],
)
def test_malformed_values(world: World, field: str, value: str, complaint: str) -> None:
    world.project(f"\n[profiles.ci]\n{field} = {value}\n")
    world.resolve()  # not active: goes on
    with pytest.raises(ConfigError) as caught:
        world.resolve(option_profile="ci")
    assert complaint in str(caught.value)
    assert f"profile ci: {field}" in str(caught.value)
    assert "(set in profiles.toml:3)" in str(caught.value)


@pytest.mark.parametrize("text", ["default_profile = 3", "state_env = 'TZ'", "project = []"])
def test_malformed_top_settings(world: World, text: str) -> None:
    found = world.project(text).resolve()
    assert found.profile == "local"
    [note] = found.notes
    assert re.search(r"must be .*set in profiles.toml:1", note)


@pytest.mark.parametrize(
    "text", ["profiles = 3", "[profiles]\nlocal = 3", "[[profiles]]\nurl = 'x'"]
)
def test_tables_that_are_none(world: World, text: str) -> None:
    found = world.project(text).resolve()
    assert found.target.path == world.anchor / "flakefighters.db"
    [note] = found.notes
    assert "must be a table" in note
    with pytest.raises(ConfigError, match="must be a table"):
        world.resolve(option_profile="local")


def test_empty_is_not_set(world: World) -> None:
    world.project('default_profile = ""\n[profiles.local]\nurl = ""\nschema = " "\n')
    world.env(FLAKEFIGHTERS_CI_PROFILE="", FLAKEFIGHTERS_PROFILES__LOCAL__URL=" ")
    found = world.resolve()
    assert found.target.path == world.anchor / "flakefighters.db"
    assert found.target.schema == "flakefighters"


def test_values_are_never_repeated(world: World) -> None:
    secret = "tops3cret-value"
    world.project(TEAM).env(**{variable("ci", "connect_timeout"): secret})
    world.env(**{variable("ci", "url"): f"postgresql://u:{secret}/x@h/d"})
    for option in (None, "ci"):
        try:
            text = repr(world.resolve(option_profile=option))
        except ConfigError as error:
            text = f"{error!r} {error} {error.__context__!r} {error.__cause__!r}"
        assert secret not in text
    assert secret not in repr(world.settings().notes)


# -- files -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "raw", [b"[profiles", b"\xff\xfe\x00", b"x = 1\nx = 2\n", b"#" * 1_000_001]
)
def test_broken_files(world: World, raw: bytes) -> None:
    world.user("")
    world.user_file.write_bytes(raw)
    found = world.resolve()
    assert found.profile == "local"
    [note] = found.notes
    assert note.startswith("~/.config/flakefighters/profiles.toml is ")
    world.user_file.unlink()
    (world.anchor / "profiles.toml").write_bytes(raw)
    for setting in ({}, {"FLAKEFIGHTERS_PROFILE": "team"}, {"CI": "1"}):
        world.environ.pop("FLAKEFIGHTERS_PROFILE", None)
        found = world.env(**setting).resolve()
        assert found.profile == "local"
        assert found.notes[0].startswith("profiles.toml is ")
    with pytest.raises(ConfigError, match=r"^profiles.toml is "):
        world.resolve(option_profile="local")


def test_a_broken_file_in_ci_is_one_line(world: World) -> None:
    found = world.project("[profiles.ci\n").ci().resolve()
    assert found.profile == "local"
    [note] = found.notes
    assert "is not valid TOML" in note
    assert "line 1" in note


def test_a_file_of_another_tool(world: World) -> None:
    world.project("version = 2\n[default]\nregion = 'x'\n[prod]\nregion = 'y'\n")
    found = world.resolve()
    assert found.target.path == world.anchor / "flakefighters.db"
    [note] = found.notes
    assert note.startswith("unknown setting version (set in profiles.toml:1)")
    assert note.endswith("(and 2 more: see `flakefighters config`)")


def test_broken_file_explains_an_unknown_profile(world: World) -> None:
    with pytest.raises(
        ConfigError, match=r"note that ~/.config/flakefighters/profiles.toml is not"
    ):
        world.user("[profiles.work").resolve(option_profile="work")


def test_folder_instead_of_a_file(world: World) -> None:
    (world.anchor / "profiles.toml").mkdir()
    [note] = world.resolve().notes
    assert "is not a regular file" in note


def test_broken_pyproject(world: World) -> None:
    world.pyproject("[tool.flakefighters]\ndefault_profile = \n")
    with pytest.raises(ConfigError, match=r"pyproject.toml is not valid TOML"):
        world.resolve(option_profile="local")
    world.pyproject("[project]\ndependencies = ['flakefighters']\nx = \n")
    [note] = world.resolve().notes
    assert "pyproject.toml is not valid TOML" in note


def test_profiles_file_variable(world: World) -> None:
    world.project('default_profile = "nope"')
    other = world.root / "ci-profiles.toml"
    other.write_text('default_profile = "x"\n[profiles.x]\nurl = "sqlite:///x.db"\n')
    for spelling in (str(other), "../ci-profiles.toml"):
        world.env(FLAKEFIGHTERS_PROFILES_FILE=spelling)
        found = world.resolve()
        assert found.target.path == world.anchor / "x.db"
    assert found.reason == "default_profile in ../ci-profiles.toml:1" or str(other) in found.reason
    world.env(FLAKEFIGHTERS_PROFILES_FILE="absent.toml")
    with pytest.raises(ConfigError, match=r"absent.toml does not exist"):
        world.resolve(option_profile="local")
    [note] = world.resolve().notes
    assert "absent.toml does not exist" in note


def test_pyproject_and_bom_and_crlf(world: World) -> None:
    world.pyproject("\ufeff[project]\r\nname = 'x'\r\n[tool.flakefighters]\r\nproject = 'a/b'\r\n")
    assert world.resolve().settings.project == "a/b"
    [project] = [s for s in world.settings().settings if s.name == "project"]
    assert project.origin == "pyproject.toml:4"


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"HOME": "/h"}, "/h/.config/flakefighters/profiles.toml"),
        ({"HOME": "/h", "XDG_CONFIG_HOME": "/x"}, "/x/flakefighters/profiles.toml"),
        ({"HOME": "/h", "XDG_CONFIG_HOME": "x"}, None),
        ({"HOME": "h"}, None),
        ({}, None),
    ],
)
@pytest.mark.skipif(sys.platform in ("darwin", "win32"), reason="other folders there")
def test_user_folder(environ: dict[str, str], expected: str | None) -> None:
    from flakefighters.profiles import Inputs
    from flakefighters.profiles.places import user_file

    found = user_file(Inputs(anchor=Path("/shop"), environ=environ))
    assert found == (None if expected is None else Path(expected))


def test_debug_output_of_the_library_shows_no_secret(world: World) -> None:
    code = (
        "import logging; logging.basicConfig(level=0);"
        "from pathlib import Path; from flakefighters.profiles import *; import os;"
        f"print(resolve(Inputs(anchor=Path({str(world.anchor)!r}), environ=os.environ)).profile)"
    )
    world.ci().env(
        **{variable("ci", "url"): "postgresql://u:tops3cret@h.example/d"},
        PYDANTIC_SETTINGS_DEBUG="1",
    )
    out = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={**world.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )
    assert out.stdout.strip() == "ci"
    assert "tops3cret" not in out.stderr + out.stdout
