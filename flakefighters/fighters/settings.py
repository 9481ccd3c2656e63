"""The settings of a flakefighter, checked by its own model."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from flakefighters.model.choice import ENABLED, Given
from flakefighters.records import NamedTuple

__all__ = ["Field", "checked", "fields_of", "is_on"]


_ON: Final = frozenset({"1", "true", "yes", "on"})
_OFF: Final = frozenset({"0", "false", "no", "off"})


def is_on(value: object) -> bool | None:
    """What a switch says, from a file or a variable; None if that is no switch."""
    text = str(value).strip().lower()
    return True if text in _ON else False if text in _OFF else None


def checked(
    name: str,
    settings: type | None,
    given: Mapping[str, Given],
    note: Callable[[str], None],
) -> Any:
    """The settings of a flakefighter; None if it has none, or none was set.

    ``settings`` is a class of pydantic models, or of named tuples.  What is malformed is said by
    ``note``, and its default holds.
    """
    if ENABLED in given and is_on(given[ENABLED].value) is None:
        one = given[ENABLED]
        note(f"flakefighter {name}: {ENABLED} must be true or false (set in {one.origin})")
    values = {key: one.value for key, one in given.items() if key != ENABLED}
    if settings is None:
        for key in values:
            note(f"flakefighter {name} has no setting {key} (set in {given[key].origin})")
        return None
    while values:
        found, bad = _tried(settings, values)
        for key, said in bad.items():
            where = given[key].origin if key in given else "its defaults"
            note(f"flakefighter {name}: {key} {said} (set in {where}); its default holds")
        if not bad.keys() & values.keys():
            return None if bad else found
        values = {key: value for key, value in values.items() if key not in bad}
    return None


def _tried(settings: Any, values: Mapping[str, Any]) -> tuple[Any, dict[str, str]]:
    """The settings made of these values, or what is wrong with which of them."""
    from pydantic import ValidationError

    model = _model(settings)
    try:
        found = model.model_validate(values)
    except ValidationError as wrong:
        errors = wrong.errors(include_input=False, include_url=False)
        return None, {str(one["loc"][0]): _said(one) for one in errors if one["loc"]}
    return found if model is settings else settings(**found.model_dump()), {}


def _said(error: Any) -> str:
    said = str(error["msg"]).replace("Input should be", "must be")
    return _WORDS.get(error["type"], said)


_WORDS: Final = {"extra_forbidden": "is no setting of it"}


def _model(settings: Any) -> Any:
    """The pydantic model that checks them."""
    from pydantic import BaseModel, ConfigDict, create_model

    if issubclass(settings, BaseModel):
        return settings
    defaults = settings._field_defaults
    hints = _hints(settings)
    fields: Any = {name: (hints[name], defaults[name]) for name in settings._fields}
    config = ConfigDict(extra="forbid", hide_input_in_errors=True)
    return create_model(settings.__name__, __config__=config, **fields)


def _hints(settings: Any) -> dict[str, Any]:
    from typing import get_type_hints

    return get_type_hints(settings, include_extras=True)


class Field(NamedTuple):
    """One setting, for people."""

    name: str
    default: str
    #: Whether its value is never shown.
    secret: bool = False


def fields_of(settings: type | None, *, default: bool = True) -> tuple[Field, ...]:
    """The settings that a flakefighter has; ``default``: whether it is asked by itself."""
    found = [Field(ENABLED, str(default).lower())]
    if settings is not None:
        for name, field in _model(settings).model_fields.items():
            secret = "Secret" in str(field.annotation)
            shown = "none" if secret or field.default is None else _plain(field.get_default())
            found.append(Field(field.alias or name, shown, secret))
    return tuple(found)


def _plain(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
