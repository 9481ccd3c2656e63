"""Who reads a changed name: in its own file, and by way of imports in others."""

from __future__ import annotations

import ast
import builtins
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from flakefighters.model import ChangeKind, Unit
from flakefighters.reach.project import Sources
from flakefighters.source.dynamic_names import (
    ANY_ATTRIBUTE,
    ANY_FIXTURE,
    ANY_IN_TEXT,
    ANY_OF_OWN,
)
from flakefighters.source.entries import Entry
from flakefighters.source.exposure import ANYWHERE, ATTRIBUTE, FIXTURE, altered
from flakefighters.source.reads import Reads, UnitReads, is_made_fixture
from flakefighters.source.units import ANY
from flakefighters.source.walk import LOCALS

__all__ = ["Names", "Readers", "readers"]

#: Steps from a name to what is bound with its help, and so on; nobody needs as many.
_ROUNDS: Final = 40
#: What nobody asks a module for but by its full name, or by one that is put together of it.
_METADATA: Final = re.compile(
    r"__(?:author|contact|copyright|credits|date|email|license|maintainer|status|title|url)__"
    r"|_{0,2}(?:version|VERSION)(?:_info|_tuple|_INFO|_TUPLE)?_{0,2}"
)
#: Where code may have gone on without a name: it is caught that there is none.
_MISSING: Final = re.compile(
    rb"\bNameError\b|\bexcept\s*:|\bexcept\b[^:\n]*\b(?:Base)?Exception\b|\bsuppress\s*\("
)
#: Names like those above that are put together: ``f"__{name}__"``.
_DUNDER: Final = re.compile(
    rb"(?:\}|%s)__[\"']|\+\s*[\"']__[\"']|[\"']__[\"']\.join|(?i:[\"']_{0,2}version|version_{0,2}[\"'{%])"
)
#: Files of which nobody else asks for a name.
_ALONE: Final = re.compile(r"(?:^|/)(?:conf|noxfile|setup|test_\w+|\w+_test)\.py$")
_BUILTINS: Final = frozenset(dir(builtins))


@dataclass(slots=True)
class Names:
    """Changed names: of modules, of classes, of fixtures."""

    #: Name to the files whose modules have it.
    globals: dict[str, set[str]] = field(default_factory=dict)
    #: What any object may have.
    attributes: set[str] = field(default_factory=set)
    fixtures: set[str] = field(default_factory=set)
    #: Names of modules, with the files, that code of the same file had no use for before.
    new: set[tuple[str, str]] = field(default_factory=set)
    #: What counts wherever and however it is read.
    anywhere: set[str] = field(default_factory=set)
    #: Every name in the order in which it became one of them, in one way or another.
    log: list[str] = field(default_factory=list)

    def add(self, path: str, names: Iterable[str], *, attribute: bool = False) -> None:
        """Add names that are bound in a file, at its top or (``attribute``) in a class."""
        for name in names:
            to = self.attributes if attribute else self.globals.setdefault(name, set())
            self._add(name if attribute else path, to, name)

    def add_marked(self, path: str, names: Iterable[str]) -> None:
        """Add names as a change has them, of which a sign in front tells what they are."""
        marked = {ATTRIBUTE: self.attributes, FIXTURE: self.fixtures, ANYWHERE: self.anywhere}
        for name in names:
            if name[0] in marked:
                self._add(name[1:], marked[name[0]], name[1:])
            elif name != ANY:
                self._add(path, self.globals.setdefault(name, set()), name)

    def add_fixtures(self, names: Iterable[str]) -> None:
        """Add names of fixtures."""
        for name in names:
            self._add(name, self.fixtures, name)

    def _add(self, one: str, to: set[str], name: str) -> None:
        if one not in to:
            to.add(one)
            self.log.append(name)

    def all(self) -> set[str]:
        """All of them as mere names."""
        return {*self.globals, *self.attributes, *self.fixtures, *self.anywhere}

    def read_by(self, read: Reads, path: str, sources: Sources, *, in_class: bool = False) -> bool:
        """Whether code in a file may look one of them up.

        A bare name is one of the code's own file or of nowhere, unless ``in_class`` tells that
        the code stands in the body of a class.  What is imported has been added by its import.
        """
        for name in read.bare & self.globals.keys():
            bound = name in sources.bound(path) or name in _BUILTINS
            if (path in self.globals[name] and (path, name) not in self.new) or not bound:
                return True
        if in_class and not read.bare.isdisjoint(self.attributes):
            return True
        if not read.parameters.isdisjoint(self.fixtures):
            return True
        if self.anywhere and not self.anywhere.isdisjoint(read.plain()):
            return True
        words = read.words
        if not (words.isdisjoint(self.attributes) and words.isdisjoint(self.fixtures)):
            return True
        for name in words & self.globals.keys():
            files = self.globals[name]
            if any(sources.mentions(path, other) for other in files) or sources.escaped(files):
                return True
        return any(
            (name in self.attributes and base not in sources.plain_modules(path))
            or (name in self.globals and self._is_of(base, name, sources))
            for base, name in read.attributes
        )

    def _is_of(self, base: str, name: str, sources: Sources) -> bool:
        """Whether an attribute may be one of the modules."""
        files = self.globals[name]
        return any(sources.may_be(base, file) for file in files) or sources.escaped(files)


