"""Changed names, and whether some code may look one of them up."""

from __future__ import annotations

import builtins
from collections.abc import Iterable
from dataclasses import field
from typing import Final

from flakefighters.model import Name, Scope
from flakefighters.reach.project import Project
from flakefighters.records import record
from flakefighters.source.reads import Reads

__all__ = ["BUILTINS", "Names"]

BUILTINS: Final = frozenset(dir(builtins))


@record
class Names:
    """Names of modules, of classes, of fixtures."""

    #: Name to the files whose modules have it.
    globals: dict[str, set[str]] = field(default_factory=dict)
    #: What any object may have.
    members: set[str] = field(default_factory=set)
    fixtures: set[str] = field(default_factory=set)
    #: What counts wherever and however it is read.
    anywhere: set[str] = field(default_factory=set)
    #: Names of modules, with the files, that code of the same file had no use for before.
    new: set[tuple[str, str]] = field(default_factory=set)
    #: Every name in the order in which it became one of them, in one way or another.
    log: list[str] = field(default_factory=list)

    def add(self, path: str, names: Iterable[str], *, member: bool = False) -> None:
        """Add names that are bound in a file, at its top or (``member``) in a class."""
        scope = Scope.MEMBER if member else Scope.MODULE
        self.add_all(path, (Name(scope, name) for name in names))

    def add_all(self, path: str, names: Iterable[Name]) -> None:
        """Add names of all scopes, bound in a file."""
        for scope, text in names:
            if scope is Scope.MODULE:
                self._add(path, self.globals.setdefault(text, set()), text)
            elif scope is Scope.MEMBER:
                self._add(text, self.members, text)
            elif scope is Scope.FIXTURE:
                self._add(text, self.fixtures, text)
            elif scope is Scope.ANYWHERE:
                self._add(text, self.anywhere, text)

    def _add(self, one: str, to: set[str], name: str) -> None:
        if one not in to:
            to.add(one)
            self.log.append(name)

    def all(self) -> set[str]:
        """All of them as mere names."""
        return {*self.globals, *self.members, *self.fixtures, *self.anywhere}

    def holders(self) -> set[str]:
        """Files of which a module has one of them."""
        return set().union(*self.globals.values())

    def read_by(self, read: Reads, path: str, project: Project, *, in_class: bool = False) -> bool:
        """Whether code in a file may look one of them up.

        A bare name is one of the code's own file or of nowhere, unless ``in_class`` tells that
        the code stands in the body of a class.  What is imported has been added by its import.
        """
        return (
            any(self._is_bare(name, path, project) for name in read.bare & self.globals.keys())
            or (in_class and not read.bare.isdisjoint(self.members))
            or not read.parameters.isdisjoint(self.fixtures)
            or (bool(self.anywhere) and not self.anywhere.isdisjoint(read.plain()))
            or not read.words.isdisjoint(self.members)
            or not read.words.isdisjoint(self.fixtures)
            or any(self._is_word(name, path, project) for name in read.words & self.globals.keys())
            or any(self._is_attribute(base, name, path, project) for base, name in read.attributes)
        )

    def _is_bare(self, name: str, path: str, project: Project) -> bool:
        bound = name in project.facts(path).bound() or name in BUILTINS
        return (path in self.globals[name] and (path, name) not in self.new) or not bound

    def _is_word(self, name: str, path: str, project: Project) -> bool:
        files = self.globals[name]
        return any(project.mentions(path, other) for other in files) or project.escaped(files)

    def _is_attribute(self, base: str, name: str, path: str, project: Project) -> bool:
        if name in self.members and base not in project.plain_modules(path):
            return True
        files = self.globals.get(name)
        return files is not None and (
            any(project.may_be(base, file) for file in files) or project.escaped(files)
        )
