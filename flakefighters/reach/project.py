"""The Python files of a work tree as they are now, and what is asked of all of them at once."""

from __future__ import annotations

import ast
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from flakefighters.model import Change, ChangeKind, Effect, Unit
from flakefighters.reach.module_escapes import (
    Parts,
    asked_by_name,
    bare_sign,
    escapes,
    module_parts,
    sign_of,
    without_imports,
)
from flakefighters.reach.project_context import Around
from flakefighters.reach.unit_index import UnitIndex
from flakefighters.source.definitions import Definitions
from flakefighters.source.import_scan import SIGNS, scan
from flakefighters.source.lines import Text
from flakefighters.source.reads import UnitReads, reading
from flakefighters.source.records import records

__all__ = ["Sources"]

_MOST_FILES: Final = 5000
_MOST_BYTES: Final = 64 << 20
_STARRED: Final = re.compile(rb"\bfrom\s+([.\w]+)\s+import\s*\(?\s*\*")
_RENAMED: Final = re.compile(rb"\b(\w+)\s+as\s+(\w+)")
_ALIAS: Final = re.compile(rb" as[ \t]+(\w+)")
_LAST_WORD: Final = re.compile(rb"\w+\Z")
_PLAIN_IMPORT: Final = re.compile(rb"^[ \t]*import[ \t]+([^\n#]+)", re.MULTILINE)
_RUNNING: Final = re.compile(rb"\b(?:eval|exec)\b")
_READING: Final = re.compile(rb"\bopen\(|\bread\w*\(|\bgetsource\w*\b|\bget_data\b|\bget_source\b")
_ANNOTATIONS: Final = re.compile(
    rb"\b(?:__annotations__|get_type_hints|get_annotations|getfullargspec|signature\s*\()"
)
_DOCS: Final = re.compile(rb"\b(\w+)\.__doc__\b|\bgetdoc\(\s*(?:\w+\.)*(\w+)\s*\)")
_EXAMPLES: Final = re.compile(
    rb"\b(?:DocTest(?:Finder|Parser|Runner|Suite)|run_docstring_examples|testmod|testsource)\b"
)
_COMPUTING: Final = re.compile(
    rb"\b(?:eval|exec|globals|locals|vars|__import__|import_module|attrgetter|methodcaller"
    rb"|dir|getfixturevalue|getmembers|getmembers_static)\b"
    rb"|\bsys\.modules\b|\b__dict__\b|\b(?:get|has)attr\s*\((?!\s*[\w.]+\s*,\s*[\"']\w*[\"']\s*[,)])"
    rb"|\bgetattr\s*[,)]|\bpatch(?:\.\w+)?\s*\((?!\s*[\"'])|\.(?:set|del)attr\s*\(|\bdelattr\s*\("
    rb"|\b(?:import_string|resolve_name)\s*\("
)


def _renamings(content: bytes) -> Iterator[tuple[str, str]]:
    """Names and aliases of ``name as alias``; quick, since every file is asked for them."""
    if b"\tas" in content or b"\nas" in content:
        yield from ((match[1].decode(), match[2].decode()) for match in _RENAMED.finditer(content))
        return
    for match in _ALIAS.finditer(content):
        before = content[max(0, match.start() - 100) : match.start()].rstrip()
        name = _LAST_WORD.search(before)
        if name is not None:
            yield name[0].decode("utf-8", "replace"), match[1].decode("utf-8", "replace")


