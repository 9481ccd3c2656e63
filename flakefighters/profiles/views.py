"""What `flakefighters config` and `flakefighters profiles` show."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, Protocol

from flakefighters.errors import ConfigError
from flakefighters.model.views import FileView, ProfileView, SettingsView, SettingView
from flakefighters.profiles import fields
from flakefighters.profiles.ci import detect
from flakefighters.profiles.resolution import Inputs, Origin, Source

if TYPE_CHECKING:
    from flakefighters.model import Target
    from flakefighters.profiles.layers import Layer
    from flakefighters.profiles.selection import Selector

__all__ = ["all_settings", "profiles"]

_MASK: Final = "***"
#: What the validating model says of fields that no source sets.
_DEFAULTS: Final = {
    "schema": "flakefighters",
    "connect_timeout": "10",
    "read_only": "false",
    "store_output": "none",
    "confirm": "off",
    "on_error": "warn",
    "quarantine_undecided": "fail",
    "statistics": "any",
}


def all_settings(
    inputs: Inputs, fighters: Mapping[str, Sequence[FighterField]] = MappingProxyType({})
) -> SettingsView:
    """Return every setting with value, origin and what it overrides.  Never raises ConfigError.

    ``fighters``: the settings that each flakefighter has.
    """
    from flakefighters.profiles.layers import read

    sources = read(inputs)
    notes = [str(problem.error) for problem in sources.problems]
    active = _active(inputs, notes)
    layers = sources.layers
    settings = _process_settings(inputs)
    for spec in fields.TOP_FIELDS:
        values = [
            (_text(layer.top[spec.name]), layer.origins[spec.name,])
            for layer in layers
            if spec.name in layer.top
        ]
        settings.append(_view((spec.name,), values, spec.default))
    for name in _names(layers):
        for spec in fields.PROFILE_FIELDS:
            values = _values(layers, name, spec.name)
            if values or name == active:
                settings.append(_view(("profiles", name, spec.name), values, spec.default))
    settings += _of_fighters(layers, fighters)
    files = tuple(FileView(path=file.path, status=file.status) for file in sources.files)
    return SettingsView(settings=tuple(settings), files=files, notes=tuple(dict.fromkeys(notes)))


def profiles(inputs: Inputs, *, ask_keyring: bool = False) -> tuple[ProfileView, ...]:
    """Return every profile that any source names; ask the keyring for those without a password.

    Raises:
        ConfigError: if the sources cannot be merged at all.
    """
    from flakefighters.profiles.selection import Selector

    selector = Selector.read(inputs, detect(inputs.environ))
    try:
        active, reason = selector.active()
    except ConfigError:
        active, reason = "", ""
    views = []
    for name in _names(selector.sources.layers):
        view, target = _profile(selector, name)
        if ask_keyring and selector.ci is None and target is not None and view.password is None:
            from flakefighters.profiles import keyring

            answer = keyring.lookup(target, environ=inputs.environ)
            ask_keyring = answer.trouble is None  # one that does not answer is asked once
            view = replace(view, password="keyring" if answer.secret else None)
        if name == active:
            view = replace(view, active=True, reason=reason)
        views.append(view)
    return tuple(views)


def _profile(selector: Selector, name: str) -> tuple[ProfileView, Target | None]:
    """The profile, and its target if that is a server."""
    from flakefighters.profiles.schema import origin_of

    origin = origin_of(selector.layers, ("profiles", name, "url"))
    view = ProfileView(
        name=selector.label(name),
        active=False,
        reason=None,
        display=None,
        read_only=False,
        password=None,
        origin=str(origin) if origin else None,
        problem=None,
    )
    try:
        body = selector.fields(name)
        chosen = selector.build(name, body)
    except ConfigError as error:
        return replace(view, problem=str(error)), None
    if chosen is None:
        return replace(view, read_only=body.read_only, problem="has no URL"), None
    password = chosen.password
    target = chosen.target if chosen.target.backend == "postgresql" else None
    view = replace(
        view,
        display=chosen.target.display,
        read_only=body.read_only,
        password=str(password.origin) if password.origin else None,
        problem=password.note,
    )
    return view, target


class FighterField(Protocol):
    """A setting of a flakefighter."""

    @property
    def name(self) -> str: ...
    @property
    def default(self) -> str: ...
    @property
    def secret(self) -> bool: ...


def _of_fighters(
    layers: Sequence[Layer], fighters: Mapping[str, Sequence[FighterField]]
) -> Iterator[SettingView]:
    """The settings of flakefighters: those that there are, and others that somebody set."""
    from flakefighters.profiles.fighter_tables import FIGHTERS, merged

    found = merged(layers)
    for name in [*fighters, *sorted(found.keys() - fighters.keys())]:
        known = {one.name: one for one in fighters.get(name, ())}
        given = found.get(name, {})
        for key in [*known, *sorted(given.keys() - known.keys())]:
            # Of a setting that nobody knows the value may be anything.
            hidden = key not in known or known[key].secret
            values = [
                (_MASK if hidden else _text(value), origin) for value, origin in given.get(key, ())
            ]
            default = known[key].default if key in known else "none: there is no such setting"
            view = _view((FIGHTERS, name, key), values, default)
            yield view if values or key not in known else replace(view, value=default)


def _active(inputs: Inputs, notes: list[str]) -> str | None:
    """The canonical name of the profile in use; trouble on the way becomes a note."""
    from flakefighters.profiles.selection import Selector

    try:
        return Selector.read(inputs, detect(inputs.environ)).active()[0]
    except ConfigError as error:
        notes.append(str(error))
        return None


def _names(layers: Sequence[Layer]) -> list[str]:
    """Every profile's canonical name, the built-in ones first."""
    named = {name for layer in layers for name in layer.names}
    return [*fields.BUILT_IN, *sorted(named - set(fields.BUILT_IN))]


