"""Two scopes side by side: which units pair up, and which of the pairs differ."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass, field

from flakefighters.model import EVERYONE, Change, ChangeKind, Name, Scope
from flakefighters.source import exposure
from flakefighters.source.entries import Entry, definition, entries, module_docstring
from flakefighters.source.exposure import Owner
from flakefighters.source.fingerprints import (
    Definition,
    Function,
    Place,
    call_key,
    header_key,
    key,
    shell_key,
)
from flakefighters.source.order import displaced
from flakefighters.source.pairs import Pair, paired
from flakefighters.source.parse import Policy
from flakefighters.source.walk import LOCALS, nested_definitions

__all__ = ["Comparison"]

#: Statements of a scope that differ, and how: the caller knows what they are part of.
Differing = list[tuple[Pair, str]]


@dataclass(frozen=True, slots=True)
class _Inside:
    """The place that some units stand in."""

    prefix: str = ""
    owner: Definition | None = None
    #: All classes around it, the outermost first.
    owners: Owner = field(default=())

    def within(self, node: Definition) -> _Inside:
        """The place inside of one of the units."""
        if isinstance(node, ast.ClassDef):
            return _Inside(f"{self.prefix}{node.name}.", node, (*self.owners, node))
        return _Inside(f"{self.prefix}{node.name}{LOCALS}.", node)


class Comparison:
    """Collects the changes between two versions of the file at ``path``.

    ``lines`` are those of both versions, or two empty lists: definitions whose text is equal need
    no closer look.
    """

    def __init__(self, path: str, counts: Policy, lines: tuple[list[bytes], list[bytes]]):
        self._path = path
        self._counts = counts
        self._old_lines, self._new_lines = lines
        self._found: list[Change] = []

    def modules(self, old: ast.Module, new: ast.Module) -> list[Change]:
        """Compare two whole files."""
        before, after = self._members(old), self._members(new)
        foreign = {name for entry in (*before, *after) if entry.alias for name in entry.names}
        own = exposure.tables_of([*before, *after])
        kept = exposure.modules_of(before) & exposure.modules_of(after)
        for pair, how in self._scopes(before, after, _Inside()):
            entry = pair.shown
            names = exposure.of_statement(pair, foreign, own, kept)
            if exposure.is_type_variable(pair) and not self._counts.annotated:
                names = ()
            if how == "moved":
                how, names = "changed", (*names, EVERYONE)
            self._add(entry.kind, entry.label, pair.new, how, names)
        return self._found

    def _members(self, tree: ast.Module) -> list[Entry]:
        members = entries(tree.body, self._counts, Place.MODULE)
        doc = module_docstring(tree, self._counts.docs)
        return [doc, *members] if doc else members

    def _scopes(self, old: Sequence[Entry], new: Sequence[Entry], inside: _Inside) -> Differing:
        """Compare two bodies."""
        differing: Differing = []
        together: list[tuple[int, int, Entry]] = []
        told: set[int] = set()
        for pair in paired(old, new):
            before = len(self._found) + len(differing)
            self._pair(pair, inside, differing)
            if len(self._found) + len(differing) > before:
                told.add(id(pair.new))
            if pair.old is not None and pair.new is not None and not pair.new.inside:
                together.append((pair.place, pair.former_place, pair.new))
        if not isinstance(inside.owner, Function):
            together.sort(key=lambda member: member[0])
            order = [(former, entry) for _, former, entry in together]
            for entry in _moved(order, inside.owner):
                if id(entry) not in told:
                    self._move(entry, inside, differing)
        return differing

    def _pair(self, pair: Pair, inside: _Inside, differing: Differing) -> None:
        old, new = pair.old, pair.new
        if pair.shown.kind is ChangeKind.STATEMENT:
            if old is None or new is None or old.key != new.key:
                differing.append((pair, pair.how))
        elif old is None or new is None:
            self._one_sided(pair, inside)
        elif self._equal_text(old, new):
            return
        elif isinstance(old.node, ast.ClassDef) and isinstance(new.node, ast.ClassDef):
            self._classes(pair, old.node, new.node, inside)
        elif isinstance(old.node, Function) and isinstance(new.node, Function):
            self._functions(pair, old.node, new.node, inside)

    def _equal_text(self, old: Entry, new: Entry) -> bool:
        text = self._new_lines[new.first - 1 : new.last]
        return bool(text) and text == self._old_lines[old.first - 1 : old.last]

    def _move(self, entry: Entry, inside: _Inside, differing: Differing) -> None:
        """A unit that does the same at another place, where that matters to its importers."""
        if entry.kind is ChangeKind.STATEMENT:
            differing.append((Pair(entry, entry), "moved"))
            return
        scope = Scope.MEMBER if inside.prefix else Scope.MODULE
        names = (*(Name(scope, name) for name in entry.names), EVERYONE)
        self._add(entry.kind, inside.prefix + entry.name, entry, "changed", names)

    # -- pairs of definitions ----------------------------------------------------------------

    def _functions(self, pair: Pair, old: Function, new: Function, inside: _Inside) -> None:
        counts, name = self._counts, inside.prefix + new.name
        nested_old: list[Definition] = []
        nested_new: list[Definition] = []
        body_old = key([old.body], counts, Place.FUNCTION, nested_old)
        body_new = key([new.body], counts, Place.FUNCTION, nested_new)
        called = header_key(old, counts) != header_key(new, counts)
        # Calling a generator does not run its body.
        switched = _yields(body_old) != _yields(body_new)
        if switched or body_old != body_new or (called and not self._only_shown(old, new)):
            by_call = called and not switched and self._only_refuses(old, new, inside.owner)
            by_run = (
                not by_call
                or counts.annotated
                or body_old != body_new
                or call_key(old, counts) != call_key(new, counts)
            )
            names: exposure.Names = ()
            if called or switched or exposure.keeps_results(new):
                names = self._named(old, inside) + self._named(new, inside)
            self._add(
                *(ChangeKind.FUNCTION, name, pair.new, "changed", names),
                by_call=by_call,
                by_run=by_run,
            )
        elif called:
            self._add(ChangeKind.FUNCTION, name, pair.new, "changed", (), by_run=False)
        before, after = map(definition, nested_old), map(definition, nested_new)
        self._scopes(list(before), list(after), inside.within(new))

    def _only_refuses(self, old: Function, new: Function, owner: Definition | None) -> bool:
        """Whether no more differs of two headers than which calls they refuse."""
        return (
            shell_key(old, self._counts) == shell_key(new, self._counts)
            and exposure.reached_by_calls(old, owner)
            and exposure.reached_by_calls(new, owner)
        )

    def _only_shown(self, old: Definition, new: Definition) -> bool:
        """Whether no more differs of two headers than examples, which only pytest runs."""
        one, other = (header_key(node, self._counts, examples=False) for node in (old, new))
        return one == other

    def _classes(self, pair: Pair, old: ast.ClassDef, new: ast.ClassDef, inside: _Inside) -> None:
        here, inner = len(self._found), inside.within(new)
        before = entries(old.body, self._counts, Place.CLASS)
        after = entries(new.body, self._counts, Place.CLASS)
        differing = self._scopes(before, after, inner)
        names: exposure.Names = ()
        headed = header_key(old, self._counts) != header_key(new, self._counts)
        shown = headed and not differing and self._only_shown(old, new)
        if headed and not shown:
            names = self._named(old, inside) + self._named(new, inside)
        nested = bool(inside.owners)
        for statement, how in differing:
            for owners in (inner.owners, (*inside.owners, old)):
                names += exposure.of_attribute(statement, owners)
            if how == "moved":
                names += (Name(Scope.MEMBER if nested else Scope.MODULE, new.name),)
        if headed or differing:
            self._add(
                ChangeKind.CLASS,
                inside.prefix + new.name,
                pair.new,
                "changed",
                names,
                here,
                by_run=not shown,
                # An attribute, too, if a base may be who reads it: unittest's maxDiff.
                headed=not shown and (headed or bool(new.bases)),
            )

    def _one_sided(self, pair: Pair, inside: _Inside) -> None:
        """A definition that came or went, and what a new one holds."""
        entry, name = pair.shown, inside.prefix + pair.shown.name
        names = self._named(entry.node, inside, gone=pair.new is None)
        by_call = pair.new is not None and exposure.reached_by_calls(
            entry.node, inside.owner, added=True
        )
        self._add(entry.kind, name, pair.new, pair.how, names, by_call=by_call)
        if pair.new is not None:
            self._held(entry, name)

    def _held(self, entry: Entry, name: str) -> None:
        """What a new definition holds: who gets at it names what holds it, or runs it."""
        inner: list[Entry] = []
        if isinstance(entry.node, ast.ClassDef):
            prefix = f"{name}."
            inner = [
                member
                for member in entries(entry.node.body, self._counts, Place.CLASS)
                if member.kind is not ChangeKind.STATEMENT
            ]
        elif isinstance(entry.node, Function):
            prefix = f"{name}{LOCALS}."
            inner = list(map(definition, nested_definitions(entry.node.body)))
        for member in inner:
            self._add(member.kind, prefix + member.name, member, "added", ())
            self._held(member, prefix + member.name)

    def _named(self, node: ast.AST, inside: _Inside, *, gone: bool = False) -> exposure.Names:
        return exposure.of_definition(node, inside.owner, inside.owners, gone=gone)

    def _add(
        self,
        kind: ChangeKind,
        unit: str,
        new: Entry | None,
        how: str,
        names: Sequence[Name],
        place: int | None = None,
        *,
        by_call: bool = False,
        by_run: bool = True,
        headed: bool = False,
    ) -> None:
        change = Change(
            kind=kind,
            path=self._path,
            unit=unit,
            line=new.first if new else None,
            how=how,
            names=tuple(dict.fromkeys(names)),
            by_call=by_call,
            by_run=by_run,
            headed=headed or (bool(names) and exposure.sets_up(unit)),
        )
        self._found.insert(len(self._found) if place is None else place, change)


def _moved(order: list[tuple[int, Entry]], owner: Definition | None) -> list[Entry]:
    moved = displaced(order)
    if isinstance(owner, ast.ClassDef) and (owner.bases or owner.decorator_list):
        # Of data classes, named tuples and enumerations the order of fields is told.
        fields = [one for one in order if one[1].kind is ChangeKind.STATEMENT]
        moved += [one for one in displaced(fields, listed=True) if one not in moved]
    return moved


def _yields(body: tuple[object, ...]) -> bool:
    return ast.Yield in body or ast.YieldFrom in body
