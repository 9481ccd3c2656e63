"""Who reads a changed name: in its own file, and by way of imports in others."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from flakefighters.changes.escapes import Parts, escapes, module_parts, sign_of
from flakefighters.changes.units import ANY
from flakefighters.changes.units_entries import Entry
from flakefighters.changes.units_names import ANY_ATTRIBUTE, header, reading, reads
from flakefighters.changes.units_walk import Unit as Found
from flakefighters.model import ChangeKind, Unit

__all__ = ["Sources", "readers"]

_MOST_FILES: Final = 5000
_MOST_BYTES: Final = 64 << 20
_ROUNDS: Final = 4
_STARRED: Final = re.compile(rb"\bfrom\s+([.\w]+)\s+import\s*\(?\s*\*")
_COMPUTING: Final = re.compile(
    rb"\b(?:eval|exec|globals|locals|vars|__import__|import_module|attrgetter|methodcaller)\b"
    rb"|\bsys\.modules\b|\b__dict__\b|\bgetattr\s*\((?!\s*[\w.]+\s*,\s*[\"']\w*[\"']\s*[,)])"
)


@dataclass(slots=True)
class Sources:
    """The Python files as they are now, each read and parsed once."""

    paths: Iterable[str]
    read: Callable[[str], bytes | None]
    #: Not everything was read: there are too many files.
    cut: bool = False
    _known: dict[str, bytes] | None = field(default=None)
    _units: dict[str, list[tuple[Found, frozenset[str]]]] = field(default_factory=dict)
    _some_units: dict[str, list[tuple[Found, frozenset[str]]]] = field(default_factory=dict)
    _computing: frozenset[str] | None = None
    _escaping: dict[str, bool] = field(default_factory=dict)
    _handed: dict[str, frozenset[Parts]] = field(default_factory=dict)

    def all(self) -> Mapping[str, bytes]:
        """Path to content of every Python file."""
        if self._known is None:
            self._known = {}
            total = 0
            for path in self.paths:
                if not path.endswith(".py"):
                    continue
                if len(self._known) >= _MOST_FILES or total > _MOST_BYTES:
                    self.cut = True
                    break
                content = self.read(path)
                if content is not None:
                    self._known[path] = content
                    total += len(content)
        return self._known

    def computing(self) -> frozenset[str]:
        """Files that compute names which they read, or run text."""
        if self._computing is None:
            self._computing = frozenset(
                path for path, content in self.all().items() if _COMPUTING.search(content)
            )
        return self._computing

    def mentions(self, path: str, other: str) -> bool:
        """Whether a file may have something from another one, by the text of its imports."""
        if path == other:
            return True
        name = b"".join(part.encode() for part in module_parts(other)[-1:])
        return name in self.all().get(path, b"")

    def starred(self, path: str) -> bool:
        """Whether some code may import all that a file exports, without naming it."""
        module = module_parts(path)[-1:]
        for content in self.all().values():
            for match in _STARRED.finditer(content):
                name = match[1].decode().rpartition(".")[2]
                if (name,) == module or (not name and path.endswith("__init__.py")):
                    return True
        return False

    def escaped(self, paths: Iterable[str]) -> bool:
        """Whether some code may have a module of one of these files as an object."""
        return any(map(self._escapes, paths))

    def _escapes(self, path: str) -> bool:
        if path not in self._escaping:
            parts = module_parts(path)
            asked = sign_of(parts)
            tails = {parts[at:] for at in range(len(parts))}
            self._escaping[path] = any(
                not tails.isdisjoint(self._handed_on(other, content))
                for other, content in self.all().items()
                if other == path or asked.search(content)
            )
        return self._escaping[path]

    def _handed_on(self, path: str, content: bytes) -> frozenset[Parts]:
        if path not in self._handed:
            self._handed[path] = escapes(path, content)
        return self._handed[path]

    def units(self, path: str) -> list[tuple[Found, frozenset[str]]]:
        """The units of one file with the names that they read."""
        if path not in self._units:
            self._units[path] = reading(self.all().get(path, b""))
        return self._units[path]

    def computing_units(self, path: str) -> list[tuple[Found, frozenset[str]]]:
        """Those units of one file that may compute names; a part of its :meth:`units`."""
        if path in self._units:
            return self._units[path]
        if path not in self._some_units:
            self._some_units[path] = reading(self.all().get(path, b""), _COMPUTING)
        return self._some_units[path]


@dataclass(slots=True)
class _Carriers:
    """Names that carry a change on."""

    #: Bound to another value now.
    values: set[str]
    #: Functions that give another result now.
    callables: set[str] = field(default_factory=set)
    #: The same for what may be so, as some name is computed on the way; with the files of each.
    doubtful: dict[str, set[str]] = field(default_factory=dict)
    doubtful_callables: dict[str, set[str]] = field(default_factory=dict)
    #: Files of which a module has such a value.
    holders: set[str] = field(default_factory=set)
    #: Some are attributes of classes.
    attributes: bool = False

    def doubted_in(self, path: str, sources: Sources) -> bool:
        """Whether a file may read something that is in doubt."""
        content = sources.all()[path]
        return any(
            name.encode() in content and any(sources.mentions(path, other) for other in others)
            for names in (self.doubtful, self.doubtful_callables)
            for name, others in names.items()
        )

    def size(self) -> int:
        """Grows with each name."""
        sets = (self.values, self.callables, self.holders)
        found = (*self.doubtful.values(), *self.doubtful_callables.values())
        return sum(map(len, (*sets, *found))) + self.attributes


class Readers(NamedTuple):
    """Functions whose running is affected by other values of some names."""

    #: They read one of the names, or one that was bound with its help at import.
    sure: frozenset[Unit]
    #: They may, since names that they read are computed.
    maybe: frozenset[Unit]
    #: False if there was no time to find all.
    complete: bool


def readers(
    path: str,
    names: Iterable[str],
    sources: Sources,
    *,
    attributes: bool = False,
    late: Callable[[], bool] = lambda: False,
) -> Readers:
    """Who is affected by other values of ``names``, bound in ``path``.

    A function that reads a name passes it on only to what calls the function at import: whoever
    calls it later runs it.  ``attributes`` says that some are attributes of a class, which any
    object may have.  It gives up when it gets ``late``.
    """
    sure: set[Unit] = set()
    maybe: set[Unit] = set()
    known = _Carriers(set(names), holders={path}, attributes=attributes)

    def so_far(complete: bool) -> Readers:
        return Readers(frozenset(sure), frozenset(maybe - sure), complete)

    for _ in range(_ROUNDS):
        before = known.size()
        pattern = _any_of(known.values | known.callables)
        for other, content in sources.all().items():
            if late():
                return so_far(False)
            if pattern.search(content) or other == path:
                _follow(other, sources.units(other), sources, known, {ANY}, sure, maybe)
        if known.size() == before:
            break
    computed = {ANY}
    if known.attributes or sources.escaped(known.holders):
        computed.add(ANY_ATTRIBUTE)
    for _ in range(_ROUNDS):
        before = known.size()
        for other in sources.all():
            if late():
                return so_far(False)
            if known.doubted_in(other, sources):
                units = sources.units(other)
            elif other in sources.computing():
                units = sources.computing_units(other)
            else:
                continue
            _follow(other, units, sources, known, computed, sure, maybe)
        if known.size() == before:
            break
    return so_far(True)


def _any_of(names: Iterable[str]) -> re.Pattern[bytes]:
    """Finds one of some names in a source; of no names nothing."""
    words = sorted(re.escape(name.encode("utf-8")) for name in names)
    return re.compile(rb"\b(?:" + b"|".join(words) + rb")\b" if words else rb"(?!)")


def _follow(
    path: str,
    units: list[tuple[Found, frozenset[str]]],
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

    for unit, read in units:
        entry = unit.entry
        hit = not read.isdisjoint(known.values)
        doubt = among(read, known.doubtful)
        if entry.kind is ChangeKind.FUNCTION:
            if hit:
                sure.add((path, unit.name))
                known.callables.update(_own_name(entry))
                if not reads(_header(entry)).isdisjoint(known.values):
                    known.values.update(_own_name(entry))  # another default or decorator
            elif not read.isdisjoint(computed):
                maybe.add((path, unit.name))
                if unit.scope is None:  # too many methods share their names
                    add(_own_name(entry), known.doubtful_callables)
            elif doubt:
                maybe.add((path, unit.name))
            continue
        called = not read.isdisjoint(known.callables)
        doubtful = among(read, known.doubtful_callables)
        if entry.alias is not None:  # an import: passes on what it names
            if hit:
                known.values.update(entry.names)
                known.holders.add(path)
            elif called:
                known.callables.update(entry.names)
            if doubt:
                add(entry.names, known.doubtful)
            elif doubtful:
                add(entry.names, known.doubtful_callables)
        elif entry.kind is ChangeKind.CLASS:
            if not reads(_header(entry)).isdisjoint(known.values):
                known.values.update(entry.names)
        elif hit or called:
            known.values.update(entry.names)
            known.holders.add(path)
            known.attributes = known.attributes or unit.scope is not None
        elif doubt or doubtful or not read.isdisjoint(computed):
            add(entry.names, known.doubtful)


def _own_name(entry: Entry) -> tuple[str, ...]:
    return entry.names or ((entry.name,) if entry.name else ())


def _header(entry: Entry) -> list[ast.AST]:
    return header(entry.node)
