"""Who is affected by a function that has other parameters, or is new, without running it.

Whoever calls it runs it, which is seen.  What is left are calls that its parameters refuse, code
that looks at the parameters, and code that may do either: it hands the function on, or computes
what it calls or with which arguments.
"""

from __future__ import annotations

import ast
import enum
from collections.abc import Callable, Iterator
from typing import Final

from flakefighters.model import ChangeKind, Unit
from flakefighters.reach.project import Sources
from flakefighters.reach.readers import Names, Readers
from flakefighters.source.dynamic_names import ANY_ATTRIBUTE, ANY_IN_TEXT, ANY_OF_OWN
from flakefighters.source.entries import ANY
from flakefighters.source.reads import Reads, UnitReads, identifiers, reads
from flakefighters.source.walk import LOCALS

__all__ = ["callers"]

_ROUNDS: Final = 40
_CONSTRUCTORS: Final = frozenset({"__init__", "__new__"})
#: Calls that look at a class or function handed to them otherwise than by its parameters.
_INDIFFERENT: Final = frozenset(
    {
        *("callable", "cast", "getattr", "hasattr", "id", "isinstance", "issubclass", "raises"),
        *("repr", "str", "super", "type", "warns"),
    }
)

_Function = ast.FunctionDef | ast.AsyncFunctionDef


class _Use(enum.Enum):
    """What some code does with the function, the worst of it."""

    FITS = 0
    UNCLEAR = 1
    REFUSED = 2


def callers(
    path: str, name: str, sources: Sources, late: Callable[[], bool] = lambda: False
) -> Readers | None:
    """Who may be refused by the function of that qualified name, or looks at it.

    None if there is no such function, or several of the name.
    """
    found = [one for one in sources.units(path) if one.unit.name == name]
    if len(found) != 1 or not isinstance(found[0].unit.entry.node, _Function):
        return None
    search = _Search(path, found[0], sources)
    for _ in range(_ROUNDS):
        before = search.size()
        for other in sources.all():
            if late():
                return search.so_far(False)
            search.look(other)
        if search.size() == before:
            return search.so_far(True)
    return search.so_far(False)


def _calls_it(call: ast.Call) -> bool:
    """``pytest.raises(ValueError, tax, 5)`` calls what it is given."""
    return _last_name(call.func) in ("raises", "warns") and len(call.args) > 1


