"""The units of one scope: what a module's or a class's body defines and does, in order."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from flakefighters.model import ChangeKind
from flakefighters.source import purity
from flakefighters.source.fingerprints import Definition, Key, Place, docstring, is_idle, key
from flakefighters.source.parse import Policy

__all__ = ["STAR", "Entry", "bound", "definition", "entries", "first_line", "module_docstring"]

#: What an import of all names binds.
STAR: Final = "*"

_DEFINITIONS: Final = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


@dataclass(frozen=True, slots=True, eq=False)
class Entry:
    """One unit of a scope."""

    kind: ChangeKind
    #: What tells it from others of its kind; "" for a statement that binds nothing.
    name: str
    #: How it is shown: its name, or the beginning of a nameless statement.
    label: str
    #: The names that it binds.
    names: tuple[str, ...]
    node: ast.AST
    first: int
    last: int
    #: Of an import: the alias (its node may hold several).
    alias: ast.alias | None = None
    #: Equal keys do the same; () for definitions, which are compared in parts.
    key: Key = ()
    #: On which conditions running a statement does more than bind its names.
    impure: purity.Conditions = frozenset()
    #: True for ``if __name__ == "__main__"``: not run by an import.
    guarded: bool = False
    #: Definitions in a compound statement move with it.
    inside: bool = False


def entries(body: Sequence[ast.stmt], counts: Policy, place: Place) -> list[Entry]:
    """The units of a body, in order; what stands below ``TYPE_CHECKING`` is left out."""
    return list(_entries(body, counts, place))


def _entries(body: Sequence[ast.stmt], counts: Policy, place: Place) -> Iterator[Entry]:
    for node in body:
        if isinstance(node, _DEFINITIONS):
            if not _is_overload(node):
                yield definition(node)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            yield from _imports(node)
        elif is_idle(node):
            continue
        elif isinstance(node, ast.If) and _is_typing_only(node.test):
            yield from _entries(node.orelse, counts, place)
        else:
            nested: list[Definition] = []
            own = key([node], counts, place, nested)
            names = bound(node)
            guarded = place is Place.MODULE and _is_main_guard(node)
            yield Entry(
                ChangeKind.STATEMENT,
                ", ".join(names),
                ", ".join(names) or _beginning(node),
                names,
                node,
                node.lineno,
                node.end_lineno or node.lineno,
                key=own,
                impure=frozenset() if guarded else purity.conditions(node),
                guarded=guarded,
            )
            for inner in nested:
                yield definition(inner, inside=True)


def module_docstring(tree: ast.Module, counted: bool) -> Entry | None:
    """The module's docstring as a unit, where it matters."""
    text = docstring(tree, counted)
    if text is None:
        return None
    node = tree.body[0]
    lines = node.lineno, node.end_lineno or node.lineno
    doc = "__doc__"
    return Entry(ChangeKind.STATEMENT, doc, doc, (doc,), node, *lines, key=(text,))


def first_line(node: Definition | ast.stmt) -> int:
    """The line that a unit starts on, its decorators included."""
    decorators = getattr(node, "decorator_list", None)
    return decorators[0].lineno if decorators else node.lineno


def bound(node: ast.AST) -> tuple[str, ...]:
    """The names that a statement binds or unbinds in its scope, in the order of its text."""
    found: dict[str, None] = {}
    stack: list[ast.AST] = [node]
    while stack:
        item = stack.pop()
        if isinstance(item, ast.Name):
            if not isinstance(item.ctx, ast.Load):
                found[item.id] = None
        elif isinstance(item, _DEFINITIONS):
            found[item.name] = None
        elif isinstance(item, ast.alias):
            found[item.asname or item.name.partition(".")[0]] = None
        elif isinstance(item, ast.Lambda):
            continue
        elif isinstance(item, ast.comprehension):
            stack += [*item.ifs, item.iter]  # its variables stay inside
        else:
            name = getattr(item, "name", None) or getattr(item, "rest", None)
            if isinstance(name, str):  # `except … as name`, patterns
                found[name] = None
            stack.extend(reversed(list(ast.iter_child_nodes(item))))
    return tuple(found)


def definition(node: Definition, *, inside: bool = False) -> Entry:
    """A function or class as a unit."""
    kind = ChangeKind.CLASS if isinstance(node, ast.ClassDef) else ChangeKind.FUNCTION
    return Entry(
        kind,
        node.name,
        node.name,
        (node.name,),
        node,
        first_line(node),
        node.end_lineno or node.lineno,
        inside=inside,
    )


def _imports(node: ast.Import | ast.ImportFrom) -> Iterator[Entry]:
    """Each imported name is a unit: lists of imports are sorted, split and joined at will."""
    source, dots = None, ""
    if isinstance(node, ast.ImportFrom):
        source, dots = (node.level, node.module or ""), "." * node.level
    lines = node.lineno, node.end_lineno or node.lineno
    for alias in node.names:
        binds = alias.asname or (alias.name if source else alias.name.partition(".")[0])
        own: Key = ("import", source, alias.name, alias.asname)
        # `import a.b` and `import a.c` both bind `a`, and are different things.
        name = alias.name if source is None and not alias.asname else binds
        if source is not None and alias.name == STAR:
            name = f"* from {dots}{source[1]}"
        impure = purity.import_condition(node, alias)
        yield Entry(ChangeKind.STATEMENT, name, name, (binds,), node, *lines, alias, own, impure)


def _is_overload(node: Definition) -> bool:
    """``@overload``: for type checkers alone, the last definition counts."""
    decorators = map(purity.dotted, node.decorator_list)
    return any(one in ("overload", "typing.overload", "t.overload") for one in decorators)


def _is_typing_only(test: ast.expr) -> bool:
    return purity.dotted(test).rpartition(".")[2] == "TYPE_CHECKING"


def _is_main_guard(node: ast.stmt) -> bool:
    return (
        isinstance(node, ast.If)
        and not node.orelse
        and isinstance(node.test, ast.Compare)
        and isinstance(node.test.left, ast.Name)
        and node.test.left.id == "__name__"
        and isinstance(node.test.ops[0], ast.Eq)
        and isinstance(node.test.comparators[0], ast.Constant)
        and node.test.comparators[0].value == "__main__"
    )


def _beginning(node: ast.stmt) -> str:
    """A few words for a statement that binds no name."""
    match node:
        case ast.Expr(value=value) | ast.Expr(value=ast.Await(value=value)):
            name = purity.dotted(value)
            return f"{name}()" if name and isinstance(value, ast.Call) else name or "expression"
        case ast.Assign(targets=[target, *_]) | ast.AugAssign(target=target):
            return purity.dotted(target) or "assignment"
        case _:
            return type(node).__name__.lower()
