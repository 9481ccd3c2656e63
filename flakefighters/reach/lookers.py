"""Functions that ask for files otherwise than by opening one whose name they show.

Whether there is a file, how large it is, and which a folder holds is asked in ways that nobody
reports; and the text of Python files is read without being watched.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from flakefighters.model import Change, ChangeKind, Unit
from flakefighters.reach.project import Sources
from flakefighters.source.lines import Place
from flakefighters.source.parse import parse

__all__ = ["Lookers"]

_PRESENCE: Final = re.compile(
    rb"\b(?:access|exists|fwalk|glob|iglob|is_dir|is_file|isdir|isfile|iterdir|lexists|listdir|rglob"
    rb"|scandir|walk)\s*\(|\b(?:iter_modules|walk_packages)\b"
)
_MODULES: Final = re.compile(rb"\b(?:iter_modules|walk_packages)\b")
_SIZE: Final = re.compile(rb"\b(?:filecmp|getmtime|getsize|l?stat)\b|\bst_(?:size|mtime)")
_READ: Final = re.compile(rb"\bopen\s*\(|\bread_(?:bytes|text)\s*\(")
#: What a test makes for itself is no file of the project.
_OWN: Final = re.compile(
    rb"\btmp_?path\b|\btmpdir\b|\btempfile\b|\bpytester\b|\bTemporaryDirectory"
)


#: It asks for the text of a module, or for where that is.
_SOURCE: Final = re.compile(rb"\bgetsource(?:file|lines)?\b|\bfindsource\b|\w\.__file__\b")
#: The docstring of what a variable stands for; not where it is passed on.
_DOC: Final = re.compile(
    rb"^(?![^\n]*\.__doc__[ \t]*=[^=])[^\n]*(?:\b(?!self\b|cls\b)\w+\.__doc__\b|\bgetdoc\()",
    re.MULTILINE,
)
_IMPORT: Final = re.compile(
    rb"^[ \t]*(?:import[ \t]+([\w.]+)|from[ \t]+([\w.]+)[ \t]+import[ \t]+(\([^)]*|[^\n#]+))",
    re.MULTILINE,
)
_WORD: Final = re.compile(rb"\w+")
#: The endings of names that the code computes, whole names, and the parts of paths.
_ENDING: Final = re.compile(rb"(?:[\"'*?}\])]|%\w)\.(\w+)[\"']")
_NAME: Final = re.compile(rb"[\"'/]([\w-][\w.-]*\.\w+)[\"']")
_PART: Final = re.compile(rb"[\"'/]([\w.-]+)(?=[\"'/])")


@dataclass(frozen=True, slots=True)
class _Looker:
    """One of them; without a name, the body of a module."""

    unit: Unit
    #: It lists the modules of some package.
    modules: bool
    #: What it asks for: whether a file is there, its size, its text.
    presence: bool
    size: bool
    read: bool
    #: The endings of files in its own text, and in that of its file; and the folders there.
    own: frozenset[bytes]
    endings: frozenset[bytes]
    names: frozenset[bytes]
    folders: frozenset[bytes]

    def may_mean(self, change: Change) -> bool:
        """Whether it may notice a change in a file."""
        folder, _, name = change.path.encode("utf-8", "surrogateescape").rpartition(b"/")
        ending = name.rpartition(b".")[2]
        if change.kind is ChangeKind.FILE and change.how == "changed":
            return self.read and (ending in self.own or name in self.names)
        if self.modules and change.kind is ChangeKind.FILE and change.how != "changed":
            return True
        asks = self.size if change.how == "changed" else self.presence
        if not asks:
            return False
        if ending in self.endings or name in self.names:
            return True
        return folder.rpartition(b"/")[2] in self.folders


def docs_differ(before: bytes, after: bytes) -> bool:
    """Whether two versions of a file have other docstrings."""
    return _docs(before) != _docs(after)


def _docs(content: bytes) -> list[str | None]:
    tree = parse(content)
    return [
        ast.get_docstring(node, clean=False)
        for node in (ast.walk(tree) if tree is not None else ())
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
    ]


def _imports(content: bytes) -> set[bytes]:
    """The modules that a file may import, by full name."""
    found: set[bytes] = set()
    for plain, module, members in _IMPORT.findall(content):
        found.update(b".".join((module, one)) for one in _WORD.findall(members))
        parts = (plain or module).split(b".")
        found.update(b".".join(parts[:end]) for end in range(1, len(parts) + 1))
    return {one for one in found if one.strip(b".")}


class Lookers:
    """All of a project, as far as their text tells; files are looked at when one may matter."""

    def __init__(self, sources: Sources):
        self._sources = sources
        #: Their lines.
        self.places: dict[Unit, Place] = {}
        self._found: dict[str, list[_Looker]] = {}
        self._signs: dict[bytes, list[str]] = {}
        self._matched: dict[bytes, list[Unit]] = {}

    def of(self, change: Change) -> frozenset[Unit]:
        """Those that may notice a change in a file other than their own."""
        folder, _, name = change.path.encode("utf-8", "surrogateescape").rpartition(b"/")
        ending, last = b"." + name.rpartition(b".")[2], folder.rpartition(b"/")[2]
        signs = [ending + b'"', ending + b"'"]
        if last and (change.kind is not ChangeKind.FILE or change.how != "changed"):
            signs += [last + end for end in (b'"', b"'", b"/")]
        if change.kind is ChangeKind.FILE and change.how != "changed":
            signs += [b"iter_modules", b"walk_packages"]
        found = set()
        for path in {path for sign in signs for path in self._having(sign)} - {change.path}:
            if path not in self._found:
                self._found[path] = list(self._in(path, self._sources.all()[path]))
            found |= {one.unit for one in self._found[path] if one.may_mean(change)}
        if change.kind is ChangeKind.FILE and change.how == "changed":
            mentions = self._sources.mentions
            for path, unit in self._matching(_SOURCE, b"getsource", b"findsource", b"__file__"):
                if path != change.path and mentions(path, change.path):
                    found.add((path, unit))
        return frozenset(found)

    def of_texts(self, path: str, before: bytes, after: bytes) -> frozenset[Unit]:
        """Those that may notice what differs between the texts of a file, and is not run."""
        found: set[Unit] = set()
        if (units := self._matching(_DOC, b"__doc__", b"getdoc")) and docs_differ(before, after):
            found |= {one for one in units if one[0] != path and not self._decorates(one[1])}
        if self._having(b"sys.modules"):
            for name in _imports(before) ^ _imports(after):
                sign = re.compile(rb"[\"']" + re.escape(name) + rb"[\"']")
                found |= {
                    one for one in self._matching(sign, name) if b"modules" in self._around(one)
                }
        return frozenset(found)

    def _around(self, unit: Unit) -> bytes:
        """The text of a function, of the whole file for its body."""
        place = self.places.get(unit)
        if place is None:
            return self._sources.all()[unit[0]]
        return self._sources.text(unit[0]).lines(place.first, place.last)

    def _decorates(self, unit: str) -> bool:
        """Whether a function, which may be one within it, is a decorator of the project's."""
        name = unit.partition(" ")[0].encode("utf-8", "replace")
        return bool(name) and bool(self._having(b"@" + name))

    def _matching(self, sign: re.Pattern[bytes], *words: bytes) -> list[Unit]:
        """The functions (or bodies of modules) with a sign; their files have one of the words."""
        key = b"\0".join((sign.pattern, *words))
        if key not in self._matched:
            found: dict[Unit, None] = {}
            for path in dict.fromkeys(path for word in words for path in self._having(word)):
                text = self._sources.text(path)
                for line in text.having(sign):
                    place = text.function(line)
                    if place is not None:
                        self.places[place.unit] = place
                    found[(path, "") if place is None else place.unit] = None
            self._matched[key] = list(found)
        return self._matched[key]

    def _having(self, sign: bytes) -> list[str]:
        """The files that have a text in them; each text is looked for once."""
        if sign not in self._signs:
            files = self._sources.all().items()
            self._signs[sign] = [path for path, content in files if sign in content]
        return self._signs[sign]

    def _in(self, path: str, content: bytes) -> Iterator[_Looker]:
        signs = [one for one in (_PRESENCE, _SIZE, _READ) if one.search(content)]
        if not signs:
            return
        text = self._sources.text(path)
        places: dict[Place | None, list[bytes]] = {}
        for line in (line for one in signs for line in text.having(one)):
            place = text.function(line)
            around = text.lines(line - 1, line + 2) if place is None else text.lines(*place[1:])
            places.setdefault(place, []).append(around)
        for place, texts in places.items():
            own = b"\n".join(dict.fromkeys(texts))
            if place is not None:
                if _OWN.search(own):
                    continue
                self.places[place.unit] = place
            around = own if place is None else content
            yield _Looker(
                unit=(path, "") if place is None else place.unit,
                modules=_MODULES.search(own) is not None,
                presence=_PRESENCE.search(own) is not None,
                size=_SIZE.search(own) is not None,
                read=_READ.search(own) is not None,
                own=frozenset(_ENDING.findall(own)),
                endings=frozenset(_ENDING.findall(around)),
                names=frozenset(_NAME.findall(around)),
                folders=frozenset(_PART.findall(around)),
            )
