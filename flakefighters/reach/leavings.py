"""What a changed function leaves behind, and who may find it there.

A test that the change makes alter a global breaks another one which touches no change.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Final

from flakefighters.model import Change, ChangeKind, Effect, Unit
from flakefighters.reach.alterations import (
    Alterations,
    Function,
    alterations,
    tells_it_alters,
)
from flakefighters.reach.file_writes import writes_files
from flakefighters.reach.handing import handed_to
from flakefighters.reach.keepers import lasting_classes
from flakefighters.reach.project import Sources
from flakefighters.reach.readers import readers
from flakefighters.reach.sharing import wide_fixtures
from flakefighters.source import purity as effects
from flakefighters.source.entries import ANY, bound
from flakefighters.source.exposure import ANYWHERE, ATTRIBUTE, FIXTURE
from flakefighters.source.parse import parse
from flakefighters.source.reads import is_made_fixture, reading
from flakefighters.source.walk import LOCALS

__all__ = ["Leavings"]

_TEARDOWNS: Final = ("setup", "teardown", "setUp", "tearDown", "pytest_")
#: How far a call is followed within a file.
_DEPTH: Final = 3
_MARKS: Final = ANYWHERE + ATTRIBUTE + FIXTURE


@dataclass(slots=True)
class _File:
    """The functions of one version of a file, and what its module has."""

    functions: dict[str, Function] = field(default_factory=dict)
    tops: set[str] = field(default_factory=set)
    imported: dict[str, str] = field(default_factory=dict)
    modules: set[str] = field(default_factory=set)
    #: What the bodies of classes bind, by qualified name.
    shared: dict[str, set[str]] = field(default_factory=dict)
    #: Names of what the process has once: ``getLogger("shop")``.
    loggers: set[str] = field(default_factory=set)
    _altered: dict[str, Alterations] = field(default_factory=dict)

    def altered_by(self, name: str) -> Alterations:
        """What one of its functions alters."""
        if name not in self._altered:
            shared = self.shared.get(name.rpartition(".")[0], ())
            node, known = self.functions[name], (self.tops, self.imported, self.modules)
            self._altered[name] = alterations(node, *known, shared, self.loggers)
        return self._altered[name]

    def helpers(self, name: str) -> set[str]:
        """The functions of the module, and of the same class, that one of them may call."""
        found: set[str] = set()
        waiting = {name}
        for _ in range(_DEPTH):
            outer = name.rpartition(".")[0]
            called = {one for unit in waiting for one in self.altered_by(unit).called}
            near = called | {f"{outer}.{one}" for one in called}
            waiting = (near & self.functions.keys()) - found - {name}
            found |= waiting
        return found

    @classmethod
    def of(cls, content: bytes) -> _File:
        """Read one; nothing of what Python cannot parse."""
        found = cls()
        tree = parse(content)
        waiting: list[tuple[ast.AST, str]] = [] if tree is None else [(tree, "")]
        while waiting:
            outer, prefix = waiting.pop()
            for node in ast.iter_child_nodes(outer):
                if isinstance(node, ast.ImportFrom):
                    found.imported.update((one.asname or one.name, one.name) for one in node.names)
                elif isinstance(node, ast.Import):
                    names = (one.asname or one.name.partition(".")[0] for one in node.names)
                    found.modules.update(names)
                elif isinstance(node, ast.ClassDef):
                    waiting.append((node, f"{prefix}{node.name}."))
                    found.shared[prefix + node.name] = {
                        name for one in node.body for name in bound(one)
                    }
                elif isinstance(node, Function):
                    found.functions[prefix + node.name] = node
                    waiting.append((node, f"{prefix}{node.name}{LOCALS}."))
                elif isinstance(node, ast.stmt | ast.ExceptHandler | ast.match_case):
                    waiting.append((node, prefix))
        body = getattr(tree, "body", ())
        found.tops = {name for one in body for name in bound(one)}
        found.loggers = {
            name
            for one in body
            if isinstance(one, ast.Assign)
            and isinstance(one.value, ast.Call)
            and effects.dotted(one.value).rpartition(".")[2] in ("getLogger", "getcontext")
            for name in bound(one)
        }
        found.tops -= found.modules | found.imported.keys()
        return found


@dataclass(slots=True)
class Leavings:
    """Asks it of the changes in all files; what is found out about a file is kept."""

    sources: Sources
    late: Callable[[], bool]
    _files: dict[str, _File] = field(default_factory=dict)
    _old: dict[tuple[str, int], _File] = field(default_factory=dict)
    _by_name: dict[str, list[str]] = field(default_factory=dict)
    _wide: frozenset[str] | None = None
    _lasting: set[bytes] | None = None

    def add(self, effect: Effect, before: bytes | None) -> Effect:
        """``effect`` with what its change leaves behind; ``before`` is the file as it was."""
        change = effect.change
        whole = change.kind is ChangeKind.FILE
        body = whole or (change.kind is ChangeKind.STATEMENT and ANY in change.names)
        if not (body or (change.kind is ChangeKind.FUNCTION and effect.change.by_run)):
            return effect
        if self.late():
            return effect
        now = self._file(change.path)
        gone = change.how == "removed"
        old = _File()
        if before is not None and (gone or not whole):
            old = self._before(change.path, before)
        names = {*now.functions, *old.functions} if whole else {change.unit or ""}
        at_import = self._at_import(change, before) if body else None
        leavers: set[Unit] = set()
        readers_of: set[str] = set()
        everybody = False
        for name in names:
            found = self._altered(change, name, old, now)
            if found is None:
                continue
            if name in now.functions:
                leavers.add((change.path, name))
            readers_of |= found.names
            everybody = everybody or found.process
        if at_import is not None:
            readers_of |= at_import.names
            everybody = everybody or at_import.process
        if not (readers_of or everybody):
            return effect
        found_by = readers(change.path, readers_of, self.sources, self.late) if readers_of else None
        return replace(
            effect,
            leavers=frozenset(leavers),
            leaves_at_import=at_import is not None,
            left_to=frozenset() if found_by is None else found_by.sure | found_by.asked,
            left_to_all=everybody or (found_by is not None and not found_by.complete),
        )

    def _at_import(self, change: Change, before: bytes | None) -> Alterations | None:
        """What the changed statements of a module alter in others, None if nothing."""
        gone = change.how == "removed"
        units = reading(before or b"") if gone else self.sources.units(change.path)
        file = self._before(change.path, before or b"") if gone else self._file(change.path)
        parts = [
            one.unit.entry.node
            for one in units
            if one.unit.scope is None
            and one.unit.entry.effect
            and one.unit.entry.alias is None
            and change.unit in (None, one.unit.entry.label)
        ]
        total = Alterations()
        for node in parts:
            run = ast.parse("def run(): pass").body[0]
            assert isinstance(run, ast.FunctionDef)
            run.body = [node] if isinstance(node, ast.stmt) else []
            found = alterations(run, (), file.imported, file.modules)
            # Its own names are told by the change.
            total.names |= found.names | found.contents
            total.process = total.process or found.process
            for called in self._called(found.called):
                total.names |= called.names
                total.process = total.process or called.process
        return total if total.names or total.process else None

    def _altered(self, change: Change, name: str, old: _File, now: _File) -> Alterations | None:
        """What the two versions of a function alter, None if nothing.

        What a version that is gone put back, or set up, nobody does now: of a function that is
        gone that counts only where pytest ran it by itself.
        """
        versions = [
            (one, file) for file in (old, now) if (one := file.functions.get(name)) is not None
        ]
        if change.how == "removed" and not any(
            _ran_by_pytest(one) or one.name.startswith("test") for one, _ in versions
        ):
            return None
        total = Alterations()
        before = old.altered_by(name) if name in old.functions else Alterations()
        if len(versions) > 1:  # a copy was made before
            total.names |= {
                one
                for one in now.altered_by(name).given - before.given
                if one[0] != FIXTURE or one[1:] in self._wide_fixtures()
            }
        for node, file in versions:
            found = file.altered_by(name)
            total.names |= found.names | found.contents
            total.process = total.process or found.process or writes_files(node)
            if not (_ran_by_pytest(node) or node.name.startswith("test")):
                if file is now:
                    total.names |= self._handed(node, found) | self._own(name, found, before)
                continue
            total.names |= {FIXTURE + one for one in found.parameters & self._wide_fixtures()}
            if file is now or name not in now.functions:
                total.names |= self._used_up(found, Alterations() if file is old else before)
            for called in self._called(found.called):
                total.names |= called.names
                total.process = total.process or called.process
        if before.stops and not (name in now.functions and now.altered_by(name).stops):
            # Of what others replaced by patches nobody puts it back.
            for other in old.functions:
                total.names |= {one for one in old.altered_by(other).names if one[0] == ANYWHERE}
        return total if total.names or total.process else None

    def _used_up(self, found: Alterations, before: Alterations) -> set[str]:
        """Wide fixtures and objects of modules of which a test calls a method that alters them.

        What it called as well before the change does not count.
        """
        return {
            thing
            for thing, method, _ in found.on - before.on
            if thing[0] != FIXTURE or thing[1:] in self._wide_fixtures()
            if any(
                self._file(path).altered_by(unit).own
                for path in self._defining(method)
                for unit in self._file(path).functions
                if unit.rpartition(".")[2] == method
            )
        }

    def _handed(self, node: Function, found: Alterations) -> set[str]:
        """What of modules and wide fixtures is handed to a function that alters its parameters."""
        if not found.parameters or self.late():
            return set()
        return {
            one
            for one in handed_to(node.name, self.sources, self.late)
            if (one[0] != FIXTURE or one[1:] in self._wide_fixtures())
            and not (one[0] == ANYWHERE and self._defining(one[1:]))
        }

    def _own(self, name: str, found: Alterations, before: Alterations) -> set[str]:
        """Attributes that a method sets otherwise than before on objects that outlive a test."""
        differing = {one for one, texts in found.own.items() if texts != before.own.get(one)}
        if not differing:
            return set()
        if self._lasting is None:
            self._lasting = lasting_classes(self.sources)
        owner = name.rpartition(".")[0].rpartition(".")[2]
        if owner.encode("utf-8", "surrogateescape") not in self._lasting:
            return set()
        return {ATTRIBUTE + one for one in differing}

    def _called(self, names: Iterable[str]) -> Iterator[Alterations]:
        """What the functions of the project that a test may mean by these names alter themselves.

        Many fill a cache on the way: a content counts only if their name says that they alter.
        """
        for name in names:
            for path in self._defining(name):
                file = self._file(path)
                for unit in file.functions:
                    outer, _, last = unit.rpartition(".")
                    made = last == "__init__" and outer.rpartition(".")[2] == name
                    if not (last == name or made) or self.late():
                        continue
                    found = file.altered_by(unit)
                    altered = found.names | found.lost
                    if tells_it_alters(name):
                        altered |= found.contents
                    process = found.process
                    for helper in file.helpers(unit):
                        altered |= file.altered_by(helper).names | file.altered_by(helper).lost
                        process = process or file.altered_by(helper).process
                    # Names of that module, told so that they count in any file.
                    yield Alterations(
                        names={f"{ANYWHERE}{one.lstrip(_MARKS)}" for one in altered},
                        process=process,
                    )

    def _defining(self, name: str) -> list[str]:
        """The files that define a function of the name."""
        if name not in self._by_name:
            word = name.encode("utf-8", "surrogatepass")
            signs = (b"def " + word + b"(", b"class " + word)
            contents = self.sources.all().items()
            self._by_name[name] = [
                path for path, content in contents if any(sign in content for sign in signs)
            ]
        return self._by_name[name]

    def _before(self, path: str, content: bytes) -> _File:
        key = (path, hash(content))
        if key not in self._old:
            self._old[key] = _File.of(content)
        return self._old[key]

    def _wide_fixtures(self) -> frozenset[str]:
        """Names of the project's fixtures that give what lives longer than a test."""
        if self._wide is None:
            self._wide = frozenset(
                name.decode("utf-8", "replace") for name in wide_fixtures(self.sources)
            )
        return self._wide

    def _file(self, path: str) -> _File:
        if path not in self._files:
            self._files[path] = _File.of(self.sources.all().get(path, b""))
        return self._files[path]


def _ran_by_pytest(node: Function) -> bool:
    return is_made_fixture(node) or node.name.startswith(_TEARDOWNS)
