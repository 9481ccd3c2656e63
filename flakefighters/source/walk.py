"""All units of one version of a file, with their qualified names and lines."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from flakefighters.model import ChangeKind
from flakefighters.source.entries import Entry, definition, entries
from flakefighters.source.fingerprints import Definition, Place
from flakefighters.source.parse import Policy

__all__ = ["LOCALS", "Walked", "nested_definitions", "walk"]

#: Between a function and what is defined in it, as in ``__qualname__``.
LOCALS = ".<locals>"


@dataclass(frozen=True, slots=True, eq=False)
class Walked:
    """A unit and where it stands."""

    #: Qualified as Python does it: ``Shop.total``, ``outer.<locals>.inner``.
    name: str
    entry: Entry
    #: Qualified name of what it stands in, None at module level.
    scope: str | None


def walk(tree: ast.Module) -> Iterator[Walked]:
    """Yield every unit, outer ones before those that they hold."""
    return _scope(entries(tree.body, Policy(), Place.MODULE), None, "")


def nested_definitions(body: Iterable[ast.stmt]) -> list[Definition]:
    """Functions and classes defined by a body, at any depth of ``if``, ``with`` and the like."""
    found: list[Definition] = []
    stack = list(body)
    while stack:
        item = stack.pop()
        if isinstance(item, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.append(item)
            continue
        for name in ("body", "orelse", "finalbody"):
            stack.extend(getattr(item, name, ()))
        for part in (*getattr(item, "handlers", ()), *getattr(item, "cases", ())):
            stack.extend(part.body)
    return sorted(found, key=lambda node: (node.lineno, node.col_offset))


def _scope(members: Iterable[Entry], scope: str | None, prefix: str) -> Iterator[Walked]:
    for entry in members:
        name = prefix + entry.label
        yield Walked(name, entry, scope)
        node = entry.node
        if isinstance(node, ast.ClassDef):
            inner = entries(node.body, Policy(), Place.CLASS)
            yield from _scope(inner, name, f"{name}.")
        elif entry.kind is ChangeKind.FUNCTION and isinstance(
            node, ast.FunctionDef | ast.AsyncFunctionDef
        ):
            inner = [definition(nested) for nested in nested_definitions(node.body)]
            yield from _scope(inner, name, f"{name}{LOCALS}.")
