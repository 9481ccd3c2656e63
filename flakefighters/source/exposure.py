"""By which names a change can be reached without running its lines."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterable, Iterator
from itertools import chain
from typing import Final

from flakefighters.source import purity as effects
from flakefighters.source.context import Around
from flakefighters.source.entries import ANY, Entry
from flakefighters.source.fingerprints import Definition, Function
from flakefighters.source.future import is_idle_future, may_show_future
from flakefighters.source.pairs import Pair
from flakefighters.source.reads import identifiers, is_fixture

__all__ = [
    "ANY",
    "ANYWHERE",
    "ATTRIBUTE",
    "FIXTURE",
    "Around",
    "altered",
    "is_type_variable",
    "keeps_results",
    "literals_of",
    "modules_of",
    "of_attribute",
    "of_definition",
    "of_statement",
    "reached_by_calls",
    "sets_up",
]

#: What stands before the names of a change that are no names of its module: those of attributes,
#: those of fixtures, and names that count wherever they are read.
ATTRIBUTE: Final = "."
FIXTURE: Final = "@"
ANYWHERE: Final = "?"

#: Beginnings of the names of module-level things that pytest looks for.
_SET_UPS: Final = ("asyncSetUp", "asyncTearDown", "setUp", "setup_", "tearDown", "teardown_")
_FOUND_BY_PYTEST: Final = ("collect_ignore", "pytest", *_SET_UPS)
_TYPE_VARIABLES: Final = frozenset({"ParamSpec", "TypeVar", "TypeVarTuple"})
#: Special methods that nobody asks for but by running them.
_SEEN: Final = frozenset(
    f"__{name}__"
    for name in (
        *("format", "repr", "str", "lt", "le", "gt", "ge", "add", "radd", "iadd", "sub", "mul"),
        *("truediv", "floordiv", "mod", "pow", "and", "or", "xor", "neg", "abs", "bool", "int"),
        *("float", "round", "enter", "exit", "getitem", "setitem", "delitem", "contains"),
    )
)
#: Decorators by which results are kept.
_KEEPING: Final = frozenset({"cache", "cached", "cached_property", "lru_cache", "memoize"})

Names = tuple[str, ...]


def modules_of(members: Iterable[Entry]) -> set[str]:
    """The modules that a file imports names from, with the dots in front."""
    return {module for entry in members if (module := _module_of(entry)) is not None}


def literals_of(members: Iterable[Entry]) -> set[str]:
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


def _module_of(entry: Entry) -> str | None:
    node = entry.node
    if entry.alias is None or not isinstance(node, ast.ImportFrom):
        return None
    return "." * node.level + (node.module or "")


def of_statement(
    pair: Pair,
    foreign: Collection[str] = (),
    around: Around | None = None,
    kept: Collection[str] = (),
    literals: Collection[str] = (),
) -> Names:
    """The names of a statement at module level that came, went or differs.

    ``foreign`` are names that the file imports: what is done to ``os.environ`` is not found by
    looking for readers of ``os``.  ``kept`` are modules that it imports before and after,
    ``literals`` names of tables that it makes itself.
    """
    versions = [entry for entry in (pair.old, pair.new) if entry is not None]
    if all(entry.guarded or is_idle_future(entry) for entry in versions):
        return ()
    names = [name for entry in versions for name in entry.names]
    hidden = any(_has_effect(entry, around, kept, literals) for entry in versions)
    hidden = hidden or any(map(_is_found_by_pytest, names)) or may_show_future(pair, around)
    hidden = hidden or (pair.new is None and any(map(_sets_submodule, versions)))
    for entry in versions:
        names += altered(entry.node, foreign)
        if "__all__" in entry.names:
            names += sorted(_listed(pair.old) ^ _listed(pair.new))
    return (*names, ANY) if hidden else tuple(names)


def of_attribute(
    pair: Pair, *owners: ast.ClassDef, nested: bool = False, around: Around | None = None
) -> Names:
    """The names of a statement in a class body; ``owners`` are the versions of the class."""
    own = tuple(name for name in of_statement(pair, around=around) if name != "__doc__")
    plain = not any(_is_special(name) for name in own)
    bound = {name for entry in (pair.old, pair.new) if entry is not None for name in entry.names}
    names = tuple(
        ATTRIBUTE + name
        if name in bound
        else name
        if name == ANY or name.startswith(ANYWHERE)
        else ANYWHERE + name
        for name in own
    )
    for owner in owners:
        if owner.bases or owner.keywords or owner.decorator_list or not plain:
            names += (_of_class(owner, nested),)
        if _is_observed(owner, around):
            names += (ANY,)
    return names or tuple(_of_class(owner, nested) for owner in owners)


def of_definition(
    node: ast.AST,
    owner: Definition | None,
    *,
    nested: bool = False,
    around: Around | None = None,
    gone: bool = False,
) -> Names:
    """The names by which a function or class is reached; none inside a function.

    ``owner`` is the class or function that it is defined in, ``nested`` if that is itself in a
    class.  ``gone``: nobody can run it any more.
    """
    if not isinstance(node, Definition) or isinstance(
        owner, ast.FunctionDef | ast.AsyncFunctionDef
    ):
        return ()
    names = [node.name if owner is None else ATTRIBUTE + node.name]
    of_tests = isinstance(owner, ast.ClassDef) and node.name.startswith(_SET_UPS)
    hidden = _is_found_by_pytest(node.name) and not of_tests
    # What is run when somebody asks for it is seen then.
    seen = not gone and node.name in _SEEN and not getattr(owner, "decorator_list", ())
    if isinstance(owner, ast.ClassDef) and (
        of_tests or _shows_members(owner, node, around, own=not seen, gone=gone)
    ):
        names.append(_of_class(owner, nested))
    if isinstance(node, ast.ClassDef):
        hidden = hidden or _is_observed(node, around)
    elif owner is None and gone and _is_special(node.name):
        # While a module has a __getattr__, it runs, and is seen, where it matters.
        answered = _answered(node)
        hidden = hidden or answered is None
        names += answered or ()
    for decorator in node.decorator_list:
        fixture = is_fixture(decorator)
        known = _is_known(decorator, around)
        hidden = hidden or not known or _is_autouse(decorator)
        texts = _texts(decorator, ("name",) if fixture else None) if fixture or not known else ()
        if fixture:
            names.append(FIXTURE + node.name)
        names += [(FIXTURE if fixture else ANYWHERE) + text for text in texts]
    return (*names, ANY) if hidden else tuple(names)


def _is_known(decorator: ast.expr, around: Around | None) -> bool:
    """Whether a decorator tells nobody what it decorates."""
    if around is not None and around.defines(effects.dotted(decorator)):
        return around.only_wraps(decorator)
    return effects.is_known_decorator(decorator)


def reached_by_calls(
    node: ast.AST, owner: Definition | None, around: Around | None = None, *, added: bool = False
) -> bool:
    """Whether a function does something only when it is called, and nobody else looks at it.

    ``added``: nor at whether there is such a function.
    """
    if not isinstance(node, Function) or isinstance(owner, Function):
        return False
    if _is_found_by_pytest(node.name) or (
        _is_special(node.name) and (owner is None or node.name not in ("__init__", "__new__"))
    ):
        return False
    for one in node.decorator_list:
        own = around is not None and around.defines(effects.dotted(one))
        if own or is_fixture(one) or not effects.is_known_decorator(one):
            return False
    if added and around is not None and isinstance(owner, ast.ClassDef) and around.has_protocols():
        return False
    if not added or not isinstance(owner, ast.ClassDef):
        return True
    return not _shows_members(owner, node, around, own=False)


def keeps_results(node: ast.AST) -> bool:
    """Whether a function may answer without being run: from what an earlier call gave."""
    decorators = getattr(node, "decorator_list", ())
    return any(effects.dotted(one).rpartition(".")[2] in _KEEPING for one in decorators)


def _of_class(owner: ast.ClassDef, nested: bool) -> str:
    return ATTRIBUTE + owner.name if nested else owner.name


def _texts(decorator: ast.expr, keywords: Collection[str] | None) -> Iterator[str]:
    """Words in a decorator, or in some keywords of it: ``@fixture(name="shop")``."""
    given = decorator.keywords if isinstance(decorator, ast.Call) else []
    some = [one.value for one in given if keywords is not None and one.arg in keywords]
    for part in chain.from_iterable(map(ast.walk, [decorator] if keywords is None else some)):
        if isinstance(part, ast.Constant) and isinstance(part.value, str):
            yield from identifiers(part.value)


def _is_called_by_library(name: str) -> bool:
    """Methods that threads, enumerations and the like call by themselves: ``_missing_``."""
    return name in ("mro", "run") or (name[:1] == name[-1:] == "_" and len(name) > 2)


def _shows_members(
    owner: ast.ClassDef,
    node: ast.AST,
    around: Around | None,
    *,
    own: bool = True,
    gone: bool = False,
) -> bool:
    """Whether it matters to users of a class that it has a member, even if they do not name it.

    With ``own`` special methods do: ``__eq__`` takes ``__hash__`` away.
    """
    name = getattr(node, "name", "")
    if own and (_is_special(name) or (owner.bases and _is_called_by_library(name))):
        return True
    bases = {effects.dotted(base).rpartition(".")[2] for base in owner.bases}
    if "Protocol" in bases or (gone and "ABC" in bases):
        return True
    decorators = getattr(node, "decorator_list", ())
    if any("abstract" in effects.dotted(one) for one in decorators):
        return True
    if around is not None and around.has_protocols():
        return True
    return _is_observed(owner, around)


def _has_effect(
    entry: Entry, around: Around | None, kept: Collection[str], literals: Collection[str]
) -> bool:
    if entry.effect and entry.alias is not None and around is not None:
        known = _module_of(entry) in kept
        return not around.quiet_import(entry.node, entry.alias, known=known)
    if entry.alias is None and not entry.guarded and around is not None:
        return effects.has_effect(_plainly(entry.node, literals), around)
    return entry.effect


def _plainly(node: ast.AST, literals: Collection[str]) -> ast.AST:
    """A statement without the places in a module's own tables that it assigns to.

    Whoever reads the table is found by its name.
    """
    if not isinstance(node, ast.Assign) or not all(
        isinstance(target, ast.Subscript)
        and isinstance(target.value, ast.Name)
        and target.value.id in literals
        for target in node.targets
    ):
        return node
    parts = [target.slice for target in node.targets if isinstance(target, ast.Subscript)]
    return ast.Expr(ast.Tuple([*parts, node.value], ast.Load()))


def _is_observed(node: ast.ClassDef, around: Around | None) -> bool:
    """Whether something may learn of the class as soon as it exists."""
    return (
        bool(node.keywords)
        or not all(_is_plain_base(base, around) for base in node.bases)
        or not all(_is_known(one, around) for one in node.decorator_list)
    )


def _is_plain_base(base: ast.expr, around: Around | None) -> bool:
    """Whether a class does not learn of its subclasses."""
    name = effects.dotted(base)
    if around is not None and around.defines(name):
        return around.plain_class(name)
    return effects.is_known_base(base) or (around is not None and around.plain_class(name))


def _is_autouse(decorator: ast.expr) -> bool:
    return isinstance(decorator, ast.Call) and any(
        keyword.arg == "autouse" for keyword in decorator.keywords
    )


def _is_found_by_pytest(name: str) -> bool:
    return name.startswith(_FOUND_BY_PYTEST) and name != "pytest"


def sets_up(unit: str) -> bool:
    """Whether a method prepares the tests of its class, or clears up after them."""
    return "." in unit and unit.rpartition(".")[2].startswith(_SET_UPS)


def _is_special(name: str) -> bool:
    return name.startswith("__") and name.endswith("__")


def _answered(node: ast.FunctionDef | ast.AsyncFunctionDef) -> list[str] | None:
    """The names that a module's ``__getattr__`` has an answer for; None if its text hides them.

    It shows them by asking ``if name == "RATE":``, and raising an error for all others.
    """
    if node.name != "__getattr__" or len(node.args.args) != 1:
        return None
    asked = node.args.args[0].arg
    if not isinstance(node.body[-1], ast.Raise):
        return None
    found: list[str] = []
    for part in node.body[:-1]:
        match part:
            case ast.If(
                test=ast.Compare(
                    left=ast.Name(id=name),
                    ops=[ast.Eq()],
                    comparators=[ast.Constant(value=str(value))],
                ),
                orelse=[],
            ) if name == asked:
                found.append(value)
            case ast.Expr(value=ast.Constant()) | ast.Import() | ast.ImportFrom():
                continue
            case _:
                return None
    return found


def _sets_submodule(entry: Entry) -> bool:
    """``import shop.tax``, after which others find ``shop.tax`` without importing it."""
    return isinstance(entry.node, ast.Import) and "." in getattr(entry.alias, "name", "")


def is_type_variable(pair: Pair) -> bool:
    """Whether a statement makes a variable for type checkers, now and (if it was there) before."""
    return pair.new is not None and all(
        isinstance(entry.node, ast.Assign)
        and isinstance(entry.node.value, ast.Call)
        and effects.dotted(entry.node.value.func).rpartition(".")[2] in _TYPE_VARIABLES
        for entry in (pair.old, pair.new)
        if entry is not None
    )


def _listed(entry: Entry | None) -> set[str]:
    """The names that an `__all__` lists."""
    parts = ast.walk(entry.node) if entry is not None else ()
    texts = (part.value for part in parts if isinstance(part, ast.Constant))
    return {text for text in texts if isinstance(text, str)}


def altered(node: ast.AST, foreign: Collection[str] = ()) -> list[str]:
    """What `CONFIG["a"] = 1`, `rates.RATE = 7` and `RULES.append(1)` alter: attributes, and the
    thing itself unless it is a whole imported one."""
    names: list[str] = []
    things: list[ast.expr] = []
    stack: list[ast.AST] = [node]
    while stack:
        item = stack.pop()
        if isinstance(item, Definition | ast.Lambda):
            continue
        if isinstance(item, ast.Attribute | ast.Subscript) and not isinstance(item.ctx, ast.Load):
            things.append(item)
            # Of `os.environ["a"] = "b"` that is `environ`.
            _, dot, last = effects.dotted(item).rpartition(".")
            names += [ANYWHERE + last] if dot else []
        stack.extend(ast.iter_child_nodes(item))
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        called = node.value.func
        things += [called.value] if isinstance(called, ast.Attribute) else []
    roots = (effects.dotted(thing).partition(".")[0] for thing in things)
    return names + [root for root in roots if root and root not in foreign]
