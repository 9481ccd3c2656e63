"""The facts of one unit, from its node."""

from __future__ import annotations

import ast
from typing import Final

from flakefighters.model import Scope
from flakefighters.source import purity
from flakefighters.source.facts import Parameters, Reference, UnitFacts
from flakefighters.source.fingerprints import Function
from flakefighters.source.nodes import header, imported, is_fixture, local_names
from flakefighters.source.reader import Surroundings, read
from flakefighters.source.reads import Reads
from flakefighters.source.walk import LOCALS, Walked

__all__ = ["asked_for", "unit_facts"]

#: Methods of a dataclass that may do something when one is made.
_ACTIVE: Final = frozenset(
    {"__getattribute__", "__init__", "__new__", "__post_init__", "__setattr__"}
)


_NOTHING: Final = Reads()


def unit_facts(one: Walked, annotated: bool) -> UnitFacts:
    entry = one.entry
    node = entry.node
    reads, head = _own_reads(one, annotated)
    found = UnitFacts(
        one.name, entry.kind, entry.first, entry.last, one.scope, entry.names, reads, head
    )
    found.impure = entry.impure
    if entry.alias is not None and isinstance(node, ast.Import | ast.ImportFrom):
        found.imports = asked_for(node, entry.alias)
    decorators = getattr(node, "decorator_list", ())
    found.decorators = frozenset(purity.dotted(one).rpartition(".")[2] for one in decorators)
    if isinstance(node, Function):
        _add_function(found, node)
    elif isinstance(node, ast.ClassDef):
        found.bases = tuple(purity.dotted(base) for base in node.bases)
        found.has_keywords = bool(node.keywords)
        found.is_record = _is_record(node)
    elif isinstance(node, ast.Assign):
        found.is_alias = isinstance(node.value, ast.Name | ast.Attribute)
        made = isinstance(node.value, ast.Call) and purity.dotted(node.value.func)
        found.is_record = bool(made) and str(made).endswith("namedtuple")
    return found


def _add_function(found: UnitFacts, node: Function) -> None:
    shown = [arg.annotation for arg in _arguments(node.args) if arg.annotation is not None]
    shown += [node.returns] if node.returns is not None else []
    found.annotations = read(shown) if shown else _NOTHING
    found.parameters = _parameters(node.args)
    for decorator in filter(is_fixture, node.decorator_list):
        found.is_fixture = True
        found.is_wide = _scope_of(decorator) not in (None, "function")
    if any(isinstance(part, Function) for part in node.body):
        found.wraps = _only_wraps(node, called=False)
        found.wraps_called = _only_wraps(node, called=True)


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
            # Within a function it is not known what a name of the functions around it is bound to.
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


def asked_for(node: ast.Import | ast.ImportFrom, alias: ast.alias) -> Reference:
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
