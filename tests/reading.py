"""What the source of the package says of itself: its imports, its functions, its circles."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Function", "circles", "functions", "import_graph", "imported"]

_FORKS = (ast.If, ast.IfExp, ast.For, ast.AsyncFor, ast.While, ast.ExceptHandler, ast.match_case)
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


@dataclass(frozen=True, slots=True)
class Function:
    """A function or method, with its size."""

    #: "history/write.py::Writer.save", relative to the folder that was read.
    name: str
    #: From ``def`` to the last statement, inner functions included.
    lines: int
    #: McCabe's number without inner functions: the ways through conditions, loops, handlers,
    #: comprehensions and boolean operators.
    branches: int


def imported(path: Path, root: Path) -> Iterator[tuple[int, str]]:
    """Line and dotted name of every import, wherever in the file it stands.

    ``from package import name`` gives ``package.name``, which may be a module or not.  ``root`` is
    the folder that is on ``sys.path``.
    """
    package = path.relative_to(root).with_suffix("").parts[:-1]
    for node in ast.walk(ast.parse(path.read_text("utf-8"), str(path))):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(package[: len(package) - node.level + 1]) if node.level else ""
            module = ".".join(part for part in (base, node.module) if part)
            for alias in node.names:
                yield node.lineno, f"{module}.{alias.name}"


def import_graph(package: Path) -> dict[str, set[str]]:
    """Each module of the package, and the modules of the package that it imports anywhere."""
    root = package.parent
    paths = {_module(path, root): path for path in sorted(package.rglob("*.py"))}
    graph = {}
    for module, path in paths.items():
        names = {name for _, name in imported(path, root)}
        # A name that is no module belongs to the module in front of its last dot.
        targets = {name if name in paths else name.rpartition(".")[0] for name in names}
        graph[module] = {name for name in targets if name in paths and name != module}
    return graph


def _module(path: Path, root: Path) -> str:
    parts = path.relative_to(root).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def circles(graph: Mapping[str, set[str]]) -> list[frozenset[str]]:
    """Groups of modules each of which reaches all others of its group."""
    reached = {start: _reached(graph, start) for start in graph}
    found = {
        frozenset(other for other in reached[start] if start in reached[other])
        for start in graph
        if start in reached[start]
    }
    return sorted(found, key=sorted)


def _reached(graph: Mapping[str, set[str]], start: str) -> set[str]:
    seen: set[str] = set()
    waiting = list(graph[start])
    while waiting:
        node = waiting.pop()
        if node not in seen:
            seen.add(node)
            waiting += graph[node]
    return seen


def functions(package: Path) -> Iterator[Function]:
    """All functions and methods of the files below a folder."""
    for path in sorted(package.rglob("*.py")):
        place = path.relative_to(package).as_posix()
        for qualified, node in _defined(ast.parse(path.read_text("utf-8"), str(path)), ""):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            yield Function(f"{place}::{qualified}", lines, _branches(node))


def _defined(
    node: ast.AST, outer: str
) -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
    for child in ast.iter_child_nodes(node):
        inner = outer
        if isinstance(child, (*_FUNCTIONS, ast.ClassDef)):
            inner = f"{outer}.{child.name}".lstrip(".")
            if isinstance(child, _FUNCTIONS):
                yield inner, child
        yield from _defined(child, inner)


def _branches(function: ast.AST) -> int:
    count = 1
    waiting = list(ast.iter_child_nodes(function))
    while waiting:
        node = waiting.pop()
        if isinstance(node, _FUNCTIONS):
            continue
        if isinstance(node, _FORKS):
            count += 1
        elif isinstance(node, ast.BoolOp):
            count += len(node.values) - 1
        elif isinstance(node, ast.comprehension):
            count += 1 + len(node.ifs)
        waiting += ast.iter_child_nodes(node)
    return count
