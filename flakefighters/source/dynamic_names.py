"""Names that code computes before it looks them up: how that is told, and what they may be."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Collection, Mapping
from typing import Final

from flakefighters.source import purity as effects
from flakefighters.source.entries import ANY

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
    "computed_name",
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
_ASKING: Final = frozenset({"getattr", "hasattr"})
#: Calls that are handed the path to something: ``patch("shop.tax.rate")``.
_BY_PATH: Final = frozenset({"import_string", "patch", "resolve_name"})
_TEXTS: Final = (ast.BinOp, ast.JoinedStr)


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


def computed_name(call: ast.Call, asked: str | None) -> tuple[str, ast.expr | None] | None:
    """The kind of what a call looks up by a name that its text does not show, and that name.

    ``getattr(thing, name)``, ``patch(f"shop.{name}")``, ``monkeypatch.setattr(thing, name, 7)``;
    None for anything else.  ``asked`` is a variable that holds a name which others show.
    """
    of, _, last = effects.dotted(call.func).rpartition(".")
    plain = not of
    of_patch = of.endswith("patch")
    if last in _ASKING and plain:
        at = 1
        if asked is not None and len(call.args) > 1 and effects.dotted(call.args[1]) == asked:
            return None
    elif last in ("attrgetter", "methodcaller"):
        at = 0
    elif (last == "object" and of_patch) or (last == "delattr" and plain):
        at = 1
    elif last in ("delattr", "setattr") and not plain:  # of a monkeypatch
        at = 1 if len(call.args) > (2 if last == "setattr" else 1) else 0
    elif last == "patch" and not (plain or of.endswith(("mock", "mocker"))):
        return None  # of a client: ``client.patch(url)``
    elif last in _BY_PATH or (last == "multiple" and of_patch):
        at = 0
    else:
        return None
    if len(call.args) <= at:
        return (ANY_ATTRIBUTE, None) if any(map(_is_spread, call.args)) else None
    name = call.args[at]
    if isinstance(name, ast.Constant) or (last == "multiple" and not isinstance(name, _TEXTS)):
        return None
    return (ANY if at == 0 and last not in ("attrgetter", "methodcaller") else ANY_ATTRIBUTE), name


def _is_spread(argument: ast.expr) -> bool:
    return isinstance(argument, ast.Starred)


def asks_for_fixture(call: ast.Call) -> bool:
    """``request.getfixturevalue(name)`` where the text does not show the name."""
    return (
        isinstance(call.func, ast.Attribute)
        and call.func.attr == "getfixturevalue"
        and not all(isinstance(arg, ast.Constant) for arg in call.args[:1])
    )


def beginning(name: ast.expr | None, assigned: Mapping[str, ast.expr]) -> str:
    """How a computed name begins: "visit_" for ``getattr(self, f"visit_{kind}")``."""
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
