"""What the calls of a function hand to it that outlives them."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from typing import Final

from flakefighters.reach.project import Sources
from flakefighters.source import purity as effects
from flakefighters.source.entries import bound
from flakefighters.source.exposure import ANYWHERE, FIXTURE
from flakefighters.source.parse import parse

__all__ = ["handed_to"]

#: A function that more files call has a name that many share.
_MOST_FILES: Final = 30


def handed_to(name: str, sources: Sources, late: Callable[[], bool]) -> set[str]:
    """Names, as ``Change.names`` has them, that stand as arguments in calls of ``name``.

    Those of modules and of parameters of tests and fixtures; not those of functions and classes.
    """
    sign = re.compile(rb"\b" + re.escape(name.encode("utf-8", "surrogatepass")) + rb"\s*\(")
    found: set[str] = set()
    files = [one for one in sources.all().values() if sign.search(one)]
    for content in files[:_MOST_FILES]:
        if late():
            break
        tree = parse(content)
        if tree is not None:
            found.update(_in(tree, name))
    return found


def _in(tree: ast.Module, name: str) -> Iterator[str]:
    values = {
        one
        for node in tree.body
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        for one in bound(node)
    }
    imported: dict[str, str] = {}
    parameters: set[str] = set()
    calls = []
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom | ast.Import):
            imported.update((one.asname or one.name, one.name) for one in node.names)
        elif isinstance(node, ast.arg):
            parameters.add(node.arg)
        elif isinstance(node, ast.Call) and effects.dotted(node.func).rpartition(".")[2] == name:
            calls.append(node)
    for call in calls:
        for argument in (*call.args, *(one.value for one in call.keywords)):
            if isinstance(argument, ast.Attribute):
                root = effects.dotted(argument).partition(".")[0]
                if root in imported or root in values:
                    yield ANYWHERE + argument.attr
            elif isinstance(argument, ast.Name):
                if argument.id in parameters:
                    yield FIXTURE + argument.id
                if argument.id in imported:
                    yield ANYWHERE + imported[argument.id]
                elif argument.id in values:
                    yield ANYWHERE + argument.id
