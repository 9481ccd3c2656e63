"""The places that settings come from, read into layers in which every value knows its origin.

Secrets are taken out on the way in: passwords never enter the merged settings, so that no
message about them can show one.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from flakefighters.errors import ConfigError
from flakefighters.model import Secret
from flakefighters.profiles import commands, fields, fighter_tables, toml_lines, urls
from flakefighters.profiles.layer_errors import (
    FIELDS,
    TOP,
    bad_name,
    no_password_here,
    unknown,
    unknown_variable,
)
from flakefighters.profiles.places import (
    MAX_BYTES,
    display_path,
    in_project,
    profiles_file,
    settings_variables,
    user_file,
)
from flakefighters.profiles.resolution import Inputs, Origin, Source
from flakefighters.profiles.urls import DatabaseUrl
from flakefighters.records import record

__all__ = ["FileRead", "Layer", "Problem", "Sources", "read"]

_SECRET_FIELDS: Final = ("password", "password_host")
_COMMAND: Final = "password_command"


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong in a source, and when it is more than a warning."""

    error: ConfigError
    #: The profile (canonical name) that it spoils; None if it is not about a profile.
    profile: str | None = None
    #: Without a profile: does it spoil everything?
    fatal: bool = False


@record
class Layer:
    """What one source says, profiles by their canonical names, nothing secret in ``values``."""

    source: Source
    in_project: bool = False
    #: Settings that are not of a profile.
    top: dict[str, Any] = field(default_factory=dict)
    profiles: dict[str, dict[str, Any]] = field(default_factory=dict)
    #: The settings of flakefighters, by name.
    fighters: dict[str, dict[str, Any]] = field(default_factory=dict)
    #: Canonical name to the name as written here.
    names: dict[str, str] = field(default_factory=dict)
    #: ("url",) or ("profiles", "ci", "url") to where it was set.
    origins: dict[tuple[str, ...], Origin] = field(default_factory=dict)
    #: The URLs of profiles, parsed where they were read, without their passwords.  The text in
    #: ``profiles`` is for merging and for people.
    urls: dict[str, DatabaseUrl] = field(default_factory=dict)
    #: Passwords: of the field ``password``, and inside ``url``.
    passwords: dict[str, Secret] = field(default_factory=dict)
    url_passwords: dict[str, Secret] = field(default_factory=dict)
    password_hosts: dict[str, str] = field(default_factory=dict)
    #: The words of the commands that print a password.
    password_commands: dict[str, list[str]] = field(default_factory=dict)

    def take_url(self, name: str, url: DatabaseUrl, where: Origin) -> None:
        """Take the URL of a profile, its password apart."""
        if url.password is not None:
            self.url_passwords[name] = url.password
        self.urls[name] = url.without_password()
        self.profiles.setdefault(name, {})["url"] = str(self.urls[name])
        self.origins["profiles", name, "url"] = where


@dataclass(frozen=True, slots=True)
class FileRead:
    """A file that was looked for: "read", "absent" or what is wrong with it."""

    path: Path
    status: str


@dataclass(frozen=True, slots=True)
class Sources:
    """Every layer, first wins, and everything that is wrong."""

    layers: tuple[Layer, ...]
    problems: tuple[Problem, ...]
    files: tuple[FileRead, ...]


def read(inputs: Inputs) -> Sources:
    """Read every source.  Trouble is collected, not raised: not all of it matters."""
    problems: list[Problem] = []
    files: list[FileRead] = []
    layers = [_variables(inputs, problems)]
    seen: set[Path] = set()
    for path, source, label, named in _candidates(inputs):
        real = Path(os.path.realpath(path))  # Path raises for a circle of links
        if real in seen:
            continue
        seen.add(real)
        layer = Layer(source, source is not Source.USER_FILE and not named)
        layer.in_project = layer.in_project or in_project(inputs, path)
        text, status = _load(path, only_if_named=source is Source.PYPROJECT)
        if text is None:
            if status.startswith(("is ", "cannot ")) or (named and status == "absent"):
                error = ConfigError(
                    f"{label} {status.replace('absent', 'does not exist')}",
                    origin="FLAKEFIGHTERS_PROFILES_FILE" if named else None,
                    remedy="correct the file or the variable" if named else "correct the file",
                )
                problems.append(Problem(error, fatal=source is Source.PROFILES_FILE))
        else:
            status = _toml(text, label, layer, problems)
        files.append(FileRead(path, status))
        layers.append(layer)
    layers.append(_built_in())
    return Sources(tuple(layers), tuple(problems), tuple(files))


def _candidates(inputs: Inputs) -> Iterable[tuple[Path, Source, str, bool]]:
    """Path, kind, name for messages, and whether a variable named it."""
    path, named = profiles_file(inputs)
    yield path, Source.PROFILES_FILE, display_path(inputs, path), named
    yield inputs.anchor / "pyproject.toml", Source.PYPROJECT, "pyproject.toml", False
    user = user_file(inputs)
    if user is not None:
        yield user, Source.USER_FILE, display_path(inputs, user), False


