"""Which names the units of a file read, and what a changed name reaches through them."""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from flakefighters.changes import units_effects as effects
from flakefighters.changes.units_entries import ANY
from flakefighters.changes.units_source import parse
from flakefighters.changes.units_walk import LOCALS, Unit, walk

__all__ = [
    "ANY_ATTRIBUTE",
    "Dependents",
    "dependents",
    "header",
    "identifiers",
    "imported",
    "names_read",
    "reading",
    "reads",
]

#: Among the names that are read: any attribute of some object (:data:`ANY`: any name at all).
ANY_ATTRIBUTE: Final = "*."
#: Calls and attributes by which code reaches names that its text does not show.
_DYNAMIC: Final = frozenset({"__import__", "eval", "exec", "globals", "import_module", "locals"})
_DICTIONARIES: Final = frozenset({"__dict__", "vars"})
_DEFINITIONS: Final = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
#: Methods that code names only to call that of a certain class: ``Shop.__init__(self)``.
_SPECIAL: Final = frozenset(
    {
        *("__call__", "__contains__", "__copy__", "__deepcopy__", "__delattr__", "__delitem__"),
        *("__enter__", "__eq__", "__exit__", "__format__", "__ge__", "__getattr__"),
        *("__getattribute__", "__getitem__", "__getstate__", "__gt__", "__hash__", "__init__"),
        *("__init_subclass__", "__iter__", "__le__", "__len__", "__lt__", "__missing__"),
        *("__ne__", "__new__", "__next__", "__reduce__", "__reduce_ex__", "__repr__"),
        *("__setattr__", "__setitem__", "__setstate__", "__str__"),
    }
)
_LONGEST_TEXT: Final = 200


@dataclass(frozen=True, slots=True)
class Dependents:
    """What a change of some names reaches within one file."""

    #: The names themselves and those that are bound with their help at import.
    names: frozenset[str]
    #: Qualified names of the functions and classes that read any of them.
    units: frozenset[str]


def names_read(source: bytes) -> Mapping[str, frozenset[str]]:
    """Qualified name of each unit to the names that it reads.

    Globals, attributes, imported names, words of short strings (``getattr(shop, "total")``,
    ``patch("shop.tax.rate")``), and the parameters of tests and fixtures (which name fixtures).
    ``"*"`` is among them where a unit may read any name (``globals()``), ``"*."`` where it may
    read any attribute (``getattr`` with a computed name).  Units of one name are joined.  Empty
    if the source cannot be parsed.
    """
    found: dict[str, frozenset[str]] = {}
    for unit, read in reading(source):
        found[unit.name] = found.get(unit.name, frozenset()) | read
    return found


def dependents(source: bytes, names: Collection[str]) -> Dependents:
    """Follow names through one file: its constants, imports, bases and decorators.

    ``from tax import RATE as R`` in a file binds R with the help of RATE: ask each file that
    imports the changed one with the names that came out of the changed one.  ``"*"`` among
    ``names`` reaches everything.
    """
    pairs = reading(source)
    known, size = set(names), -1
    while len(known) != size:
        size = len(known)
        for unit, read in pairs:
            if unit.scope is None and _touched(known, read):
                known.update(unit.entry.names)
    return Dependents(
        names=frozenset(known),
        units=frozenset(unit.name for unit, read in pairs if _touched(known, read)),
    )


def reads(
    nodes: Iterable[ast.AST],
    hidden: Collection[str] = (),
    *,
    deep: bool = False,
    owner: str | None = None,
    asked: str | None = None,
) -> set[str]:
    """Names, attributes and words that some trees read.

    ``hidden`` are local variables, which are no names of ours; ``deep`` goes into the bodies of
    nested definitions too.  ``owner`` is for the body of a function: the class that it belongs
    to, "" for none; ``asked`` is a variable of it that holds a name which others read.
    """
    found: set[str] = set()
    stack = list(nodes)
    while stack:
        item = stack.pop()
        if isinstance(item, ast.Name):
            if isinstance(item.ctx, ast.Load) and item.id not in hidden:
                found.add(item.id)
        elif isinstance(item, ast.Attribute):
            if not (owner and _is_own_dictionary(item)):
                found.add(_special(item, hidden, owner) or item.attr)
            if item.attr == "modules" and effects.dotted(item) == "sys.modules":
                found.add(ANY)
            stack.append(item.value)
        elif isinstance(item, ast.Constant):
            if isinstance(item.value, str):
                found.update(identifiers(item.value))
        elif isinstance(item, ast.Import | ast.ImportFrom):
            for alias in item.names:
                found |= imported(item, alias)
        elif isinstance(item, _DEFINITIONS) and not deep:
            stack.extend(header(item))
        elif isinstance(item, ast.Subscript) and _is_own_module(item):
            continue
        else:
            if isinstance(item, ast.Call) and _is_computed(item, asked):
                found.add(ANY_ATTRIBUTE)
            _push_children(item, stack)
    if not found.isdisjoint(_DYNAMIC):
        found.add(ANY)
    if not found.isdisjoint(_DICTIONARIES):
        found.add(ANY_ATTRIBUTE)
    return found


def header(node: ast.AST) -> list[ast.AST]:
    """What is run where a definition stands: decorators, bases, defaults, annotations."""
    if isinstance(node, ast.ClassDef):
        return [*node.decorator_list, *node.bases, *node.keywords]
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        result = [node.returns] if node.returns else []
        return [*node.decorator_list, node.args, *result]
    return [node]