@dataclass(slots=True)
class _Carriers:
    """Names that carry a change on."""

    #: Bound to another value now.
    values: Names
    #: Functions that give another result now.
    callables: Names = field(default_factory=Names)
    #: The same for what may be so, as some name is computed on the way; with the files of each.
    doubtful: dict[str, set[str]] = field(default_factory=dict)
    doubtful_callables: dict[str, set[str]] = field(default_factory=dict)
    #: One of them stands in some text, which may be run as code.
    in_text: bool = False
    #: Functions that ask for one of them before they run.
    asked: set[Unit] = field(default_factory=set)
    #: Files in which a call at import is handed one of them, and may do anything with it.
    handed: set[str] = field(default_factory=set)

    def computing(self, sources: Sources) -> dict[str, set[str]]:
        """Files that compute names, with the ways of it that may give one of these."""
        plain = self._is_metadata()
        holders = self.holders()
        free = self.values.attributes or self.values.anywhere or sources.escaped(holders)
        result = {}
        for path in sources.computing():
            own = path in holders and _ALONE.search(path)
            if plain and not own and not sources.catches(path, _DUNDER):
                continue
            found = {ANY}
            if path in holders:
                found.add(ANY_OF_OWN)
            if free:
                found |= {ANY_ATTRIBUTE, ANY_IN_TEXT}
            if self.values.fixtures:
                found.add(ANY_FIXTURE)
            if not free and (
                self.in_text
                or sources.runs_files(path)
                or any(sources.mentions(path, holder) for holder in holders)
            ):
                found.add(ANY_IN_TEXT)
            result[path] = found
        return result

    def _is_metadata(self) -> bool:
        """Whether all of it tells of the project; tests and ``setup.py`` have more of their own."""
        values = self.values
        own = {
            name
            for name, files in values.globals.items()
            if name in _BUILTINS or all(map(_ALONE.search, files))
        }
        marked = {*values.attributes, *values.fixtures, *values.anywhere}
        return not marked and all(map(_METADATA.fullmatch, values.globals.keys() - own))

    def holders(self) -> set[str]:
        """Files of which a module has a changed value."""
        return set().union(*self.values.globals.values())

    def size(self) -> int:
        """Grows with each name."""
        found = (*self.doubtful.values(), *self.doubtful_callables.values())
        return len(self.values.log) + len(self.callables.log) + sum(map(len, found))


class Readers(NamedTuple):
    """Functions whose running is affected by other values of some names."""

    #: They read one of the names, or one that was bound with its help at import.
    sure: frozenset[Unit]
    #: They may, since names that they read are computed.
    maybe: frozenset[Unit]
    #: False if there was no time to find all.
    complete: bool
    #: Files of which the import hands one of them to somebody who may do anything with it.
    handed: frozenset[str] = frozenset()
    #: Tests and fixtures that ask for one of them before they run: by a parameter, a decorator.
    asked: frozenset[Unit] = frozenset()
    #: The names, and all that were bound with their help.
    names: frozenset[str] = frozenset()


def readers(
    path: str,
    names: Iterable[str],
    sources: Sources,
    late: Callable[[], bool] = lambda: False,
    *,
    added: bool = False,
) -> Readers:
    """Who is affected by other values of ``names``, bound in ``path`` (as ``Change.names``).

    ``added``: they were bound to nothing before, so that in this file only what changed itself
    reads them, or what expects that they are missing.

    A function that reads a name passes it on only to what calls the function at import: whoever
    calls it later runs it.  It gives up when it gets ``late``.
    """
    sure: set[Unit] = set()
    maybe: set[Unit] = set(sources.looking_tests())
    known = _Carriers(Names())
    known.values.add_marked(path, names)
    if added and not sources.has_star(path) and not sources.catches(path, _MISSING):
        once = sources.bound_once(path) - _BUILTINS
        known.values.new = {(path, name) for name in names if name in once}

    def so_far(complete: bool) -> Readers:
        handed = frozenset(known.handed)
        asked = frozenset(known.asked)
        names = frozenset(known.values.all() | known.doubtful.keys())
        return Readers(frozenset(sure), frozenset(maybe - sure), complete, handed, asked, names)

    index = sources.index()
    visited: dict[str, tuple[int, int]] = {}
    for _ in range(_ROUNDS):
        before = known.size()
        for other in sources.all():
            if late():
                return so_far(False)
            # What came in since this file was looked at: for all others it was.
            at = visited.get(other, (0, 0))
            visited[other] = (len(known.values.log), len(known.callables.log))
            asked = {*known.values.log[at[0] :], *known.callables.log[at[1] :]}
            if asked:
                units = index.looking_up(other, asked)
                known.in_text = known.in_text or index.has_in_text(other, asked)
                _follow(other, units, sources, known, set(), sure, maybe)
        if known.size() == before:
            break
    else:
        return so_far(False)
    for _ in range(_ROUNDS):
        before = known.size()
        computing = known.computing(sources)
        for other in sources.all():
            if late():
                return so_far(False)
            computed = computing.get(other, set())
            if computed:
                _follow(other, index.computing(other), sources, known, computed, sure, maybe)
            doubtful = known.doubtful.keys() | known.doubtful_callables.keys()
            if doubtful:
                units = index.looking_up(other, doubtful)
                _follow(other, units, sources, known, computed, sure, maybe)
        if known.size() == before:
            return so_far(True)
    return so_far(False)


