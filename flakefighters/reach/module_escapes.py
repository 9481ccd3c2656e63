"""Which modules are handed around as objects, so that their names can be asked for by computing.

``getattr(thing, name)`` reads a constant of a module only if the thing can be the module: if
some code uses the module otherwise than by ``module.name``.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from typing import Final

from flakefighters.source.parse import parse

__all__ = [
    "Parts",
    "asked_by_name",
    "bare_sign",
    "escapes",
    "module_parts",
    "sign_of",
    "without_imports",
]

_OWN_FROM_TABLE: Final = re.compile(rb"\bmodules\s*\[\s*__name__\s*\]")
#: ``setattr(module, "name", 1)``, ``patch.object(module, "name")``: the text shows the name.
_SHOWING: Final = frozenset({"delattr", "getattr", "hasattr", "object", "setattr"})

_IMPORTS: Final = re.compile(
    rb"^[ \t]*(?:from[ \t]+[.\w]+[ \t]+import|import)[ \t][^\n]*", re.MULTILINE
)

Parts = tuple[str, ...]


def module_parts(path: str) -> Parts:
    """``src/shop/tax.py`` as parts of a dotted name, of which the last are those of the module."""
    parts = path.removesuffix(".py").split("/")
    return tuple(parts[:-1] if parts[-1] == "__init__" else parts)


def sign_of(parts: Parts) -> re.Pattern[bytes]:
    """Finds something in each source that may have the module itself, not just names of it."""
    name = re.escape(parts[-1].encode("utf-8", "surrogateescape")) if parts else rb"[^\W\d]\w*"
    return re.compile(
        rb"\bimport\s[^=\n]*\b" + name + rb"\b"
        rb"|\bimport\s*\([^)]*\b" + name + rb"\b"
        rb"|\bimport\s*\(?\s*\*"
        rb"|\." + name + rb"\b(?![ \t]*[.(]|\s+import\b)"
    )


def asked_by_name(parts: Parts) -> re.Pattern[bytes]:
    """Finds what gives the module itself: ``import_module("shop.tax")`` and the like."""
    name = re.escape(parts[-1].encode("utf-8", "surrogateescape")) if parts else rb"\w+"
    return re.compile(
        rb"(?:import_module|importorskip|__import__|reload)\s*\(\s*[\"'](?:[\w.]*\.)?"
        + name
        + rb"[\"']|\bmodules\s*(?:\[|\.get\()\s*[\"'](?:[\w.]*\.)?"
        + name
        + rb"[\"']"
    )


def bare_sign(parts: Parts) -> re.Pattern[bytes]:
    """Finds a module's name where it may stand for itself, in a source without its imports.

    A source with a match of :func:`sign_of` and none of this hands nothing on.
    """
    name = re.escape(parts[-1].encode("utf-8", "surrogateescape")) if parts else rb"\w+"
    return re.compile(
        rb"(?<![\w.])" + name + rb"(?!\w|[ \t]*[.(]|[ \t]*=(?!=))"
        rb"|\." + name + rb"\b(?![ \t]*[.(])"
        rb"|\b" + name + rb"\s*\.\s*__dict__\b"
    )


def without_imports(content: bytes) -> bytes | None:
    """A source without the lines that import, None if they rename something or take it all."""
    lines = _IMPORTS.findall(content)
    if any(b" as " in line or b"*" in line for line in lines):
        return None
    return _IMPORTS.sub(b"", content)


def escapes(path: str, source: bytes) -> frozenset[Parts]:
    """Dotted names, as far as they are known, of what may be modules that ``source`` hands on."""
    tree = parse(source)
    if tree is None:
        return frozenset()
    found: set[Parts] = set()
    if _OWN_FROM_TABLE.search(source):
        found.add(module_parts(path))
    nodes = list(ast.walk(tree))
    aliases: dict[str, set[Parts]] = {}
    for name, parts in _aliases(nodes):
        aliases.setdefault(name, set()).add(parts)
    any_name = "*" in aliases
    passed = {id(node) for node in _not_handed_on(nodes)}
    for node in nodes:
        if not isinstance(node, ast.Name | ast.Attribute) or id(node) in passed:
            continue
        if not isinstance(node.ctx, ast.Load):
            continue
        root, *rest = _chain(node)
        found.update((*parts, *rest) for parts in aliases.get(root, ()))
        if any_name:
            found.add((root, *rest))
    return frozenset(found)


def _chain(node: ast.expr) -> list[str]:
    """``a.b.c`` as its parts; the first is empty if it is no name."""
    rest: list[str] = []
    while isinstance(node, ast.Attribute):
        rest.insert(0, node.attr)
        node = node.value
    return [node.id if isinstance(node, ast.Name) else "", *rest]


def _aliases(nodes: Iterable[ast.AST]) -> Iterator[tuple[str, Parts]]:
    """Names that imports bind, at any depth, and what they may be."""
    for node in nodes:
        if isinstance(node, ast.Import):
            for alias in node.names:
                parts = tuple(alias.name.split("."))
                yield (alias.asname, parts) if alias.asname else (parts[0], parts[:1])
        elif isinstance(node, ast.ImportFrom):
            module = tuple(node.module.split(".")) if node.module else ()
            for alias in node.names:
                yield alias.asname or alias.name, (*module, alias.name)


def _not_handed_on(nodes: Iterable[ast.AST]) -> Iterator[ast.AST]:
    """What stands before a dot, is called, or is asked for a name that the text shows."""
    for node in nodes:
        if isinstance(node, ast.Attribute):
            if node.attr != "__dict__":
                yield node.value
        elif isinstance(node, ast.Call):
            yield node.func
            function = node.func
            name = function.attr if isinstance(function, ast.Attribute) else ""
            name = name or (function.id if isinstance(function, ast.Name) else "")
            shown = node.args[1] if len(node.args) > 1 else None
            if name == "reload" or (
                name in _SHOWING
                and isinstance(shown, ast.Constant)
                and isinstance(shown.value, str)
            ):
                yield from node.args[:1]
