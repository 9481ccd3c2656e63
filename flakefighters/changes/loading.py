"""What code may have run while modules were imported, by their text.

Pytest imports some before any plugin can watch: those of categories in ``filterwarnings``, its
plugins.  What ran then was seen by nobody.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple, TypeAlias

from flakefighters.changes.units_source import parse
from flakefighters.model import Unit

__all__ = ["Loaded", "may_have_run"]

_Function: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef
_FUNCTIONS: Final = (ast.FunctionDef, ast.AsyncFunctionDef)
#: Decorators that call nothing: what they are of runs when somebody names it.
_QUIET: Final = frozenset(
    {
        *("abstractmethod", "cache", "cached_property", "classmethod", "contextmanager"),
        *("deleter", "final", "fixture", "getter", "lru_cache", "overload", "override", "property"),
        *("setter", "staticmethod", "wraps"),
    }
)
#: To read more would take a second.
_MOST_BYTES: Final = 2 << 20
#: Names by which anything may be called.
_ANY: Final = frozenset({"__subclasses__", "eval", "exec", "globals", "vars"})
#: How functions begin that read files, or look for them.
_OPENING: Final = (
    *("connect", "files", "get_data", "glob", "iterdir", "listdir", "load", "open", "parse"),
    *("read", "rglob", "scandir", "walk"),
)


@dataclass(frozen=True, slots=True)
class Loaded:
    """What may have run while some modules were imported."""

    #: The modules, and functions of them; what is nested in one is left out.
    paths: frozenset[str] = frozenset()
    units: frozenset[Unit] = frozenset()
    #: Whether any function may have run, as names are computed.
    any: bool = False
    #: Whether data files may have been read.
    opened: bool = False

    def ran(self, unit: Unit) -> bool:
        """Whether a function may have run."""
        path, name = unit
        if self.any and path in self.paths:
            return True
        return (path, name.partition(".<locals>.")[0]) in self.units


def may_have_run(files: Mapping[str, bytes]) -> Loaded:
    """What importing ``files`` (path to content) may run of them, by the names that are called.

    Special methods run if their class is named; hooks of pytest, and functions with decorators that
    may call them, run anyway.
    """
    paths = frozenset(files)
    if sum(map(len, files.values())) > _MOST_BYTES:
        return Loaded(paths, any=True, opened=True)
    found = _Names()
    for path, content in files.items():
        tree = parse(content)
        if tree is None:
            return Loaded(paths, any=True, opened=True)
        found.look(path, tree.body)
    ran, names = found.follow()
    return Loaded(
        paths,
        frozenset(ran),
        any=not names.isdisjoint(_ANY),
        opened=any(name.startswith(_OPENING) for name in names),
    )


class _Method(NamedTuple):
    """A function, and the class that it stands in ("": none)."""

    unit: Unit
    owner: str
    node: _Function


@dataclass(slots=True)
class _Names:
    functions: list[_Method] = field(default_factory=list)
    #: What is named where it may be called, and the other names of that: ``encode = json.encode``.
    named: set[str] = field(default_factory=set)
    aliases: dict[str, set[str]] = field(default_factory=dict)
    #: Functions that may run when they are looked up.
    properties: set[str] = field(default_factory=set)
    #: The bases of each class.
    bases: dict[str, set[str]] = field(default_factory=dict)

    def look(self, path: str, body: Iterable[ast.stmt], prefix: str = "", owner: str = "") -> None:
        """Take in a module, or the body of a class."""
        for node in body:
            if isinstance(node, _FUNCTIONS):
                self._function(node, (path, prefix + node.name), owner)
            elif isinstance(node, ast.ClassDef):
                self.named.update(_names([*node.keywords, *node.decorator_list]))
                self.bases.setdefault(node.name, set()).update(_names(node.bases))
                if node.decorator_list:
                    self.named.add(node.name)  # it is handed to them
                self.look(path, node.body, f"{prefix}{node.name}.", node.name)
            elif isinstance(node, ast.Assign) and isinstance(node.value, ast.Name | ast.Attribute):
                for name in _names(node.targets):
                    self.aliases.setdefault(name, set()).add(_last(node.value))
                if isinstance(node.value, ast.Attribute):
                    self.named.update(_names(_called(node.value.value)))
            elif not isinstance(node, ast.Import | ast.ImportFrom) and not _never_runs(node):
                inner = list(_blocks(node))  # of ``if``, ``try``, ``with``
                for block in inner:
                    self.look(path, block, prefix, owner)
                heads = ("test", "items", "iter", "subject")
                self.named.update(_names(_parts(node, heads) if inner else [node]))

    def _function(self, node: _Function, unit: Unit, owner: str) -> None:
        self.functions.append(_Method(unit, owner, node))
        self.named.update(_names([*node.decorator_list, node.args]))
        if node.decorator_list:
            self.properties.add(node.name)
        if node.name.startswith("pytest_") or not all(map(_is_quiet, node.decorator_list)):
            self.named.add(node.name)

    def follow(self) -> tuple[set[Unit], set[str]]:
        """The functions that are named, and those that these name; and all these names."""
        met = self.named | (set().union(*self.aliases.values()) & self.properties)
        ran: set[Unit] = set()
        waiting = self.functions
        before = -1
        while before != len(met) + len(ran):
            before = len(met) + len(ran)
            for name in met & self.aliases.keys():
                met |= self.aliases[name]
            made = self._made(met)
            left = []
            for one in waiting:
                if self._runs(one, met, made):
                    ran.add(one.unit)
                    met.update(_names(one.node.body))
                else:
                    left.append(one)
            waiting = left
        return ran, met

    def _made(self, met: set[str]) -> set[str]:
        """The classes of which there may be objects: those named, and what they inherit from."""
        made: set[str] = set()
        pending = [name for name in self.bases if name in met]
        while pending:
            name = pending.pop()
            if name not in made:
                made.add(name)
                pending += self.bases.get(name, ())
        return made

    @staticmethod
    def _runs(one: _Method, met: set[str], made: set[str]) -> bool:
        name = one.node.name
        if not one.owner:
            return name in met
        if name in ("__init_subclass__", "__set_name__"):
            return True
        # By its name if somebody has an object; what begins and ends with "_", by Python.
        return one.owner in made and (name in met or name[:1] == name[-1:] == "_")


def _is_quiet(decorator: ast.expr) -> bool:
    function = decorator.func if isinstance(decorator, ast.Call) else decorator
    return isinstance(function, ast.Name | ast.Attribute) and _last(function) in _QUIET


def _names(nodes: Iterable[ast.AST | None]) -> Iterator[str]:
    for node in nodes:
        for part in _walk(node) if node is not None else ():
            if isinstance(part, ast.Name):
                yield part.id
            elif isinstance(part, ast.Attribute):
                yield part.attr
            elif isinstance(part, ast.Call) and _is_getattr(part.func):
                name = part.args[1] if len(part.args) > 1 else None
                yield str(name.value) if isinstance(name, ast.Constant) else "eval"


def _is_getattr(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id == "getattr"


def _walk(node: ast.AST) -> Iterator[ast.AST]:
    """All parts but annotations, which call nothing that lasts."""
    pending = [node]
    while pending:
        part = pending.pop()
        yield part
        for name, value in ast.iter_fields(part):
            if name not in ("annotation", "returns"):
                values = value if isinstance(value, list) else [value]
                pending += [one for one in values if isinstance(one, ast.AST)]


def _never_runs(node: ast.stmt) -> bool:
    """``if TYPE_CHECKING:``, ``if __name__ == "__main__":``."""
    if not isinstance(node, ast.If) or node.orelse:
        return False
    return not {"TYPE_CHECKING", "__name__"}.isdisjoint(_names([node.test]))


def _last(node: ast.Name | ast.Attribute) -> str:
    return node.id if isinstance(node, ast.Name) else node.attr


def _called(node: ast.expr) -> Iterator[ast.expr]:
    """What runs for ``Shop().tax`` beside the look-up; nothing for ``json.tool.main``."""
    while isinstance(node, ast.Attribute):
        node = node.value
    if not isinstance(node, ast.Name):
        yield node


def _blocks(node: ast.AST) -> Iterator[list[ast.stmt]]:
    for name in ("body", "orelse", "finalbody"):
        yield from [getattr(node, name)] if getattr(node, name, None) else []
    for part in (*getattr(node, "handlers", ()), *getattr(node, "cases", ())):
        yield part.body


def _parts(node: ast.AST, names: Iterable[str]) -> Iterator[ast.AST]:
    for name in names:
        part = getattr(node, name, None)
        yield from part if isinstance(part, list) else [part] if part is not None else []