def identifiers(text: str) -> Iterator[str]:
    """The parts of a text that is a name or a dotted path."""
    if text and len(text) <= _LONGEST_TEXT:
        parts = text.replace(":", ".").split(".")
        if all(map(str.isidentifier, parts)):
            yield from parts


def imported(node: ast.Import | ast.ImportFrom, alias: ast.alias) -> set[str]:
    """What importing one name reads: the name and the parts of its module."""
    module = (node.module or "") if isinstance(node, ast.ImportFrom) else ""
    return {part for part in (*module.split("."), *alias.name.split(".")) if part}


def reading(
    source: bytes, only: re.Pattern[bytes] | None = None
) -> list[tuple[Unit, frozenset[str]]]:
    """Each unit of a source (whose text has ``only`` in it) with the names that it reads."""
    tree = parse(source)
    if tree is None:
        return []
    lines = [] if only is None else source.splitlines()
    return [
        (unit, frozenset(_own_reads(unit)))
        for unit in walk(tree)
        if only is None or only.search(b"\n".join(lines[unit.entry.first - 1 : unit.entry.last]))
    ]


def _touched(names: set[str], read: frozenset[str]) -> bool:
    return ANY in names or ANY in read or ANY_ATTRIBUTE in read or not read.isdisjoint(names)


def _own_reads(unit: Unit) -> set[str]:
    entry = unit.entry
    node = entry.node
    if entry.alias is not None and isinstance(node, ast.Import | ast.ImportFrom):
        return imported(node, entry.alias)
    if isinstance(node, ast.ClassDef):
        return reads([*header(node), *node.body])
    if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        return reads([node])
    parameters = {arg.arg for arg in ast.walk(node.args) if isinstance(arg, ast.arg)}
    # Within a function nobody knows what a name of the functions around it is bound to.
    owner = None if LOCALS in unit.name else (unit.scope or "").rpartition(".")[2]
    assigned = _locals(node)
    found = reads(header(node))
    found |= reads(node.body, parameters | assigned, owner=owner, asked=_asked_name(node, assigned))
    if node.name.startswith("test") or any(map(_is_fixture, node.decorator_list)):
        found |= parameters
    return found


def _is_fixture(decorator: ast.expr) -> bool:
    return effects.dotted(decorator).rpartition(".")[2] == "fixture"


def _special(node: ast.Attribute, hidden: Collection[str], owner: str | None) -> str | None:
    """The class whose special method ``Shop.__init__`` or ``super().__init__`` is.

    A method of that name in a class that has nothing to do with it is another one.  Whoever
    reads a class that inherits from a changed one is affected by the name of the class.
    """
    if owner is None or node.attr not in _SPECIAL:
        return None
    match node.value:
        case ast.Name(id=name) if name not in hidden:
            return name
        case ast.Call(func=ast.Name(id="super")):
            return owner or None
        case _:
            return None


def _is_own_dictionary(node: ast.Attribute) -> bool:
    """``self.__dict__``, which has what was set on the object, and nothing of its class."""
    return node.attr == "__dict__" and isinstance(node.value, ast.Name) and node.value.id == "self"


def _is_own_module(node: ast.Subscript) -> bool:
    """``sys.modules[__name__]``."""
    return (
        isinstance(node.slice, ast.Name)
        and node.slice.id == "__name__"
        and effects.dotted(node.value) == "sys.modules"
    )


def _asked_name(
    node: ast.FunctionDef | ast.AsyncFunctionDef, assigned: Collection[str]
) -> str | None:
    """The parameter of ``__getattr__`` that holds a name: the text that reads it shows it."""
    if node.name not in ("__getattr__", "__getattribute__"):
        return None
    name = node.args.args[-1].arg if node.args.args else None
    return None if name in assigned else name


def _is_computed(call: ast.Call, asked: str | None) -> bool:
    """``getattr(thing, name)`` where the text does not show the name."""
    if (
        asked is not None
        and isinstance(call.func, ast.Name)
        and call.func.id == "getattr"
        and len(call.args) > 1
        and isinstance(call.args[1], ast.Name)
        and call.args[1].id == asked
    ):
        return False
    return (
        isinstance(call.func, ast.Name)
        and call.func.id in {"getattr", "attrgetter", "methodcaller"}
        and not all(isinstance(arg, ast.Constant) for arg in call.args[-1:])
        and not (len(call.args) > 1 and isinstance(call.args[1], ast.Constant))
    )


def _locals(node: ast.FunctionDef | ast.AsyncFunctionDef) -> set[str]:
    """Names that a function assigns, unless it declares them global."""
    found: set[str] = set()
    outside: set[str] = set()
    stack: list[ast.AST] = list(node.body)
    while stack:
        item = stack.pop()
        if isinstance(item, ast.Name) and isinstance(item.ctx, ast.Store):
            found.add(item.id)
        elif isinstance(item, ast.Global | ast.Nonlocal):
            outside.update(item.names)
        if not isinstance(item, _DEFINITIONS):
            _push_children(item, stack)
    return found - outside


def _push_children(node: ast.AST, stack: list[ast.AST]) -> None:
    """As ``ast.iter_child_nodes``, which costs twice as much: this visits every node there is."""
    for name in node._fields:
        value = getattr(node, name, None)
        if value.__class__ is list:
            stack += [one for one in value if isinstance(one, ast.AST)]
        elif isinstance(value, ast.AST) and not isinstance(value, ast.expr_context):
            stack.append(value)
