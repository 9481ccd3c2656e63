"""The words of an example in a text: what a doctest can look up by itself."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Final

from flakefighters.source.parse import parse

__all__ = ["words_of"]

_WORD: Final = re.compile(r"\w+")
#: With these an example can look up what its text does not show.
_COMPUTING: Final = frozenset(
    {
        *("__dict__", "__import__", "attrgetter", "eval", "exec", "getattr", "globals"),
        *("import_module", "locals", "methodcaller", "vars"),
    }
)
_STAR: Final = re.compile(r"\bimport\s*\(?\s*\*")


def words_of(path: str, name: str, content: bytes) -> frozenset[str] | None:
    """The words of the example that a doctest of that name has; None if they do not tell all.

    ``name`` is a dotted name that ends with that of a function or class in the file, or the
    module's own; in a file that is no Python, the whole text is one example.
    """
    python = path.endswith(".py")
    text = _docstring(path, name, content) if python else content.decode("utf-8", "replace")
    if text is None or _STAR.search(text):
        return None
    words = frozenset(_WORD.findall(text))
    return None if not words.isdisjoint(_COMPUTING) else words


def _docstring(path: str, name: str, content: bytes) -> str | None:
    tree = parse(content)
    if tree is None:
        return None
    best: tuple[int, str | None] = (0, ast.get_docstring(tree, clean=False))
    for qualified, node in _definitions(tree, ""):
        if name == qualified or name.endswith(f".{qualified}"):
            best = max(best, (len(qualified), ast.get_docstring(node, clean=False)), key=_length)
    module = path.removesuffix(".py").removesuffix("/__init__").rpartition("/")[2]
    return best[1] if best[0] or name.rpartition(".")[2] == module else None


def _length(found: tuple[int, str | None]) -> int:
    return found[0]


def _definitions(
    outer: ast.AST, prefix: str
) -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef]]:
    for node in ast.iter_child_nodes(outer):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield prefix + node.name, node
            yield from _definitions(node, f"{prefix}{node.name}.")
        elif isinstance(node, ast.stmt):
            yield from _definitions(node, prefix)
