"""Questions to single nodes of a syntax tree: what they bind, import and hold."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from flakefighters.records import NamedTuple
from flakefighters.source import purity
from flakefighters.source.fingerprints import Function

__all__ = [
    "LONGEST_TEXT",
    "Locals",
    "header",
    "identifiers",
    "imported",
    "is_fixture",
    "local_names",
    "push_children",
]

#: Characters of the longest string that may be a name.
LONGEST_TEXT: Final = 200
_DEFINITIONS: Final = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def header(node: ast.AST, annotations: bool = True) -> list[ast.AST]:
    """What is run where a definition stands: decorators, bases, defaults, annotations."""
    if isinstance(node, ast.ClassDef):
        return [*node.decorator_list, *node.bases, *node.keywords]
    if isinstance(node, Function):
        result = [node.returns] if node.returns and annotations else []
        return [*node.decorator_list, node.args, *result]
    return [node]


def identifiers(text: str) -> Iterator[str]:
    """The parts of a text that is a name or a dotted path."""
    if text and len(text) <= LONGEST_TEXT:
        parts = text.replace(":", ".").split(".")
        if all(map(str.isidentifier, parts)):
            yield from parts


def imported(node: ast.Import | ast.ImportFrom, alias: ast.alias) -> set[tuple[str, str]]:
    """What importing one name reads: the name as an attribute of its module, and so on up.

    The package of ``from . import name`` is called ".".
    """
    module = (node.module or "") if isinstance(node, ast.ImportFrom) else ""
    parts = [part for part in (*module.split("."), *alias.name.split(".")) if part]
    before = "." if isinstance(node, ast.ImportFrom) and node.level else ""
    return set(zip((before, *parts), parts, strict=False))


def is_fixture(decorator: ast.expr) -> bool:
    """Whether a decorator makes a fixture of pytest's."""
    return purity.dotted(decorator).rpartition(".")[2] == "fixture"


class Locals(NamedTuple):
    """The names of a function's own."""

    #: Assigned, and imported.
    names: frozenset[str]
    modules: frozenset[str]
    imported: Mapping[str, str]
    outside: frozenset[str]
    #: Those with one value, as far as the text shows.
    assigned: Mapping[str, ast.expr]


def local_names(node: ast.FunctionDef | ast.AsyncFunctionDef) -> Locals:
    """The names that a function binds, unless it declares them global."""
    found: set[str] = set()
    modules: dict[str, str] = {}
    outside: set[str] = set()
    values: dict[str, ast.expr] = {}
    times = Counter(arg.arg for arg in ast.walk(node.args) if isinstance(arg, ast.arg))
    for item in _own_nodes(node.body):
        if isinstance(item, ast.Name) and not isinstance(item.ctx, ast.Load):
            found.add(item.id)
            times[item.id] += 1
        elif isinstance(item, ast.Global | ast.Nonlocal):
            outside.update(item.names)
        elif isinstance(item, ast.alias):
            modules[item.asname or item.name.partition(".")[0]] = item.name.rpartition(".")[2]
        elif isinstance(item, ast.Assign) and isinstance(item.targets[0], ast.Name):
            values[item.targets[0].id] = item.value
    once = {name: value for name, value in values.items() if times[name] == 1}
    own = {name: origin for name, origin in modules.items() if name not in outside}
    return Locals(frozenset(found - outside), frozenset(own), own, frozenset(outside), once)


def _own_nodes(body: Iterable[ast.AST]) -> Iterator[ast.AST]:
    """The nodes of a body, but not those within definitions."""
    stack = list(body)
    while stack:
        item = stack.pop()
        yield item
        if not isinstance(item, _DEFINITIONS):
            push_children(item, stack)


#: Fields that hold no nodes, or only such as mean nothing here (operators, contexts).
_PLAIN_FIELDS: Final = frozenset(
    {
        *("arg", "asname", "attr", "conversion", "ctx", "id", "is_async", "kind", "kwd_attrs"),
        *("level", "module", "name", "op", "ops", "rest", "simple", "tag", "type_comment"),
    }
)
#: Kind of node to its fields that hold nodes; this visits every node there is.
_CHILDREN: Final[dict[type, tuple[str, ...]]] = {
    kind: tuple(name for name in kind._fields if name not in _PLAIN_FIELDS)
    for kind in vars(ast).values()
    if isinstance(kind, type) and issubclass(kind, ast.AST)
} | dict.fromkeys((ast.Constant, ast.Global, ast.MatchSingleton, ast.Nonlocal), ())


def push_children(node: ast.AST, stack: list[ast.AST]) -> None:
    for name in _CHILDREN[node.__class__]:
        value = getattr(node, name, None)
        if value.__class__ is list:
            stack += [one for one in value if one is not None]
        elif value is not None:
            stack.append(value)