class _Search:
    def __init__(self, path: str, target: UnitReads, sources: Sources):
        node = target.unit.entry.node
        assert isinstance(node, _Function)
        self._sources = sources
        self._path, self._name = path, target.unit.name
        scope = target.unit.scope
        self._method = scope is not None
        self._constructs = self._method and node.name in _CONSTRUCTORS
        decorators = {_last_name(one) for one in node.decorator_list}
        self._static = "staticmethod" in decorators
        #: Reading such an attribute runs it.
        self._read_runs = not decorators.isdisjoint({"property", "cached_property", "setter"})
        self._parameters = node.args
        self._owner = (scope or "").rpartition(".")[2]
        #: What the function (of a constructor: the class) is called.
        self._called = Names()
        #: What may hold it.
        self._unclear = Names()
        if self._constructs:
            nested = "." in (scope or "")
            self._called.add(path, [self._owner], attribute=nested)
        else:
            self._called.add(path, [node.name], attribute=self._method)
        #: Classes whose ``super().__init__`` may be it: heirs, by file and qualified name, and
        #: what else such an heir inherits from, by name.
        self._heirs: set[Unit] = set()
        self._beside: set[str] = set()
        #: What was known when a file was looked at last.
        self._visited: dict[str, tuple[int, int, int]] = {}
        self._handed: set[str] = set()
        self._sure: set[Unit] = set()
        self._maybe: set[Unit] = set()

    def size(self) -> int:
        return sum(self._sizes())

    def _sizes(self) -> tuple[int, int, int]:
        return (
            len(self._called.log),
            len(self._unclear.log),
            len(self._heirs) + len(self._beside),
        )

    def so_far(self, complete: bool) -> Readers:
        own = {(self._path, self._name)}
        return Readers(
            frozenset(self._sure - own),
            frozenset(self._maybe - self._sure - own),
            complete,
            frozenset(self._handed),
        )

    def look(self, path: str) -> None:
        """One file: which of its units call, hold or hand on the function."""
        index = self._sources.index()
        at = self._visited.get(path, (0, 0, -1))
        if self._sizes() == at:
            return
        self._visited[path] = self._sizes()
        names = {*self._called.log[at[0] :], *self._unclear.log[at[1] :], *self._beside}
        scopes = {scope.rpartition(".")[2] for _, scope in self._heirs} | self._beside
        for one in index.looking_up(path, names, scopes):
            self._unit(path, one)
        if path in self._sources.computing():
            for one in index.computing(path):
                self._unit(path, one)

    def _unit(self, path: str, one: UnitReads) -> None:
        unit, read = one.unit, one.read
        entry = unit.entry
        inner = unit.scope is not None
        in_class = inner and entry.kind is ChangeKind.STATEMENT
        met = self._called.read_by(read, path, self._sources, in_class=in_class)
        unclear = self._unclear.read_by(read, path, self._sources, in_class=in_class)
        if entry.kind is ChangeKind.FUNCTION:
            if met or self._inherits(path, unit.scope):
                use = self._use(entry.node, path)
                if use is _Use.REFUSED:
                    self._sure.add((path, unit.name))
                unclear = unclear or use is _Use.UNCLEAR
            if unclear or read.may_compute(self._computed(), self._called.attributes):
                self._maybe.add((path, unit.name))
            return
        local = inner and unit.name[: -len(entry.label) - 1].endswith(LOCALS)
        if local or not (met or unclear):
            return
        if entry.alias is not None:
            (self._called if met else self._unclear).add(path, entry.names, attribute=inner)
        elif entry.kind is ChangeKind.CLASS:
            if isinstance(entry.node, ast.ClassDef) and self._constructs and met:
                self._class(entry.node, path, unit.name, inner)
        elif met and entry.names and _is_alias(entry.node):
            self._called.add(path, entry.names, attribute=inner)
        elif unclear or self._use(entry.node, path) is not _Use.FITS:
            self._unclear.add(path, entry.names, attribute=inner)
            if entry.effect or not entry.names:
                self._handed.add(path)  # to somebody, who may keep it

    def _computed(self) -> set[str]:
        """The ways of computing a name that may give the function, or the class that it makes."""
        found = {ANY, ANY_OF_OWN, ANY_IN_TEXT}
        if (self._method and not self._constructs) or self._sources.escaped(
            set().union(*self._called.globals.values())
        ):
            found.add(ANY_ATTRIBUTE)
        return found

    def _inherits(self, path: str, scope: str | None) -> bool:
        if scope is None:
            return False
        return (path, scope) in self._heirs or scope.rpartition(".")[2] in self._beside

    def _class(self, node: ast.ClassDef, path: str, name: str, inner: bool) -> None:
        """A class that inherits from the one is made by the same constructor, or its own."""
        others = [base for base in node.bases if not self._is_called(base, path)]
        if len(others) == len(node.bases):
            return
        self._heirs.add((path, name))
        self._beside.update(filter(None, map(_last_name, others)))
        own = {one.name for one in node.body if isinstance(one, _Function)}
        if own.isdisjoint(_CONSTRUCTORS):
            self._called.add(path, [node.name], attribute=inner)

    # -- the uses in one piece of code -------------------------------------------------------

    def _use(self, node: ast.AST, path: str) -> _Use:
        worst = _Use.FITS
        if self._read_runs:
            return worst
        handled: set[int] = set()
        for item in _own_nodes(node):
            if isinstance(item, ast.Call):
                if self._is_called(item.func, path):
                    handled.add(id(item.func))
                    worst = max(worst, self._fits(item), key=_weight)
                elif _last_name(item.func) in _INDIFFERENT and not _calls_it(item):
                    handled.update(id(arg) for arg in item.args)
                    for arg in item.args:
                        if isinstance(arg, ast.Tuple):
                            handled.update(map(id, arg.elts))
            elif isinstance(item, ast.ExceptHandler) and item.type is not None:
                handled.update(map(id, ast.walk(item.type)))
            elif isinstance(item, ast.Attribute) and (
                self._constructs or not self._is_called(item, path)
            ):
                handled.add(id(item.value))  # an attribute of the class
            if (
                isinstance(item, ast.Name | ast.Attribute)
                and isinstance(item.ctx, ast.Load)
                and id(item) not in handled
                and self._is_called(item, path)
            ):
                worst = max(worst, _Use.UNCLEAR, key=_weight)
            elif isinstance(item, ast.Constant) and isinstance(item.value, str):
                words = Reads(words=set(identifiers(item.value)))
                if self._called.read_by(words, path, self._sources):
                    worst = max(worst, _Use.UNCLEAR, key=_weight)
        return worst

    def _is_called(self, node: ast.expr, path: str) -> bool:
        """Whether an expression may be the function, or the class that it makes."""
        if isinstance(node, ast.Attribute):
            if self._constructs and node.attr in _CONSTRUCTORS:
                value = node.value
                return _is_super(value) or self._is_called(value, path)
            return self._called.read_by(_attribute(node), path, self._sources)
        if isinstance(node, ast.Name):
            return self._called.read_by(Reads(bare={node.id}), path, self._sources, in_class=True)
        return False

    def _fits(self, call: ast.Call) -> _Use:
        if any(isinstance(arg, ast.Starred) for arg in call.args) or any(
            keyword.arg is None for keyword in call.keywords
        ):
            return _Use.UNCLEAR
        given = len(call.args)
        keywords = {keyword.arg for keyword in call.keywords if keyword.arg is not None}
        counts = {given + one for one in self._implicit(call.func)}
        fits = {_binds(self._parameters, count, keywords) for count in counts}
        if fits == {True}:
            return _Use.FITS
        return _Use.REFUSED if fits == {False} else _Use.UNCLEAR

    def _implicit(self, function: ast.expr) -> set[int]:
        """How many arguments a call may add in front: the object of a method."""
        if not self._method or self._static:
            return {0}
        if self._constructs:
            direct = isinstance(function, ast.Attribute) and function.attr in _CONSTRUCTORS
            if not direct:
                return {1}
            assert isinstance(function, ast.Attribute)
            return {1} if _is_super(function.value) else {0}
        if isinstance(function, ast.Name):
            return {0, 1}  # `method = self.method`, or within the class
        base = function.value if isinstance(function, ast.Attribute) else function
        if isinstance(base, ast.Name) and base.id == "self":
            return {1}
        if isinstance(base, ast.Name | ast.Attribute):
            last = base.id if isinstance(base, ast.Name) else base.attr
            if last == self._owner or last[:1].isupper() or last == "cls":
                return {0, 1}
        return {1}


