"""Calls that are handed a name: at which argument, and how much of it their text shows."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from typing import Final

from flakefighters.source import purity, tables

__all__ = ["beginning_of", "is_starred", "kind_of", "place_of_name", "shown_import"]

#: What some calls look up; others take a member, or as their first argument any name.
_KINDS: Final = {"attrgetter": "member", "methodcaller": "member", "getfixturevalue": "fixture"}


def kind_of(name: str, at: int) -> str:
    """What a call of this name looks up by its argument number ``at``."""
    return _KINDS.get(name, "member" if at else "any")


def place_of_name(call: ast.Call, name: str) -> int | None:
    """Which argument of a call is a name; None if it takes none."""
    at = tables.NAME_TAKING.get(name)
    if at is None:
        return None
    base = purity.dotted(call.func).rpartition(".")[0]
    match name:
        case "delattr" | "setattr" if base:  # of a monkeypatch, which also takes dotted names
            return 1 if len(call.args) > (2 if name == "setattr" else 1) else 0
        case "setattr":
            takes = False
        case "patch":  # else of a client: ``client.patch(url)``
            takes = not base or base.endswith(("mock", "mocker"))
        case "multiple" | "object":
            takes = base.endswith("patch")
        case "getattr" | "hasattr":
            takes = not base
        case _:
            takes = True
    return at if takes else None


def is_starred(node: ast.expr) -> bool:
    return isinstance(node, ast.Starred)


def shown_import(call: ast.Call) -> tuple[str | None, str | None]:
    """The module and the package that a call imports, as far as the text shows them."""
    shown: dict[str, ast.expr] = dict(zip(("name", "package"), call.args, strict=False))
    shown |= {one.arg: one.value for one in call.keywords if one.arg is not None}
    name, package = (getattr(shown.get(key), "value", None) for key in ("name", "package"))
    return (
        name if isinstance(name, str) else None,
        package if isinstance(package, str) else None,
    )


def beginning_of(name: ast.expr | None, assigned: Mapping[str, ast.expr]) -> str:
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
