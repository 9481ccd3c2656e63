"""Where code keeps what it computed: caches, and globals that are set when somebody asks first.

A test that computes such a value by changed code hands it to all later ones, which run none of it.
All of it goes by the text of the files: to parse them would cost more than the rest of the start.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

from flakefighters.changes.sources import Sources
from flakefighters.model import Unit

__all__ = ["Keeper", "Place", "keepers"]

_DECORATED: Final = re.compile(
    rb"^[ \t]*@[\w.]*\b(?:cache|cached|lru_cache|memoized?)\b"
    rb"(?:[^\n]*\n){1,9}?[ \t]*(?:async[ \t]+)?def[ \t]+(\w+)",
    re.MULTILINE,
)
_GLOBAL: Final = re.compile(rb"^[ \t]+global[ \t]+([\w, \t]+)", re.MULTILINE)
#: Tables of a module, and where something is put into one.
_TABLE: Final = re.compile(
    rb"^(\w+)[ \t]*(?::[^=\n]+)?=[ \t]*"
    rb"(?:\{|\[|(?:[\w.]+\.)?(?:dict|list|set|defaultdict|OrderedDict|Weak\w+|\w*Cache)\()",
    re.MULTILINE,
)
_PUT: Final = rb"(?:\[[^\n]*\][^\n=]*=[^=]|\.(?:add|append|extend|insert|setdefault|update)\()"
#: Attributes of classes: ``cls._instance = cls()``.
_OF_CLASS: Final = re.compile(
    rb"^[ \t]+(?:cls|type\(self\)|self\.__class__|[A-Z]\w*)\.(\w+)"
    rb"(?:\[[^\n]*\])?[ \t]*(?::[^=\n]+)?=[^=]",
    re.MULTILINE,
)
_DEF: Final = re.compile(rb"[ \t]*(?:async[ \t]+)?def[ \t]+(\w+)")
_CLOSING: Final = (b")", b"]", b"}", b"#")
#: Of a name that more functions than this have, it is not asked who runs.
_MOST_READERS: Final = 60
_MOST: Final = 200


class Place(NamedTuple):
    """A function, or lines in one."""

    unit: Unit
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Keeper:
    """A place that keeps values, and the functions that read them."""

    unit: Unit
    places: tuple[Place, ...]
    #: None if there are too many.
    readers: tuple[Place, ...] | None


def keepers(sources: Sources) -> list[Keeper]:
    """All of a project, as far as their text tells."""
    texts: dict[str, _Text] = {}
    found: list[Keeper] = []
    for path, content in sources.all().items():
        kept = list(_kept(content))
        if not kept:
            continue
        text = texts.setdefault(path, _Text(path, content))
        by_name: dict[tuple[bytes, bool], list[Place]] = {}
        for name, attribute, first, whole in kept:
            place = text.function(first) if whole else text.line(first)
            if place is not None:
                by_name.setdefault((name, attribute), []).append(place)
        for (name, attribute), places in by_name.items():
            shown = name.decode("utf-8", "replace")
            unit = (path, f"{places[0].unit[1]} keeps {shown}")
            places = [place._replace(unit=unit) for place in places]
            readers = None
            if len(found) < _MOST:
                readers = _readers(path, name, attribute, sources, texts)
            found.append(Keeper(unit, tuple(places), readers))
    return found


def _kept(content: bytes) -> Iterator[tuple[bytes, bool, int, bool]]:
    """What some function keeps: name, whether it is an attribute, line, whether it is of the
    function's own name."""

    def line(at: int) -> int:
        return content.count(b"\n", 0, at) + 1

    for match in _DECORATED.finditer(content):
        indented = match[0][:1] in b" \t"
        yield match[1], indented, line(match.end(1)), True
    for match in _GLOBAL.finditer(content):
        for name in match[1].replace(b",", b" ").split():
            setting = rb"^[ \t]+(?:\w+[ \t]*,[ \t]*)*" + name + rb"\b[^\n=(.\[]*=[^=]"
            for one in re.finditer(setting, content, re.MULTILINE):
                yield name, False, line(one.end() - 1), False
    for name in dict.fromkeys(_TABLE.findall(content)):
        if name + b"[" in content or name + b"." in content:
            for one in re.finditer(rb"\b" + name + _PUT, content):
                yield name, False, line(one.start()), False
    for match in _OF_CLASS.finditer(content):
        yield match[1], True, line(match.start(1)), False


