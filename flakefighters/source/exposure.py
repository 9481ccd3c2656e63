"""By which names a change can be reached without running its lines."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterable, Iterator
from itertools import chain
from typing import Final

from flakefighters.model import EVERYONE, Name, Scope
from flakefighters.source import purity, tables
from flakefighters.source.entries import STAR, Entry
from flakefighters.source.fingerprints import Definition, Function
from flakefighters.source.nodes import identifiers, is_fixture
from flakefighters.source.pairs import Pair

__all__ = [
    "Names",
    "Owner",
    "altered",
    "is_type_variable",
    "keeps_results",
    "modules_of",
    "of_attribute",
    "of_definition",
    "of_statement",
    "reached_by_calls",
    "sets_up",
    "tables_of",
]

#: Beginnings of the names of module-level things that pytest looks for.
_FOUND_BY_PYTEST: Final = ("collect_ignore", "pytest", *tables.SET_UPS)
_TYPE_VARIABLES: Final = frozenset({"ParamSpec", "TypeVar", "TypeVarTuple"})

Names = tuple[Name, ...]
#: The classes that something stands in, the outermost first.
Owner = tuple[ast.ClassDef, ...]


def tables_of(members: Iterable[Entry]) -> set[str]:
    """The names that are bound to nothing but new tables: ``RULES = []``, ``RATES = {}``."""
    found: dict[str, bool] = {}
    for entry in members:
        node = entry.node
        if isinstance(node, ast.Assign) and not entry.names:
            continue  # puts something into one
        value = node.value if isinstance(node, ast.Assign | ast.AnnAssign) else None
        made = isinstance(value, ast.Dict | ast.List | ast.Set | ast.DictComp | ast.ListComp)
        for name in entry.names:
            found[name] = found.get(name, True) and made
    return {name for name, made in found.items() if made}


def modules_of(members: Iterable[Entry]) -> set[str]:
    """The modules that a file imports names from, with the dots in front."""
    nodes = (entry.node for entry in members if entry.alias is not None)
    return {
        "." * node.level + (node.module or "") for node in nodes if isinstance(node, ast.ImportFrom)
    }


def of_statement(
    pair: Pair,
    foreign: Collection[str] = (),
    own: Collection[str] = (),
    kept: Collection[str] = (),
) -> Names:
    """The names of a statement at module level that came, went or differs.

    ``foreign`` are names that the file imports: what is done to ``os.environ`` is not found by
    looking for readers of ``os``.  ``own`` are names of tables that it makes itself, ``kept``
    modules that it imports before and after.
    """
    versions = pair.versions
    if all(entry.guarded or _is_idle_future(entry) for entry in versions):
        return ()
    bound = list(chain.from_iterable(entry.names for entry in versions))
    names = [EVERYONE if name == STAR else Name(Scope.MODULE, name) for name in bound]
    for entry in versions:
        names += (_beyond(one, kept) for one in _impure(entry, own))
        names += altered(entry.node, foreign)
        if "__all__" in entry.names:
            listed = sorted(_listed(pair.old) ^ _listed(pair.new))
            names += [Name(Scope.MODULE, name) for name in listed]
    if any(map(_is_found_by_pytest, bound)) or _shows_future(pair):
        names.append(EVERYONE)
    if pair.new is None and any(map(_sets_submodule, versions)):
        names.append(EVERYONE)
    return tuple(names)


def _impure(entry: Entry, own: Collection[str]) -> purity.Conditions:
    """On which conditions a statement does more; readers of its own table are found by name."""
    node = entry.node
    if not isinstance(node, ast.Assign) or not all(
        isinstance(target, ast.Subscript)
        and isinstance(target.value, ast.Name)
        and target.value.id in own
        for target in node.targets
    ):
        return entry.impure
    parts = [target.slice for target in node.targets if isinstance(target, ast.Subscript)]
    return purity.conditions(ast.Expr(ast.Tuple([*parts, node.value], ast.Load())))


def _beyond(condition: Name, kept: Collection[str]) -> Name:
    """A condition without the import of a module that is imported all the same."""
    module, _, name = condition.text.partition(":")
    if condition.scope is Scope.IF_IMPORT and module in kept:
        return Name(Scope.IF_IMPORT, f":{name}")
    return condition


def of_attribute(pair: Pair, owners: Owner) -> Names:
    """The names of a statement in a class body, which is the last of ``owners``.

    Where a base, a decorator or a keyword may read what the class has (``class Meta`` in a class
    that a library's base reads), users of the classes around it are affected.
    """
    bound = set(chain.from_iterable(entry.names for entry in pair.versions))
    found: list[Name] = []
    for name in of_statement(pair):
        if name.text == "__doc__":
            continue
        scope = name.scope
        if scope is Scope.MODULE:
            scope = Scope.MEMBER if name.text in bound else Scope.ANYWHERE
        found.append(Name(scope, name.text))
    special = any(map(_is_special, bound))
    for at, owner in enumerate(owners):
        if owner.bases or owner.keywords or owner.decorator_list or special:
            found.append(_of_class(owner, nested=at > 0))
            found += _observers(owner)
    return tuple(found) or tuple(_of_class(owner, at > 0) for at, owner in enumerate(owners))


def of_definition(
    node: ast.AST, owner: Definition | None, owners: Owner = (), *, gone: bool = False
) -> Names:
    """The names by which a function or class is reached; none inside a function.

    ``owner`` is the class or function that it is defined in, ``owners`` all classes around it.
    ``gone``: it cannot be run any more.
    """
    if not isinstance(node, Definition) or isinstance(owner, Function):
        return ()
    names = [Name(Scope.MODULE if owner is None else Scope.MEMBER, node.name)]
    of_tests = isinstance(owner, ast.ClassDef) and node.name.startswith(tables.SET_UPS)
    if _is_found_by_pytest(node.name) and not of_tests:
        names.append(EVERYONE)
    if isinstance(owner, ast.ClassDef):
        names += _of_member(node, owners, gone)
    if isinstance(node, ast.ClassDef):
        names += _observers(node)
    elif owner is None and gone and _is_special(node.name):
        # While a module has a __getattr__, it runs, and is seen, where it matters.
        names.append(EVERYONE)
    for decorator in node.decorator_list:
        names += _of_decorator(decorator, node.name)
    return tuple(names)


def _of_member(node: Definition, owners: Owner, gone: bool) -> list[Name]:
    """The classes around a member whose users it matters to, even if they do not name it."""
    # What is run when it is asked for is seen then.
    idle = not gone and node.name in tables.IDLE_DUNDERS
    of_tests = node.name.startswith(tables.SET_UPS)
    if of_tests or _shows_members(owners, node, own=not idle, gone=gone):
        return [_of_class(one, nested=at > 0) for at, one in enumerate(owners)]
    return [] if idle else _read_by_bases(owners)


def _of_decorator(decorator: ast.expr, name: str) -> Iterator[Name]:
    """By which names what a decorator makes of something called ``name`` is reached."""
    if is_fixture(decorator):
        if _is_autouse(decorator):
            yield EVERYONE
        for text in (name, *_texts(decorator, ("name",))):
            yield Name(Scope.FIXTURE, text)
        return
    yield from purity.of_decorator(decorator)
    if not purity.is_known_decorator(purity.dotted(decorator)):
        for text in _texts(decorator, None):
            yield Name(Scope.ANYWHERE, text)


def reached_by_calls(node: ast.AST, owner: Definition | None, *, added: bool = False) -> bool:
    """Whether a function does something only when it is called, and is not looked at otherwise.

    ``added``: nor at whether there is such a function.
    """
    if not isinstance(node, Function) or isinstance(owner, Function):
        return False
    if _is_found_by_pytest(node.name) or (
        _is_special(node.name) and (owner is None or node.name not in ("__init__", "__new__"))
    ):
        return False
    if any(
        is_fixture(one) or not purity.is_known_decorator(purity.dotted(one))
        for one in node.decorator_list
    ):
        return False
    return not (
        added
        and isinstance(owner, ast.ClassDef)
        and _shows_members((owner,), node, own=False, gone=False)
    )


def keeps_results(node: ast.AST) -> bool:
    """Whether a function may answer without being run: from what an earlier call gave."""
    decorators = getattr(node, "decorator_list", ())
    return any(
        purity.dotted(one).rpartition(".")[2] in tables.CACHING_DECORATORS for one in decorators
    )


def _of_class(owner: ast.ClassDef, nested: bool) -> Name:
    return Name(Scope.MEMBER if nested else Scope.MODULE, owner.name)


def _texts(decorator: ast.expr, keywords: Collection[str] | None) -> Iterator[str]:
    """Words in a decorator, or in some keywords of it: ``@fixture(name="shop")``."""
    given = decorator.keywords if isinstance(decorator, ast.Call) else []
    some = [one.value for one in given if keywords is not None and one.arg in keywords]
    for part in chain.from_iterable(map(ast.walk, [decorator] if keywords is None else some)):
        if isinstance(part, ast.Constant) and isinstance(part.value, str):
            yield from identifiers(part.value)


def _shows_members(owners: Owner, node: ast.AST, *, own: bool, gone: bool) -> bool:
    """Whether it matters to users of a class that it has a member, even if they do not name it.

    With ``own`` special methods do: ``__eq__`` takes ``__hash__`` away, ``__getitem__`` makes an
    object iterable.
    """
    name, owner = getattr(node, "name", ""), owners[-1]
    if own and _is_special(name):
        return True
    bases = {purity.dotted(base).rpartition(".")[2] for base in owner.bases}
    if "Protocol" in bases or (gone and "ABC" in bases):
        return True
    decorators = getattr(node, "decorator_list", ())
    if any("abstract" in purity.dotted(one) for one in decorators):
        return True
    return bool(owner.bases) and _is_called_by_library(name)


def _is_called_by_library(name: str) -> bool:
    """Methods that threads, enumerations and the like call by themselves: ``_missing_``."""
    return name in ("mro", "run") or (name[:1] == name[-1:] == "_" and len(name) > 2)


def _read_by_bases(owners: Owner) -> list[Name]:
    """On which conditions users of a class are affected by a member that they do not name."""
    return [
        Name(Scope.IF_READ_BY_BASE, f"{'.' if at else ''}{owner.name}:{purity.dotted(base)}")
        for at, owner in enumerate(owners)
        for base in owner.bases
        if not purity.is_known_base(purity.dotted(base))
    ]


def _observers(node: ast.ClassDef) -> list[Name]:
    """On which conditions something learns of the class as soon as it exists."""
    found: set[Name] = {EVERYONE} if node.keywords else set()
    for base in node.bases:
        found |= purity.of_base(base)
    for decorator in node.decorator_list:
        found |= purity.of_decorator(decorator)
    return sorted(found, key=str)


def _is_autouse(decorator: ast.expr) -> bool:
    return isinstance(decorator, ast.Call) and any(
        keyword.arg == "autouse" for keyword in decorator.keywords
    )


def _is_found_by_pytest(name: str) -> bool:
    return name.startswith(_FOUND_BY_PYTEST) and name != "pytest"


def sets_up(unit: str) -> bool:
    """Whether a method prepares the tests of its class, or clears up after them."""
    return "." in unit and unit.rpartition(".")[2].startswith(tables.SET_UPS)


def _is_special(name: str) -> bool:
    return name.startswith("__") and name.endswith("__")


def _sets_submodule(entry: Entry) -> bool:
    """``import shop.tax``, after which others find ``shop.tax`` without importing it."""
    return isinstance(entry.node, ast.Import) and "." in getattr(entry.alias, "name", "")


def _is_future(entry: Entry) -> bool:
    return isinstance(entry.node, ast.ImportFrom) and entry.node.module == "__future__"


def _is_idle_future(entry: Entry) -> bool:
    """``from __future__ import division`` and the like, which nothing depends on any more.

    Annotations that are not evaluated any more concern only who looks at them.
    """
    return _is_future(entry) and entry.names[0] != "barry_as_FLUFL"


def _shows_future(pair: Pair) -> bool:
    return any(entry is not None and _is_future(entry) for entry in (pair.old, pair.new))


def is_type_variable(pair: Pair) -> bool:
    """Whether a statement makes a variable for type checkers, now and (if it was there) before."""
    return pair.new is not None and all(
        isinstance(entry.node, ast.Assign)
        and isinstance(entry.node.value, ast.Call)
        and purity.dotted(entry.node.value.func).rpartition(".")[2] in _TYPE_VARIABLES
        for entry in (pair.old, pair.new)
        if entry is not None
    )


def _listed(entry: Entry | None) -> set[str]:
    """The names that an `__all__` lists."""
    parts = ast.walk(entry.node) if entry is not None else ()
    texts = (part.value for part in parts if isinstance(part, ast.Constant))
    return {text for text in texts if isinstance(text, str)}


def altered(node: ast.AST, foreign: Collection[str] = ()) -> list[Name]:
    """What `CONFIG["a"] = 1`, `rates.RATE = 7` and `RULES.append(1)` alter: attributes, and the
    thing itself unless it is a whole imported one."""
    names: list[Name] = []
    things: list[ast.expr] = []
    stack: list[ast.AST] = [node]
    while stack:
        item = stack.pop()
        if isinstance(item, Definition | ast.Lambda):
            continue
        if isinstance(item, ast.Attribute | ast.Subscript) and not isinstance(item.ctx, ast.Load):
            things.append(item)
            # Of `os.environ["a"] = "b"` that is `environ`.
            _, dot, last = purity.dotted(item).rpartition(".")
            names += [Name(Scope.ANYWHERE, last)] if dot else []
        stack.extend(ast.iter_child_nodes(item))
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        called = node.value.func
        things += [called.value] if isinstance(called, ast.Attribute) else []
    roots = (purity.dotted(thing).partition(".")[0] for thing in things)
    return names + [Name(Scope.MODULE, root) for root in roots if root and root not in foreign]
