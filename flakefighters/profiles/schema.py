"""Merging and validating the settings, with pydantic-settings.

Its own sources for variables and TOML fall short of what is promised here (names in any case,
the line of a value, messages without values, files other than in the current folder), so each
layer that :mod:`flakefighters.profiles.layers` has read is handed over as a source of its own.
Heavy: import this module only where something is configured.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource

from flakefighters.errors import ConfigError
from flakefighters.profiles.layers import Layer
from flakefighters.profiles.resolution import Origin

__all__ = [
    "Merged",
    "ProfileFields",
    "merge",
    "origin_of",
    "validate",
]

Path = tuple[str, ...]
T = TypeVar("T")

#: What pydantic's error types mean to the author of a settings file.
_WORDS: Final = {
    "int_parsing": "must be a whole number",
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "bool_parsing": "must be true or false",
    "bool_type": "must be true or false",
    "string_type": "must be text",
    "tuple_type": "must be a list of texts",
}


class Merged(BaseSettings):
    """All layers merged field by field.  Profiles stay raw: only the chosen one must be right."""

    model_config = ConfigDict(  # type: ignore[assignment,unused-ignore]
        extra="forbid", hide_input_in_errors=True
    )

    default_profile: str
    ci_profile: str
    project: str | None = None
    state_env: tuple[str, ...] = ()
    confirm_exclude: tuple[str, ...] = ()
    confirm_seconds: int | None = Field(None, ge=1)
    confirm_tests: int = Field(20, ge=1)
    secret_env: tuple[str, ...] = ()
    statistics: Literal["any", "majority", "all"] = "any"
    #: Raw as well: each flakefighter checks its own.
    fighters: dict[str, dict[str, Any]] = Field(default_factory=dict)
    profiles: dict[str, dict[str, Any]]


class ProfileFields(BaseModel):
    """One profile, whole.  Passwords are not among its fields: they stay in their layers."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    url: str | None = None
    # PostgreSQL cuts longer names, and names that need quotes are easily misspelt.
    schema_: str = Field(
        "flakefighters", alias="schema", pattern=r"^[a-z_][a-z0-9_]{0,62}$", max_length=63
    )
    sslmode: Literal["disable", "allow", "prefer", "require", "verify-ca", "verify-full"] | None = (
        None
    )
    sslrootcert: str | None = None
    connect_timeout: int = Field(10, ge=1, le=600)
    read_only: bool = False
    trust: Literal["protected", "local", "untrusted"] | None = None
    keep_runs: int | None = Field(None, ge=1)
    keep_days: int | None = Field(None, ge=1)
    store_output: Literal["none", "failures"] = "none"
    confirm: Literal["off", "undecided", "all"] = "off"
    on_error: Literal["warn", "fail"] = "warn"
    quarantine_undecided: Literal["fail", "pass"] = "fail"


class _LayerSource(PydanticBaseSettingsSource):
    """One layer as a source: its plain values, nested."""

    def __init__(self, settings_cls: type[BaseSettings], layer: Layer, number: int):
        super().__init__(settings_cls)
        self._layer = layer
        # The library keys what each source said by this name; equal ones would be lost.
        self.__name__ = f"{layer.source.name}_{number}"

    def get_field_value(
        self,
        field: FieldInfo,  # noqa: ARG002 - the library's signature
        field_name: str,
    ) -> tuple[Any, str, bool]:
        return self._layer.top.get(field_name), field_name, False

    def __call__(self) -> dict[str, Any]:
        profiles = {name: dict(body) for name, body in self._layer.profiles.items()}
        fighters = {name: dict(body) for name, body in self._layer.fighters.items()}
        return {**self._layer.top, "fighters": fighters, "profiles": profiles}


def merge(layers: Sequence[Layer]) -> tuple[Merged, list[ConfigError]]:
    """Merge the layers, first wins for every single field.

    A malformed setting outside the profiles is taken out of its layer, and is an error in the list.
    """

    class _Merged(Merged):
        @classmethod
        def settings_customise_sources(
            cls, settings_cls: type[BaseSettings], *_: Any, **__: Any
        ) -> tuple[PydanticBaseSettingsSource, ...]:
            return tuple(
                _LayerSource(settings_cls, layer, number) for number, layer in enumerate(layers)
            )

    def forget(path: Path) -> None:
        del next(layer for layer in layers if path[0] in layer.top).top[path[0]]

    return _tried(lambda: _Merged(), layers, (), forget)  # type: ignore[call-arg]


def validate(
    merged: Merged, name: str, layers: Sequence[Layer]
) -> tuple[ProfileFields, list[ConfigError]]:
    """One profile of the merged settings without its malformed fields; an error for each of these.

    Each error has the origin of its field.
    """
    body = dict(merged.profiles[name])

    def forget(path: Path) -> None:
        del body[path[2]]

    return _tried(lambda: ProfileFields.model_validate(body), layers, ("profiles", name), forget)


def origin_of(layers: Sequence[Layer], path: Path) -> Origin | None:
    """Where the winning value of a setting was set."""
    for layer in layers:
        if (origin := layer.origins.get(path)) is not None and _holds(layer, path):
            return origin
    return None


def _holds(layer: Layer, path: Path) -> bool:
    if len(path) == 1:
        return path[0] in layer.top
    return path[2] in layer.profiles.get(path[1], {})


def _tried(
    build: Callable[[], T], layers: Sequence[Layer], prefix: Path, forget: Callable[[Path], None]
) -> tuple[T, list[ConfigError]]:
    """Build again and again, without the settings that are malformed."""
    errors: list[ConfigError] = []
    while True:
        try:
            return build(), errors
        except ValidationError as wrong:
            first = wrong.errors(include_input=False, include_url=False, include_context=False)[0]
        # Outside of the handler, and without the library's error as context: that holds the input.
        path = prefix + tuple(str(part) for part in first["loc"])[: 1 if prefix else 3]
        origin = origin_of(layers, path)
        label = f"profile {path[1]}: {path[2]}" if len(path) > 2 else path[0]
        reason = _WORDS.get(first["type"]) or first["msg"].replace("Input should be", "must be")
        if first["type"] == "string_pattern_mismatch":
            reason = "must be lower-case letters, digits and _, at most 63"
        where = str(origin) if origin else None
        errors.append(ConfigError(f"{label} {reason}", origin=where, remedy="correct it"))
        forget(path)