def _readers(
    path: str, name: bytes, attribute: bool, sources: Sources, texts: dict[str, _Text]
) -> tuple[Place, ...] | None:
    """The functions that have a name in their text, or one that is given to the same thing."""
    found: dict[Place, None] = {}
    waiting, met = [(name, attribute)], {name}
    while waiting:
        one, attribute = waiting.pop()
        bare = re.compile(rb"\b" + one + rb"\b")
        dotted = re.compile(rb"\.\s*" + one + rb"\b")
        for other, content in sources.all().items():
            if one not in content or not sources.mentions(other, path):
                continue
            sign = dotted if attribute or (other != path and b"import" not in content) else bare
            text = texts.get(other)
            if text is None:
                text = texts[other] = _Text(other, content)
            places, more = text.reading(sign, one)
            found.update(dict.fromkeys(places))
            waiting += [(alias, False) for alias in more if alias not in met]
            met.update(more)
            if len(found) > _MOST_READERS:
                return None
    return tuple(found)


class _Text:
    """The lines of a file, and the functions that its indentation tells."""

    def __init__(self, path: str, content: bytes):
        self._path = path
        self._content = content
        self._lines = content.split(b"\n")
        self._functions: list[tuple[int, int, str]] | None = None

    def _all(self) -> list[tuple[int, int, str]]:
        """First line, last line and name of each function, in the order of the text."""
        if self._functions is not None:
            return self._functions
        found: list[tuple[int, int, str]] = []
        open_: list[tuple[int, int, str]] = []  # indentation, first line, name
        last = 0
        for at, line in enumerate(self._lines, 1):
            bare = line.lstrip()
            if not bare or bare.startswith(_CLOSING):
                continue
            indentation = len(line) - len(bare)
            while open_ and indentation <= open_[-1][0]:
                _, first, name = open_.pop()
                found.append((first, last, name))
            match = _DEF.match(line)
            if match is not None:
                open_.append((indentation, at, match[1].decode("utf-8", "replace")))
            last = at
        found += [(first, last, name) for _, first, name in open_]
        self._functions = sorted(found)
        return self._functions

    def function(self, line: int) -> Place | None:
        """The innermost function around a line."""
        around = [one for one in self._all() if one[0] <= line <= one[1]]
        if not around:
            return None
        first, last, name = around[-1]
        return Place((self._path, f"{name} at {first}"), first, last)

    def line(self, line: int) -> Place | None:
        """A line in a function."""
        around = self.function(line)
        return None if around is None else Place(around.unit, line, line)

    def reading(self, sign: re.Pattern[bytes], name: bytes) -> tuple[list[Place], set[bytes]]:
        """The functions with a sign of a name in them, and the other names that it is given."""
        found: dict[Place, None] = {}
        more: set[bytes] = set()
        renamed = re.compile(rb"\b" + name + rb"[ \t]+as[ \t]+(\w+)")
        alias = re.compile(rb"^(\w+)[ \t]*=[ \t]*(?:[\w.]+\.)?" + name + rb"[ \t]*$")
        for at in self._having(sign):
            line = self._lines[at - 1]
            if line.lstrip().startswith(b"#"):
                continue
            more.update(renamed.findall(line) + alias.findall(line))
            place = self.function(at)
            if place is not None:
                found[place] = None
        return list(found), more

    def _having(self, sign: re.Pattern[bytes]) -> Iterable[int]:
        last, line = 0, 1
        for match in sign.finditer(self._content):
            line += self._content.count(b"\n", last, match.start())
            last = match.start()
            yield line
