"""Who is affected by a function that has other parameters, or is new, without running it.

A caller runs it, which is seen.  What is left are calls that its parameters refuse, and
code that hands the function on, so that it is not known how it is called.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import field
from typing import Final

from flakefighters.model import ChangeKind, Link, Via
from flakefighters.reach.names import Names
from flakefighters.reach.project import Project
from flakefighters.reach.readers import Readers, unit_of
from flakefighters.records import record
from flakefighters.source.facts import UnitFacts
from flakefighters.source.reads import Call, Reads

__all__ = ["callers"]

_CONSTRUCTORS: Final = frozenset({"__init__", "__new__"})
_PROPERTIES: Final = frozenset({"cached_property", "property", "setter"})
_ROUNDS: Final = 10


def callers(path: str, name: str, project: Project, *, added: bool = False) -> Readers | None:
    """Who may be refused by the function of that qualified name, or holds it.

    None if there is no such function, or several of the name.  ``added``: there was none before.
    """
    found = [one for one in project.facts(path).units if one.name == name]
    if len(found) != 1 or found[0].parameters is None:
        return None
    search = _Search(path, found[0], project)
    owner = next((one for one in project.facts(path).units if one.name == found[0].scope), None)
    search.unlikely = added and owner is not None and not owner.bases
    for _ in range(_ROUNDS):
        before = len(search.called.log)
        search.look()
        if len(search.called.log) == before:
            return Readers(frozenset(search.links))
    return Readers(frozenset(search.links), complete=False)


@record
class _Search:
    path: str
    target: UnitFacts
    project: Project
    #: What the function (of a constructor: the class) is called.
    called: Names = field(default_factory=Names)
    links: set[Link] = field(default_factory=set)
    #: Classes that inherit from the one whose constructor it is, by their last names.
    heirs: set[str] = field(default_factory=set)
    #: It is new in a class without bases: who called something of that name called another thing.
    unlikely: bool = False

    def __post_init__(self) -> None:
        scope = self.target.scope
        if self.constructs:
            owner = (scope or "").rpartition(".")[2]
            self.called.add(self.path, [owner], member="." in (scope or ""))
        else:
            self.called.add(self.path, [self.target.own_name], member=scope is not None)

    @property
    def is_method(self) -> bool:
        return self.target.scope is not None

    @property
    def constructs(self) -> bool:
        return self.is_method and self.target.own_name in _CONSTRUCTORS

    def look(self) -> None:
        names = self.called.all() | (self.heirs and {"super", *_CONSTRUCTORS})
        for path in self.project.mentioning(names):
            for unit in self.project.looking_up(path, names):
                if (path, unit.name) != (self.path, self.target.name):
                    self._unit(path, unit)

        self._computing()

    def _computing(self) -> None:
        """Code that computes what it calls may call it."""
        kinds = {"any", "own", "text"}
        if (self.is_method and not self.constructs) or self.project.escaped(self.called.holders()):
            kinds.add("member")
        for path, unit in self.project.computing():
            near = unit.kind is ChangeKind.FUNCTION and self.project.mentions(path, self.path)
            if near and unit.reads.may_compute(kinds, self.called.all()):
                self.links.add(Link(Via.MAY_READ, unit_of(path, unit)))

    def _unit(self, path: str, unit: UnitFacts) -> None:
        inner = unit.scope is not None
        in_class = inner and unit.kind is ChangeKind.STATEMENT
        met = self.called.read_by(unit.reads, path, self.project, in_class=in_class)
        inherits = (unit.scope or "").rpartition(".")[2] in self.heirs
        if not (met or inherits):
            return
        if unit.imports is not None:
            self.called.add(path, unit.binds, member=inner)
        elif unit.kind is ChangeKind.CLASS:
            if self.constructs and self.called.read_by(unit.head, path, self.project):
                self._heir(path, unit, inner)
        elif unit.kind is ChangeKind.STATEMENT and unit.is_alias and met:
            self.called.add(path, unit.binds, member=inner)
        elif unit.kind is ChangeKind.FUNCTION:
            use = self._use(unit.reads, met, inherits)
            if use is not None:
                self.links.add(Link(use, unit_of(path, unit)))
        elif self._use(unit.reads, met, inherits) is not None:
            self.links.add(Link(Via.HANDED, unit_of(path, unit)))

    def _heir(self, path: str, unit: UnitFacts, inner: bool) -> None:
        """A class that inherits from the one is made by the same constructor, or its own."""
        # What else it inherits from may come before the one.
        self.heirs |= {unit.own_name, *(base.rpartition(".")[2] for base in unit.bases)}
        own = {one.own_name for one in self.project.facts(path).units if one.scope == unit.name}
        if own.isdisjoint(_CONSTRUCTORS):
            self.called.add(path, [unit.own_name], member=inner)

    def _use(self, reads: Reads, met: bool, inherits: bool) -> Via | None:
        """What some code does with the function, the worst of it; None if all calls fit."""
        if not self.target.decorators.isdisjoint(_PROPERTIES):
            return None  # reading it runs it
        names = self.called.all()
        worst: Via | None = None
        for call in reads.calls:
            if self.constructs and call.name in _CONSTRUCTORS:
                is_meant = inherits or call.base in names
            else:
                is_meant = met and call.name in names
            if not is_meant:
                continue
            fits = self._fits(call, names)
            if fits is False:
                return Via.READ
            worst = worst if fits else Via.MAY_READ
        handed_on = {one.rpartition(".")[2] for one in reads.handed_on}
        if not names.isdisjoint(reads.words | handed_on):
            worst = Via.MAY_READ
        return worst

    def _fits(self, call: Call, names: set[str]) -> bool | None:
        """Whether a call suits the parameters; None if that cannot be told."""
        parameters = self.target.parameters
        if call.given is None or parameters is None:
            return None
        fits = {
            parameters.take(call.given + implicit, call.keywords)
            for implicit in self._implicit(call, names)
        }
        found = fits.pop() if len(fits) == 1 else None
        return None if self.unlikely and not found else found

    def _implicit(self, call: Call, names: set[str]) -> Iterator[int]:
        """How many arguments a call may add in front: the object of a method."""
        if not self.is_method or "staticmethod" in self.target.decorators:
            yield 0
        elif self.constructs and call.name in _CONSTRUCTORS:
            yield 0 if call.base in names else 1
        elif self.constructs or call.base == "self":
            yield 1
        else:
            yield 1
            base = call.base or "_"
            if call.base == "" or base[:1].isupper() or base == "cls":
                yield 0