def _follow(
    path: str,
    units: list[UnitReads],
    sources: Sources,
    known: _Carriers,
    computed: set[str],
    sure: set[Unit],
    maybe: set[Unit],
) -> None:
    """One file: which of its functions are affected, and which names carry the effect on."""

    def among(read: frozenset[str], names: Mapping[str, set[str]]) -> bool:
        return any(
            sources.mentions(path, other) for name in read & names.keys() for other in names[name]
        )

    def add(names: Iterable[str], to: dict[str, set[str]]) -> None:
        for name in names:
            if not name.startswith(("__", "test_")):  # too many share them
                to.setdefault(name, set()).add(path)

    if not units:
        return
    names = known.values.all() if computed else set()
    for unit, read, head, plain in units:
        entry = unit.entry
        inner = unit.scope is not None
        # Nobody asks for a local name, nor for a test but pytest.
        local = inner and unit.name[: -len(entry.label) - 1].endswith(LOCALS)
        local = local or entry.label.startswith("test_")
        headed = known.values.read_by(head, path, sources, in_class=inner)
        whole = inner and entry.kind is ChangeKind.STATEMENT
        hit = headed or known.values.read_by(read, path, sources, in_class=whole)
        doubt = among(plain, known.doubtful)
        if entry.kind is ChangeKind.FUNCTION:
            if hit and (headed or not read.parameters.isdisjoint(known.values.fixtures)):
                known.asked.add((path, unit.name))
                if is_made_fixture(entry.node):
                    known.values.add_fixtures(_own_name(entry))
            if hit:
                sure.add((path, unit.name))
                if not local:
                    known.callables.add(path, _own_name(entry), attribute=inner)
                if headed and not local:  # another default or decorator
                    known.values.add(path, _own_name(entry), attribute=inner)
            elif read.may_compute(computed, names):
                maybe.add((path, unit.name))
                if unit.scope is None:  # too many methods share their names
                    add(_own_name(entry), known.doubtful_callables)
            elif doubt:
                maybe.add((path, unit.name))
            continue
        called = known.callables.read_by(read, path, sources, in_class=whole)
        doubtful = among(plain, known.doubtful_callables)
        if entry.alias is not None:  # an import: passes on what it names
            if entry.names == (ANY,):
                known.values.add(path, _starred(entry, known.values, path, sources))
                known.callables.add(path, _starred(entry, known.callables, path, sources))
            elif hit:
                known.values.add(path, entry.names, attribute=inner)
            elif called:
                known.callables.add(path, entry.names, attribute=inner)
            if doubt:
                add(entry.names, known.doubtful)
            elif doubtful:
                add(entry.names, known.doubtful_callables)
        elif entry.kind is ChangeKind.CLASS:
            if headed and not local:
                known.values.add(path, entry.names, attribute=inner)
        elif hit or called:
            known.values.add(path, entry.names, attribute=inner)
            things = altered(entry.node)
            known.values.add(path, (one for one in things if one[0] != ANYWHERE), attribute=inner)
            known.values.add_marked(path, (one for one in things if one[0] == ANYWHERE))
            if _is_unclear(entry, things, path, sources):
                known.handed.add(path)
        elif doubt or doubtful or read.may_compute(computed, names):
            add(entry.names, known.doubtful)
            holds = any(sources.mentions(path, one) for one in known.holders() - {path})
            if holds and _is_unclear(entry, altered(entry.node), path, sources):
                known.handed.add(path)


def _starred(entry: Entry, names: Names, path: str, sources: Sources) -> list[str]:
    """The names among some that ``from module import *`` may bring."""
    node = entry.node
    module = node.module or "" if isinstance(node, ast.ImportFrom) else ""
    base = module.rpartition(".")[2] or "."
    return [
        name
        for name, files in list(names.globals.items())
        if path not in files and any(sources.may_be(base, file) for file in files)
    ]


def _is_unclear(entry: Entry, things: list[str], path: str, sources: Sources) -> bool:
    """Whether it does not show what a call does with it: ``TABLE.update(RATES)`` does."""
    if entry.guarded or not sources.around(path).has_effect(entry.node):
        return False
    modules = sources.plain_modules(path)
    shown = any(one[0] != ANYWHERE and one not in modules for one in things)
    return not (shown and isinstance(entry.node, ast.Expr))


def _own_name(entry: Entry) -> tuple[str, ...]:
    return entry.names or ((entry.name,) if entry.name else ())
