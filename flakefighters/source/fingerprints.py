"""Syntax trees as plain tuples that are equal when the code does the same.

A key leaves out positions, comments, parentheses, quotes, ``pass``, constants that stand alone
(docstrings among them) and annotations that are not evaluated.  Bodies of nested functions and
classes are left out too: they are units of their own, a key holds only that they are defined.
"""

from __future__ import annotations

import ast
import enum
import inspect
from collections.abc import Iterable
from typing import Any, Final, TypeAlias

from flakefighters.source import purity
from flakefighters.source.parse import Policy

__all__ = [
    "Definition",
    "Function",
    "Key",
    "Place",
    "call_key",
    "docstring",
    "header_key",
    "is_idle",
    "key",
    "shell_key",
]

Key: TypeAlias = tuple[Any, ...]
Function: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef
Definition: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef

_cleandoc = inspect.cleandoc

_FIELDS: Final[dict[type, tuple[str, ...]]] = {
    kind: tuple(name for name in kind._fields if name not in {"ctx", "type_comment", "kind"})
    for kind in vars(ast).values()
    if isinstance(kind, type) and issubclass(kind, ast.AST)
}
_DEFINITIONS: Final = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


class Place(enum.Enum):
    """The scope that a statement stands in: it decides which annotations are evaluated."""

    MODULE = enum.auto()
    CLASS = enum.auto()
    FUNCTION = enum.auto()


def key(
    nodes: Iterable[object],
    counts: Policy,
    place: Place,
    nested: list[Definition] | None = None,
    *,
    signatures: bool | None = None,
) -> Key:
    """The key of some trees (or lists of them); definitions met go into ``nested``.

    ``signatures`` overrides the policy's word on the annotations of parameters.
    """
    with_signatures = counts.signatures if signatures is None else signatures
    fields, stack = _FIELDS, list(nodes)
    found = [] if nested is None else nested
    out: list[object] = []
    pop, push, emit = stack.pop, stack.append, out.append
    while stack:
        item = pop()
        kind = item.__class__
        if kind is ast.Name:  # the commonest, so first
            emit(kind)
            emit(item.id)  # type: ignore[attr-defined]
            continue
        names = fields.get(kind)
        if names is None:
            if kind is list:
                members = _active(item)  # type: ignore[arg-type]
                emit(len(members))
                stack.extend(members)
            else:
                emit(item)
        elif kind is ast.Constant:
            value = item.value  # type: ignore[attr-defined]
            emit(value.__class__)  # 1, 1.0 and True are equal, and not the same
            emit(value)
        elif kind in _DEFINITIONS:
            definition: Any = item
            emit(kind)
            emit(definition.name)
            found.append(definition)
            if place is Place.FUNCTION:
                # Defaults, decorators and bases are run by the function around it.
                stack.extend(_header(definition, with_signatures))
        elif kind is ast.AnnAssign:
            _annotated(item, counts, place, push, emit)
        elif kind is ast.arg:
            emit(item.arg)  # type: ignore[attr-defined]
            push(item.annotation if with_signatures else None)  # type: ignore[attr-defined]
        elif kind is ast.Delete:
            emit(kind)
            push(_flat(item.targets))  # type: ignore[attr-defined]
        else:
            emit(kind)
            for name in names:
                push(getattr(item, name))
    found.sort(key=lambda node: (node.lineno, node.col_offset))
    return tuple(out)


def header_key(node: Definition, counts: Policy, *, examples: bool = True) -> Key:
    """The key of what is outside a definition's body: decorators, parameters, bases, ...

    The docstring belongs to it where some code reads it, or, with ``examples``, may run what it
    shows.
    """
    strange = not all(map(purity.is_known_decorator, map(purity.dotted, node.decorator_list)))
    signatures = counts.signatures or strange
    doc = docstring(node, counts.docs or strange, examples=examples)
    parts = _header(node, signatures)
    return type(node), doc, *key(parts, counts, Place.FUNCTION, signatures=signatures)


def call_key(node: Definition, counts: Policy) -> Key:
    """:func:`header_key` without annotations and the docstring."""
    return key(_header(node, False), counts, Place.FUNCTION, signatures=False)


def shell_key(node: Definition, counts: Policy) -> Key:
    """The part of :func:`header_key` that is neither parameters nor annotations."""
    doc = docstring(node, counts.docs)
    parts = [node.decorator_list, getattr(node, "type_params", [])]
    return type(node), doc, *key(parts, counts, Place.FUNCTION)


def docstring(node: Definition | ast.Module, counted: bool, *, examples: bool = True) -> str | None:
    """The docstring if it matters: asked for, or an example that doctest may run."""
    body = node.body
    if not body or not isinstance(body[0], ast.Expr) or not isinstance(body[0].value, ast.Constant):
        return None
    text = body[0].value.value
    if not isinstance(text, str) or not (counted or (examples and ">>>" in text)):
        return None
    return _cleandoc(text)


def is_idle(statement: ast.stmt) -> bool:
    """Whether a statement does nothing: ``pass``, ``...``, a string on its own."""
    return isinstance(statement, ast.Pass) or (
        isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
    )


def _active(members: list[Any]) -> list[Any]:
    """What is left of a list of statements without the idle ones; other lists stay whole."""
    if members and isinstance(members[0], ast.stmt):
        return [member for member in members if not is_idle(member)]
    return members


def _header(node: Definition, signatures: bool) -> list[object]:
    parts: list[object] = [node.decorator_list, getattr(node, "type_params", [])]
    if isinstance(node, ast.ClassDef):
        return [*parts, node.bases, node.keywords]
    return [*parts, node.args, node.returns if signatures else None]


def _annotated(item: Any, counts: Policy, place: Place, push: Any, emit: Any) -> None:
    evaluated = place is Place.CLASS or (place is Place.MODULE and counts.variables)
    if evaluated:
        emit(ast.AnnAssign)
        push(item.annotation)
        push(item.target)
        push(item.value)
    elif item.value is not None:
        emit(ast.Assign)
        push([item.target])
        push(item.value)
    else:
        # Without a value it only makes a function's name local.
        emit(ast.AnnAssign)
        push(item.target)


def _flat(targets: list[ast.expr]) -> list[ast.expr]:
    """``del (a, b)`` is ``del a, b``."""
    found: list[ast.expr] = []
    for target in targets:
        if isinstance(target, ast.Tuple | ast.List):
            found += _flat(target.elts)
        else:
            found.append(target)
    return found
