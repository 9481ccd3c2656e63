"""Two scopes side by side: which units pair up, and which of the pairs differ."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from flakefighters.model import Change, ChangeKind
from flakefighters.source import exposure as naming
from flakefighters.source.entries import Entry, definition, entries, module_docstring
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


class Comparison:
    """Collects the changes between two versions of the file at ``path``.

    ``lines`` are those of both versions, or two empty lists: definitions whose text is equal need
    no closer look.
    """

    def __init__(
        self,
        path: str,
        counts: Policy,
        lines: tuple[list[bytes], list[bytes]],
        around: naming.Around | None = None,
    ):
        self._path = path
        self._around = around
        self._counts = counts
        self._old_lines, self._new_lines = lines
        self._found: list[Change] = []

    def modules(self, old: ast.Module, new: ast.Module) -> list[Change]:
        """Compare two whole files."""
        before, after = self._members(old), self._members(new)
        foreign = {name for entry in (*before, *after) if entry.alias for name in entry.names}
        kept = naming.modules_of(before) & naming.modules_of(after)
        literals = naming.literals_of([*before, *after])
        for pair, how in self._scopes(before, after, "", None):
            entry = pair.shown
            names = naming.of_statement(pair, foreign, self._around, kept, literals)
            if naming.is_type_variable(pair) and not self._counts.annotated:
                names = ()
            if how == "moved":
                how, names = "changed", (*names, naming.ANY)
            self._add(entry.kind, entry.label, pair.new, how, names)
        return self._found

    def _members(self, tree: ast.Module) -> list[Entry]:
        members = entries(tree.body, self._counts, Place.MODULE)
        doc = module_docstring(tree, self._counts.docs)
        return [doc, *members] if doc else members

    def _scopes(
        self, old: Sequence[Entry], new: Sequence[Entry], prefix: str, owner: Definition | None
    ) -> list[tuple[Pair, str]]:
        """Compare two bodies; ``owner`` is the class or function that they belong to.

        Returns the statements that differ and how: the caller knows what they are part of.
        """
        differing: list[tuple[Pair, str]] = []
        together: list[tuple[int, int, Entry]] = []
        told: set[int] = set()
        for pair in paired(old, new):
            before = len(self._found) + len(differing)
            self._pair(pair, prefix, owner, differing)
            if len(self._found) + len(differing) > before:
                told.add(id(pair.new))
            if pair.old is not None and pair.new is not None and not pair.new.inside:
                together.append((pair.place, pair.former_place, pair.new))
        if not isinstance(owner, Function):
            together.sort(key=lambda member: member[0])
            order = [(former, entry) for _, former, entry in together]
            shown = {"cls", owner.name} if isinstance(owner, ast.ClassDef) else set()
            listed = not shown.isdisjoint(self._counts.listed)
            if owner is None and self._around is not None:
                listed = self._around.is_listed()
            moved = displaced(order, listed=listed)
            if isinstance(owner, ast.ClassDef) and (owner.bases or owner.decorator_list):
                # Of data classes, named tuples and enumerations the order of fields is told.
                fields = [one for one in order if one[1].kind is ChangeKind.STATEMENT]
                moved += [one for one in displaced(fields, listed=True) if one not in moved]
            for entry in moved:
                if id(entry) not in told:
                    self._moved(entry, prefix, differing)
        return differing

    def _pair(
        self,
        pair: Pair,
        prefix: str,
        owner: Definition | None,
        differing: list[tuple[Pair, str]],
    ) -> None:
        old, new = pair.old, pair.new
        if pair.shown.kind is ChangeKind.STATEMENT:
            if old is None or new is None or old.key != new.key:
                differing.append((pair, pair.how))
        elif old is None or new is None:
            self._one_sided(pair, prefix, owner)
        elif self._equal_text(old, new):
            return
        elif isinstance(old.node, ast.ClassDef) and isinstance(new.node, ast.ClassDef):
            self._classes(pair, old.node, new.node, prefix + new.name, owner)
        elif isinstance(old.node, Function) and isinstance(new.node, Function):
            self._functions(pair, old.node, new.node, prefix + new.name, owner)

    def _equal_text(self, old: Entry, new: Entry) -> bool:
        text = self._new_lines[new.first - 1 : new.last]
        return bool(text) and text == self._old_lines[old.first - 1 : old.last]

    def _moved(self, entry: Entry, prefix: str, differing: list[tuple[Pair, str]]) -> None:
        """A unit that does the same at another place, where that matters to whoever imports it."""
        if entry.kind is ChangeKind.STATEMENT:
            differing.append((Pair(entry, entry), "moved"))
        else:
            mark = naming.ATTRIBUTE if prefix else ""
            names = (*(mark + name for name in entry.names), naming.ANY)
            self._add(entry.kind, prefix + entry.name, entry, "changed", names)

    # -- pairs of definitions ----------------------------------------------------------------

    def _functions(
        self, pair: Pair, old: Function, new: Function, name: str, owner: Definition | None
    ) -> None:
        nested_old: list[Definition] = []
        nested_new: list[Definition] = []
        body_old = key([old.body], self._counts, Place.FUNCTION, nested_old)
        body_new = key([new.body], self._counts, Place.FUNCTION, nested_new)
        called = header_key(old, self._counts) != header_key(new, self._counts)
        # Calling a generator does not run its body.
        switched = _yields(body_old) != _yields(body_new)
        if called or switched or body_old != body_new:
            names = self._named(old, name, owner) + self._named(new, name, owner)
            by_call = (
                not switched
                and called
                and shell_key(old, self._counts) == shell_key(new, self._counts)
                and naming.reached_by_calls(old, owner, self._around)
                and naming.reached_by_calls(new, owner, self._around)
            )
            shown = body_old == body_new and not switched and self._only_shown(old, new)
            if shown or not (called or switched or naming.keeps_results(new)):
                names = ()
            by_run = not shown and (
                not by_call
                or self._counts.annotated
                or body_old != body_new
                or call_key(old, self._counts) != call_key(new, self._counts)
            )
            self._add(
                ChangeKind.FUNCTION,
                name,
                pair.new,
                "changed",
                names,
                by_call=by_call and not shown,
                by_run=by_run,
            )
        if nested_old or nested_new:
            self._scopes(
                list(map(definition, nested_old)),
                list(map(definition, nested_new)),
                f"{name}{LOCALS}.",
                new,
            )

    def _only_shown(self, old: Definition, new: Definition) -> bool:
        """Whether no more differs of two headers than examples, which only pytest runs."""
        return not self._counts.examples and header_key(
            old, self._counts, examples=False
        ) == header_key(new, self._counts, examples=False)

    def _classes(
        self,
        pair: Pair,
        old: ast.ClassDef,
        new: ast.ClassDef,
        name: str,
        owner: Definition | None,
    ) -> None:
        place, before = len(self._found), entries(old.body, self._counts, Place.CLASS)
        after = entries(new.body, self._counts, Place.CLASS)
        differing = self._scopes(before, after, f"{name}.", new)
        names: tuple[str, ...] = ()
        headed = header_key(old, self._counts) != header_key(new, self._counts)
        shown = headed and not differing and self._only_shown(old, new)
        if headed and not shown:
            names = self._named(old, name, owner) + self._named(new, name, owner)
        nested = "." in name
        for statement, how in differing:
            names += naming.of_attribute(statement, old, new, nested=nested, around=self._around)
            if how == "moved":
                names += ((naming.ATTRIBUTE if nested else "") + new.name,)
        if headed or differing:
            by_run = not shown
            self._add(
                ChangeKind.CLASS,
                name,
                pair.new,
                "changed",
                names,
                place,
                by_run=by_run,
                # An attribute, too, if a base may be who reads it: unittest's maxDiff.
                headed=not shown and (headed or bool(new.bases)),
            )

    def _one_sided(self, pair: Pair, prefix: str, owner: Definition | None) -> None:
        """A definition that came or went, and what a new one holds."""
        entry, name = pair.shown, prefix + pair.shown.name
        names = self._named(entry.node, name, owner, gone=pair.new is None)
        by_call = pair.new is not None and naming.reached_by_calls(
            entry.node, owner, self._around, added=True
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

    def _named(
        self, node: ast.AST, name: str, owner: Definition | None, *, gone: bool = False
    ) -> naming.Names:
        nested = name.count(".") > 1
        return naming.of_definition(node, owner, nested=nested, around=self._around, gone=gone)

    def _add(
        self,
        kind: ChangeKind,
        unit: str,
        new: Entry | None,
        how: str,
        names: Sequence[str],
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
            headed=headed or (bool(names) and naming.sets_up(unit)),
        )
        self._found.insert(len(self._found) if place is None else place, change)


def _yields(body: tuple[object, ...]) -> bool:
    return ast.Yield in body or ast.YieldFrom in body