def _load(path: Path, *, only_if_named: bool) -> tuple[str | None, str]:
    """A file's text, or None, and how it went.  ``only_if_named``: only if it may speak of us."""
    try:
        if not os.path.exists(path):  # noqa: PTH110 - also in a home that is closed to us
            return None, "absent"
        if not path.is_file():
            return None, "is not a regular file"
        with path.open("rb") as stream:
            raw = stream.read(MAX_BYTES + 1)
    except OSError as error:
        return None, f"cannot be read: {error.strerror}"
    if len(raw) > MAX_BYTES:
        return None, "is larger than 1 MB"
    if only_if_named and b"flakefighters" not in raw:
        return None, "read, nothing for us"
    try:
        return raw.decode("utf-8-sig").replace("\r\n", "\n"), "read"
    except UnicodeDecodeError:
        return None, "is not UTF-8"


# -- TOML ------------------------------------------------------------------------------------


def _toml(text: str, label: str, layer: Layer, problems: list[Problem]) -> str:
    """Read a TOML text into a layer; return the file's status."""
    prefix: tuple[str, ...] = ()
    if layer.source is Source.PYPROJECT:
        prefix = ("tool", "flakefighters")
    found = toml_lines.lines(text)
    try:
        data: Any = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as wrong:
        reason = str(wrong) if isinstance(wrong, tomllib.TOMLDecodeError) else "nested too deeply"
        # A pyproject.toml that says nothing of us is other programs' trouble.
        ours = not prefix or any(path[:2] == prefix for path in found)
        problem = ConfigError(f"{label} is not valid TOML: {reason}", remedy="correct the file")
        problems.append(Problem(problem, fatal=layer.source is not Source.USER_FILE and ours))
        return f"is not valid TOML: {reason}"
    for part in prefix:
        data = data.get(part, {}) if isinstance(data, dict) else {}
    if prefix and data == {}:
        return "read, nothing for us"

    def origin(*path: str) -> Origin:
        line = toml_lines.find_line(found, prefix + path)
        return Origin(layer.source, f"{label}:{line}" if line else label, layer.in_project)

    if not isinstance(data, dict):
        error = ConfigError("tool.flakefighters must be a table", origin=str(origin()))
        problems.append(Problem(error, fatal=True))
        return "is malformed"
    _settings(data, layer, problems, origin)
    return "read"


def _settings(data: dict[str, Any], layer: Layer, problems: list[Problem], origin: Any) -> None:
    """Read what stands at the top of a file."""
    for key, value in data.items():
        if key == "profiles":
            _tables(value, layer, problems, origin)
        elif key == fighter_tables.FIGHTERS:
            problems += map(Problem, fighter_tables.read_table(value, layer, origin))
        elif key not in TOP:
            problems.append(Problem(unknown(f"setting {key}", key, TOP, str(origin(key)))))
        elif value != "":
            layer.top[key] = value
            layer.origins[key,] = origin(key)


def _tables(value: Any, layer: Layer, problems: list[Problem], origin: Any) -> None:
    """Read the tables below ``profiles``."""
    if not isinstance(value, dict):
        error = ConfigError(
            "profiles must be a table of tables, such as [profiles.ci]",
            origin=str(origin("profiles")),
        )
        problems.append(Problem(error, fatal=True))
        return
    for written, body in value.items():
        where = origin("profiles", written)
        name = fields.canonical(written)
        if not fields.is_name(written):
            problems.append(Problem(bad_name(written, str(where)), name))
        elif name in layer.names:
            error = ConfigError(
                f"profile {written} is the same as {layer.names[name]}: case and - or _ make no "
                "difference",
                origin=str(where),
                remedy="rename one of them",
            )
            problems.append(Problem(error, name))
        elif not isinstance(body, dict):
            error = ConfigError(f"profile {written} must be a table", origin=str(where))
            problems.append(Problem(error, name))
        else:
            layer.names[name] = written
            layer.profiles.setdefault(name, {})
            for key, member in body.items():
                _field(layer, problems, written, key, member, origin("profiles", written, key))


# -- variables -------------------------------------------------------------------------------


