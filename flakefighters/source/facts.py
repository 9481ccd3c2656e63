"""All that is known of one Python file: read once, from one syntax tree.

Everything else in this product that wants to know something of a source is a question to these
facts.  They depend on the content alone.
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from flakefighters.model import ChangeKind, Scope
from flakefighters.source import purity, tables
from flakefighters.source.entries import STAR
from flakefighters.source.fingerprints import Function
from flakefighters.source.parse import parse, reads_annotations
from flakefighters.source.reads import (
    Call,
    Reads,
    Surroundings,
    header,
    imported,
    is_fixture,
    local_names,
    read,
)
from flakefighters.source.walk import LOCALS, Walked, walk

__all__ = ["FileFacts", "Parameters", "Reference", "UnitFacts", "facts_of"]

_FILE_ENDINGS: Final = re.compile(
    "cfg|conf|csv|db|gz|html|ini|js|json|lock|log|md|pdf|png|py|rst|sh|sql|sqlite|svg|tar|toml|txt"
    "|xml|ya?ml|zip"
)
#: Methods of a dataclass that may do something when one is made.
_ACTIVE: Final = frozenset(
    {"__getattribute__", "__init__", "__new__", "__post_init__", "__setattr__"}
)


_NOTHING: Final = Reads()


class Reference(NamedTuple):
    """A module that a file asks for, and the names wanted from it."""

    #: Dots in front; 0: absolute.
    level: int
    module: tuple[str, ...]
    names: tuple[str, ...] = ()
    #: "imported by", "named in".
    how: str = "imported by"


class Parameters(NamedTuple):
    """What a function can be given."""

    only: tuple[str, ...]  # by position alone
    positional: tuple[str, ...]  # by position or name
    needed: int  # how many of both have no default
    keywords: tuple[str, ...]  # by name alone
    needed_keywords: frozenset[str]
    more: bool  # *args
    more_keywords: bool  # **kwargs

    def take(self, count: int, keywords: frozenset[str]) -> bool:
        """Whether so many positional arguments and these keywords can be given."""
        all_ = (*self.only, *self.positional)
        if count > len(all_) and not self.more:
            return False
        taken, left = set(all_[:count]), set(all_[count:])
        by_name = (left - set(self.only)) | set(self.keywords)
        if not self.more_keywords and not keywords <= by_name:
            return False
        if keywords & (taken - set(self.only)):
            return False
        return (set(all_[: self.needed]) - taken) | self.needed_keywords <= keywords


@dataclass(slots=True, eq=False)
class UnitFacts:
    """One unit of a file, and what it does with names."""

    #: Qualified as Python does it: ``Shop.total``, ``outer.<locals>.inner``.
    name: str
    kind: ChangeKind
    #: Its first line, decorators included, and its last.
    first: int
    last: int
    #: Qualified name of what it stands in, None at module level.
    scope: str | None
    #: The names that it binds where it stands.
    binds: tuple[str, ...]
    reads: Reads
    #: What is read where a definition stands: decorators, defaults, bases; also in ``reads``.
    head: Reads
    #: What the annotations of a function read, which few look at.
    annotations: Reads = field(default_factory=Reads)
    #: On which conditions running a statement does more than bind.
    impure: purity.Conditions = frozenset()
    #: Of an import of one name: what it asks for.
    imports: Reference | None = None
    #: Of a function.
    parameters: Parameters | None = None
    decorators: frozenset[str] = frozenset()
    is_fixture: bool = False
    #: A fixture that lives longer than a test.
    is_wide: bool = False
    #: Of a class: its bases as dotted names, whether it has keywords, and whether it only holds
    #: values.
    bases: tuple[str, ...] = ()
    has_keywords: bool = False
    is_record: bool = False
    #: Of a decorator: whether it only makes another function; called with arguments, that one too.
    wraps: bool = False
    wraps_called: bool = False
    #: Of a statement: another name for one thing (``Total = Cart``).
    is_alias: bool = False

    @property
    def own_name(self) -> str:
        """The last part of its name."""
        return self.name.rpartition(".")[2]

    @property
    def is_local(self) -> bool:
        """Whether it stands in a function."""
        return self.scope is not None and f"{LOCALS}." in f"{self.name}."

    @property
    def keeps_results(self) -> bool:
        """Whether it may answer from what an earlier call gave."""
        return not self.decorators.isdisjoint(tables.CACHING_DECORATORS)


@dataclass(slots=True, eq=False)
class FileFacts:
    """One file."""

    units: tuple[UnitFacts, ...] = ()
    references: tuple[Reference, ...] = ()
    #: Why the references may not be all, as a clause whose subject is the file; and the same by
    #: the function (a qualified name) that must run for it to matter.
    opaque: str | None = None
    opaque_in: dict[str, str] = field(default_factory=dict)
    #: Names that imports bind, at any depth, and what they stand for.
    aliases: tuple[tuple[str, Reference], ...] = ()
    #: The names in ``__all__``, None if it is computed, empty if there is none.
    exports: tuple[str, ...] | None = ()
    #: Whether it imports all that some module exports.
    has_star: bool = False
    #: Whether it asks classes which others inherit from them.
    asks_for_subclasses: bool = False
    #: Whether some class counts others among its own by the methods that they have.
    has_protocols: bool = False
    _bound: dict[str, int] | None = None
    _by_line: dict[int, UnitFacts] | None = None

    def bound(self) -> dict[str, int]:
        """The names that it binds at its top, imports included, and by how many units each."""
        if self._bound is None:
            self._bound = Counter(
                name for one in self.units if one.scope is None for name in set(one.binds)
            )
        return self._bound

    def at(self, name: str, line: int) -> UnitFacts | None:
        """The unit that a code object of this name and first line belongs to."""
        if self._by_line is None:
            self._by_line = {
                one.first: one for one in self.units if one.kind is ChangeKind.FUNCTION
            }
        found = self._by_line.get(line)
        if found is not None and (found.own_name == name.rpartition(".")[2]):
            return found
        # A lambda or comprehension belongs to the smallest unit around it.
        around = [one for one in self.units if one.first <= line <= one.last]
        return min(around, key=lambda one: one.last - one.first, default=None)

    def modules(self) -> Iterator[tuple[str, Reference]]:
        """The names that imports bind, at any depth, with what each stands for."""
        return iter(self.aliases)


def facts_of(source: bytes) -> FileFacts | None:
    """The facts of one file; None if this Python cannot read it."""
    tree = parse(source)
    if tree is None:
        return None
    try:
        return _facts(tree)
    except RecursionError:  # definitions nested more deeply than Python can follow
        return None


def _facts(tree: ast.Module) -> FileFacts:
    annotated = reads_annotations(tree)
    units = tuple(_unit(one, annotated) for one in walk(tree))
    found = FileFacts(units=units)
    references: dict[Reference, None] = {}
    for one in units:
        if one.imports is not None:
            found.has_star = found.has_star or one.binds == (STAR,)
        plain = one.reads.plain()
        if not plain.isdisjoint({"__subclasses__", "__init_subclass__"}):
            found.asks_for_subclasses = True
        if not plain.isdisjoint({"runtime_checkable", "__subclasshook__", "__instancecheck__"}):
            found.has_protocols = True
        if one.own_name in ("__init_subclass__", "__subclasshook__", "__instancecheck__"):
            found.asks_for_subclasses = found.has_protocols = True
        _calls(found, one, references)
        for text in one.reads.texts:
            parts = text.partition(":")[0].split(".")
            dotted = len(parts) > 1 and all(map(str.isidentifier, parts))
            if dotted and not _FILE_ENDINGS.fullmatch(parts[-1]):
                references[Reference(0, tuple(parts), how="named in")] = None
    aliases: list[tuple[str, Reference]] = []
    for statement in _statements(tree.body):
        _reference(found, statement, references)
        if isinstance(statement, ast.Import | ast.ImportFrom):
            for alias in statement.names:
                if alias.name != STAR:
                    wanted = _asked(statement, alias)
                    last = (*wanted.names, *wanted.module)[0]
                    aliases.append((alias.asname or last, wanted))
    found.aliases = tuple(aliases)
    found.references = tuple(references)
    return found


def _unit(one: Walked, annotated: bool) -> UnitFacts:
    entry = one.entry
    node = entry.node
    reads, head = _own_reads(one, annotated)
    found = UnitFacts(
        one.name, entry.kind, entry.first, entry.last, one.scope, entry.names, reads, head
    )
    found.impure = entry.impure
    if entry.alias is not None and isinstance(node, ast.Import | ast.ImportFrom):
        found.imports = _asked(node, entry.alias)
    decorators = getattr(node, "decorator_list", ())
    found.decorators = frozenset(purity.dotted(one).rpartition(".")[2] for one in decorators)
    if isinstance(node, Function):
        shown = [arg.annotation for arg in _arguments(node.args) if arg.annotation is not None]
        shown += [node.returns] if node.returns is not None else []
        found.annotations = read(shown) if shown else _NOTHING
        found.parameters = _parameters(node.args)
        for decorator in filter(is_fixture, decorators):
            found.is_fixture = True
            found.is_wide = _scope_of(decorator) not in (None, "function")
        if any(isinstance(part, Function) for part in node.body):
            found.wraps = _only_wraps(node, called=False)
            found.wraps_called = _only_wraps(node, called=True)
    elif isinstance(node, ast.ClassDef):
        found.bases = tuple(purity.dotted(base) for base in node.bases)
        found.has_keywords = bool(node.keywords)
        found.is_record = _is_record(node)
    elif isinstance(node, ast.Assign):
        found.is_alias = isinstance(node.value, ast.Name | ast.Attribute)
        made = isinstance(node.value, ast.Call) and purity.dotted(node.value.func)
        found.is_record = bool(made) and str(made).endswith("namedtuple")
    return found


def _own_reads(one: Walked, annotated: bool) -> tuple[Reads, Reads]:
    entry = one.entry
    node = entry.node
    plain = Surroundings(annotations=annotated)
    if entry.alias is not None and isinstance(node, ast.Import | ast.ImportFrom):
        return Reads(attributes=imported(node, entry.alias)), Reads()
    if isinstance(node, ast.ClassDef):
        head = read(header(node))
        found = read(node.body, plain)
        found.add(head)
        return found, head
    if not isinstance(node, Function):
        return read([node], plain), Reads()
    parameters = frozenset(arg.arg for arg in _arguments(node.args))
    own = local_names(node)
    asked = None
    if node.name in ("__getattr__", "__getattribute__") and node.args.args:
        asked = node.args.args[-1].arg
        asked = None if asked in own.names else asked
    head = read(header(node, annotated), plain)
    found = read(
        node.body,
        Surroundings(
            hidden=parameters | own.names | own.modules,
            modules=own.modules,
            imported=own.imported,
            assigned=own.assigned,
            # Within a function nobody knows what a name of the functions around it is bound to.
            owner=None if LOCALS in one.name else (one.scope or "").rpartition(".")[2],
            asked=asked,
            parameters=parameters,
            outside=own.outside,
            annotations=annotated,
            body=True,
        ),
    )
    found.add(head)
    if node.name.startswith("test") or any(map(is_fixture, node.decorator_list)):
        found.parameters |= parameters
    else:
        found.alters = {name for name in found.alters if name.scope is not Scope.FIXTURE}
    return found, head


def _asked(node: ast.Import | ast.ImportFrom, alias: ast.alias) -> Reference:
    if isinstance(node, ast.Import):
        parts = tuple(alias.name.split("."))
        return Reference(0, parts if alias.asname else parts[:1])
    module = tuple(node.module.split(".")) if node.module else ()
    return Reference(node.level, module, (alias.name,))


def _arguments(args: ast.arguments) -> list[ast.arg]:
    """All that a function declares to take."""
    more = [one for one in (args.vararg, args.kwarg) if one is not None]
    return [*args.posonlyargs, *args.args, *args.kwonlyargs, *more]


def _parameters(args: ast.arguments) -> Parameters:
    only = tuple(arg.arg for arg in args.posonlyargs)
    positional = tuple(arg.arg for arg in args.args)
    return Parameters(
        only,
        positional,
        len(only) + len(positional) - len(args.defaults),
        tuple(arg.arg for arg in args.kwonlyargs),
        frozenset(
            arg.arg
            for arg, default in zip(args.kwonlyargs, args.kw_defaults, strict=True)
            if default is None
        ),
        args.vararg is not None,
        args.kwarg is not None,
    )


def _scope_of(decorator: ast.expr) -> str | None:
    """The scope of a fixture, "" if it is computed, None if it has none."""
    if not isinstance(decorator, ast.Call):
        return None
    for keyword in decorator.keywords:
        if keyword.arg == "scope":
            value = keyword.value
            return str(value.value) if isinstance(value, ast.Constant) else ""
    return None


def _is_record(node: ast.ClassDef) -> bool:
    """Whether making one of a class only holds values: a named tuple, a plain dataclass."""
    if any(purity.dotted(base).rpartition(".")[2] == "NamedTuple" for base in node.bases):
        return True
    made = [purity.dotted(one).rpartition(".")[2] for one in node.decorator_list]
    if made != ["dataclass"] or node.bases or node.keywords:
        return False
    if any(isinstance(one, Function) and one.name in _ACTIVE for one in node.body):
        return False
    factories = (
        keyword.value
        for part in ast.walk(node)
        if isinstance(part, ast.Call)
        for keyword in part.keywords
        if keyword.arg == "default_factory"
    )
    return all(getattr(one, "id", "") in ("dict", "list", "set", "tuple") for one in factories)


def _only_wraps(node: ast.AST, called: bool) -> bool:
    """Whether running a function only makes another one and returns it; if it is to be ``called``
    for a decorator, that one as well."""
    if not isinstance(node, ast.FunctionDef):
        return False
    made = False
    for part in node.body:
        if isinstance(part, Function):
            made = True
            if not all(map(purity.is_known_decorator, map(purity.dotted, part.decorator_list))):
                return False
            if called and not _only_wraps(part, called=False):
                return False
        elif isinstance(part, ast.Return):
            if part.value is not None and purity.conditions(part.value):
                return False
        elif not (isinstance(part, ast.Expr) and isinstance(part.value, ast.Constant)):
            return False
    return made


# -- what the file asks for ------------------------------------------------------------------


def _statements(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Every statement at any depth, but not what only type checkers run."""
    blocks: list[list[ast.stmt]] = [body]
    while blocks:
        for statement in blocks.pop():
            yield statement
            if isinstance(statement, ast.If):
                name = purity.dotted(statement.test).rpartition(".")[2]
                if name == "TYPE_CHECKING":
                    blocks.append(statement.orelse)
                    continue
            for part in ("body", "orelse", "finalbody"):
                block = getattr(statement, part, None)
                if block:
                    blocks.append(block)
            parts = (*getattr(statement, "handlers", ()), *getattr(statement, "cases", ()))
            blocks.extend(part.body for part in parts)