@dataclass(slots=True)
class Sources:
    """The Python files as they are now, each read and parsed once."""

    paths: Iterable[str]
    read: Callable[[str], bytes | None]
    #: Not everything was read: there are too many files.
    cut: bool = False
    #: Whether there is no more time: what is not known then is taken to be so.
    late: Callable[[], bool] = field(default=lambda: False)
    #: Changes that were looked at already, since several older states have them in common.
    effects: dict[Change, Effect] = field(default_factory=dict)
    _known: dict[str, bytes] | None = field(default=None)
    _units: dict[str, list[UnitReads]] = field(default_factory=dict)
    _computing: frozenset[str] | None = None
    _escaping: dict[str, bool] = field(default_factory=dict)
    _handed: dict[str, frozenset[Parts]] = field(default_factory=dict)
    _bound: dict[str, frozenset[str]] = field(default_factory=dict)
    _modules: dict[str, frozenset[str]] = field(default_factory=dict)
    _renamed: dict[str, set[str]] | None = None
    _names: frozenset[str] | None = None
    _annotated: bool | None = None
    _examples: bool | None = None
    _documented: frozenset[str] | None = None
    _lookers: frozenset[Unit] = frozenset()
    _quiet: dict[str, bool] = field(default_factory=dict)
    _by_last: dict[str, list[str]] | None = None
    _definitions: Definitions | None = None
    _called: dict[str, frozenset[str]] = field(default_factory=dict)
    _records: frozenset[str] | None = None
    _index: UnitIndex | None = None
    _texts: dict[str, Text] = field(default_factory=dict)
    _running: dict[str, bool] = field(default_factory=dict)
    _plain: dict[str, bytes | None] = field(default_factory=dict)
    _mentions: dict[tuple[str, str], bool] = field(default_factory=dict)
    _starred: frozenset[str] | None = None

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

    def reads_docs(self, path: str) -> bool:
        """Whether some file reads the docstring of a module, or of what it has at its top."""
        if self._documented is None:
            self._documented = frozenset(
                (match[1] or match[2]).decode("utf-8", "replace")
                for content in self.all().values()
                for match in _DOCS.finditer(content)
            )
        return bool(self._documented) and not (
            self._documented.isdisjoint(self._called_as(path))
            and self._documented.isdisjoint(self.bound(path))
        )

    def runs_examples(self) -> bool:
        """Whether some code runs the examples in docstrings, other than pytest by itself."""
        if self._examples is None:
            self._examples = any(map(_EXAMPLES.search, self.all().values()))
        return self._examples

    def annotated(self) -> bool:
        """Whether some code other than single tests looks at the annotations of functions."""
        if self._annotated is None:
            self._annotated, self._lookers = self._look_for_lookers()
        return self._annotated

    def looking_tests(self) -> frozenset[Unit]:
        """The tests that look at annotations, if nobody else does."""
        return frozenset() if self.annotated() else self._lookers

    def _look_for_lookers(self) -> tuple[bool, frozenset[Unit]]:
        tests: set[Unit] = set()
        for path, content in self.all().items():
            if not _ANNOTATIONS.search(content):
                continue
            for one in reading(content, _ANNOTATIONS):
                kind = one.unit.entry.kind
                if kind is ChangeKind.FUNCTION and one.unit.entry.name.startswith("test"):
                    tests.add((path, one.unit.name))
                elif kind is not ChangeKind.CLASS and not isinstance(
                    one.unit.entry.node, ast.Import | ast.ImportFrom
                ):
                    return True, frozenset()
        return False, frozenset(tests)

    def importers(self) -> Iterator[Unit]:
        """Functions that import or run what their text does not show."""
        for path, content in self.all().items():
            if SIGNS.search(content):
                yield from ((path, function) for function in scan(content).unknown_in)

    def runs_files(self, path: str) -> bool:
        """Whether a file may run the text of others as code."""
        if path not in self._running:
            content = self.all().get(path, b"")
            self._running[path] = bool(_RUNNING.search(content) and _READING.search(content))
        return self._running[path]

    def mentions(self, path: str, other: str) -> bool:
        """Whether a file may have something from another one, by the text of its imports."""
        if path == other:
            return True
        if (path, other) not in self._mentions:
            name = b"".join(
                part.encode("utf-8", "surrogateescape") for part in module_parts(other)[-1:]
            )
            self._mentions[path, other] = name in self.all().get(path, b"")
        return self._mentions[path, other]

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
            asked, by_name = sign_of(parts), asked_by_name(parts)
            tails = {parts[at:] for at in range(len(parts))}
            name = parts[-1].encode("utf-8", "surrogateescape") if parts else b""
            named = [
                (other, content)
                for other, content in self.all().items()
                if other == path or name in content or self.has_star(other)
            ]
            bare = bare_sign(parts)
            found = any(by_name.search(content) for _, content in named)
            for other, content in () if found else named:
                if self.late():
                    return True
                if other == path or (
                    asked.search(content)
                    and ((plain := self._unimported(other)) is None or bare.search(plain))
                ):
                    found = not tails.isdisjoint(self._handed_on(other, content))
                    if found:
                        break
            self._escaping[path] = found
        return self._escaping[path]

    def _unimported(self, path: str) -> bytes | None:
        if path not in self._plain:
            self._plain[path] = without_imports(self.all()[path])
        return self._plain[path]

    def _handed_on(self, path: str, content: bytes) -> frozenset[Parts]:
        if path not in self._handed:
            self._handed[path] = escapes(path, content)
        return self._handed[path]

    def bound(self, path: str) -> frozenset[str]:
        """The names that a file binds at its top, imports included."""
        if path not in self._bound:
            self._bound[path] = frozenset(
                name
                for one in self.units(path)
                if one.unit.scope is None
                for name in one.unit.entry.names
            )
        return self._bound[path]

    def bound_once(self, path: str) -> frozenset[str]:
        """Those of them that a single unit binds: nothing else of the name is there."""
        times = Counter(
            name
            for one in self.units(path)
            if one.unit.scope is None
            for name in set(one.unit.entry.names)
        )
        return frozenset(name for name, count in times.items() if count == 1)

    def catches(self, path: str, pattern: re.Pattern[bytes]) -> bool:
        """Whether the text of a file has a pattern."""
        return pattern.search(self.all().get(path, b"")) is not None

    def plain_modules(self, path: str) -> frozenset[str]:
        """Last parts of what ``import`` binds in a file: modules and nothing else."""
        if path not in self._modules:
            found = set()
            content = self.all().get(path, b"")
            for match in _PLAIN_IMPORT.finditer(content):
                for part in match[1].decode("utf-8", "replace").split(","):
                    name, renamed, alias = part.strip().partition(" as ")
                    found.add(alias.strip() if renamed else name.strip().rpartition(".")[2])
            # ``import shop.cart`` and ``cart = shop.cart.Cart()`` may stand in one file.
            self._modules[path] = frozenset(
                name
                for name in found
                if not re.search(
                    rb"\b" + re.escape(name.encode()) + rb"[ \t]*(?::[^=\n]+)?=(?!=)", content
                )
            )
        return self._modules[path]

    def around(self, path: str) -> Around:
        """What the rest of the project tells of a file."""
        return Around(self, path)

    def quiet(self, path: str, met: frozenset[str] = frozenset()) -> bool:
        """Whether importing a file for the first time only binds names."""
        if path not in self._quiet:
            if path in met:
                return True  # in a circle: the others tell
            around = self.around(path)
            found = all(
                around.quiet_import(entry.node, entry.alias, met | {path})
                if entry.alias is not None
                else entry.guarded or not around.has_effect(entry.node)
                for entry in (one.unit.entry for one in self.units(path) if one.unit.scope is None)
            )
            if met:
                return found  # as far as it is known within the circle
            self._quiet[path] = found
        return self._quiet[path]

    def files_of(self, last: str) -> list[str]:
        """Files whose modules have a name that ends like this."""
        if self._by_last is None:
            self._by_last = {}
            for path in self.all():
                for part in module_parts(path)[-1:]:
                    self._by_last.setdefault(part, []).append(path)
        return self._by_last.get(last, [])

    def definitions(self) -> Definitions:
        """What all of them define."""
        if self._definitions is None:
            self._definitions = Definitions(self.all().values())
        return self._definitions

    def is_record(self, name: str) -> bool:
        """Whether all that a name of this project is bound to by a definition is a mere record:
        a named tuple, or a dataclass that does nothing when one is made."""
        if self._records is None:
            self._records = records(self.all().values())
        return name in self._records

    def has_star(self, path: str) -> bool:
        """Whether a file imports all that some module exports."""
        if self._starred is None:
            self._starred = frozenset(
                one for one, content in self.all().items() if _STARRED.search(content)
            )
        return path in self._starred

    def may_be(self, base: str, path: str) -> bool:
        """Whether the module of a file may be meant by the last part of a dotted name."""
        if base == "." or base in self._called_as(path):
            return True
        # What is installed under another name than that of its folder: ``package_dir``.
        parts = module_parts(path)
        if not path.endswith("__init__.py") or not base or len(parts) > 1:
            return False
        return base not in sys.stdlib_module_names and base not in self._module_names()

    def _module_names(self) -> frozenset[str]:
        if self._names is None:
            self._names = frozenset(part for one in self.all() for part in module_parts(one)[-1:])
        return self._names

    def _called_as(self, path: str) -> frozenset[str]:
        """The names by which code may call the module of a file: its last part, and aliases."""
        if path not in self._called:
            if self._renamed is None:
                self._renamed = {}
                for content in self.all().values():
                    for name, alias in _renamings(content):
                        self._renamed.setdefault(name, set()).add(alias)
            waiting = list(module_parts(path)[-1:])
            known = set(waiting)
            while waiting:
                more = self._renamed.get(waiting.pop(), set()) - known
                known |= more
                waiting += more
            self._called[path] = frozenset(known)
        return self._called[path]

    def units(self, path: str) -> list[UnitReads]:
        """The units of one file with the names that they read."""
        if path not in self._units:
            self._units[path] = reading(self.all().get(path, b""), annotated=self.annotated())
        return self._units[path]

    def text(self, path: str) -> Text:
        """The lines of one file."""
        if path not in self._texts:
            self._texts[path] = Text(path, self.all().get(path, b""))
        return self._texts[path]

    def index(self) -> UnitIndex:
        """Finds units by what they look up."""
        if self._index is None:
            self._index = UnitIndex(self.all, self.units, self.has_star)
        return self._index
