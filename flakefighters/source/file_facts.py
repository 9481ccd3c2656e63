"""The facts of one Python file: read once, from one syntax tree."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from typing import Final

from flakefighters.model import ChangeKind
from flakefighters.source import purity, tables
from flakefighters.source.entries import STAR
from flakefighters.source.facts import FileFacts, Reference, UnitFacts
from flakefighters.source.parse import parse, reads_annotations
from flakefighters.source.reads import Call
from flakefighters.source.unit_facts import asked_for, unit_facts
from flakefighters.source.walk import walk

__all__ = ["facts_of"]

_FILE_ENDINGS: Final = re.compile(
    "cfg|conf|csv|db|gz|html|ini|js|json|lock|log|md|pdf|png|py|rst|sh|sql|sqlite|svg|tar|toml|txt"
    "|xml|ya?ml|zip"
)


def facts_of(source: bytes) -> FileFacts | None:
    """The facts of one file; None if this Python cannot read it."""
    tree = parse(source)
    if tree is None:
        return None
    try:
        return _facts(tree)
    except RecursionError:  # definitions nested more deeply than Python can follow
        return None


#: Methods that learn of subclasses, or decide on them, and words that ask for those.
_OF_SUBCLASSES: Final = ("__init_subclass__", "__subclasshook__", "__instancecheck__")
_ABOUT_SUBCLASSES: Final = frozenset({"__subclasses__", "__init_subclass__"})


def _facts(tree: ast.Module) -> FileFacts:
    annotated = reads_annotations(tree)
    units = tuple(unit_facts(one, annotated) for one in walk(tree))
    found = FileFacts(units=units)
    references: dict[Reference, None] = {}
    for one in units:
        if one.imports is not None:
            found.has_star = found.has_star or one.binds == (STAR,)
        if one.own_name in _OF_SUBCLASSES or not one.reads.plain().isdisjoint(_ABOUT_SUBCLASSES):
            found.asks_for_subclasses = True
        _calls(found, one, references)
        references.update(dict.fromkeys(_named_in(one.reads.texts)))
    aliases: list[tuple[str, Reference]] = []
    for statement in _statements(tree.body):
        _reference(found, statement, references)
        if isinstance(statement, ast.Import | ast.ImportFrom):
            aliases += _aliases(statement)
    found.aliases = tuple(aliases)
    found.references = tuple(references)
    return found


def _named_in(texts: Iterable[str]) -> Iterator[Reference]:
    """Modules whose dotted names stand in texts, as patches and settings have them."""
    for text in texts:
        parts = text.partition(":")[0].split(".")
        dotted = len(parts) > 1 and all(map(str.isidentifier, parts))
        if dotted and not _FILE_ENDINGS.fullmatch(parts[-1]):
            yield Reference(0, tuple(parts), how="named in")


def _aliases(statement: ast.Import | ast.ImportFrom) -> Iterator[tuple[str, Reference]]:
    """What each name that an import binds stands for."""
    for alias in statement.names:
        if alias.name != STAR:
            wanted = asked_for(statement, alias)
            yield alias.asname or (*wanted.names, *wanted.module)[0], wanted


def _statements(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Every statement at any depth, but not what only type checkers run."""
    blocks: list[list[ast.stmt]] = [body]
    while blocks:
        for statement in blocks.pop():
            yield statement
            if isinstance(statement, ast.If):
                name = purity.dotted(statement.test).rpartition(".")[2]
                if name == "TYPE_CHECKING":
                    blocks.append(statement.orelse)
                    continue
            for part in ("body", "orelse", "finalbody"):
                block = getattr(statement, part, None)
                if block:
                    blocks.append(block)
            parts = (*getattr(statement, "handlers", ()), *getattr(statement, "cases", ()))
            blocks.extend(part.body for part in parts)


def _reference(found: FileFacts, statement: ast.stmt, to: dict[Reference, None]) -> None:
    if isinstance(statement, ast.Import):
        to.update((Reference(0, tuple(alias.name.split("."))), None) for alias in statement.names)
    elif isinstance(statement, ast.ImportFrom):
        module = tuple(statement.module.split(".")) if statement.module else ()
        names = tuple(alias.name for alias in statement.names)
        to[Reference(statement.level, module, names)] = None
    elif isinstance(statement, ast.Assign | ast.AnnAssign | ast.AugAssign):
        targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
        names_ = {target.id for target in targets if isinstance(target, ast.Name)}
        if statement.value is not None and not names_.isdisjoint({"__all__", "pytest_plugins"}):
            _listed(found, names_, _texts(statement.value), to)


def _listed(
    found: FileFacts, names: set[str], texts: tuple[str, ...] | None, to: dict[Reference, None]
) -> None:
    """Take in what ``__all__`` and ``pytest_plugins`` list; None if that is computed."""
    if "__all__" in names:
        known = texts is not None and found.exports is not None
        found.exports = (*(found.exports or ()), *(texts or ())) if known else None
    if "pytest_plugins" in names:
        if texts is None:
            found.opaque = found.opaque or "computes pytest_plugins"
        for text in texts or ():
            to[Reference(0, tuple(text.split(".")), how="named as a plugin by")] = None


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


def _calls(found: FileFacts, unit: UnitFacts, to: dict[Reference, None]) -> None:
    """Imports by calls: what they ask for, or that it does not show."""
    for call in unit.reads.calls:
        why = _opaque(call)
        if why is None:
            continue
        if unit.kind is ChangeKind.FUNCTION:
            found.opaque_in.setdefault(unit.name, why)
        else:
            found.opaque = found.opaque or why
    for call in unit.reads.calls:
        if call.module is not None:
            level = len(call.module) - len(call.module.lstrip("."))
            module = call.module.lstrip(".")
            if level and call.package:  # further dots go up from it
                parts = call.package.split(".")
                module = ".".join((*parts[: len(parts) - level + 1], module))
                level = 0
            to[Reference(level, tuple(module.split(".")) if module else ())] = None


def _opaque(call: Call) -> str | None:
    if call.name in ("exec", "eval") and call.base == "":
        return f"calls {call.name}()"
    if call.name in tables.OPAQUE_IMPORTERS:
        return tables.OPAQUE_IMPORTERS[call.name]
    if call.name in tables.IMPORTING_CALLS and call.module is None:
        return "computes the name of a module to import"
    return None
