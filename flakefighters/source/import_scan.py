"""What one Python source asks to be imported, read from its syntax tree."""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

__all__ = ["SIGNS", "Reference", "Scan", "scan"]

#: Dotted names in quotation marks: settings and patches name modules like this.
_DOTTED: Final = re.compile(rb"""["']([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+)(?::[\w.]+)?["']""")
_FILE_ENDINGS: Final = re.compile(
    "cfg|conf|csv|db|gz|html|ini|js|json|lock|log|md|pdf|png|py|rst|sh|sql|sqlite|svg|tar|toml|txt"
    "|xml|ya?ml|zip"
)
#: Names without which no call below can be in a source: a quick look before the slow one.
SIGNS: Final = re.compile(
    rb"\b(?:import_module|__import__|importorskip|exec|eval|run_path|run_module|execfile"
    rb"|spec_from_file_location|SourceFileLoader|walk_packages|iter_modules|entry_points"
    rb"|iter_entry_points)\b"
)
_IMPORTERS: Final = frozenset({"import_module", "__import__", "importorskip", "run_module"})
_OPAQUE: Final = {
    "run_path": "runs a file by its path",
    "spec_from_file_location": "imports a file by its path",
    "SourceFileLoader": "imports a file by its path",
    "walk_packages": "imports what it finds in a package",
    "iter_modules": "imports what it finds in a package",
    "entry_points": "loads entry points",
    "iter_entry_points": "loads entry points",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """A module that is asked for, and the names wanted from it."""

    #: Dots in front; 0: absolute.
    level: int = 0
    module: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    #: "imported by", "named in".
    how: str = "imported by"


@dataclass(slots=True, kw_only=True)
class Scan:
    """All that one source asks for."""

    references: list[Reference] = field(default_factory=list)
    #: Why that may not be all, as a clause whose subject is the file.
    unknown: str | None = None
    #: The same by the function (a qualified name) that must run for it to matter.
    unknown_in: dict[str, str] = field(default_factory=dict)
    #: The names in ``__all__``, None if it is computed, empty if there is none.
    exports: tuple[str, ...] | None = ()


def scan(source: bytes) -> Scan:
    """Read one source; what cannot be parsed is unknown, never an error."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # an invalid escape in their source is not our news
            tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return Scan(unknown="could not be parsed")
    found = Scan()
    for statement in _statements(tree.body):
        if isinstance(statement, ast.Import):
            for alias in statement.names:
                found.references.append(Reference(module=tuple(alias.name.split("."))))
        elif isinstance(statement, ast.ImportFrom):
            found.references.append(
                Reference(
                    level=statement.level,
                    module=tuple(statement.module.split(".")) if statement.module else (),
                    names=tuple(alias.name for alias in statement.names),
                )
            )
        elif isinstance(statement, ast.Assign | ast.AnnAssign | ast.AugAssign):
            _assignment(found, statement)
    if SIGNS.search(source):
        for node, function in _calls(tree):
            _call(found, node, function)
    named = {match[1].decode() for match in _DOTTED.finditer(source)}
    for text in sorted(named):
        parts = tuple(text.split("."))
        if not _FILE_ENDINGS.fullmatch(parts[-1]):
            found.references.append(Reference(module=parts, how="named in"))
    return found


def _statements(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Every statement at any depth, but not what only type checkers run."""
    blocks: list[list[ast.stmt]] = [body]
    while blocks:
        for statement in blocks.pop():
            yield statement
            if isinstance(statement, ast.If) and _for_type_checkers(statement.test):
                blocks.append(statement.orelse)
                continue
            for name in ("body", "orelse", "finalbody"):
                block = getattr(statement, name, None)
                if block:
                    blocks.append(block)
            parts = (*getattr(statement, "handlers", ()), *getattr(statement, "cases", ()))
            blocks.extend(part.body for part in parts)


def _for_type_checkers(test: ast.expr) -> bool:
    name = test.attr if isinstance(test, ast.Attribute) else getattr(test, "id", None)
    return name == "TYPE_CHECKING"


def _assignment(found: Scan, statement: ast.Assign | ast.AnnAssign | ast.AugAssign) -> None:
    targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
    names = {target.id for target in targets if isinstance(target, ast.Name)}
    if statement.value is None or names.isdisjoint({"__all__", "pytest_plugins"}):
        return
    texts = _texts(statement.value)
    if "__all__" in names:
        known = texts is not None and found.exports is not None
        found.exports = (*(found.exports or ()), *(texts or ())) if known else None
    if "pytest_plugins" in names:
        if texts is None:
            _unknown(found, "computes pytest_plugins")
        for text in texts or ():
            found.references.append(
                Reference(module=tuple(text.split(".")), how="named as a plugin by")
            )


def _texts(value: ast.expr) -> tuple[str, ...] | None:
    """The strings of a literal, None if it is none."""
    try:
        literal = ast.literal_eval(value)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return None
    if isinstance(literal, str):
        return (literal,)
    if isinstance(literal, list | tuple | set) and all(isinstance(text, str) for text in literal):
        return tuple(literal)
    return None


def _calls(tree: ast.Module) -> Iterator[tuple[ast.Call, str | None]]:
    """All calls, each with the qualified name of the function that it stands in."""
    stack: list[tuple[ast.AST, str, bool]] = [(tree, "", False)]
    while stack:
        node, name, inside = stack.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            own = f"{name}.<locals>.{node.name}" if inside else f"{name}.{node.name}".lstrip(".")
            stack.extend((part, own, True) for part in node.body)
            stack.extend((part, name, inside) for part in (*node.decorator_list, node.args))
            continue
        if isinstance(node, ast.ClassDef):
            own = f"{name}.<locals>.{node.name}" if inside else f"{name}.{node.name}".lstrip(".")
            # A class body runs with what is around it.
            stack.extend((part, own, False) for part in node.body)
            bases: list[ast.AST] = [*node.decorator_list, *node.bases, *node.keywords]
            stack.extend((part, name, inside) for part in bases)
            continue
        if isinstance(node, ast.Call):
            yield node, name if inside else None
        stack.extend((part, name, inside) for part in ast.iter_child_nodes(node))


def _call(found: Scan, call: ast.Call, inside: str | None) -> None:
    function = call.func
    attribute = function.attr if isinstance(function, ast.Attribute) else None
    name = attribute or (function.id if isinstance(function, ast.Name) else "")
    if name in ("exec", "eval") and attribute is None:
        _unknown(found, f"calls {name}()", inside)
    elif name in _OPAQUE:
        _unknown(found, _OPAQUE[name], inside)
    elif name in _IMPORTERS:
        wanted = _literal(call, 0, "name")
        if wanted is None:
            _unknown(found, "computes the name of a module to import", inside)
            return
        level = len(wanted) - len(wanted.lstrip("."))
        package = _literal(call, 1, "package") if level and name == "import_module" else None
        module = wanted.lstrip(".")
        if package:  # ".x" of a package given by name; further dots go up from it
            parts = package.split(".")
            module = ".".join((*parts[: len(parts) - level + 1], module))
            level = 0
        found.references.append(
            Reference(level=level, module=tuple(module.split(".")) if module else ())
        )


def _literal(call: ast.Call, position: int, keyword: str) -> str | None:
    value: ast.expr | None = call.args[position] if len(call.args) > position else None
    for given in call.keywords:
        if given.arg == keyword:
            value = given.value
    if isinstance(value, ast.Constant) and isinstance(value.value, str):
        return value.value
    return None


def _unknown(found: Scan, why: str, inside: str | None = None) -> None:
    if inside is None:
        found.unknown = found.unknown or why
    else:
        found.unknown_in.setdefault(inside, why)
