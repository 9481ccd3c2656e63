"""The Python files that may matter to a run, and what is asked of all of them at once.

These are the files that were loaded where tests ran, and those that changed: what was never loaded
cannot read anything.  Each is read and parsed once, and only if it may have what is looked for.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Final

from flakefighters.model import ChangeKind, Name, Scope
from flakefighters.records import NamedTuple
from flakefighters.source import purity
from flakefighters.source.facts import FileFacts, UnitFacts
from flakefighters.source.file_facts import facts_of
from flakefighters.state.generated import version_stamp

__all__ = ["Facts", "Project", "module_parts"]

_NOTHING: Final = FileFacts()
#: What makes a source worth a look for computed names.
_COMPUTING: Final = re.compile(
    rb"\b(?:eval|exec|globals|locals|vars|dir|__import__|import_module|import_string|resolve_name"
    rb"|attrgetter|methodcaller|[gs]etattr|hasattr|delattr|getfixturevalue|getmembers\w*|patch"
    rb"|__dict__|modules|signature|get_type_hints|get_annotations|getfullargspec|__annotations__)\b"
)


def module_parts(path: str) -> tuple[str, ...]:
    """``src/shop/tax.py`` as parts of a dotted name, of which the last are those of the module."""
    parts = path.removesuffix(".py").split("/")
    return tuple(parts[:-1] if parts[-1] == "__init__" else parts)


class Facts:
    """Contents and facts of files, each read once.

    The facts depend on the content alone, so they serve every version and every question.
    """

    def __init__(
        self,
        read: Callable[[str], bytes | None],
        read_elsewhere: Callable[[str], bytes | None] = lambda _: None,
    ):
        """``read`` takes paths relative to the base, ``read_elsewhere`` absolute ones."""
        self._read, self._read_elsewhere = read, read_elsewhere
        self._differing: dict[str, bool] = {}
        self._contents: dict[str, bytes] = {}
        self._facts: dict[str, FileFacts | None] = {}

    def content(self, path: str) -> bytes:
        """The text of a file as it is now, empty if it cannot be read."""
        if path not in self._contents:
            self._contents[path] = self._read(path) or b""
        return self._contents[path]

    def of(self, path: str) -> FileFacts | None:
        """The facts of a file as it is now; None if this Python cannot read it."""
        if path not in self._facts:
            self._facts[path] = facts_of(self.content(path))
        return self._facts[path]

    def differs(self, path: str, place: str) -> bool:
        """Whether an installed copy of a file is another version of it."""
        if place not in self._differing:
            copy = self._read_elsewhere(place)
            self._differing[place] = copy is not None and copy != self.content(path)
        return self._differing[place]


class _Index(NamedTuple):
    """The units of one file, by what they look up."""

    by_name: dict[str, list[UnitFacts]]
    computing: list[UnitFacts]
    stars: list[UnitFacts]


class Project:
    """Asked by the searches for readers and callers."""

    def __init__(self, paths: Iterable[str], facts: Facts, copies: Mapping[str, str] = {}):
        """``copies``: paths of files that are installed under other names to those here."""
        self.paths = tuple(sorted(path for path in set(paths) if path.endswith(".py")))
        self.files = facts
        self._copies = {path: copy for copy, path in copies.items()}
        self._indices: dict[str, _Index] = {}
        self._called: dict[str, frozenset[str]] = {}
        self._escaping: dict[str, bool] = {}
        self._plain: dict[str, frozenset[str]] = {}
        self._quiet: dict[str, bool] = {}
        self._definitions: dict[str, list[UnitFacts]] | None = None
        self._module_names: frozenset[str] | None = None
        self._wide: frozenset[str] | None = None

    def facts(self, path: str) -> FileFacts:
        """The facts of a file, empty if it cannot be read."""
        return self.files.of(path) or _NOTHING

    def mentioning(self, names: Collection[str]) -> Iterator[str]:
        """Files whose text has one of some names, or that import all of a module."""
        wanted = [name.encode("utf-8", "surrogatepass") for name in names if name]
        if not wanted:
            return
        pattern = re.compile(b"|".join(map(re.escape, wanted)) + rb"|import\s*\(?\s*\*")
        yield from (path for path in self.paths if pattern.search(self.files.content(path)))

    def looking_up(self, path: str, names: Collection[str]) -> list[UnitFacts]:
        """The units of a file that look up one of some names, or all that a module has."""
        index = self._index(path)
        found = {id(one): one for one in index.stars}
        for name in names:
            found.update((id(one), one) for one in index.by_name.get(name, ()))
        return sorted(found.values(), key=_place)

    def computing(self) -> Iterator[tuple[str, UnitFacts]]:
        """The units that compute names which they look up."""
        for path in self.paths:
            if path in self._indices or _COMPUTING.search(self.files.content(path)):
                yield from ((path, one) for one in self._index(path).computing)

    def _index(self, path: str) -> _Index:
        if path not in self._indices:
            index = self._indices[path] = _Index({}, [], [])
            for one in self.facts(path).units:
                for name in one.reads.plain() | one.annotations.plain():
                    index.by_name.setdefault(name, []).append(one)
                if one.reads.computed:
                    index.computing.append(one)
                if one.binds == ("*",):
                    index.stars.append(one)
        return self._indices[path]

    # -- which module a name means -----------------------------------------------------------

    def mentions(self, path: str, other: str) -> bool:
        """Whether a file may have something from another one, by its text."""
        text = self.files.content(path)
        return path == other or any(
            last.encode("utf-8", "surrogateescape") in text for last in self._last_parts(other)
        )

    def _last_parts(self, path: str) -> set[str]:
        """The last part of a module's name, and of that by which it is installed."""
        names = (path, self._copies.get(path, path))
        return {"".join(module_parts(name)[-1:]) for name in names}

    def may_be(self, base: str | None, path: str) -> bool:
        """Whether the module of a file may be meant by the last part of a dotted name."""
        if base == "." or base in self._called_as(path):
            return True
        # What is installed under another name than that of its folder: ``package_dir``.
        if not path.endswith("__init__.py") or not base or len(module_parts(path)) > 1:
            return False
        if self._module_names is None:
            parts = (part for one in self.paths for part in module_parts(one)[-1:])
            self._module_names = frozenset(parts)
        return base not in sys.stdlib_module_names and base not in self._module_names

    def _called_as(self, path: str) -> frozenset[str]:
        """The names by which code may call the module of a file: its last part, and aliases."""
        if path not in self._called:
            known = self._last_parts(path) - {""}
            waiting = list(known)
            while waiting:
                name = waiting.pop()
                for other in self.mentioning([name]):
                    for bound, wanted in self.facts(other).modules():
                        last = (*wanted.module, *wanted.names)[-1:]
                        if last == (name,) and bound not in known:
                            known.add(bound)
                            waiting.append(bound)
            self._called[path] = frozenset(known)
        return self._called[path]

    def plain_modules(self, path: str) -> frozenset[str]:
        """Last parts of what ``import`` binds in a file and nothing else does: modules."""
        if path not in self._plain:
            facts = self.facts(path)
            found = {
                part
                for reference in facts.references
                if not reference.names and not reference.level and reference.how == "imported by"
                for part in reference.module[-1:]
            }
            found |= {name for name, wanted in facts.modules() if not wanted.names}
            stored = {name for one in facts.units if one.imports is None for name in one.binds}
            self._plain[path] = frozenset(found - stored)
        return self._plain[path]

    def escaped(self, paths: Iterable[str]) -> bool:
        """Whether some code uses a module of these files otherwise than by ``module.name``."""
        return any(map(self._escapes, paths))

    def _escapes(self, path: str) -> bool:
        if path not in self._escaping:
            parts = module_parts(path)
            tails = {parts[at:] for at in range(len(parts))}
            self._escaping[path] = any(
                self._hands_on(other, path, parts[-1:], tails)
                for other in dict.fromkeys([path, *self.mentioning(parts[-1:])])
            )
        return self._escaping[path]

    def _hands_on(
        self, other: str, path: str, last: tuple[str, ...], tails: set[tuple[str, ...]]
    ) -> bool:
        facts = self.facts(other)
        aliases: dict[str, set[tuple[str, ...]]] = {}
        for name, wanted in facts.modules():
            aliases.setdefault(name, set()).add((*wanted.module, *wanted.names))
        for one in facts.units:
            if one.imports is not None:
                continue
            if any(self._is_module(held, aliases, tails) for held in one.reads.held):
                return True
            if facts.has_star and not one.reads.held.isdisjoint(last):
                return True
            if other == path and "__name__" in one.reads.held:
                return True
            called = {call.name for call in one.reads.calls}
            if not one.reads.words.isdisjoint(last) and not called.isdisjoint(_BY_NAME):
                return True
            if set(last) <= one.reads.words and ("sys", "modules") in one.reads.attributes:
                return True
        return False

    @staticmethod
    def _is_module(
        held: str, aliases: dict[str, set[tuple[str, ...]]], tails: set[tuple[str, ...]]
    ) -> bool:
        root, *rest = held.split(".")
        return any((*parts, *rest) in tails for parts in aliases.get(root, ()))

    # -- conditions --------------------------------------------------------------------------

    def holds(self, condition: Name, path: str, met: frozenset[str] = frozenset()) -> bool:
        """Whether what a file's statement does on this condition is done."""
        text = condition.text
        if condition.scope is Scope.IF_CALL:
            return not self._builds(text, path)
        if condition.scope is Scope.IF_IMPORT:
            return not self._quiet_import(text, path, met)
        if condition.scope is Scope.IF_DECORATOR:
            name = text.removesuffix("()")
            found = self._defined(name)
            if not found:
                return not purity.is_known_decorator(name)
            called = text.endswith("()")
            return not all(one.wraps_called if called else one.wraps for one in found)
        if condition.scope is Scope.IF_BASE:
            return not self._plain_class(text)
        return condition.scope is Scope.EVERYONE

    def _builds(self, name: str, path: str) -> bool:
        """Whether calling a dotted name only builds a value."""
        own = self._defined(name)
        if own:
            return all(one.is_record for one in own)
        last = name.rpartition(".")[2]
        for bound, wanted in self.facts(path).modules():
            if bound == last == name and wanted.names and wanted.names[0] != bound:
                return self._builds(wanted.names[0], path)
        return purity.is_builder(name)

    def _defined(self, name: str) -> list[UnitFacts]:
        """What the project itself may mean by a dotted name: functions and classes."""
        root, dot, _ = name.partition(".")
        if dot and root in sys.stdlib_module_names:
            return []
        if self._definitions is None:
            self._definitions = {}
            for path in self.paths:
                for one in self.facts(path).units:
                    if one.kind is not ChangeKind.STATEMENT or one.is_record:
                        for bound in one.binds:
                            self._definitions.setdefault(bound, []).append(one)
        found = self._definitions.get(name.rpartition(".")[2], [])
        return found if dot else [one for one in found if one.scope is None or one.is_local]

    def defines(self, name: str) -> bool:
        """Whether the project itself has something of a dotted name."""
        return bool(self._defined(name))

    def _plain_class(self, name: str) -> bool:
        """Whether all classes of a name are of this project, or known, and learn of no subclass."""
        waiting, met = [name.rpartition(".")[2]], set()
        while waiting:
            one = waiting.pop()
            if one in met:
                continue
            met.add(one)
            found = [unit for unit in self._defined(one) if unit.kind is ChangeKind.CLASS]
            if not found:
                if not purity.is_known_base(one):
                    return False
                continue
            if any(unit.has_keywords for unit in found) or self._learn_of_subclasses():
                return False
            waiting += [base.rpartition(".")[2] for unit in found for base in unit.bases]
        return True

    def _learn_of_subclasses(self) -> bool:
        return any(self.facts(path).asks_for_subclasses for path in self.paths)

    def _quiet_import(self, text: str, path: str, met: frozenset[str]) -> bool:
        """Whether an import ("..module:name") does nothing but bind its name."""
        module, _, name = text.partition(":")
        level = len(module) - len(module.lstrip("."))
        wanted = [part for part in module.lstrip(".").split(".") if part]
        if level and version_stamp(f"{wanted[-1] if wanted else name}.py"):
            return True  # which a build writes
        files = [file for part in (*wanted, name) for file in self._files_of(part)]
        if module and not (self._files_of(wanted[-1]) if wanted else level):
            return False  # another project's, or gone
        return all(
            self._quiet_file(file, met) for file in dict.fromkeys(files) if not _around(file, path)
        )

    def _files_of(self, last: str) -> list[str]:
        return [path for path in self.paths if module_parts(path)[-1:] == (last,)]

    def _quiet_file(self, path: str, met: frozenset[str]) -> bool:
        """Whether importing a file for the first time only binds names."""
        if path in met:
            return True  # in a circle: the others tell
        if path not in self._quiet:
            found = not any(
                self.holds(condition, path, met | {path})
                for one in self.facts(path).units
                if one.scope is None
                for condition in one.impure
            )
            if met:
                return found  # as far as it is known within the circle
            self._quiet[path] = found
        return self._quiet[path]

    def quiet(self, path: str) -> bool:
        """Whether importing a file for the first time only binds names."""
        return self.files.of(path) is not None and self._quiet_file(path, frozenset())

    def uses(self, path: str, unit: UnitFacts, modules: Collection[str]) -> bool:
        """Whether a unit names one of some top-level modules, or a class with a base of theirs."""
        own = next((one for one in self.facts(path).units if one.name == unit.scope), None)
        names = unit.reads.plain() | frozenset(own.bases if own is not None else ())
        return self._is_of(path, names, modules) or any(
            self._inherits(name, modules, frozenset()) for name in names
        )

    def _is_of(self, path: str, names: Iterable[str], modules: Collection[str]) -> bool:
        """Whether one of some (dotted) names in a file is one of the modules, or from one."""
        roots = {name.partition(".")[0] for name in names}
        return any(
            name in roots and not reference.level and reference.module[0] in modules
            for name, reference in self.facts(path).modules()
        )

    def _inherits(self, name: str, modules: Collection[str], met: frozenset[str]) -> bool:
        last = name.rpartition(".")[2]
        if last in met or not any(one.kind is ChangeKind.CLASS for one in self._defined(last)):
            return False
        return any(
            self._is_of(path, one.bases, modules)
            or any(self._inherits(base, modules, met | {last}) for base in one.bases)
            for path in self.mentioning([last])
            for one in self.facts(path).units
            if one.own_name == last and one.bases
        )

    # -- fixtures ----------------------------------------------------------------------------

    def wide_fixtures(self) -> frozenset[str]:
        """The names of fixtures that live longer than a test."""
        if self._wide is None:
            self._wide = frozenset(
                one.own_name
                for path in self.mentioning(["scope"])
                for one in self.facts(path).units
                if one.is_wide
            )
        return self._wide


_BY_NAME: Final = frozenset({"__import__", "import_module", "importorskip", "reload"})


def _place(unit: UnitFacts) -> tuple[int, int]:
    return unit.first, unit.last


def _around(file: str, path: str) -> bool:
    """Whether a file is that of a package around another one, which is imported before it."""
    folder, _, name = file.rpartition("/")
    return name == "__init__.py" and path.startswith(f"{folder}/")
