"""The nouns as JSON values and back, for journals and child processes.

Only nouns of :mod:`flakefighters.model` are read, by name and by declared type; a field
that is not known is dropped, a value of another type is refused.
"""

from __future__ import annotations

import enum
import types
import typing
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar

from flakefighters.model import facts, targets, verdicts

__all__ = ["dump", "load", "plain"]

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
    if _is_noun(type(value)):
        return dump(value)
    if isinstance(value, Mapping):
        return {str(key): plain(member) for key, member in value.items()}
    if isinstance(value, (Sequence, set, frozenset)):
        return [plain(member) for member in value]
    raise TypeError(f"{type(value).__name__} does not travel")


#: What annotations of the model may name.
_NAMES: Final = {**vars(facts), **vars(targets), **vars(verdicts)}

_hints: dict[type, dict[str, Any]] = {}


def load(kind: type[T], data: Any) -> T:
    """The inverse of :func:`dump`; TypeError or ValueError for data that is not of ``kind``."""
    if not isinstance(data, Mapping):
        raise TypeError(f"{kind.__name__}: expected an object")
    hints = _hints.get(kind)
    if hints is None:
        # Not by the module's name: tests may have taken it out of sys.modules.
        hints = _hints[kind] = typing.get_type_hints(kind, _NAMES)
    known = {name: _value(hints[name], member) for name, member in data.items() if name in hints}
    return kind(**known)


def _tuple(members: tuple[Any, ...], value: Any) -> tuple[Any, ...]:
    if not isinstance(value, list):
        raise TypeError("expected a list")
    if len(members) == 2 and members[1] is Ellipsis:
        return tuple(_value(members[0], member) for member in value)
    return tuple(_value(kind, member) for kind, member in zip(members, value, strict=True))


def _value(hint: Any, value: Any) -> Any:
    origin = typing.get_origin(hint)
    if hint is Any:
        return value
    if origin in (typing.Union, types.UnionType):
        options = typing.get_args(hint)
        if value is None and type(None) in options:
            return None
        return _value(next(option for option in options if option is not type(None)), value)
    if origin is tuple:
        return _tuple(typing.get_args(hint), value)
    if origin in (Mapping, dict) or hint is Mapping:
        if not isinstance(value, Mapping):
            raise TypeError("expected an object")
        return dict(value)
    if origin is not None and issubclass(origin, Sequence):
        if not isinstance(value, (list, str)):
            raise TypeError("expected a list")
        return value
    if isinstance(hint, type):
        return _scalar(hint, value)
    raise TypeError(f"cannot read {hint}")


def _is_noun(kind: type) -> bool:
    return issubclass(kind, tuple) and hasattr(kind, "_fields")


def _scalar(hint: type, value: Any) -> Any:
    if issubclass(hint, enum.Enum):
        return hint(value)
    if _is_noun(hint):
        return load(hint, value)
    if issubclass(hint, Path):
        return hint(value)
    if hint is int and isinstance(value, bool):
        raise TypeError("expected a number")
    if not isinstance(value, hint):
        raise TypeError(f"expected {hint.__name__}")
    return value
