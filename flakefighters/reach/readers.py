"""Who reads a changed name: in its own file, and by way of imports in others."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import field
from typing import Final

from flakefighters.model import ChangeKind, Link, Name, Scope, Unit, Via
from flakefighters.reach.names import BUILTINS, Names
from flakefighters.reach.project import Project
from flakefighters.records import NamedTuple, record
from flakefighters.source.entries import STAR
from flakefighters.source.facts import UnitFacts

__all__ = ["Readers", "readers", "readers_of_results", "unit_of"]

#: Steps from a name to what is bound with its help, and so on; no project needs as many.
_ROUNDS: Final = 40
#: What code asks a module for only by its full name, or by one that is put together of it.
_METADATA: Final = re.compile(
    r"__(?:author|contact|copyright|credits|date|email|license|maintainer|status|title|url)__"
    r"|_{0,2}(?:version|VERSION)(?:_info|_tuple|_INFO|_TUPLE)?_{0,2}"
)
#: Files of which no other file asks for a name.
_ALONE: Final = re.compile(r"(?:^|/)(?:conf|noxfile|setup|test_\w+|\w+_test)\.py$")


class Readers(NamedTuple):
    """Who is affected by other values of some names."""

    links: frozenset[Link] = frozenset()
    #: The names, and all that were bound with their help.
    names: frozenset[str] = frozenset()
    #: False if not all could be followed.
    complete: bool = True

    def __or__(self, more: Readers) -> Readers:
        """All who are affected by the one or the other."""
        complete = self.complete and more.complete
        return Readers(self.links | more.links, self.names | more.names, complete)


def unit_of(path: str, facts: UnitFacts) -> Unit:
    """The identity of a unit."""
    return Unit(path, facts.name, facts.first)


@record
class _Search:
    """Names that carry a change on, and whom they reached."""

    project: Project
    #: Bound to another value now.
    values: Names = field(default_factory=Names)
    #: Functions that give another result now: code that calls them at import is affected.
    callables: Names = field(default_factory=Names)
    #: The same for what may be so, as some name is computed on the way; with the files of each.
    doubtful: dict[str, set[str]] = field(default_factory=dict)
    doubtful_callables: dict[str, set[str]] = field(default_factory=dict)
    links: set[Link] = field(default_factory=set)
    #: An annotation reads one of the names, which matters to those who look at annotations.
    annotated: bool = False

    def size(self) -> int:
        found = (*self.doubtful.values(), *self.doubtful_callables.values())
        return len(self.values.log) + len(self.callables.log) + sum(map(len, found))

    def link(self, via: Via, path: str, unit: UnitFacts) -> None:
        self.links.add(Link(via, unit_of(path, unit)))

    def follow(self) -> bool:
        """Follow the names to their readers, and what these bind to theirs; False if cut short."""
        seen = (0, 0)
        for _ in range(_ROUNDS):
            asked = {*self.values.log[seen[0] :], *self.callables.log[seen[1] :]}
            seen = (len(self.values.log), len(self.callables.log))
            if not asked:
                return self._follow_computed()
            for path in self.project.mentioning(asked):
                for unit in self.project.looking_up(path, asked):
                    self.unit(path, unit, frozenset())
        return False

    def _follow_computed(self) -> bool:
        """What may be reached by names that are computed on the way."""
        for _ in range(_ROUNDS):
            before = self.size()
            for path, unit in self.project.computing():
                self.unit(path, unit, self._kinds(path))
            doubtful = self.doubtful.keys() | self.doubtful_callables.keys()
            for path in self.project.mentioning(doubtful):
                for unit in self.project.looking_up(path, doubtful):
                    self.unit(path, unit, self._kinds(path))
            if self.size() == before:
                return True
        return False

    def _kinds(self, path: str) -> frozenset[str]:
        """The ways of computing names in a file that may give one of these."""
        holders = self.values.holders()
        own = path in holders
        if self._is_metadata() and not (own and _ALONE.search(path)):
            return frozenset()
        free = self.values.members or self.values.anywhere or self.project.escaped(holders)
        near = free or any(self.project.mentions(path, holder) for holder in holders)
        return frozenset(
            kind
            for kind, gives in (
                ("any", True),
                ("own", own),
                ("member", free),
                ("text", near or self._reads_text(path)),
                ("fixture", self.values.fixtures),
                ("annotation", self.annotated),
            )
            if gives
        )

    def _reads_text(self, path: str) -> bool:
        """Whether a file may run the text of others as code."""
        content = self.project.files.content(path)
        return b"open" in content or b"read" in content

    def _is_metadata(self) -> bool:
        """Whether all of it tells of the project: its version, its author."""
        values = self.values
        own = {name for name, files in values.globals.items() if all(map(_ALONE.search, files))}
        marked = {*values.members, *values.fixtures, *values.anywhere}
        return not marked and all(map(_METADATA.fullmatch, values.globals.keys() - own))

    # -- one unit ----------------------------------------------------------------------------

    def unit(self, path: str, unit: UnitFacts, kinds: frozenset[str]) -> None:
        """One unit that looks up one of the names: is it affected, and what does it carry on?"""
        if unit.kind is ChangeKind.FUNCTION:
            self._function(path, unit, kinds)
        elif unit.imports is not None:
            self._import(path, unit)
        elif unit.kind is ChangeKind.CLASS:
            if not unit.is_local and self._read(path, unit.head, in_class=unit.scope is not None):
                self.values.add(path, unit.binds, member=unit.scope is not None)
                self.link(Via.READ, path, unit)
        elif not unit.is_local:
            self._statement(path, unit, kinds)

    def _read(self, path: str, reads, *, in_class: bool = False) -> bool:  # type: ignore[no-untyped-def]
        return self.values.read_by(reads, path, self.project, in_class=in_class)

    def _function(self, path: str, unit: UnitFacts, kinds: frozenset[str]) -> None:
        inner = unit.scope is not None
        # Only pytest asks for a test, and no other code for a local name.
        local = unit.is_local or unit.own_name.startswith("test_")
        headed = self._read(path, unit.head, in_class=inner)
        self.annotated = self.annotated or self._read(path, unit.annotations)
        if headed or self._read(path, unit.reads):
            asks = not unit.reads.parameters.isdisjoint(self.values.fixtures)
            if headed or asks:
                self.link(Via.ASK, path, unit)
                if unit.is_fixture:
                    self.values.add_all(path, [Name(Scope.FIXTURE, unit.own_name)])
            self.link(Via.READ, path, unit)
            if not local:
                self.callables.add(path, [unit.own_name], member=inner)
                if headed:  # another default or decorator
                    self.values.add(path, [unit.own_name], member=inner)
        elif kinds and unit.reads.may_compute(kinds, self.values.all()):
            self.link(Via.MAY_READ, path, unit)
            if not inner:  # too many methods share their names
                self._doubt(path, [unit.own_name], self.doubtful_callables)
        elif self._among(unit, path, self.doubtful):
            self.link(Via.MAY_READ, path, unit)

    def _import(self, path: str, unit: UnitFacts) -> None:
        inner = unit.scope is not None
        if unit.binds == (STAR,):
            for names in (self.values, self.callables):
                names.add(path, self._starred(path, unit, names))
        elif self._read(path, unit.reads):
            self.values.add(path, unit.binds, member=inner)
        elif self.callables.read_by(unit.reads, path, self.project):
            self.callables.add(path, unit.binds, member=inner)
        if self._among(unit, path, self.doubtful):
            self._doubt(path, unit.binds, self.doubtful)
        elif self._among(unit, path, self.doubtful_callables):
            self._doubt(path, unit.binds, self.doubtful_callables)

    def _starred(self, path: str, unit: UnitFacts, names: Names) -> list[str]:
        """The names among some that ``from module import *`` may bring."""
        module = unit.imports.module if unit.imports is not None else ()
        base = module[-1] if module else "."
        return [
            name
            for name, files in list(names.globals.items())
            if path not in files and any(self.project.may_be(base, file) for file in files)
        ]

    def _statement(self, path: str, unit: UnitFacts, kinds: frozenset[str]) -> None:
        inner = unit.scope is not None
        hit = self._read(path, unit.reads, in_class=inner)
        called = hit or self.callables.read_by(unit.reads, path, self.project, in_class=inner)
        if called:
            self.values.add(path, unit.binds, member=inner)
            self.values.add_all(
                path, map(_as_member, unit.reads.alters) if inner else unit.reads.alters
            )
            if self._is_unclear(path, unit):
                self.link(Via.HANDED, path, unit)
        elif self._among(unit, path, self.doubtful, self.doubtful_callables) or (
            kinds and unit.reads.may_compute(kinds, self.values.all())
        ):
            self._doubt(path, unit.binds, self.doubtful)
            holders = self.values.holders() - {path}
            if any(self.project.mentions(path, one) for one in holders) and self._is_unclear(
                path, unit
            ):
                self.link(Via.HANDED, path, unit)

    def _is_unclear(self, path: str, unit: UnitFacts) -> bool:
        """Whether it does not show what a call does with it: ``TABLE.update(RATES)`` does."""
        if not any(self.project.holds(condition, path) for condition in unit.impure):
            return False
        modules = self.project.plain_modules(path)
        shown = any(
            name.scope is Scope.MODULE and name.text not in modules for name in unit.reads.alters
        )
        return not (shown and not unit.binds)

    def _among(self, unit: UnitFacts, path: str, *doubtful: Mapping[str, set[str]]) -> bool:
        plain = unit.reads.plain()
        return any(
            self.project.mentions(path, other)
            for names in doubtful
            for name in plain & names.keys()
            for other in names[name]
        )

    def _doubt(self, path: str, names: Iterable[str], to: dict[str, set[str]]) -> None:
        for name in names:
            if not name.startswith(("__", "test_")):  # too many share them
                to.setdefault(name, set()).add(path)


def _as_member(name: Name) -> Name:
    """A name as it is bound in the body of a class."""
    return Name(Scope.MEMBER, name.text) if name.scope is Scope.MODULE else name


def readers(path: str, names: Iterable[Name], project: Project, *, added: bool = False) -> Readers:
    """Who is affected by other values of ``names``, bound in ``path`` (as ``Change.names``).

    ``added``: they were bound to nothing before, so that in this file only what changed itself
    reads them, or what expects that they are missing.

    A function that reads a name passes it on only to what calls the function at import: whoever
    calls it later runs it.
    """
    search = _Search(project)
    search.values.add_all(path, names)
    facts = project.facts(path)
    if added and not facts.has_star and not _expects_missing(project.files.content(path)):
        bound = facts.bound()
        search.values.new = {(path, name.text) for name in names if bound.get(name.text) == 1} - {
            (path, name) for name in BUILTINS
        }
    return _found(search)


def readers_of_results(path: str, names: Iterable[Name], project: Project) -> Readers:
    """Who reads what was bound at import with the help of functions of these names."""
    search = _Search(project)
    search.callables.add_all(path, names)
    return _found(search)


def _found(search: _Search) -> Readers:
    complete = search.follow()
    everything = frozenset(search.values.all() | search.doubtful.keys())
    sure = {link.unit for link in search.links if link.via is Via.READ}
    links = frozenset(
        link for link in search.links if link.via is not Via.MAY_READ or link.unit not in sure
    )
    return Readers(links, everything, complete)


#: Where code may have gone on without a name: it is caught that there is none.
_MISSING: Final = re.compile(
    rb"\bNameError\b|\bexcept\s*:|\bexcept\b[^:\n]*\b(?:Base)?Exception\b|\bsuppress\s*\("
)


def _expects_missing(content: bytes) -> bool:
    return _MISSING.search(content) is not None
