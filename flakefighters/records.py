"""Classes of plain data that are quick to define: each run of pytest pays for its definitions.

``typing.NamedTuple`` turns each annotation into a checked type, and a dataclass compiles methods
that our records never use.  To a type checker both kinds here are what they are elsewhere.
"""

from __future__ import annotations

from collections import namedtuple
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar, dataclass_transform

__all__ = ["NamedTuple", "record"]

T = TypeVar("T")

if TYPE_CHECKING:
    from typing import NamedTuple
else:

    class _Defining(type):
        """Makes a class with annotated fields a named tuple, as ``typing.NamedTuple`` does."""

        def __new__(cls, name: str, bases: tuple[type, ...], body: dict[str, Any]) -> type:
            if not bases:
                return super().__new__(cls, name, bases, body)
            fields = tuple(body.get("__annotations__", ()))
            defaults = [body.pop(one) for one in fields if one in body]
            plain = namedtuple(name, fields, defaults=defaults)
            return type(name, (plain,), {**body, "__slots__": ()})

    class NamedTuple(metaclass=_Defining):
        """A tuple with named and typed fields; methods and properties may follow them."""


@dataclass_transform(field_specifiers=(field,))
def record(kind: type[T]) -> type[T]:
    """Make a class of mutable fields, which are given by position or name.

    It has slots.  It compares by identity, and its ``repr`` does not show what it holds.
    """
    return dataclass(slots=True, eq=False, repr=False, match_args=False)(kind)
