"""What a statement may do beyond binding names, judged by its text alone.

The lists name what is well known to have no effect on anything else.  Whatever is not listed is
taken to have one.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable
from typing import Final, Protocol

__all__ = [
    "dotted",
    "has_effect",
    "imports_have_effect",
    "is_builder",
    "is_known_base",
    "is_known_decorator",
]


def _words(text: str) -> list[str]:
    return text.split()


#: Calls that only build a value, by the last part of their name.
_BUILDERS: Final = frozenset(
    _words(
        """
        Decimal Fraction NamedTuple NewType ParamSpec Path PurePath PurePosixPath TypeVar
        TypeVarTuple TypedDict Enum IntEnum StrEnum Flag attrgetter bool bytes cast chain
        complex compile count date datetime defaultdict deque dict enumerate field float
        frozenset getLogger int itemgetter join len list lstrip lower max methodcaller min
        namedtuple object partial range replace repr reversed round rstrip set slice
        sorted split splitlines str strip sum time timedelta timezone tuple upper zip
        version MappingProxyType OrderedDict Counter UUID ZoneInfo dedent format getattr isinstance
        issubclass hasattr type abs ord chr hex property mark param
        decode encode endswith getenv items keys maketrans startswith title translate values
        """
    )
)
#: Of these any object may be asked: they are what texts, tables and the like have.
_METHODS: Final = frozenset(
    _words(
        """
        count decode encode endswith format fromkeys items join keys lower lstrip maketrans
        replace rstrip split splitlines startswith strip title translate upper values
        """
    )
)
#: Modules and their usual aliases, of which the names below are what they say.
_ROOTS: Final = frozenset(sys.stdlib_module_names) | frozenset(
    _words("attr attrs dc dt ft hypothesis itertools mock np pd pytest st t te typing_extensions")
)
#: Decorators that hand back a function or class that does the same, and tell nobody.
_DECORATORS: Final = frozenset(
    _words(
        """
        abstractmethod asynccontextmanager cache cached_property classmethod
        contextmanager dataclass deleter final fixture getter lru_cache no_type_check
        overload override property runtime_checkable setter staticmethod total_ordering
        unique wraps skip skipIf skipUnless expectedFailure given settings example
        parametrize usefixtures xfail skipif define frozen mutable attrs patch
        """
    )
)
#: Bases that keep no list of their subclasses.
_BASES: Final = frozenset(
    _words(
        """
        ABC BaseModel BaseSettings Enum Flag Generic IntEnum IntFlag NamedTuple Protocol
        StrEnum IsolatedAsyncioTestCase TestCase Thread TypedDict dict float int list
        object set str tuple bytes type
        Callable Collection Container Generator Hashable Iterable Iterator Mapping
        MutableMapping MutableSequence MutableSet Sequence Set Sized
        """
    )
)
#: Of the standard library, and what is well known to do nothing when it is imported.
_PURE_IMPORTS: Final = (frozenset(sys.stdlib_module_names) - {"antigravity", "this"}) | {
    *("attr", "attrs", "dateutil", "markupsafe", "packaging", "pytest", "pytz", "six"),
    *("tomli", "typing_extensions", "yaml", "zoneinfo"),
}


class Known(Protocol):
    """What the rest of a project tells of the names in a file."""

    def builds(self, name: str) -> bool:
        """Whether calling a dotted name only builds a value."""
        ...

    def defines(self, name: str) -> bool:
        """Whether the project has a function or class of that name itself."""
        ...

    def quiet_import(self, node: ast.AST, alias: ast.alias) -> bool:
        """Whether an import does nothing but bind its name."""
        ...


def dotted(node: ast.expr) -> str:
    """``a.b.c`` for a chain of names, "" for anything else; calls and subscripts are looked
    through."""
    parts: list[str] = []
    while True:
        if isinstance(node, ast.Attribute):
            parts.append(node.attr)
            node = node.value
        elif isinstance(node, ast.Call):
            node = node.func
        elif isinstance(node, ast.Subscript):
            node = node.value
        elif isinstance(node, ast.Name):
            return ".".join((node.id, *reversed(parts)))
        else:
            return ""


def is_builder(name: str) -> bool:
    """Whether a call of that dotted name is well known to only build a value."""
    last = name.rpartition(".")[2]
    if name.startswith("pytest.mark.") or name.endswith("environ.get"):
        return True
    return last in _BUILDERS and _is_of_library(name, _METHODS)


def _is_of_library(name: str, methods: frozenset[str]) -> bool:
    """Whether a dotted name may be one of a well-known module, or a method that any object has."""
    root, dot, _ = name.partition(".")
    return not dot or root in _ROOTS or name.rpartition(".")[2] in methods


def is_known_decorator(node: ast.expr) -> bool:
    """Whether a decorator keeps no list of what it decorates, and reads nothing of it."""
    name = dotted(node)
    last = name.rpartition(".")[2]
    if name.startswith(("pytest.mark.", "mark.", "mock.patch", "patch.", "unittest.mock.patch")):
        return True
    return last in _DECORATORS and _is_of_library(name, frozenset({"deleter", "getter", "setter"}))


def is_known_base(node: ast.expr) -> bool:
    """Whether a class does not learn of its subclasses."""
    last = dotted(node).rpartition(".")[2]
    return last in _BASES or last.endswith(("Error", "Exception", "Warning"))


def has_effect(node: ast.AST, known: Known | None = None) -> bool:
    """Whether running a statement (or working out an expression) may do more than bind names.

    ``known`` tells what is harmless besides the well known.
    """
    if isinstance(node, ast.stmt):
        return _statement_has_effect(node, known)
    stack: list[ast.AST] = [node]
    while stack:
        item = stack.pop()
        if isinstance(item, ast.Lambda):
            stack.append(item.args)
            continue
        if isinstance(item, ast.Await | ast.Yield | ast.YieldFrom):
            return True
        if isinstance(item, ast.Call) and not _only_builds(item, known):
            return True
        stack.extend(ast.iter_child_nodes(item))
    return False


def _only_builds(call: ast.Call, known: Known | None) -> bool:
    name = dotted(call.func) if isinstance(call.func, ast.Name | ast.Attribute) else ""
    if isinstance(call.func, ast.Attribute) and isinstance(call.func.value, ast.Constant):
        name = call.func.attr  # "a b".split()
    elif name == "map" and call.args and isinstance(call.args[0], ast.Name):
        name = call.args[0].id  # map(str, VERSION)
    if known is not None and known.defines(name):
        return known.builds(name)
    return is_builder(name) or (bool(name) and known is not None and known.builds(name))


def _statement_has_effect(node: ast.stmt, known: Known | None) -> bool:
    match node:
        case ast.Assign(targets=targets, value=value):
            return _any([*targets, value], known) or not all(map(_plain_target, targets))
        case ast.AnnAssign(target=target, value=value) | ast.AugAssign(target=target, value=value):
            return not _plain_target(target) or (value is not None and has_effect(value, known))
        case ast.Import(names=aliases):
            return any(imports_have_effect(alias.name) for alias in aliases)
        case ast.ImportFrom(names=aliases) if known is not None:
            return not all(known.quiet_import(node, alias) for alias in aliases)
        case ast.ImportFrom(module=module, level=level):
            return bool(level) or imports_have_effect(module or "")
        case ast.FunctionDef() | ast.AsyncFunctionDef():
            return not all(map(is_known_decorator, node.decorator_list)) or has_effect(
                node.args, known
            )
        case ast.ClassDef():
            return (
                bool(node.keywords)
                or not all(map(is_known_decorator, node.decorator_list))
                or not all(map(is_known_base, node.bases))
                or _any(node.body, known)
            )
        case ast.If(test=test):
            return _any([test, *node.body, *node.orelse], known)
        case ast.Try() if known is not None and all(map(_is_relative, node.body)):
            # Of modules that are there: what is done without them is not done.
            return _any([*node.body, *node.orelse, *node.finalbody], known)
        case ast.Try():
            handled = [part for handler in node.handlers for part in handler.body]
            return _any([*node.body, *handled, *node.orelse, *node.finalbody], known)
        case ast.Expr(value=value):
            return has_effect(value, known)
        case ast.Delete(targets=targets):
            return not all(map(_plain_target, targets))
        case ast.Pass() | ast.Global() | ast.Nonlocal():
            return False
        case _:
            return type(node).__name__ != "TypeAlias"


def imports_have_effect(module: str) -> bool:
    """Whether importing a module for the first time may do anything that others see."""
    return module.partition(".")[0] not in _PURE_IMPORTS


def _any(nodes: Iterable[ast.AST], known: Known | None) -> bool:
    return any(has_effect(node, known) for node in nodes)


def _is_relative(node: ast.stmt) -> bool:
    return isinstance(node, ast.ImportFrom) and node.level > 0


def _plain_target(target: ast.expr) -> bool:
    if isinstance(target, ast.Tuple | ast.List):
        return all(map(_plain_target, target.elts))
    if isinstance(target, ast.Starred):
        return _plain_target(target.value)
    return isinstance(target, ast.Name)