def _process_settings(inputs: Inputs) -> list[SettingView]:
    """What decides which profile and file are used."""
    variable = inputs.environ.get("FLAKEFIGHTERS_PROFILE", "").strip()
    chosen = [
        (value, Origin(source, text))
        for value, source, text in (
            (inputs.option_profile, Source.COMMAND_LINE, inputs.option_profile_name),
            (variable, Source.VARIABLE, "FLAKEFIGHTERS_PROFILE"),
        )
        if value
    ]
    file = inputs.environ.get("FLAKEFIGHTERS_PROFILES_FILE", "").strip()
    named = [(file, Origin(Source.VARIABLE, "FLAKEFIGHTERS_PROFILES_FILE"))] if file else []
    return [
        _view(("profile",), chosen, "none"),
        _view(("profiles_file",), named, "profiles.toml at the anchor"),
    ]


def _values(layers: Sequence[Layer], name: str, field: str) -> list[tuple[str, Origin]]:
    """Every value of a profile's field, masked, the one in force first."""
    from flakefighters.profiles.server import in_force

    values = []
    for layer in layers:
        origin = layer.origins.get(("profiles", name, field))
        if field == "password":
            if origin is not None and name in layer.passwords:
                values.append((_MASK, origin))
            if name in layer.url_passwords:
                values.append((_MASK, layer.origins["profiles", name, "url"]))
        elif field == "password_command" and origin is not None:
            # Its arguments may hold what opens the store of passwords.
            values.append((f"{layer.password_commands[name][0]} {_MASK}", origin))
        elif field == "password_host" and name in layer.password_hosts and origin is not None:
            values.append((layer.password_hosts[name], origin))
        elif field in layer.profiles.get(name, {}) and origin is not None:
            values.append((_text(layer.profiles[name][field]), origin))
    return in_force(field, values)


def _view(path: tuple[str, ...], values: Sequence[tuple[str, Origin]], default: str) -> SettingView:
    return SettingView(
        name=".".join(path),
        value=values[0][0] if values else _DEFAULTS.get(path[-1]),
        origin=str(values[0][1]) if values else "built in",
        variable=fields.variable(*path),
        default=default,
        overrides=tuple((str(where), lost) for lost, where in values[1:]),
    )


def _text(value: object) -> str:
    """A value as it would be typed."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    return str(value)