def _weight(use: _Use) -> int:
    return use.value


def _own_nodes(node: ast.AST) -> Iterator[ast.AST]:
    """The nodes of a unit, outer ones first, without the bodies of what is defined in it."""
    stack = [node]
    while stack:
        item = stack.pop()
        if item is not node and isinstance(item, _Function | ast.ClassDef):
            stack.extend(item.decorator_list)
            continue
        yield item
        stack.extend(ast.iter_child_nodes(item))


def _attribute(node: ast.Attribute) -> Reads:
    found = reads([node])
    base = {pair for pair in found.attributes if pair[1] == node.attr}
    return Reads(attributes=base)


def _is_alias(node: ast.AST) -> bool:
    """``TotalCart = Cart``."""
    return isinstance(node, ast.Assign) and isinstance(node.value, ast.Name | ast.Attribute)


def _is_super(node: ast.expr) -> bool:
    return (
        isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "super"
    )


def _last_name(node: ast.expr) -> str:
    while isinstance(node, ast.Call):
        node = node.func
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def _binds(parameters: ast.arguments, count: int, keywords: set[str]) -> bool:
    """Whether so many positional arguments and these keywords can be given."""
    positional = [arg.arg for arg in (*parameters.posonlyargs, *parameters.args)]
    if count > len(positional) and parameters.vararg is None:
        return False
    taken, left = positional[:count], positional[count:]
    only = {arg.arg for arg in parameters.posonlyargs}
    by_name = {name for name in left if name not in only}
    names = by_name | {arg.arg for arg in parameters.kwonlyargs}
    if parameters.kwarg is None and not keywords <= names:
        return False
    if keywords & (set(taken) - only):
        return False
    needed = set(positional[: len(positional) - len(parameters.defaults)]) - set(taken)
    needed |= {
        arg.arg
        for arg, default in zip(parameters.kwonlyargs, parameters.kw_defaults, strict=True)
        if default is None
    }
    return needed <= keywords