def _variables(inputs: Inputs, problems: list[Problem]) -> Layer:
    """Read FLAKEFIGHTERS_* variables.  An empty one is not set: so absent CI secrets arrive."""
    layer = Layer(Source.VARIABLE)
    environ = inputs.environ
    others = {spec.name for spec in fields.PROCESS_VARIABLES}
    taken: dict[str, str] = {}
    for name in settings_variables(inputs):
        upper, value = name.upper(), environ[name]
        if upper in others:
            continue
        path = tuple(part.lower() for part in upper[len(fields.PREFIX) :].split("__"))
        profile = path[1] if path[0] == "profiles" and len(path) == 3 else None
        where = Origin(Source.VARIABLE, name)
        if upper in taken and environ[taken[upper]] != value:
            error = ConfigError(
                f"the variables {taken[upper]} and {name} differ only in case",
                remedy="unset one of them",
            )
            problems.append(Problem(error, profile, fatal=profile is None))
        elif profile is not None and fields.is_name(profile):
            layer.names.setdefault(profile, profile)
            layer.profiles.setdefault(profile, {})
            _field(layer, problems, profile, path[2], value, where)
        elif len(path) == 1 and path[0] in TOP:
            listed = value.replace(",", " ").split()
            layer.top[path[0]] = listed if path[0].endswith("_env") else value
            layer.origins[path] = where
        elif not fighter_tables.read_variable(layer, path, value, where):
            problems.append(Problem(unknown_variable(name, upper)))
        taken.setdefault(upper, name)
    return layer


# -- both ------------------------------------------------------------------------------------


def _field(
    layer: Layer, problems: list[Problem], written: str, key: str, value: Any, where: Origin
) -> None:
    """Take one field of one profile."""
    name = fields.canonical(written)
    if isinstance(value, str) and not value.strip() and key in FIELDS:
        return
    problem = _refused(layer, written, key, value, where)
    if problem is not None:
        problems.append(problem)
    elif key in _TAKEN_BY:
        wrong = _TAKEN_BY[key](layer, written, value, where)
        if wrong is not None:
            problems.append(Problem(wrong, name))
    else:
        layer.origins["profiles", name, key] = where
        if key == "password":
            layer.passwords[name] = Secret(value)
        elif key == "password_host":
            layer.password_hosts[name] = value
        else:
            layer.profiles[name][key] = value


def _refused(layer: Layer, written: str, key: str, value: Any, where: Origin) -> Problem | None:
    """Why a field cannot stand in this source with such a value."""
    name = fields.canonical(written)
    label = f"profile {written}: {key}"
    if key not in FIELDS:
        error = unknown(f"setting {key} in profile {written}", key, FIELDS, str(where))
        return Problem(error, name)
    if key in ("url", *_SECRET_FIELDS) and not isinstance(value, str):
        return Problem(ConfigError(f"{label} must be text", origin=str(where)), name)
    if key in _SECRET_FIELDS and layer.in_project:
        return Problem(no_password_here(label, written, where), name)
    if key == "trust" and layer.in_project:
        error = ConfigError(
            f"{label} is not used: a file of the project may not say whom to believe",
            origin=str(where),
            remedy="set it in your own profiles.toml or in "
            f"{fields.variable('profiles', written, 'trust')}",
        )
        return Problem(error)
    return None


def _url(layer: Layer, written: str, value: str, where: Origin) -> ConfigError | None:
    """Take a URL, without the password that it may not hold here."""
    label, name = f"profile {written}: url", fields.canonical(written)
    layer.origins["profiles", name, "url"] = where
    try:
        url = urls.parse(value)
    except urls.UrlError as wrong:
        return ConfigError(f"{label} {wrong}", origin=str(where))
    problem = None
    if url.password is not None and layer.in_project:
        problem = no_password_here(label, written, where)
        url = url.without_password()
    layer.take_url(name, url, where)
    return problem


def _command(layer: Layer, written: str, value: Any, where: Origin) -> ConfigError | None:
    """Take the command that prints a password, from the user's own file only."""
    label, name = f"profile {written}: {_COMMAND}", fields.canonical(written)
    if layer.source is not Source.USER_FILE or layer.in_project:
        return ConfigError(
            f"{label} is a program to start, which only your own configuration may name",
            origin=str(where),
            remedy="write it into profiles.toml in your configuration folder",
        )
    listed = isinstance(value, list) and all(isinstance(one, str) for one in value)
    try:
        words = commands.words(value) if listed or isinstance(value, str) else []
    except ValueError:
        words = []
    if not words:
        return ConfigError(
            f"{label} must be a command, as text or as a list of its words", origin=str(where)
        )
    layer.password_commands[name] = words
    layer.origins["profiles", name, _COMMAND] = where
    return None


_TAKEN_BY: Final = {_COMMAND: _command, "url": _url}


def _built_in() -> Layer:
    layer = Layer(Source.BUILT_IN)
    origin = Origin(Source.BUILT_IN, "built in")
    for name in ("default_profile", "ci_profile"):
        layer.top[name] = {"default_profile": "local", "ci_profile": "ci"}[name]
        layer.origins[name,] = origin
    for name, body in fields.BUILT_IN.items():
        layer.names[name] = name
        layer.profiles[name] = {**body}
        for key in body:
            layer.origins["profiles", name, key] = origin
        if "url" in body:
            layer.take_url(name, urls.parse(str(body["url"])), origin)
    return layer