def _reference(found: FileFacts, statement: ast.stmt, to: dict[Reference, None]) -> None:
    if isinstance(statement, ast.Import):
        to.update((Reference(0, tuple(alias.name.split("."))), None) for alias in statement.names)
    elif isinstance(statement, ast.ImportFrom):
        module = tuple(statement.module.split(".")) if statement.module else ()
        names = tuple(alias.name for alias in statement.names)
        to[Reference(statement.level, module, names)] = None
    elif isinstance(statement, ast.Assign | ast.AnnAssign | ast.AugAssign):
        targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
        names_ = {target.id for target in targets if isinstance(target, ast.Name)}
        if statement.value is None or names_.isdisjoint({"__all__", "pytest_plugins"}):
            return
        texts = _texts(statement.value)
        if "__all__" in names_:
            known = texts is not None and found.exports is not None
            found.exports = (*(found.exports or ()), *(texts or ())) if known else None
        if "pytest_plugins" in names_:
            if texts is None:
                found.opaque = found.opaque or "computes pytest_plugins"
            for text in texts or ():
                to[Reference(0, tuple(text.split(".")), how="named as a plugin by")] = None


def _texts(value: ast.expr) -> tuple[str, ...] | None:
    """The strings of a literal, None if it is none."""
    try:
        literal = ast.literal_eval(value)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return None
    if isinstance(literal, str):
        return (literal,)
    if isinstance(literal, list | tuple | set) and all(isinstance(text, str) for text in literal):
        return tuple(literal)
    return None


def _calls(found: FileFacts, unit: UnitFacts, to: dict[Reference, None]) -> None:
    """Imports by calls: what they ask for, or that it does not show."""
    for call in unit.reads.calls:
        why = _opaque(call)
        if why is None:
            continue
        if unit.kind is ChangeKind.FUNCTION:
            found.opaque_in.setdefault(unit.name, why)
        else:
            found.opaque = found.opaque or why
    for call in unit.reads.calls:
        if call.module is not None:
            level = len(call.module) - len(call.module.lstrip("."))
            module = call.module.lstrip(".")
            if level and call.package:  # further dots go up from it
                parts = call.package.split(".")
                module = ".".join((*parts[: len(parts) - level + 1], module))
                level = 0
            to[Reference(level, tuple(module.split(".")) if module else ())] = None


def _opaque(call: Call) -> str | None:
    if call.name in ("exec", "eval") and call.base == "":
        return f"calls {call.name}()"
    if call.name in tables.OPAQUE_IMPORTERS:
        return tables.OPAQUE_IMPORTERS[call.name]
    if call.name in tables.IMPORTING_CALLS and call.module is None:
        return "computes the name of a module to import"
    return None
