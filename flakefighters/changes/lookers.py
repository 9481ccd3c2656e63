"""Functions that ask for files otherwise than by opening one whose name they show.

Whether there is a file, how large it is, and which a folder holds is asked in ways that nobody
reports; and the text of Python files is read without being watched.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from flakefighters.changes.sources import Sources
from flakefighters.changes.texts import Place
from flakefighters.model import Change, ChangeKind, Unit

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


#: What texts in the code end with, and the parts of paths in them.
_ENDING: Final = re.compile(rb"\.(\w+)[\"']")
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
    folders: frozenset[bytes]

    def may_mean(self, change: Change) -> bool:
        """Whether it may notice a change in a file."""
        folder, _, name = change.path.encode("utf-8", "surrogateescape").rpartition(b"/")
        ending = name.rpartition(b".")[2]
        if change.kind is ChangeKind.FILE and change.how == "changed":
            return self.read and ending in self.own
        if self.modules and change.kind is ChangeKind.FILE and change.how != "changed":
            return True
        asks = self.size if change.how == "changed" else self.presence
        return asks and (ending in self.endings or folder.rpartition(b"/")[2] in self.folders)


class Lookers:
    """All of a project, as far as their text tells; files are looked at when one may matter."""

    def __init__(self, sources: Sources):
        self._sources = sources
        #: Their lines.
        self.places: dict[Unit, Place] = {}
        self._found: dict[str, list[_Looker]] = {}
        self._signs: dict[bytes, list[str]] = {}

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
        return frozenset(found)

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
                folders=frozenset(_PART.findall(around)),
            )
