"""What code may have run while modules were imported, by their text.

Pytest imports some before any plugin can watch: those of categories in ``filterwarnings``, its
plugins.  What ran then was seen by nobody.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from flakefighters.model import ChangeKind
from flakefighters.model import Unit as Place
from flakefighters.source import purity as effects
from flakefighters.source.dynamic_names import ANY_FIXTURE
from flakefighters.source.entries import ANY
from flakefighters.source.parse import parse
from flakefighters.source.reads import header, is_fixture, reads
from flakefighters.source.walk import LOCALS, Unit, walk

__all__ = ["Loaded", "may_have_run"]

#: To read more would take a second.
_MOST_BYTES: Final = 2 << 20
#: Methods that run when a class is made.
_MAKING: Final = ("__init_subclass__", "__set_name__")
_CALLING_NOTHING: Final = (
    *(ast.AsyncFunctionDef, ast.ClassDef, ast.FunctionDef, ast.Import, ast.ImportFrom),
)
#: How functions begin that read files, or look for them.
_OPENING: Final = (
    *("connect", "files", "get_data", "glob", "iterdir", "listdir", "load", "open", "parse"),
    *("read", "rglob", "scandir", "walk"),
)


@dataclass(frozen=True, slots=True)
class Loaded:
    """What may have run while some modules were imported."""

    #: The modules, and functions of them.
    paths: frozenset[str] = frozenset()
    units: frozenset[Place] = frozenset()
    #: Whether any function may have run, as names are computed.
    any: bool = False
    #: Whether data files may have been read.
    opened: bool = False

    def ran(self, unit: Place) -> bool:
        """Whether a function may have run."""
        return unit in self.units or (self.any and unit[0] in self.paths)


def may_have_run(files: Mapping[str, bytes]) -> Loaded:
    """What importing ``files`` (path to content) may run of them, by the names that are called.

    Special methods run if their class is named; hooks of pytest, and functions with decorators that
    may call them, run anyway.  What is nested in a function runs with it.
    """
    paths = frozenset(files)
    if sum(map(len, files.values())) > _MOST_BYTES:
        return Loaded(paths, any=True, opened=True)
    search = _Search()
    for path, content in files.items():
        tree = parse(content)
        for unit in walk(tree) if tree is not None else ():
            search.look(path, unit)
    ran, named = search.follow()
    return Loaded(
        paths,
        frozenset(ran),
        any=any(name.startswith(ANY) and not name.startswith(ANY_FIXTURE) for name in named),
        opened=any(name.startswith(_OPENING) for name in named),
    )


class _Function(NamedTuple):
    unit: Place
    name: str
    #: The class that it stands in, "" for none.
    owner: str
    reads: frozenset[str]


@dataclass(slots=True)
class _Search:
    functions: list[_Function] = field(default_factory=list)
    #: What is named where it may be called, and the other names of that: ``encode = json.encode``.
    named: set[str] = field(default_factory=set)
    aliases: dict[str, set[str]] = field(default_factory=dict)
    #: Functions that may run when they are looked up.
    properties: set[str] = field(default_factory=set)
    #: The bases of each class.
    bases: dict[str, set[str]] = field(default_factory=dict)

    def look(self, path: str, one: Unit) -> None:
        """Take in a unit of a module."""
        entry, node = one.entry, one.entry.node
        nested = LOCALS in one.name
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            owner = (one.scope or "").rpartition(".")[2]
            found = _Function((path, one.name), node.name, owner, _names(node.body))
            self.functions.append(found)
            if not nested:
                self._header(node)
        elif isinstance(node, ast.ClassDef):
            self.bases.setdefault(node.name, set()).update(map(_last, node.bases))
            if not nested:
                self.named |= _names([*node.keywords, *node.decorator_list])
                self.named.update({node.name} if node.decorator_list else ())
        elif entry.kind is ChangeKind.STATEMENT and not (nested or entry.guarded or entry.alias):
            self._statement(node)

    def _header(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        self.named |= _names(header(node, annotations=False))
        quiet = all(is_fixture(d) or effects.is_known_decorator(d) for d in node.decorator_list)
        if node.name.startswith("pytest_") or not quiet:
            self.named.add(node.name)
        if node.decorator_list:
            self.properties.add(node.name)

    def _statement(self, node: ast.AST) -> None:
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Name | ast.Attribute):
            for target in node.targets:
                self.aliases.setdefault(_last(target), set()).add(_last(node.value))
            self.named |= _names([_root(node.value)])
        else:
            self.named |= _names(_beside_definitions(node))

    def follow(self) -> tuple[set[Place], set[str]]:
        """The functions that are named, and those that these name; and all these names."""
        named = self.named | (set().union(*self.aliases.values()) & self.properties)
        ran: set[Place] = set()
        waiting = self.functions
        before = -1
        while before != len(named) + len(ran):
            before = len(named) + len(ran)
            for name in named & self.aliases.keys():
                named |= self.aliases[name]
            made = self._made(named)
            left = []
            for one in waiting:
                if _runs(one, named, made, ran):
                    ran.add(one.unit)
                    named |= one.reads
                else:
                    left.append(one)
            waiting = left
        return ran, named

    def _made(self, named: set[str]) -> set[str]:
        """The classes of which there may be objects: those named, and what they inherit from."""
        made: set[str] = set()
        pending = [name for name in self.bases if name in named]
        while pending:
            name = pending.pop()
            if name not in made:
                made.add(name)
                pending += self.bases.get(name, ())
        return made


def _runs(one: _Function, named: set[str], made: set[str], ran: set[Place]) -> bool:
    path, name = one.unit
    outer = name.partition(LOCALS)[0]
    if outer != name:
        return (path, outer) in ran
    if not one.owner:
        return one.name in named
    # By its name if somebody has an object; what begins and ends with "_", by Python.
    by_python = one.name[:1] == one.name[-1:] == "_"
    return one.name in _MAKING or (one.owner in made and (one.name in named or by_python))


def _names(nodes: Iterable[ast.AST]) -> frozenset[str]:
    """What is looked up; words in texts only where they may be attributes."""
    read = reads(nodes, annotations=False, body=True)
    attributes = {name for _, name in read.attributes}
    words = read.words if "getattr" in read.bare else set()
    return frozenset(read.bare | attributes | words | read.computed)


def _last(node: ast.expr) -> str:
    return effects.dotted(node).rpartition(".")[2]


def _root(node: ast.expr) -> ast.expr:
    """What runs for ``Shop().tax`` beside the look-up; nothing to speak of for a path of names."""
    while isinstance(node, ast.Attribute):
        node = node.value
    return ast.Constant(None) if isinstance(node, ast.Name) else node


def _beside_definitions(node: ast.AST) -> Iterator[ast.AST]:
    """The parts of a statement without the definitions and imports in it, which call nothing."""
    parts = list(ast.iter_child_nodes(node))
    if not any(isinstance(part, ast.stmt | ast.excepthandler | ast.match_case) for part in parts):
        yield node
        return
    for part in parts:
        alias = isinstance(part, ast.AnnAssign) and _last(part.annotation) == "TypeAlias"
        if not (alias or isinstance(part, _CALLING_NOTHING)):
            yield from _beside_definitions(part)
