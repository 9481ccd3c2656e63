"""What the body of a function alters that outlives its call: globals, attributes, the process.

Judged by its text alone, from what is well known to alter: assignments, and methods whose name
tells it.  What an object that is local to the function does to others is not seen.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from flakefighters.reach.process import OF_THE_PROCESS, alters_process
from flakefighters.reach.queries import only_asks
from flakefighters.source import purity as effects
from flakefighters.source.dynamic_names import assigned_once
from flakefighters.source.exposure import ANYWHERE, ATTRIBUTE, FIXTURE

__all__ = ["Alterations", "Function", "alterations", "tells_it_alters"]

Function = ast.FunctionDef | ast.AsyncFunctionDef

#: Methods that alter what they are called on.
_ALTERING: Final = frozenset(
    {
        *("__delitem__", "__setitem__", "add", "append", "appendleft", "cache_clear", "clear"),
        *("configure", "connect", "difference_update", "discard", "disable", "enable", "extend"),
        *("insert", "install", "intersection_update", "load", "move_to_end", "pop", "popitem"),
        *("popleft", "push", "put", "register", "remove", "reset", "reverse", "set"),
        *("addFilter", "addHandler", "removeFilter", "removeHandler", "setLevel"),
        *("setdefault", "sort", "subscribe", "uninstall", "unregister", "update"),
        # Of connections, processes, files.
        *("close", "commit", "delete", "disconnect", "execute", "executemany", "executescript"),
        *("kill", "quit", "rmdir", "rollback", "shutdown", "terminate", "truncate", "unlink"),
        *("write_bytes", "write_text"),
    }
)
#: Those of them after which something is gone, or in another order.
_DESTROYING: Final = frozenset(
    {
        *("__delitem__", "clear", "discard", "pop", "popitem", "popleft", "remove", "reverse"),
        *("sort",),
    }
)
#: Functions that alter what their first argument names.
_REMOVING: Final = frozenset(
    {
        *("os.remove", "os.rename", "os.replace", "os.rmdir", "os.truncate", "os.unlink"),
        *("shutil.move", "shutil.rmtree"),
    }
)
#: Calls that give another form of what they are handed.
_FORMS: Final = frozenset({"Path", "fspath", "join", "joinpath", "str"})
#: Methods that make an object, of which nobody had it before.
_MAKING: Final = frozenset({"__init__", "__new__", "__post_init__", "__setstate__"})
_BEGINNINGS: Final = ("add_", "disable_", "enable_", "register_", "remove_", "reset_", "set_")
#: What goes on when a function is over, unless it waits.
_RUNNING_ON: Final = frozenset({"Thread", "Timer"})
#: How functions begin that give all callers the same.
_SHARED: Final = ("current_", "default_", "get_", "shared_")
#: Parameters of which nothing is left behind, and "self".
_PUTTING_BACK: Final = frozenset({"cls", "mocker", "monkeypatch", "request", "self"})
#: The root of a chain that begins with the result of a call.
_RESULT: Final = "()"


@dataclass(slots=True)
class Alterations:
    """Names as ``Change.names`` has them, and what is no name."""

    #: They have another value then.
    names: set[str] = field(default_factory=set)
    #: They have the same with another content.
    contents: set[str] = field(default_factory=set)
    #: Parameters that are altered: of a test or fixture they are fixtures.
    parameters: set[str] = field(default_factory=set)
    #: Those of the contents from which something was taken.
    lost: set[str] = field(default_factory=set)
    #: Attributes of ``self`` that get another value, each with the texts of what gives it.
    own: dict[str, set[str]] = field(default_factory=dict)
    #: The functions that it calls, by the last part of their names.
    called: set[str] = field(default_factory=set)
    #: Methods that it calls on parameters and on objects of modules: as names above, the method,
    #: and the text of the call.
    on: set[tuple[str, str, str]] = field(default_factory=set)
    #: What is no copy of something of a module, and is returned or kept: as names above.
    given: set[str] = field(default_factory=set)
    #: It puts back what a patch replaced.
    stops: bool = False
    #: Something that any code may depend on.
    process: bool = False


def tells_it_alters(name: str) -> bool:
    """Whether a function says by its name that it alters something."""
    return name in _ALTERING or name.startswith(_BEGINNINGS)


def alterations(
    node: Function,
    tops: Collection[str],
    imported: Mapping[str, str],
    modules: Collection[str] = (),
    shared: Collection[str] = (),
    loggers: Collection[str] = (),
) -> Alterations:
    """What running a function alters.

    ``tops`` are the names that its module defines, ``imported`` those that it has from others
    (``from shop import RATE as R``), with their names there, and ``modules`` those of what it
    imports whole; ``shared`` are what the class of a method has, which all its objects share, and
    ``loggers`` the names of what the process has, whatever it is called: ``getLogger("shop")``.
    """
    return _Body(node, tops, imported, modules, shared, loggers).found


class _Body:
    def __init__(
        self,
        node: Function,
        tops: Collection[str],
        imported: Mapping[str, str],
        modules: Collection[str],
        shared: Collection[str],
        loggers: Collection[str],
    ):
        self.found = Alterations()
        self._parameters = {arg.arg for arg in ast.walk(node.args) if isinstance(arg, ast.arg)}
        self._modules = set(modules)
        self._imported = dict(imported)
        self._globals: set[str] = set()
        self._locals = set(self._parameters)
        self._tops = tops
        self._shared = shared
        self._loggers = loggers
        self._makes = node.name in _MAKING
        parts = list(_parts(node))
        for part in parts:
            self._bind(part)
        self._locals -= self._globals
        loops = {
            part.target.id: part.iter
            for part in parts
            if isinstance(part, ast.For) and isinstance(part.target, ast.Name)
        }
        self._values = loops | assigned_once(node)
        #: ``self.patcher = patch("shop.rates.RATE", 7)``.
        self._attributes = {
            target.attr: part.value
            for part in parts
            if isinstance(part, ast.Assign)
            for target in part.targets
            if isinstance(target, ast.Attribute)
        }
        #: The text of what gives a place its value.
        self._texts = {
            id(target): ast.unparse(part)
            for part in parts
            for target in _targets(part)
            if isinstance(target, ast.Attribute)
        }
        for part in parts:
            self._look(part)
        if not self.found.called.isdisjoint(_RUNNING_ON) and not any(map(_is_join, parts)):
            self.found.process = True

    def _bind(self, part: ast.AST) -> None:
        if isinstance(part, ast.Global):
            self._globals.update(part.names)
        elif isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store):
            self._locals.add(part.id)
        elif isinstance(part, ast.ImportFrom):
            self._imported.update((one.asname or one.name, one.name) for one in part.names)
        elif isinstance(part, ast.Import):
            self._modules.update(one.asname or one.name.partition(".")[0] for one in part.names)

    def _look(self, part: ast.AST) -> None:
        if isinstance(part, ast.Name):
            if part.id in self._globals and not isinstance(part.ctx, ast.Load):
                self.found.names.add(part.id)
        elif isinstance(part, ast.Attribute | ast.Subscript):
            if not isinstance(part.ctx, ast.Load):
                self._altered(
                    part,
                    content=isinstance(part, ast.Subscript),
                    losing=isinstance(part.ctx, ast.Del),
                )
        elif isinstance(part, ast.Call):
            self._call(part)
        elif isinstance(part, ast.Return | ast.Yield) or (
            isinstance(part, ast.Assign) and isinstance(part.targets[0], ast.Attribute)
        ):
            self._given(part.value)

    def _given(self, value: ast.expr | None) -> None:
        """``return RATES``, ``self.rates = rates or RATES``."""
        if isinstance(value, ast.BoolOp):
            for one in value.values:
                self._given(one)
        elif isinstance(value, ast.Name) and value.id in self._parameters:
            self.found.given.add(FIXTURE + value.id)
        elif isinstance(value, ast.Name) and value.id not in self._locals:
            if value.id in self._imported:
                self.found.given.add(ANYWHERE + self._imported[value.id])
            elif value.id in self._tops:
                self.found.given.add(value.id)

    def _call(self, call: ast.Call) -> None:
        name = effects.dotted(call.func) if isinstance(call.func, ast.Name | ast.Attribute) else ""
        last = name.rpartition(".")[2]
        if last:
            self.found.called.add(last)
        if alters_process(name, self._modules, self._imported):
            self.found.process = True
        elif (name == "next" or name in _REMOVING) and call.args:
            self._altered(call.args[0], content=True)
        elif self._sets_by_name(call, name) and len(call.args) > 1:
            attribute = call.args[1]
            if isinstance(attribute, ast.Constant) and isinstance(attribute.value, str):
                self._altered(ast.Attribute(call.args[0], attribute.value, ast.Store()))
            else:
                self._altered(call.args[0])
        elif not isinstance(call.func, ast.Attribute):
            return
        elif last == "start" and (patch := self._made(call.func.value)) is not None:
            self._patched(patch)  # and nobody knows where it stops
        elif call.func.attr in ("stop", "stopall"):
            self.found.stops = True
        elif tells_it_alters(call.func.attr):
            if not (call.func.attr.startswith("execute") and only_asks(call)):
                losing = call.func.attr in _DESTROYING
                self._altered(call.func.value, content=True, losing=losing)
        else:
            self._called_on(call.func.value, call)

    def _called_on(self, thing: ast.expr, call: ast.Call) -> None:
        """A method is called on something that others may have too."""
        root, *parts = self._chain(thing)
        assert isinstance(call.func, ast.Attribute)
        if root in self._parameters:
            name = FIXTURE + root
        elif root in self._locals and root not in self._imported:
            return
        elif parts and (root in self._modules or root in self._imported):
            name = ANYWHERE + parts[-1]
        elif root in self._imported:
            name = ANYWHERE + self._imported[root]
        elif root in self._tops:
            name = root
        else:
            return
        self.found.on.add((name, call.func.attr, ast.unparse(call)))

    def _is_given(self, node: ast.expr | None) -> bool:
        """``app.config()``: what a method of a parameter gives may be a part of that."""
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
            return False
        return effects.dotted(node.func).partition(".")[0] in self._parameters - _PUTTING_BACK

    def _made(self, node: ast.expr) -> ast.Call | None:
        """The call that a thing is the result of."""
        if isinstance(node, ast.Name):
            node = self._values.get(node.id, node)
        elif isinstance(node, ast.Attribute):
            node = self._attributes.get(node.attr, node)
        return node if isinstance(node, ast.Call) else None

    def _sets_by_name(self, call: ast.Call, name: str) -> bool:
        """``setattr(thing, name, value)``; pytest's own fixture puts it back."""
        if name in ("setattr", "delattr"):
            return True
        if not isinstance(call.func, ast.Attribute) or call.func.attr not in ("setattr", "delattr"):
            return False
        made = self._made(call.func.value)
        return made is not None and effects.dotted(made).rpartition(".")[2] == "MonkeyPatch"

    def _patched(self, call: ast.Call) -> None:
        """``patch("shop.rates.RATE", 7).start()``."""
        for value in [*call.args, *call.keywords]:
            if isinstance(value, ast.Constant) and isinstance(value.value, str):
                self.found.names.add(ANYWHERE + value.value.rpartition(".")[2])

    def _altered(self, thing: ast.expr, *, content: bool = False, losing: bool = False) -> None:
        """Something gets another value, or another ``content``; ``losing``: some of it goes."""
        names: set[str] = set()
        self._name(thing, names, content=content, losing=losing)
        to = self.found.contents if content else self.found.names
        to |= names
        if losing:
            self.found.lost |= names

    def _name(self, thing: ast.expr, names: set[str], *, content: bool, losing: bool) -> None:
        """Add the names of what is altered."""
        root, *parts = self._chain(thing)
        if not root:
            return
        name = ".".join((root, *parts))
        if root == _RESULT:
            if parts[0] in self._modules or parts[0] in sys.stdlib_module_names:
                self.found.process = True  # logging.getLogger("shop"), decimal.getcontext()
            elif not content and not parts[0][:1].isupper():
                names.add(ANYWHERE + parts[-1])
        elif self._is_of_process(root, name):
            self.found.process = True
        elif root == "cls" or "__class__" in parts:
            names.update(ATTRIBUTE + part for part in parts if part != "__class__")
        elif parts and not content and self._may_be_shared(root):
            names.add(ANYWHERE + parts[-1])
        elif root in self._locals and root not in self._imported:
            if root == "self" and content and parts and parts[0] in self._shared:
                names.add(ATTRIBUTE + parts[0])
            if root == "self" and parts and (losing or not content) and not self._makes:
                text = self._texts.get(id(thing)) or ast.unparse(thing)
                self.found.own.setdefault(parts[0], set()).add(text)
            if root in self._parameters and root not in ("self", "monkeypatch"):
                self.found.parameters.add(root)
        elif parts and (
            root in self._tops or root in self._imported or root in self._modules
        ):  # not a variable of a function around this one
            last = parts[-1]
            names.add(ANYWHERE + last)
        elif root in self._imported:
            names.add(ANYWHERE + self._imported[root])
        elif root in self._tops and root not in self._modules:
            names.add(root)

    def _may_be_shared(self, root: str) -> bool:
        """``app = get_app()``: others may get the same."""
        made = self._values.get(root) if root in self._locals else None
        name = effects.dotted(made.func) if isinstance(made, ast.Call) else ""
        return name.startswith(_SHARED) and (name in self._imported or name in self._tops)

    def _is_of_process(self, root: str, name: str) -> bool:
        if root in self._loggers and root not in self._locals:
            return True
        return not OF_THE_PROCESS.isdisjoint((root, name)) or name.startswith("sys.modules.")

    def _chain(self, node: ast.expr) -> list[str]:
        """``a.b["c"]`` as its names; a variable that is assigned once stands for its value."""
        names: list[str] = []
        met: set[str] = set()
        while True:
            if isinstance(node, ast.Attribute):
                names.insert(0, node.attr)
                node = node.value
            elif isinstance(node, ast.Subscript):
                node = node.value
            elif isinstance(node, ast.Name):
                value = self._values.get(node.id)
                known = isinstance(value, ast.Name | ast.Attribute) or self._is_given(value)
                if node.id in met or value is None or not known:
                    return [node.id, *names]
                met.add(node.id)
                node = value
            elif isinstance(node, ast.BinOp):
                node = node.left  # folder / "rates.txt"
            elif isinstance(node, ast.Call) and (called := effects.dotted(node.func)):
                if called == "type":
                    return ["cls", *names]
                if called.rpartition(".")[2] in _FORMS and node.args:
                    node = node.args[0]
                    continue
                root = called.partition(".")[0]
                return [root, *names] if self._is_given(node) else [_RESULT, root, *names]
            else:
                return ["", *names]


def _targets(part: ast.AST) -> list[ast.expr]:
    if isinstance(part, ast.Assign | ast.Delete):
        return part.targets
    return [part.target] if isinstance(part, ast.AugAssign | ast.AnnAssign) else []


def _is_join(part: ast.AST) -> bool:
    """``thread.join()``."""
    if not (isinstance(part, ast.Call) and isinstance(part.func, ast.Attribute)):
        return False
    return part.func.attr == "join" and not part.args


def _parts(node: Function) -> Iterator[ast.AST]:
    """All of a body but what the functions in it do when somebody calls them."""
    stack: list[ast.AST] = list(node.body)
    while stack:
        item = stack.pop()
        if not isinstance(item, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda):
            yield item
            stack.extend(ast.iter_child_nodes(item))
