"""The nouns as JSON values and back, for journals and child processes.

They are read by name and by declared type: a field that is not known is dropped, a value of another
type is refused.  A class that needs a form of its own has ``to_json`` and ``from_json``.
"""

from __future__ import annotations

import enum
import types
import typing
from collections.abc import Mapping, Sequence, Set
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

from flakefighters.model import facts, targets, verdicts

__all__ = ["NAMES", "dump", "load", "plain"]

T = TypeVar("T")


def dump(value: Any) -> dict[str, Any]:
    """A noun of ours as a JSON object; fields at their default are left out."""
    defaults = value._field_defaults
    return {
        name: plain(member)
        for name, member in value._asdict().items()
        if name not in defaults or member != defaults[name]
    }


def plain(value: Any) -> Any:
    """Any value of ours as JSON."""
    if isinstance(value, enum.Enum):
        return value.value
    if value is None or isinstance(value, (str, int, float, bool)):
        return value
    if isinstance(value, Path):
        return str(value)
    if hasattr(value, "to_json"):
        return value.to_json()
    if _is_noun(type(value)):
        return dump(value)
    if is_dataclass(value):
        return {one.name: plain(getattr(value, one.name)) for one in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): plain(member) for key, member in value.items()}
    if isinstance(value, (Sequence, Set)):
        return [plain(member) for member in value]
    raise TypeError(f"{type(value).__name__} does not travel")


#: What annotations of the model may name.
NAMES: Final = {**vars(facts), **vars(targets), **vars(verdicts)}

_hints: dict[type, dict[str, Any]] = {}


def load(kind: type[T], data: Any, names: Mapping[str, Any] = NAMES) -> T:
    """The inverse of :func:`dump`; TypeError or ValueError for data that is not of ``kind``.

    ``names``: what the annotations of ``kind``, and of all that it is made of, may name.
    """
    if not isinstance(data, Mapping):
        raise TypeError(f"{kind.__name__}: expected an object")
    hints = _hints.get(kind)
    if hints is None:
        # Not by the module's name: tests may have taken it out of sys.modules.
        hints = _hints[kind] = typing.get_type_hints(kind, dict(names))
    known = {
        name: _value(hints[name], member, names) for name, member in data.items() if name in hints
    }
    return kind(**known)


def _value(hint: Any, value: Any, names: Mapping[str, Any]) -> Any:
    origin, members = typing.get_origin(hint), typing.get_args(hint)
    if hint is Any:
        return value
    if origin in (typing.Union, types.UnionType):
        if value is None and type(None) in members:
            return None
        return _value(next(one for one in members if one is not type(None)), value, names)
    if origin in (Mapping, dict):
        if not isinstance(value, Mapping):
            raise TypeError("expected an object")
        return {name: _value(members[1], member, names) for name, member in value.items()}
    if origin is not None:
        return _several(origin, members, value, names)
    return _single(hint, value, names)


def _several(
    origin: Any, members: tuple[Any, ...], value: Any, names: Mapping[str, Any]
) -> Sequence[Any] | Set[Any]:
    if not isinstance(value, list):
        raise TypeError("expected a list")
    if origin is tuple and members[-1] is not Ellipsis:
        pairs = zip(members, value, strict=True)
        return tuple(_value(kind, member, names) for kind, member in pairs)
    make = list if origin is Sequence else origin
    made: Sequence[Any] | Set[Any] = make(_value(members[0], member, names) for member in value)
    return made


def _single(hint: Any, value: Any, names: Mapping[str, Any]) -> Any:
    if hasattr(hint, "from_json"):
        return hint.from_json(value)
    if issubclass(hint, enum.Enum):
        return hint(value)
    if _is_noun(hint) or is_dataclass(hint):
        return load(hint, value, names)
    if issubclass(hint, Path):
        return hint(value)
    if hint is int and isinstance(value, bool):
        raise TypeError("expected a number")
    if hint is float and isinstance(value, int):
        return float(value)
    if not isinstance(value, hint):
        raise TypeError(f"expected {hint.__name__}")
    return value


def _is_noun(kind: type) -> bool:
    return issubclass(kind, tuple) and hasattr(kind, "_fields")
