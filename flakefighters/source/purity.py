"""What a statement may do beyond binding names, judged by its text alone.

The answer is a set of conditions (:class:`~flakefighters.model.Name`): empty if it only binds,
``EVERYONE`` if it surely may do more, or names of which the rest of the project must tell.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable
from typing import Final

from flakefighters.model import EVERYONE, Name, Scope
from flakefighters.source import tables

__all__ = [
    "Conditions",
    "conditions",
    "dotted",
    "import_condition",
    "is_builder",
    "is_known_base",
    "is_known_decorator",
    "of_base",
    "of_decorator",
]

Conditions = frozenset[Name]
_NONE: Final[Conditions] = frozenset()
_SURE: Final[Conditions] = frozenset({EVERYONE})


def dotted(node: ast.expr) -> str:
    """``a.b.c`` for a chain of names, "" for anything else; calls and subscripts are looked
    through."""
    parts: list[str] = []
    while True:
        if isinstance(node, ast.Attribute):
            parts.append(node.attr)
            node = node.value
        elif isinstance(node, ast.Call):
            node = node.func
        elif isinstance(node, ast.Subscript):
            node = node.value
        elif isinstance(node, ast.Name):
            return ".".join((node.id, *reversed(parts)))
        else:
            return ""


def is_builder(name: str) -> bool:
    """Whether a call of that dotted name is well known to only build a value."""
    if name.startswith("pytest.mark.") or name.endswith("environ.get"):
        return True
    last = name.rpartition(".")[2]
    return last in tables.BUILDERS and _is_of_library(name, tables.METHODS_OF_VALUES)


def _is_of_library(name: str, methods: frozenset[str]) -> bool:
    root, dot, _ = name.partition(".")
    return not dot or root in tables.ROOTS or name.rpartition(".")[2] in methods


def is_known_decorator(name: str) -> bool:
    """Whether a decorator keeps no list of what it decorates, and reads nothing of it."""
    if name.startswith(("pytest.mark.", "mark.", "mock.patch", "patch.", "unittest.mock.patch")):
        return True
    last = name.rpartition(".")[2]
    return last in tables.DECORATORS and _is_of_library(
        name, frozenset({"deleter", "getter", "setter"})
    )


def is_known_base(name: str) -> bool:
    """Whether a class does not learn of its subclasses, nor read what they have."""
    last = name.rpartition(".")[2]
    return last in tables.BASES or last.endswith(("Error", "Exception", "Warning"))


def of_decorator(node: ast.expr) -> Conditions:
    """On which condition a decorator registers what it decorates."""
    name = dotted(node)
    return frozenset({Name(Scope.IF_DECORATOR, f"{name}()" if _called(node) else name)})


def _called(node: ast.expr) -> bool:
    return isinstance(node, ast.Call)


def of_base(node: ast.expr) -> Conditions:
    """On which condition a class learns of its subclasses."""
    name = dotted(node)
    return frozenset({Name(Scope.IF_BASE, name)}) if name else _SURE


def import_condition(node: ast.Import | ast.ImportFrom, alias: ast.alias) -> Conditions:
    """On which condition an import does more than bind its name."""
    if isinstance(node, ast.Import):
        module, level = alias.name, 0
    else:
        module, level = node.module or "", node.level
    if not level and module.partition(".")[0] in tables.PURE_IMPORTS:
        return _NONE
    text = "." * level + module
    wanted = alias.name if isinstance(node, ast.ImportFrom) else ""
    return frozenset({Name(Scope.IF_IMPORT, f"{text}:{wanted}")})


def conditions(node: ast.AST) -> Conditions:
    """On which conditions running a statement (or expression) does more than bind names."""
    if isinstance(node, ast.stmt):
        return _of_statement(node)
    found: set[Name] = set()
    stack: list[ast.AST] = [node]
    while stack:
        item = stack.pop()
        if isinstance(item, ast.Lambda):
            stack.append(item.args)
            continue
        if isinstance(item, ast.Await | ast.Yield | ast.YieldFrom):
            return _SURE
        if isinstance(item, ast.Call):
            found |= _of_call(item)
        stack.extend(ast.iter_child_nodes(item))
    return frozenset(found)


def _of_call(call: ast.Call) -> Conditions:
    name = dotted(call.func) if isinstance(call.func, ast.Name | ast.Attribute) else ""
    if isinstance(call.func, ast.Attribute) and isinstance(call.func.value, ast.Constant):
        name = call.func.attr  # "a b".split()
    elif name == "map" and call.args and isinstance(call.args[0], ast.Name):
        name = call.args[0].id  # map(str, VERSION)
    return frozenset({Name(Scope.IF_CALL, name)}) if name else _SURE


def _of_statement(node: ast.stmt) -> Conditions:
    match node:
        case ast.Assign(targets=targets, value=value):
            return _any([*targets, value]) | _unless(all(map(_plain_target, targets)))
        case ast.AnnAssign(target=target, value=value) | ast.AugAssign(target=target, value=value):
            return _unless(_plain_target(target)) | (_NONE if value is None else conditions(value))
        case ast.Import(names=aliases) | ast.ImportFrom(names=aliases):
            return _union(import_condition(node, alias) for alias in aliases)
        case ast.Expr(value=value):
            return conditions(value)
        case ast.Delete(targets=targets):
            return _unless(all(map(_plain_target, targets)))
        case ast.Pass() | ast.Global() | ast.Nonlocal():
            return _NONE
        case _:
            return _of_block(node)


def _of_block(node: ast.stmt) -> Conditions:
    match node:
        case ast.FunctionDef() | ast.AsyncFunctionDef():
            return _union(map(of_decorator, node.decorator_list)) | conditions(node.args)
        case ast.ClassDef():
            return (
                _unless(not node.keywords)
                | _union(map(of_decorator, node.decorator_list))
                | _union(map(of_base, node.bases))
                | _any(node.body)
            )
        case ast.If(test=test):
            return _any([test, *node.body, *node.orelse])
        case ast.Try():
            # Of modules that are there: what is done without them is not done.
            own = all(isinstance(one, ast.ImportFrom) and one.level for one in node.body)
            handled = [] if own else [part for one in node.handlers for part in one.body]
            return _any([*node.body, *handled, *node.orelse, *node.finalbody])
        case _:
            return _unless(type(node).__name__ == "TypeAlias")


def _unless(harmless: bool) -> Conditions:
    return _NONE if harmless else _SURE


def _union(found: Iterable[Conditions]) -> Conditions:
    return frozenset().union(*found)


def _any(nodes: Iterable[ast.AST]) -> Conditions:
    return _union(map(conditions, nodes))


def _plain_target(target: ast.expr) -> bool:
    if isinstance(target, ast.Tuple | ast.List):
        return all(map(_plain_target, target.elts))
    if isinstance(target, ast.Starred):
        return _plain_target(target.value)
    return isinstance(target, ast.Name)
