"""Which units changed between two states, and which code can reach each change without running it.

A change in a function's body matters to the code that runs the function.  Any other change (a
constant, a default, a decorator, a class's attribute, a name that comes or goes) matters to
whatever reads a name of it, in this file or another; and one with an effect at import to all that
import the file.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from flakefighters.model import (
    EVERYONE,
    Change,
    ChangeKind,
    Effect,
    Link,
    Name,
    Scope,
    Unit,
    Via,
)
from flakefighters.reach import tables
from flakefighters.reach.calls import callers
from flakefighters.reach.project import Project
from flakefighters.reach.readers import Readers, readers, unit_of
from flakefighters.source.diff import compare
from flakefighters.source.facts import FileFacts
from flakefighters.source.file_facts import facts_of
from flakefighters.state.files import differing

__all__ = ["Delta", "Effects"]

#: Beyond so many changed Python files each is one change, as parsing costs.
_MOST_PARSED: Final = 400
#: What is altered for other files too.
_FOR_OTHERS: Final = frozenset({Scope.ANYWHERE, Scope.FIXTURE})
_WORD: Final = re.compile(r"\w+")
_LONGEST_PATH: Final = 4096
_CONDITIONS: Final = frozenset(
    {
        *(Scope.EVERYONE, Scope.IF_BASE, Scope.IF_CALL, Scope.IF_DECORATOR, Scope.IF_IMPORT),
        Scope.IF_READ_BY_BASE,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Delta:
    """Everything that differs between the files of two states."""

    effects: tuple[Effect, ...] = ()
    #: "git" if old contents were at hand for all changed files, else "recorded".
    source: str = "git"


class Effects:
    """Compares states with the files as they are now; what several have in common is kept."""

    def __init__(
        self,
        new: Mapping[str, str],
        read_old: Callable[[Iterable[str]], Mapping[str, bytes]],
        project: Project,
        loaded: Collection[str],
        late: Callable[[], bool] = lambda: False,
    ):
        """``new`` maps paths to blob ids; ``read_old`` gives contents by blob id as far as they
        can be had.  ``loaded`` are the files that some process had: of others it matters only
        that they differ.  When it gets ``late``, a change counts as one that all importers see.
        """
        self._new, self._read_old, self._project = new, read_old, project
        self._loaded, self._late = frozenset(loaded), late
        self._known: dict[Change, Effect] = {}

    def since(self, old: Mapping[str, str]) -> Delta:
        """What differs from an older state."""
        files = differing(old, self._new)
        wanted = {
            one.path: old[one.path]
            for one in [one for one in files if self._is_compared(one, old)][:_MOST_PARSED]
        }
        contents = self._read_old(wanted.values()) if wanted else {}
        effects: list[Effect] = []
        coarse = False
        for one in files:
            if one.kind is ChangeKind.DATA:
                effects.append(self._data(one, old))
            elif tables.STEERING.fullmatch(one.path):
                effects.append(self._data(replace(one, kind=ChangeKind.DATA), old))
            elif one.path not in self._loaded and one.how != "removed":
                effects.append(Effect(change=one))
            elif one.path in wanted and wanted[one.path] in contents:
                effects += self._compared(one, contents[wanted[one.path]], old)
            else:
                coarse = coarse or (one.path in old and one.path in self._new)
                effects.append(self._whole(one))
        return Delta(effects=tuple(effects), source="recorded" if coarse else "git")

    def _is_compared(self, one: Change, old: Mapping[str, str]) -> bool:
        there = one.path in old and one.path in self._new
        return one.kind is ChangeKind.FILE and there and one.path in self._loaded

    def _compared(self, one: Change, before: bytes, old: Mapping[str, str]) -> list[Effect]:
        blob = old.get(_target(one.path, before))
        if blob is None:
            return self._by_unit(one.path, before)
        # A symbolic link, which leads elsewhere now: code runs under the name of what it leads to.
        aimed = self._read_old([blob])
        return [self._whole(one), *(self._by_unit(one.path, aimed[blob]) if blob in aimed else ())]

    def _by_unit(self, path: str, before: bytes) -> list[Effect]:
        after = self._project.files.content(path)
        changes = compare(path, before, after)
        if not changes:  # some code may read the very text
            return [Effect(change=Change(kind=ChangeKind.FILE, path=path, by_run=False))]
        found = [self._effect(change) for change in changes]
        gone = {one.unit for one in changes if one.how == "removed" and one.unit is not None}
        if gone:
            found = self._undone(found, facts_of(before), gone)
        return found

    def _undone(
        self, effects: list[Effect], before: FileFacts | None, gone: set[str]
    ) -> list[Effect]:
        """Tell what the functions that are gone altered."""
        altered = {
            one.name: frozenset(name for name in one.reads.alters if name.scope in _FOR_OTHERS)
            for one in (before.units if before is not None else ())
            if one.name in gone
        }
        return [
            replace(one, undone=altered.get(one.change.unit or "", frozenset()))
            if one.change.how == "removed"
            else one
            for one in effects
        ]

    # -- one change --------------------------------------------------------------------------

    def _effect(self, change: Change) -> Effect:
        if change.kind is ChangeKind.FILE:
            return self._whole(change)
        found = self._known.get(change)
        if found is None:
            found = self._known[change] = self._unit(change)
        return found

    def _unit(self, change: Change) -> Effect:
        own = self._own(change)
        found = self._readers(change, own)
        observed = list(self._observed(change))
        if observed and not self._late():
            found |= readers(change.path, observed, self._project)
        links = set(self._by_value(change, found.links))
        if own is not None and change.by_run:
            links.add(Link(Via.RUN, own))
        everyone = not found.complete or any(
            self._project.holds(name, change.path)
            for name in change.names
            if name.scope in _CONDITIONS
        )
        if everyone:
            links.add(Link(Via.IMPORT, Unit(change.path, "", 0)))
        return Effect(
            change=change,
            links=frozenset(links),
            names=found.names,
            leaves=any(name.scope is Scope.ANYWHERE for name in change.names),
        )

    def _readers(self, change: Change, own: Unit | None) -> Readers:
        """Who asks for the names of what changed; ``own`` is the function that it is in."""
        path = change.path
        plain = [name for name in change.names if name.scope not in _CONDITIONS]
        if own is not None and own.name.rpartition(".")[2].startswith("test"):
            # Only pytest asks for a test, to run it.
            return Readers(frozenset({Link(Via.ASK, own)} if plain else ()))
        if self._late():
            return Readers(complete=False)
        added = change.how == "added"
        if change.by_call and change.unit is not None:
            found = callers(path, change.unit, self._project, added=added)
            return found or readers(path, plain, self._project)
        # With a member its class was there before.
        added = added and "." not in (change.unit or "")
        return readers(path, plain, self._project, added=added) if plain else Readers()

    def _is_abstract(self, change: Change) -> bool:
        """Whether an abstract class came from ``typing`` and comes from ``collections.abc`` now, or
        the reverse: they are two things, which do nearly the same."""
        return change.how == "changed" and any(
            name == change.unit in tables.IN_TYPING_AND_COLLECTIONS
            and reference.module in (("typing",), ("collections", "abc"))
            for name, reference in self._project.facts(change.path).modules()
        )

    def _by_value(self, change: Change, links: frozenset[Link]) -> Collection[Link]:
        """Those who may tell what is there now from what was, which ``isinstance`` may not."""
        if not self._is_abstract(change):
            return links
        found = set()
        for via, unit in links:
            facts = self._project.facts(unit.path).at(unit.name, unit.line)
            called = {call.name for call in facts.reads.calls} if facts is not None else set()
            if via is not Via.READ or not called & {"isinstance", "issubclass"}:
                found.add(Link(Via.MAY_READ if via is Via.READ else via, unit))
        return found

    def _observed(self, change: Change) -> Iterator[Name]:
        """Classes of which a base may read what differs."""
        for scope, text in change.names:
            if scope is Scope.IF_READ_BY_BASE:
                owner, _, base = text.rpartition(":")
                if self._project.holds(Name(Scope.IF_BASE, base), change.path):
                    member = owner.startswith(".")
                    yield Name(Scope.MEMBER if member else Scope.MODULE, owner.lstrip("."))

    def _own(self, change: Change) -> Unit | None:
        """The function that a change is in."""
        if change.kind is not ChangeKind.FUNCTION or change.unit is None or change.line is None:
            return None
        return Unit(change.path, change.unit, change.line)

    def _whole(self, change: Change) -> Effect:
        """A file that is known only as different: any part of it may be what changed.

        Of a new one that only binds names it is known who asks for them.
        """
        path = change.path
        facts = self._project.facts(path)
        links = {
            Link(Via.RUN, unit_of(path, one))
            for one in facts.units
            if one.kind is ChangeKind.FUNCTION
        }
        found = Readers(complete=False)
        if change.how == "added" and self._project.quiet(path) and not self._late():
            names = [Name(Scope.MODULE, name) for name in facts.bound()]
            found = readers(path, names, self._project, added=True)
            links |= found.links
        if not found.complete:
            links.add(Link(Via.IMPORT, Unit(path, "", 0)))
        return Effect(
            change=Change(kind=change.kind, path=path, how=change.how, names=(EVERYONE,)),
            links=frozenset(links),
            names=found.names,
            leaves=True,
        )

    def _data(self, change: Change, old: Mapping[str, str]) -> Effect:
        """A data file: opening it is seen, but not a look at its existence, C code, or a cache."""
        if tables.STEERING.fullmatch(change.path):
            return Effect(change=change, names=self._words(change, old))
        name = change.path.rpartition("/")[2]
        links: set[Link] = set()
        for path in self._project.mentioning([name]) if not self._late() else ():
            for one in self._project.facts(path).units:
                if any(name in text for text in (*one.reads.texts, *one.reads.words)):
                    inside = one.kind is ChangeKind.FUNCTION
                    links.add(Link(Via.NAMED, unit_of(path, one) if inside else Unit(path, "", 0)))
        return Effect(change=change, links=frozenset(links))

    def _words(self, change: Change, old: Mapping[str, str]) -> frozenset[str]:
        """The words of the lines in which a text differs."""
        blob = old.get(change.path)
        before = self._read_old([blob]).get(blob, b"") if blob is not None else b""
        after = self._project.files.content(change.path) if change.path in self._new else b""
        lines = set(before.splitlines()) ^ set(after.splitlines())
        return frozenset(_WORD.findall(b"\n".join(lines).decode("utf-8", "replace")))


def _target(path: str, content: bytes) -> str:
    """Where a symbolic link leads to, as git keeps it; of another file a path that is none."""
    text = content[:_LONGEST_PATH].decode("utf-8", "replace")
    return posixpath.normpath(posixpath.join(path.rpartition("/")[0], text))
