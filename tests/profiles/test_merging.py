"""Any split of the fields over the sources gives the same winner and origin."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.profiles.world import World, variable

#: Field to three values: for the variable, and in what form for TOML.
VALUES: dict[str, list[Any]] = {
    "url": ["sqlite:///one.db", "sqlite:///two.db", "sqlite:///three.db"],
    "schema": ["one", "two", "three"],
    "connect_timeout": [1, 2, 3],
    "read_only": [True, False, True],
    "keep_runs": [10, 20, 30],
    "keep_days": [11, 21, 31],
    "store_output": ["none", "failures", "none"],
    "on_error": ["warn", "fail", "warn"],
    "quarantine_undecided": ["fail", "pass", "fail"],
}
TOP: dict[str, list[Any]] = {
    "project": ["p/one", "p/two", "p/three"],
    "state_env": [["ONE"], ["TWO", "2"], ["THREE"]],
    "secret_env": [["A"], ["B", "2"], ["C"]],
    "ci_profile": ["one", "two", "three"],
}
SOURCES = ("variable", "profiles.toml", "pyproject.toml", "~/.config/flakefighters/profiles.toml")
BUILT_IN = {"read_only": True, "ci_profile": "ci"}

#: For each source: field to which of its values, spelt in one of three ways.
splits = st.lists(
    st.tuples(
        st.sampled_from(["Shared", "shared", "SHARED"]),
        st.dictionaries(st.sampled_from(sorted([*VALUES, *TOP])), st.integers(0, 2)),
    ),
    min_size=4,
    max_size=4,
)


def toml(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return repr(value)


def typed(value: Any) -> str:
    """A value as `config` shows it."""
    if isinstance(value, list):
        return ", ".join(value)
    return str(value).lower() if isinstance(value, bool) else str(value)


def write(world: World, split: list[tuple[str, dict[str, int]]]) -> dict[str, dict[str, str]]:
    """Spread the fields over the sources; return field to source to the expected origin."""
    origins: dict[str, dict[str, str]] = {}
    for source, (spelling, body) in zip(SOURCES, split, strict=True):
        tool = source == "pyproject.toml"
        lines = ["[tool.flakefighters]" if tool else ""]
        tops = [field for field in body if field in TOP]
        fields = [field for field in body if field in VALUES]
        for field in tops:
            value = TOP[field][body[field]]
            name = f"FLAKEFIGHTERS_{field.upper()}"
            if source == "variable":
                world.environ[name] = ",".join(value) if isinstance(value, list) else value
            lines.append(f"{field} = {toml(value)}")
            where = name if source == "variable" else f"{source}:{len(lines)}"
            origins.setdefault(field, {})[source] = where
        lines.append(f"[{'tool.flakefighters.' if tool else ''}profiles.{spelling}]")
        for field in fields:
            value = VALUES[field][body[field]]
            if source == "variable":
                world.environ[variable("shared", field)] = typed(value)
            lines.append(f"{field} = {toml(value)}")
            where = variable("shared", field) if source == "variable" else f"{source}:{len(lines)}"
            origins.setdefault(field, {})[source] = where
        text = "\n".join(lines) + "\n"
        if source == "profiles.toml":
            world.project(text)
        elif tool:
            world.pyproject(text)
        elif source != "variable":
            world.user(text)
    return origins


@settings(max_examples=60, deadline=None)
@given(splits)
def test_any_split(split: list[tuple[str, dict[str, int]]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        world = World(Path(folder).resolve())
        origins = write(world, split)
        shown = {setting.name: setting for setting in world.settings().settings}
        for field, values in {**VALUES, **TOP}.items():
            setting = shown.get(field if field in TOP else f"profiles.shared.{field}")
            found = [
                (origins[field][source], typed(values[body[field]]))
                for source, (_, body) in zip(SOURCES, split, strict=True)
                if field in body
            ]
            if field in BUILT_IN:
                found.append(("built in", typed(BUILT_IN[field])))
            if found:
                assert setting is not None
                assert (setting.origin, setting.value) == found[0]
                assert list(setting.overrides) == found[1:]
            elif field in TOP:
                assert setting is not None
                assert (setting.origin, setting.value) == ("built in", None)
            else:
                assert setting is None
        assert world.settings().notes == ()
        check_resolution(world, split)


def check_resolution(world: World, split: list[tuple[str, dict[str, int]]]) -> None:
    """What is used equals what is shown."""

    def winner(field: str, default: Any) -> Any:
        values = {**VALUES, **TOP}[field]
        found = [values[body[field]] for _, body in split if field in body]
        return found[0] if found else default

    url = winner("url", None)
    if url is None:
        return
    found = world.resolve(option_profile="shared")
    assert found.target.path == world.anchor / url.removeprefix("sqlite:///")
    assert found.target.read_only is winner("read_only", True)
    assert found.settings.on_error == winner("on_error", "warn")
    undecided = winner("quarantine_undecided", "fail")
    assert found.settings.quarantine_undecided == undecided
    assert found.settings.project == winner("project", None)
    assert list(found.settings.state_env) == winner("state_env", [])
    assert list(found.settings.secret_env) == winner("secret_env", [])
    if not found.target.read_only:
        assert found.settings.keep_runs == winner("keep_runs", None)
        assert found.settings.keep_days == winner("keep_days", None)
        assert found.settings.store_output == winner("store_output", "none")


@settings(max_examples=100, deadline=None)
@given(st.text(alphabet="ab=[]{}\"'#.\n ,3_-", max_size=60))
def test_lines_are_found_in_any_text(text: str) -> None:
    import tomllib

    from flakefighters.profiles.toml_lines import lines

    found = lines(text)
    assert all(0 < line <= text.count("\n") + 1 for line in found.values())
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return
    for key, value in data.items():
        if not isinstance(value, dict | list):
            assert (key,) in found
