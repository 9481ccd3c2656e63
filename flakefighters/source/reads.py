"""Which names the units of a file read, and by which way."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from flakefighters.source import purity as effects
from flakefighters.source.dynamic_names import (
    ANY_ATTRIBUTE,
    ANY_FIXTURE,
    DICTIONARIES,
    DYNAMIC,
    asked_name,
    asks_for_fixture,
    assigned_once,
    beginning,
    computed_name,
    is_own_module,
    is_table_of_modules,
)
from flakefighters.source.entries import ANY
from flakefighters.source.parse import parse, reads_annotations
from flakefighters.source.walk import LOCALS, Unit, walk

__all__ = [
    "Reads",
    "UnitReads",
    "header",
    "identifiers",
    "imported",
    "is_fixture",
    "is_made_fixture",
    "reading",
    "reads",
]

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
_WORD: Final = re.compile(r"[A-Za-z_]\w+")
_GETTERS: Final = frozenset({"attrgetter", "getattr", "hasattr"})
#: The attributes in ``"{0.rate}"``.
_FIELD: Final = re.compile(r"(?<=\.)[A-Za-z_]\w*(?=[^{}]*\})")


@dataclass(slots=True)
class Reads:
    """What some code looks up, by the way it does so."""

    #: Names of its module, of what it imports, or of Python.
    bare: set[str] = field(default_factory=set)
    #: Attributes, each after the last part of what it is one of: ("tax", "RATE") for
    #: ``shop.tax.RATE`` and for ``from shop.tax import RATE``, ("", "total") for ``cart().total``.
    attributes: set[tuple[str, str]] = field(default_factory=set)
    #: Words of short strings: ``getattr(shop, "total")``, ``patch("shop.tax.rate")``.
    words: set[str] = field(default_factory=set)
    #: Parameters of tests and fixtures, which name fixtures.
    parameters: set[str] = field(default_factory=set)
    #: :data:`ANY`, :data:`ANY_ATTRIBUTE` and the like.
    computed: set[str] = field(default_factory=set)
    #: Texts in which names may be, other than docstrings.
    texts: list[str] = field(default_factory=list)
    _plain: frozenset[str] | None = None

    def plain(self) -> frozenset[str]:
        """All of these as mere names; asked for when there will be no more."""
        if self._plain is None:
            names = (name for _, name in self.attributes)
            self._plain = frozenset(
                {*self.bare, *names, *self.words, *self.parameters, *self.computed}
            )
        return self._plain

    def add(self, other: Reads) -> None:
        """Have what another has as well."""
        self.bare |= other.bare
        self.attributes |= other.attributes
        self.words |= other.words
        self.parameters |= other.parameters
        self.computed |= other.computed
        self.texts += other.texts

    def may_compute(self, kinds: Collection[str], names: Iterable[str]) -> bool:
        """Whether it may compute one of some names, in one of these ways."""
        if not self.computed.isdisjoint(kinds):
            return True
        begins = [
            one[len(kind) :].lower()
            for kind in (ANY_ATTRIBUTE, ANY_FIXTURE)
            if kind in kinds
            for one in self.computed
            if one.startswith(kind)
        ]
        return any(name.lower().startswith(begin) for begin in begins for name in names)


class UnitReads(NamedTuple):
    """A unit and what it reads."""

    unit: Unit
    read: Reads
    #: What is read where a definition stands: decorators, defaults, bases.
    head: Reads
    #: :meth:`Reads.plain` of ``read``.
    plain: frozenset[str]


def reads(
    nodes: Iterable[ast.AST],
    hidden: Collection[str] = (),
    *,
    deep: bool = False,
    annotations: bool = True,
    body: bool = False,
    modules: Collection[str] = (),
    owner: str | None = None,
    asked: str | None = None,
    assigned: Callable[[], Mapping[str, ast.expr]] = dict,
) -> Reads:
    """What some trees look up.

    ``hidden`` are local variables, which are no names of ours; ``deep`` goes into the bodies of
    nested definitions too; without ``annotations`` those of functions are left out.  The rest is
    for the ``body`` of a function: ``modules`` are those of its variables that it imports,
    ``owner`` is the class that it belongs to, "" for none, and ``asked`` a variable of it that
    holds a name which others read; ``assigned`` tells which are assigned once.
    """
    found = Reads()
    bare, attributes, words = found.bare, found.attributes, found.words
    stack = list(nodes)
    while stack:
        item = stack.pop()
        if isinstance(item, ast.Name):
            if isinstance(item.ctx, ast.Load) and item.id not in hidden:
                bare.add(item.id)
        elif isinstance(item, ast.Attribute):
            if not (owner and _is_own_dictionary(item)):
                special = _special(item, hidden, owner)
                if special is None:
                    attributes.add((_last(item.value, hidden, modules), item.attr))
                else:
                    bare.add(special)
            if item.attr == "modules" and effects.dotted(item) == "sys.modules":
                found.computed.add(ANY)
            stack.append(item.value)
        elif isinstance(item, ast.Constant):
            if isinstance(item.value, str):
                parts = list(identifiers(item.value))
                words.update(parts)
                if not parts and item.value:
                    found.texts.append(item.value)
                    words.update(_FIELD.findall(item.value))
            elif isinstance(item.value, bytes) and len(item.value) <= _LONGEST_TEXT:
                words.update(_WORD.findall(item.value.decode("latin-1")))  # a pickle, for example
        elif isinstance(item, ast.MatchClass):
            attributes.update(("", name) for name in item.kwd_attrs)
            _push_children(item, stack)
        elif isinstance(item, ast.Expr) and isinstance(item.value, ast.Constant):
            continue  # a docstring, or idle
        elif isinstance(item, ast.Import | ast.ImportFrom):
            for alias in item.names:
                attributes |= imported(item, alias)
        elif isinstance(item, _DEFINITIONS) and not deep:
            stack.extend(header(item, annotations))
        elif isinstance(item, ast.arg):
            if annotations and item.annotation is not None:
                stack.append(item.annotation)
        elif body and isinstance(item, ast.AnnAssign):  # of a local variable: never evaluated
            stack += [item.target, *([] if item.value is None else [item.value])]
        elif isinstance(item, ast.Subscript) and is_own_module(item):
            continue
        elif isinstance(item, ast.Compare) and isinstance(item.ops[0], ast.In | ast.NotIn):
            stack.append(item.left)  # `name in sys.modules` gives no module
            stack += [one for one in item.comparators if not is_table_of_modules(one)]
        else:
            if isinstance(item, ast.Call):
                _computed(item, found, asked, assigned)
            _push_children(item, stack)
    asked_for = {name for _, name in attributes} | bare | words
    found.computed.update(kind for name, kind in DYNAMIC.items() if name in asked_for)
    if body and not asked_for & (DYNAMIC.keys() - {"locals"}):
        found.computed.discard(DYNAMIC["locals"])  # those of a function are no names of ours
    if not asked_for.isdisjoint(DICTIONARIES):
        found.computed.add(ANY_ATTRIBUTE)
    return found


def _computed(
    call: ast.Call, found: Reads, asked: str | None, assigned: Callable[[], Mapping[str, ast.expr]]
) -> None:
    """Names that a call computes, or is told of by keywords: ``patch.multiple(Shop, rate=7)``."""
    computed = computed_name(call, asked)
    if computed is not None:
        kind, name = computed
        found.computed.add(kind if kind == ANY else kind + beginning(name, assigned()))
    elif asks_for_fixture(call):
        found.computed.add(ANY_FIXTURE + beginning(call.args[0], assigned()))
    if isinstance(call.func, ast.Attribute) and call.func.attr == "multiple":
        found.words.update(one.arg for one in call.keywords if one.arg is not None)
    # ``map(getattr, things, names)``
    if any(isinstance(one, ast.Name) and one.id in _GETTERS for one in call.args):
        found.computed.add(ANY_ATTRIBUTE)


def _last(node: ast.expr, hidden: Collection[str], modules: Collection[str]) -> str:
    """The last part of a dotted name, "" where something else or a local variable is used."""
    root = node
    while isinstance(root, ast.Attribute):
        root = root.value
    if not isinstance(root, ast.Name) or (root.id in hidden and root.id not in modules):
        return ""
    return node.attr if isinstance(node, ast.Attribute) else root.id


def header(node: ast.AST, annotations: bool = True) -> list[ast.AST]:
    """What is run where a definition stands: decorators, bases, defaults, annotations."""
    if isinstance(node, ast.ClassDef):
        return [*node.decorator_list, *node.bases, *node.keywords]
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        result = [node.returns] if node.returns and annotations else []
        return [*node.decorator_list, node.args, *result]
    return [node]


def identifiers(text: str) -> Iterator[str]:
    """The parts of a text that is a name or a dotted path."""
    if text and len(text) <= _LONGEST_TEXT:
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


def reading(
    source: bytes, only: re.Pattern[bytes] | None = None, *, annotated: bool = False
) -> list[UnitReads]:
    """Each unit of a source (whose text has ``only`` in it) with what it reads.

    The annotations of functions count if they are ``annotated`` for somebody who looks at them,
    or the source imports a library that does.
    """
    tree = parse(source)
    if tree is None:
        return []
    lines = [] if only is None else source.splitlines()
    annotations = annotated or reads_annotations(tree)
    found = []
    for unit in walk(tree):
        entry = unit.entry
        if only is None or only.search(b"\n".join(lines[entry.first - 1 : entry.last])):
            read, head = _own_reads(unit, annotations)
            found.append(UnitReads(unit, read, head, read.plain()))
    return found


def _own_reads(unit: Unit, annotations: bool) -> tuple[Reads, Reads]:
    entry = unit.entry
    node = entry.node
    if entry.alias is not None and isinstance(node, ast.Import | ast.ImportFrom):
        return Reads(attributes=imported(node, entry.alias)), Reads()
    if isinstance(node, ast.ClassDef):
        head = reads(header(node))
        found = reads(node.body, annotations=annotations)
        found.add(head)
        return found, head
    if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        return reads([node], annotations=annotations), Reads()
    parameters = {arg.arg for arg in ast.walk(node.args) if isinstance(arg, ast.arg)}
    # Within a function nobody knows what a name of the functions around it is bound to.
    owner = None if LOCALS in unit.name else (unit.scope or "").rpartition(".")[2]
    assigned, modules = _locals(node)
    head = reads(header(node, annotations), annotations=annotations)
    found = reads(
        node.body,
        parameters | assigned | modules,
        modules=modules,
        annotations=annotations,
        body=True,
        owner=owner,
        asked=asked_name(node, assigned),
        assigned=lambda: assigned_once(node),
    )
    found.add(head)
    if node.name.startswith("test") or is_made_fixture(node):
        found.parameters |= parameters
    return found, head


def is_made_fixture(node: ast.AST) -> bool:
    """Whether a definition is that of a fixture."""
    return any(map(is_fixture, getattr(node, "decorator_list", ())))


def is_fixture(decorator: ast.expr) -> bool:
    """Whether a decorator makes a fixture of pytest's."""
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


def _locals(node: ast.FunctionDef | ast.AsyncFunctionDef) -> tuple[set[str], set[str]]:
    """Names that a function assigns and imports, unless it declares them global."""
    found: set[str] = set()
    modules: set[str] = set()
    outside: set[str] = set()
    stack: list[ast.AST] = list(node.body)
    while stack:
        item = stack.pop()
        if isinstance(item, ast.Name) and isinstance(item.ctx, ast.Store):
            found.add(item.id)
        elif isinstance(item, ast.Global | ast.Nonlocal):
            outside.update(item.names)
        elif isinstance(item, ast.alias):
            modules.add(item.asname or item.name.partition(".")[0])
        if not isinstance(item, _DEFINITIONS):
            _push_children(item, stack)
    return found - outside, modules - outside


def _push_children(node: ast.AST, stack: list[ast.AST]) -> None:
    """As ``ast.iter_child_nodes``, which costs twice as much: this visits every node there is."""
    for name in node._fields:
        value = getattr(node, name, None)
        if value.__class__ is list:
            stack += [one for one in value if isinstance(one, ast.AST)]
        elif isinstance(value, ast.AST) and not isinstance(value, ast.expr_context):
            stack.append(value)
