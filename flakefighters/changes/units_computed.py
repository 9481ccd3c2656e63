"""Names that code computes before it looks them up: how that is told, and what they may be."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Collection, Mapping
from typing import Final

from flakefighters.changes import units_effects as effects
from flakefighters.changes.units_entries import ANY

__all__ = [
    "ANY_ATTRIBUTE",
    "ANY_FIXTURE",
    "ANY_IN_TEXT",
    "ANY_OF_OWN",
    "DICTIONARIES",
    "DYNAMIC",
    "asked_name",
    "asks_for_fixture",
    "assigned_once",
    "beginning",
    "is_computed",
    "is_own_module",
    "is_table_of_modules",
]

#: Among the names that are read: any attribute of some object (:data:`ANY`: any name at all).
#: With more behind it, any attribute whose name begins like that.
ANY_ATTRIBUTE: Final = "*."
#: Any name of the code's own module; any name that a text which is run as code may have.
ANY_OF_OWN: Final = "*g"
ANY_IN_TEXT: Final = "*x"
#: Any fixture, or one whose name begins like what is behind it.
ANY_FIXTURE: Final = "*@"
#: Calls and attributes by which code reaches names that its text does not show.
DYNAMIC: Final = {
    "__import__": ANY,
    "import_module": ANY,
    "eval": ANY_IN_TEXT,
    "exec": ANY_IN_TEXT,
    "globals": ANY_OF_OWN,
    "locals": ANY_OF_OWN,
}
DICTIONARIES: Final = frozenset({"__dict__", "dir", "getmembers", "getmembers_static", "vars"})
_COMPUTING: Final = frozenset({"attrgetter", "getattr", "hasattr", "methodcaller"})


def is_table_of_modules(node: ast.expr) -> bool:
    """``sys.modules``."""
    return isinstance(node, ast.Attribute) and effects.dotted(node) == "sys.modules"


def is_own_module(node: ast.Subscript) -> bool:
    """``sys.modules[__name__]``."""
    return (
        isinstance(node.slice, ast.Name)
        and node.slice.id == "__name__"
        and effects.dotted(node.value) == "sys.modules"
    )


def asked_name(
    node: ast.FunctionDef | ast.AsyncFunctionDef, assigned: Collection[str]
) -> str | None:
    """The parameter of ``__getattr__`` that holds a name: the text that reads it shows it."""
    if node.name not in ("__getattr__", "__getattribute__"):
        return None
    name = node.args.args[-1].arg if node.args.args else None
    return None if name in assigned else name


def is_computed(call: ast.Call, asked: str | None) -> bool:
    """``getattr(thing, name)`` where the text does not show the name."""
    if (
        asked is not None
        and isinstance(call.func, ast.Name)
        and call.func.id == "getattr"
        and len(call.args) > 1
        and isinstance(call.args[1], ast.Name)
        and call.args[1].id == asked
    ):
        return False
    return (
        isinstance(call.func, ast.Name)
        and call.func.id in _COMPUTING
        and not all(isinstance(arg, ast.Constant) for arg in call.args[-1:])
        and not (len(call.args) > 1 and isinstance(call.args[1], ast.Constant))
    )


def asks_for_fixture(call: ast.Call) -> bool:
    """``request.getfixturevalue(name)`` where the text does not show the name."""
    return (
        isinstance(call.func, ast.Attribute)
        and call.func.attr == "getfixturevalue"
        and not all(isinstance(arg, ast.Constant) for arg in call.args[:1])
    )


def beginning(call: ast.Call, assigned: Mapping[str, ast.expr]) -> str:
    """How the name begins that a call computes: "visit_" for ``getattr(self, f"visit_{kind}")``."""
    name = call.args[min(1, len(call.args) - 1)] if call.args else None
    for _ in range(4):
        match name:
            case ast.Name(id=variable) if variable in assigned:
                name = assigned[variable]
            case ast.JoinedStr(values=[ast.Constant(value=str(text)), *_]):
                return text
            case ast.BinOp(left=ast.Constant(value=str(text)), op=ast.Add()):
                return text
            case ast.BinOp(left=ast.Constant(value=str(text)), op=ast.Mod()):
                return text.partition("%")[0]
            case ast.Call(func=ast.Attribute(value=ast.Constant(value=str(text)), attr="format")):
                return text.partition("{")[0]
            case ast.Call(func=ast.Attribute(value=value, attr="lower" | "strip")):
                name = value
            case _:
                break
    return ""


def assigned_once(node: ast.FunctionDef | ast.AsyncFunctionDef) -> dict[str, ast.expr]:
    """Variables of a function that have one value, as far as its text shows."""
    found: dict[str, ast.expr] = {}
    times: Counter[str] = Counter(
        arg.arg for arg in ast.walk(node.args) if isinstance(arg, ast.arg)
    )
    for item in ast.walk(node):
        if isinstance(item, ast.Name) and not isinstance(item.ctx, ast.Load):
            times[item.id] += 1
        elif isinstance(item, ast.Assign) and isinstance(item.targets[0], ast.Name):
            found[item.targets[0].id] = item.value
    return {name: value for name, value in found.items() if times[name] == 1}
