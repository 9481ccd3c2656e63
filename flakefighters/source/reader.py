"""One walk over a syntax tree, which gathers what the code looks up, calls and alters."""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from flakefighters.model import EVERYONE, Name, Scope
from flakefighters.source import purity, tables
from flakefighters.source.asked_names import (
    beginning_of,
    is_starred,
    kind_of,
    place_of_name,
    shown_import,
)
from flakefighters.source.nodes import (
    LONGEST_TEXT,
    header,
    identifiers,
    imported,
    push_children,
)
from flakefighters.source.reads import Call, Computed, Reads

__all__ = ["Surroundings", "read"]

_WORD: Final = re.compile(r"[A-Za-z_]\w+")
#: The attributes in ``"{0.rate}"``.
_FIELD: Final = re.compile(r"(?<=\.)[A-Za-z_]\w*(?=[^{}]*\})")
_PROCESS_ROOTS: Final = frozenset(name.partition(".")[0] for name in tables.PROCESS_WIDE)
_GETTERS: Final = frozenset({"attrgetter", "getattr", "hasattr"})
_SHOWING: Final = frozenset({"delattr", "getattr", "hasattr", "object", "reload", "setattr"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What is known of the place that some code stands in."""

    #: Local variables, which are no names of ours, and those among them that are imports.
    hidden: Collection[str] = ()
    modules: Collection[str] = ()
    #: Of these imports: what each is called where it comes from.
    imported: Mapping[str, str] = field(default_factory=dict)
    #: Variables with one value, as far as the text shows.
    assigned: Mapping[str, ast.expr] = field(default_factory=dict)
    #: The class of a method, "" for a function; None where that is not known, or no function.
    owner: str | None = None
    #: A variable that holds a name which others show: the parameter of ``__getattr__``.
    asked: str | None = None
    #: Parameters, whose objects the caller may have too.
    parameters: Collection[str] = ()
    #: Names declared ``global``.
    outside: Collection[str] = ()
    annotations: bool = True
    #: It is the body of a function.
    body: bool = False


def read(
    nodes: Iterable[ast.AST], place: Surroundings = Surroundings(), *, deep: bool = False
) -> Reads:
    """What some trees look up, call and alter; ``deep`` goes into nested definitions too."""
    reader = _Reader(place, deep)
    reader.walk(list(nodes))
    return reader.finish()


class _Reader:
    """One walk."""

    def __init__(self, place: Surroundings, deep: bool):
        self._place, self._deep = place, deep
        self.found = Reads()
        self._stack: list[ast.AST] = []
        #: Expressions that stand before a dot, are called, or are asked for a shown name.
        self._used: set[int] = set()
        #: What is handed to calls that do not look at parameters.
        self._compared: set[int] = set()

    def walk(self, nodes: list[ast.AST]) -> None:
        self._stack = nodes
        handlers: dict[type, Any] = self._HANDLERS
        while self._stack:
            item = self._stack.pop()
            handler = handlers.get(item.__class__)
            if handler is None:
                push_children(item, self._stack)
            else:
                handler(self, item)

    def finish(self) -> Reads:
        found = self.found
        asked = {name for _, name in found.attributes} | found.bare | found.words
        called = {call.name for call in found.calls}
        for name in tables.COMPUTING.keys() & asked:
            # A call that shows its name computes nothing: ``import_module("shop.tax")``.
            if name not in tables.NAME_TAKING or name not in called:
                found.computed.add(Computed(tables.COMPUTING[name]))
        if self._place.body and not asked & (tables.COMPUTING.keys() - {"locals"}):
            found.computed.discard(Computed("own"))  # those of a function are no names of ours
        if not asked.isdisjoint(tables.DICTIONARIES):
            found.computed.add(Computed("member"))
        if not asked.isdisjoint(tables.ANNOTATIONS):
            found.computed.add(Computed("annotation"))
        if "start" in called and not called.isdisjoint(("patch", "object", "multiple")):
            # A patch that is started by hand stays until it is stopped.
            found.alters |= {Name(Scope.ANYWHERE, word) for word in found.words}
        return found

    # -- names -------------------------------------------------------------------------------

    def _name(self, item: ast.Name) -> None:
        if isinstance(item.ctx, ast.Load):
            if item.id not in self._place.hidden:
                self.found.bare.add(item.id)
                self._hold(item, item.id)
            elif item.id in self._place.modules:
                self._hold(item, item.id)
        elif item.id in self._place.outside:
            self.found.alters.add(Name(Scope.MODULE, item.id))

    def _attribute(self, item: ast.Attribute) -> None:
        found, place = self.found, self._place
        if not isinstance(item.ctx, ast.Load):
            self._altered(item)
        self._used.add(id(item.value)) if item.attr != "__dict__" else None
        if not (place.owner and _is_own_dictionary(item)):
            special = self._special(item)
            if special is None:
                found.attributes.add((self._last(item.value), item.attr))
                self._hold(item, purity.dotted(item) or f".{item.attr}")
            else:
                found.bare.add(special)
        if item.attr == "modules" and purity.dotted(item) == "sys.modules":
            found.computed.add(Computed("any"))
        self._stack.append(item.value)

    def _hold(self, item: ast.expr, name: str) -> None:
        """Note a name that is used as a value."""
        if id(item) not in self._used:
            self.found.held.add(name)
            if id(item) not in self._compared:
                self.found.handed_on.add(name)

    def _special(self, node: ast.Attribute) -> str | None:
        """The class whose special method ``Shop.__init__`` or ``super().__init__`` is.

        A method of that name in a class that has nothing to do with it is another one.
        """
        if self._place.owner is None or node.attr not in tables.SPECIAL_METHODS:
            return None
        match node.value:
            case ast.Name(id=name) if name not in self._place.hidden:
                return name
            case ast.Call(func=ast.Name(id="super")):
                return self._place.owner or None
            case _:
                return None

    def _last(self, node: ast.expr) -> str:
        """The last part of a dotted name, "" where something else or a local is used."""
        root = node
        while isinstance(root, ast.Attribute):
            root = root.value
        place = self._place
        if not isinstance(root, ast.Name) or (
            root.id in place.hidden and root.id not in place.modules
        ):
            return ""
        return node.attr if isinstance(node, ast.Attribute) else root.id

    def _constant(self, item: ast.Constant) -> None:
        found = self.found
        if isinstance(item.value, str):
            parts = list(identifiers(item.value))
            found.words.update(parts)
            if item.value and (not parts or len(parts) > 1):
                found.texts.append(item.value)
                found.words.update(_FIELD.findall(item.value))
        elif isinstance(item.value, bytes) and len(item.value) <= LONGEST_TEXT:
            found.words.update(_WORD.findall(item.value.decode("latin-1")))

    def _match_class(self, item: ast.MatchClass) -> None:
        self.found.attributes.update(("", name) for name in item.kwd_attrs)
        push_children(item, self._stack)

    def _import(self, item: ast.Import | ast.ImportFrom) -> None:
        for alias in item.names:
            self.found.attributes |= imported(item, alias)

    # -- statements --------------------------------------------------------------------------

    def _expression(self, item: ast.Expr) -> None:
        if not isinstance(item.value, ast.Constant):  # else a docstring, or idle
            self._stack.append(item.value)

    def _definition(self, item: ast.AST) -> None:
        if self._deep:
            push_children(item, self._stack)
        else:
            self._stack.extend(header(item, self._place.annotations))

    def _argument(self, item: ast.arg) -> None:
        if self._place.annotations and item.annotation is not None:
            self._stack.append(item.annotation)

    def _annotated(self, item: ast.AnnAssign) -> None:
        parts = [item.target, item.value, None if self._place.body else item.annotation]
        self._stack += [part for part in parts if part is not None]

    def _subscript(self, item: ast.Subscript) -> None:
        if not isinstance(item.ctx, ast.Load):
            self._altered(item)
        own = isinstance(item.slice, ast.Name) and item.slice.id == "__name__"
        if own and purity.dotted(item.value) == "sys.modules":
            self.found.held.add("__name__")  # its own module
            return
        if isinstance(item.value, ast.Name | ast.Attribute):
            self._hold(item.value, purity.dotted(item.value))
        self._used.add(id(item.value))
        push_children(item, self._stack)

    def _compare(self, item: ast.Compare) -> None:
        if isinstance(item.ops[0], ast.In | ast.NotIn):  # `name in sys.modules` gives no module
            others = [one for one in item.comparators if purity.dotted(one) != "sys.modules"]
            self._stack += [item.left, *others]
        else:
            push_children(item, self._stack)

    # -- calls -------------------------------------------------------------------------------

    def _handler(self, item: ast.ExceptHandler) -> None:
        if item.type is not None:  # that is only compared
            self._used.update(map(id, ast.walk(item.type)))
        push_children(item, self._stack)

    def _call(self, item: ast.Call) -> None:
        found, function = self.found, item.func
        self._used.add(id(function))
        base, name = self._callee(function)
        if name:
            keywords = frozenset(one.arg for one in item.keywords if one.arg is not None)
            spread = len(keywords) < len(item.keywords) or any(map(is_starred, item.args))
            given = None if spread else len(item.args)
            shown = shown_import(item) if name in tables.IMPORTING_CALLS else (None, None)
            found.calls.append(Call(base, name, given, keywords, *shown))
            self._by_name(item, name)
            self._compares(item, name)
            if name in _SHOWING and len(item.args) > 1 and _is_text(item.args[1]):
                self._used.add(id(item.args[0]))
            elif name == "reload":
                self._used.update(map(id, item.args[:1]))
        if any(isinstance(one, ast.Name) and one.id in _GETTERS for one in item.args):
            found.computed.add(Computed("member"))  # ``map(getattr, things, names)``
        self._alters_by(item, name)
        push_children(item, self._stack)

    def _compares(self, item: ast.Call, name: str) -> None:
        """A call that asks for no parameters of what it is handed."""
        if name in tables.CALLED_WITHOUT_LOOKING:
            # ``raises`` and the like may call what comes second.
            given = item.args[:1] if name in tables.CALLING_THE_SECOND else item.args
            self._compared.update(id(part) for one in given for part in _members(one))

    def _callee(self, function: ast.expr) -> tuple[str | None, str]:
        if isinstance(function, ast.Name):
            return "", function.id
        if isinstance(function, ast.Attribute):
            value = function.value
            if isinstance(value, ast.Call) and purity.dotted(value.func) == "super":
                return "super", function.attr
            return self._last(value) or None, function.attr
        return None, ""

    def _by_name(self, call: ast.Call, name: str) -> None:
        """A call that is handed a name: which, or that it does not show."""
        at = place_of_name(call, name)
        if at is None:
            return
        if name == "multiple":
            self.found.words.update(one.arg for one in call.keywords if one.arg is not None)
            if len(call.args) > at and not isinstance(call.args[at], ast.BinOp | ast.JoinedStr):
                return
        kind = kind_of(name, at)
        if len(call.args) <= at:
            if any(map(is_starred, call.args)):
                self.found.computed.add(Computed("member"))
            return
        given = call.args[at]
        if _is_text(given) or self._place.asked == purity.dotted(given) != "":
            return
        beginning = "" if kind == "any" else beginning_of(given, self._place.assigned)
        self.found.computed.add(Computed(kind, beginning))

    # -- what is altered ---------------------------------------------------------------------

    def _altered(self, target: ast.expr) -> None:
        """``CONFIG["a"] = 1``, ``rates.RATE = 7``, ``os.environ["a"] = "b"``."""
        name = purity.dotted(target)
        root, dot, _ = name.partition(".")
        last = name.rpartition(".")[2]
        place, alters = self._place, self.found.alters
        if not root or root in ("monkeypatch", "mocker"):
            return
        value = place.assigned.get(root)
        if isinstance(value, ast.Name | ast.Attribute):  # another name for something
            root = purity.dotted(value).partition(".")[0] or root
        if root in ("self", "cls"):
            if dot:
                alters.add(Name(Scope.MEMBER, name.split(".")[1]))
        elif root in place.parameters:
            # Whose object it is, only a fixture's name tells.
            alters.add(Name(Scope.FIXTURE, root))
        elif root not in place.hidden or root in place.modules or root in place.outside:
            if _of_process(name):
                alters.add(EVERYONE)
            elif dot:
                alters.add(Name(Scope.ANYWHERE, last))
            if root in place.imported:
                alters.add(Name(Scope.ANYWHERE, place.imported[root]))
            else:
                alters.add(Name(Scope.MODULE, root))

    def _alters_by(self, call: ast.Call, name: str) -> None:
        """``RULES.append(1)``, ``os.chdir(x)``, ``setattr(rates, "RATE", 7)``."""
        full = purity.dotted(call.func)
        if _of_process(full) and not full.endswith((".get", ".copy", "getcontext")):
            self.found.alters.add(EVERYONE)
        if isinstance(call.func, ast.Attribute) and name in tables.MUTATORS:
            thing = call.func.value
            if isinstance(thing, ast.Call) and purity.dotted(thing.func) == "vars" and thing.args:
                thing = thing.args[0]
            self._altered(thing)
        elif full == "setattr" and len(call.args) > 1 and _is_text(call.args[1]):
            thing = ast.Attribute(call.args[0], call.args[1].value, ast.Store())  # type: ignore[attr-defined]
            self._altered(thing)

    _HANDLERS: Final = {
        ast.Name: _name,
        ast.Attribute: _attribute,
        ast.Constant: _constant,
        ast.MatchClass: _match_class,
        ast.Import: _import,
        ast.ImportFrom: _import,
        ast.Expr: _expression,
        ast.FunctionDef: _definition,
        ast.AsyncFunctionDef: _definition,
        ast.ClassDef: _definition,
        ast.arg: _argument,
        ast.AnnAssign: _annotated,
        ast.Subscript: _subscript,
        ast.Compare: _compare,
        ast.Call: _call,
        ast.ExceptHandler: _handler,
    }


def _of_process(name: str) -> bool:
    root = name.partition(".")[0]
    if root not in _PROCESS_ROOTS:
        return False
    return any(name == one or name.startswith(f"{one}.") for one in tables.PROCESS_WIDE)


def _members(node: ast.expr) -> list[ast.expr]:
    """What ``(int, Tax)`` consists of."""
    return [node, *node.elts] if isinstance(node, ast.Tuple) else [node]


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant)


def _is_own_dictionary(node: ast.Attribute) -> bool:
    """``self.__dict__``, which has what was set on the object, and nothing of its class."""
    return node.attr == "__dict__" and isinstance(node.value, ast.Name) and node.value.id == "self"
