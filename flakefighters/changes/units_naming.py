"""By which names a change can be reached without running its lines."""

from __future__ import annotations

import ast
from collections.abc import Collection

from flakefighters.changes import units_effects as effects
from flakefighters.changes.units_entries import ANY, Entry
from flakefighters.changes.units_keys import Definition
from flakefighters.changes.units_names import identifiers
from flakefighters.changes.units_pairs import Pair

__all__ = ["ANY", "of_attribute", "of_definition", "of_statement"]

#: Beginnings of the names of module-level things that pytest looks for.
_FOUND_BY_PYTEST = ("pytest", "setup_", "teardown_", "collect_ignore", "setUp", "tearDown")

Names = tuple[str, ...]


def of_statement(pair: Pair, foreign: Collection[str] = ()) -> Names:
    """The names of a statement at module level that came, went or differs.

    ``foreign`` are names that the file imports: what is done to ``os.environ`` is not found by
    looking for readers of ``os``.
    """
    versions = [entry for entry in (pair.old, pair.new) if entry is not None]
    if all(entry.guarded for entry in versions):
        return ()
    names = [name for entry in versions for name in entry.names]
    hidden = any(entry.effect for entry in versions) or any(map(_is_found_by_pytest, names))
    if any(map(_is_future, versions)):
        hidden = True
    for entry in versions:
        names += _altered(entry.node, foreign)
        if "__all__" in entry.names:
            names += sorted(_listed(pair.old) ^ _listed(pair.new))
    return (*names, ANY) if hidden else tuple(names)


def of_attribute(pair: Pair, *owners: ast.ClassDef) -> Names:
    """The names of a statement in a class body; ``owners`` are the versions of the class."""
    names = tuple(name for name in of_statement(pair) if name != "__doc__")
    plain = not any(_is_special(name) for name in names)
    for owner in owners:
        if owner.bases or owner.keywords or owner.decorator_list or not plain:
            names += (owner.name,)
        if _is_observed(owner):
            names += (ANY,)
    return names or tuple(owner.name for owner in owners)


def of_definition(node: ast.AST, owner: Definition | None) -> Names:
    """The names by which a function or class is reached; none inside a function.

    ``owner`` is the class or function that it is defined in.
    """
    if not isinstance(node, Definition) or isinstance(
        owner, ast.FunctionDef | ast.AsyncFunctionDef
    ):
        return ()
    names = [node.name]
    if owner is not None:
        names.append(owner.name)
    hidden = _is_found_by_pytest(node.name)
    if isinstance(node, ast.ClassDef):
        hidden = hidden or _is_observed(node)
    elif owner is None:
        hidden = hidden or _is_special(node.name)  # a module's __getattr__
    for decorator in node.decorator_list:
        hidden = hidden or not effects.is_known_decorator(decorator) or _is_autouse(decorator)
        for part in ast.walk(decorator):
            if isinstance(part, ast.Constant) and isinstance(part.value, str):
                names += identifiers(part.value)  # @fixture(name="shop")
    return (*names, ANY) if hidden else tuple(names)


def _is_observed(node: ast.ClassDef) -> bool:
    """Whether something may learn of the class as soon as it exists."""
    return (
        bool(node.keywords)
        or not all(map(effects.is_known_base, node.bases))
        or not all(map(effects.is_known_decorator, node.decorator_list))
    )


def _is_autouse(decorator: ast.expr) -> bool:
    return isinstance(decorator, ast.Call) and any(
        keyword.arg == "autouse" for keyword in decorator.keywords
    )


def _is_found_by_pytest(name: str) -> bool:
    return name.startswith(_FOUND_BY_PYTEST) and name != "pytest"


def _is_special(name: str) -> bool:
    return name.startswith("__") and name.endswith("__")


def _is_future(entry: Entry) -> bool:
    return isinstance(entry.node, ast.ImportFrom) and entry.node.module == "__future__"


def _listed(entry: Entry | None) -> set[str]:
    """The names that an `__all__` lists."""
    parts = ast.walk(entry.node) if entry is not None else ()
    texts = (part.value for part in parts if isinstance(part, ast.Constant))
    return {text for text in texts if isinstance(text, str)}


def _altered(node: ast.AST, foreign: Collection[str]) -> list[str]:
    """What `CONFIG["a"] = 1`, `rates.RATE = 7` and `RULES.append(1)` alter: attributes, and the
    thing itself unless it is a whole imported one."""
    names: list[str] = []
    things: list[ast.expr] = []
    stack: list[ast.AST] = [node]
    while stack:
        item = stack.pop()
        if isinstance(item, Definition | ast.Lambda):
            continue
        if isinstance(item, ast.Attribute | ast.Subscript) and not isinstance(item.ctx, ast.Load):
            things.append(item)
            # Of `os.environ["a"] = "b"` that is `environ`.
            _, dot, last = effects.dotted(item).rpartition(".")
            names += [last] if dot else []
        stack.extend(ast.iter_child_nodes(item))
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        called = node.value.func
        things += [called.value] if isinstance(called, ast.Attribute) else []
    roots = (effects.dotted(thing).partition(".")[0] for thing in things)
    return names + [root for root in roots if root and root not in foreign]
