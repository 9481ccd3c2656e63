"""What code that ran earlier in a process may have left behind for a test.

Asked of the functions that ran: what they alter for others (:attr:`Reads.alters`), and what they
keep of results.  Gyori et al. (PolDet, ISSTA 2015) call it pollution.
"""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterable, Iterator
from typing import Final

from flakefighters.model import EVERYONE, ChangeKind, Name, Scope, Unit, Via
from flakefighters.reach import tables
from flakefighters.reach.project import Project
from flakefighters.reach.readers import readers
from flakefighters.source.facts import UnitFacts

__all__ = ["SideEffects"]

#: So many functions that keep or alter something are followed for one change.
_MOST: Final = 40


class SideEffects:
    """Answers for all failures of a run; what is found out is kept."""

    def __init__(self, project: Project):
        self._project = project
        self._readers: dict[tuple[str, frozenset[Name]], frozenset[Unit]] = {}
        self._lasting: frozenset[str] | None = None

    def left_to(self, units: Iterable[Unit], ran: Collection[Unit]) -> bool:
        """Whether one of ``ran`` reads what earlier ``units`` alter, or keep of their results."""
        for unit in list(units)[:_MOST]:
            facts = self._project.facts(unit.path).at(unit.name, unit.line)
            if facts is None:
                continue
            names: dict[str, set[Name]] = {}
            for path, name in self._altered(unit.path, facts):
                names.setdefault(path, set()).add(name)
            if self._writes_for(facts, ran):
                return True
            for path, some in names.items():
                if EVERYONE in some or not self._read_by(path, frozenset(some)).isdisjoint(ran):
                    return True
        return False

    def _writes_for(self, facts: UnitFacts, ran: Collection[Unit]) -> bool:
        """Whether it writes a file, and one of ``ran`` has a name of a file from its text."""
        called = {call.name for call in facts.reads.calls}
        if called.isdisjoint(tables.FILE_WRITERS) and not (
            "open" in called and facts.reads.words & tables.WRITING_MODES
        ):
            return False
        named = {text for text in facts.reads.texts if "." in text or "/" in text}
        others = (self._project.facts(unit.path).at(unit.name, unit.line) for unit in ran)
        return any(one is not None and not named.isdisjoint(one.reads.texts) for one in others)

    def read_by(self, path: str, names: Collection[Name], ran: Collection[Unit]) -> bool:
        """Whether one of ``ran`` reads one of the names, which are bound in a file."""
        return not self._read_by(path, frozenset(names)).isdisjoint(ran)

    def _altered(self, path: str, facts: UnitFacts) -> Iterator[tuple[str, Name]]:
        """Names with the files that they are bound in."""
        modules = self._project.plain_modules(path)
        origins = {
            bound: wanted.names[0]
            for bound, wanted in self._project.facts(path).modules()
            if wanted.names
        }
        # ``json.JSONEncoder.item_separator = "#"``: all that use the library may see it.
        libraries = modules | sys.stdlib_module_names
        for name in facts.reads.alters:
            if name.scope is Scope.MODULE and name.text in origins:
                yield path, Name(Scope.ANYWHERE, origins[name.text])
            elif name.scope is Scope.MODULE and name.text in libraries:
                yield path, Name(Scope.ANYWHERE, name.text)
            elif self._outlives_test(name, facts):
                yield path, name
        yield from self._by_calls(facts)
        if facts.keeps_results:
            member = facts.scope is not None
            yield path, Name(Scope.MEMBER if member else Scope.MODULE, facts.own_name)

    def _outlives_test(self, name: Name, facts: UnitFacts) -> bool:
        if name.scope is Scope.FIXTURE:
            return name.text in self._project.wide_fixtures()
        return name.scope is not Scope.MEMBER or self._is_lasting(facts)

    def _by_calls(self, facts: UnitFacts) -> Iterator[tuple[str, Name]]:
        """What functions alter that it calls by name, one call deep."""
        called = {call.name for call in facts.reads.calls}
        for path in self._project.mentioning(called) if called else ():
            for one in self._project.facts(path).units:
                if one.own_name in called and one.kind is ChangeKind.FUNCTION and one is not facts:
                    for name in one.reads.alters:
                        if name.scope is Scope.MODULE or name is EVERYONE:
                            yield path, name

    def _is_lasting(self, facts: UnitFacts) -> bool:
        """Whether an object of the class may live longer than a test."""
        owner = (facts.scope or "").rpartition(".")[2]
        if "classmethod" in facts.decorators:
            return True
        if self._lasting is None:
            self._lasting = frozenset(
                call.name
                for path in self._project.paths
                for one in self._project.facts(path).units
                if one.is_wide or (one.scope is None and one.kind is ChangeKind.STATEMENT)
                for call in one.reads.calls
            )
        return owner in self._lasting

    def _read_by(self, path: str, names: frozenset[Name]) -> frozenset[Unit]:
        key = (path, names)
        if key not in self._readers:
            found = readers(path, names, self._project)
            self._readers[key] = frozenset(
                link.unit for link in found.links if link.via in (Via.READ, Via.MAY_READ)
            )
        return self._readers[key]
