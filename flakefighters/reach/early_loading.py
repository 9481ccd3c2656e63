"""Code that may have run before the trace began: plugins, and what a library loads for itself."""

from __future__ import annotations

from collections.abc import Collection
from functools import cached_property
from typing import Final

from flakefighters.model import Change, ChangeKind, Name, Scope, Unit, Via
from flakefighters.reach.project import Project, module_parts
from flakefighters.reach.readers import readers_of_results
from flakefighters.source import purity
from flakefighters.source.facts import UnitFacts

__all__ = ["EarlyLoading"]

_CONSTRUCTORS: Final = frozenset({"__init__", "__new__", "__post_init__", "__call__"})
_READING: Final = frozenset({"load", "loads", "open", "read", "read_bytes", "read_text"})


class EarlyLoading:
    """Asked of files that were there when watching began."""

    def __init__(self, project: Project, files: Collection[str]):
        self._project, self._files = project, frozenset(files)

    def readers(self, change: Change) -> frozenset[Unit]:
        """Who reads what was bound with the help of a function that may have run then."""
        if change.kind is not ChangeKind.FUNCTION or change.unit is None or change.line is None:
            return frozenset()
        if not self.may_have_run(Unit(change.path, change.unit, change.line)):
            return frozenset()
        owner, _, name = change.unit.rpartition(".")
        result = Name(Scope.MEMBER if owner else Scope.MODULE, name)
        found = readers_of_results(change.path, [result], self._project)
        return frozenset(link.unit for link in found.links if link.via is Via.READ)

    def may_have_run(self, unit: Unit) -> bool:
        """Whether a function may have run while these files were imported."""
        facts = self._project.facts(unit.path).at(unit.name, unit.line)
        if facts is None:
            return True
        return facts.own_name in self._called or self._is_called_by_library(unit.path, facts)

    def reads_files(self) -> bool:
        """Whether code may have read files then."""
        return any(
            not one.reads.plain().isdisjoint(_READING)
            for path in self._files
            for one in self._project.facts(path).units
            if one.kind is not ChangeKind.FUNCTION or one.own_name in self._called
        )

    def is_imported(self, path: str) -> bool:
        """Whether some file of the project imports one of them, so that libraries need not."""
        parts = module_parts(path)
        return any(
            reference.module[-1:] == parts[-1:] or parts[-1] in reference.names
            for other in self._project.mentioning(parts[-1:])
            if other != path
            for reference in self._project.facts(other).references
        )

    @cached_property
    def _called(self) -> frozenset[str]:
        """Names of all that their bodies may call, directly or not."""
        called: set[str] = set()
        bodies: dict[str, list[UnitFacts]] = {}
        for path in self._files:
            for one in self._project.facts(path).units:
                if one.kind is ChangeKind.FUNCTION:
                    bodies.setdefault(one.own_name, []).append(one)
                    if one.own_name in _CONSTRUCTORS and one.scope is not None:
                        bodies.setdefault(one.scope.rpartition(".")[2], []).append(one)
                    called |= one.head.plain()
                    if one.own_name.startswith("pytest_"):
                        called.add(one.own_name)
                elif one.imports is None:
                    called |= one.reads.plain()
        waiting = list(called)
        while waiting:
            for one in bodies.get(waiting.pop(), ()):
                new = one.reads.plain() - called
                called |= new
                waiting += new
        return frozenset(called)

    def _is_called_by_library(self, path: str, facts: UnitFacts) -> bool:
        """Whether it is a method of a class whose base is not the project's."""
        owner = next(
            (one for one in self._project.facts(path).units if one.name == facts.scope), None
        )
        return owner is not None and not all(
            purity.is_known_base(base) or self._project.defines(base) for base in owner.bases
        )
