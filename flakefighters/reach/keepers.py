"""Where code keeps what it computed: caches, and globals that are set when somebody asks first.

A test that computes such a value by changed code hands it to all later ones, which run none of it.
All of it goes by the text of the files: to parse them would cost more than the rest of the start.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain, islice
from typing import Final

from flakefighters.model import Unit
from flakefighters.reach.project import Sources
from flakefighters.reach.sharing import fixtures, kept_for_tests, wide_fixtures
from flakefighters.source.lines import Place

__all__ = ["Keeper", "keepers", "lasting_classes"]

_DECORATED: Final = re.compile(
    rb"^[ \t]*@[\w.]*\b(?:cache|cached|lru_cache|memoized?)\b"
    rb"(?:[^\n]*\n){1,9}?[ \t]*(?:async[ \t]+)?def[ \t]+(\w+)",
    re.MULTILINE,
)
_GLOBAL: Final = re.compile(rb"^[ \t]+global[ \t]+([\w, \t]+)", re.MULTILINE)
#: Tables of a module, and attributes of classes that a function sets: ``cls._instance = cls()``.
_SET: Final = re.compile(
    rb"^(?:(\w+)[ \t]*(?::[^=\n]+)?=[ \t]*"
    rb"(?:\{|\[|(?:[\w.]+\.)?(?:dict|list|set|defaultdict|OrderedDict|Weak\w+|\w*Cache|ContextVar)\()"
    rb"|[ \t]+(?:cls|type\(self\)|self\.__class__|[A-Z]\w*)\.(\w+)"
    rb"(?:\[[^\n]*\])?[ \t]*(?::[^=\n]+)?=[^=])",
    re.MULTILINE,
)
#: ``_local.rate = load()``, ``rate.value = load()``.
_OF_THING: Final = re.compile(
    rb"^[ \t]+(?!self\.|cls\.)([a-z_]\w*)\.(\w+)[ \t]*=[^=]", re.MULTILINE
)
#: ``_cache = {}`` in a class.
_OF_BODY: Final = re.compile(
    rb"^[ \t]+(\w+)[ \t]*(?::[^=\n]+)?=[ \t]*(?:\{\}|\[\]|(?:dict|list|set)\(\)|defaultdict\()",
    re.MULTILINE,
)
#: ``def rate(_cache={}):``.
_DEFAULT: Final = re.compile(rb"=[ \t]*(?:\{\}|\[\]|dict\(\)|list\(\))[ \t]*[,)]")
_PARAMETER: Final = re.compile(rb"\b(\w+)[ \t]*(?::[^=,()\n]+)?\Z")
#: A function within another, which gives it away.
_GIVEN: Final = re.compile(rb"\n([ \t]+)return[ \t]+(\w+)[ \t]*(?=\n|\Z)")
_NONLOCAL: Final = re.compile(rb"^[ \t]+nonlocal[ \t]+([\w, \t]+)", re.MULTILINE)
#: Where something is put into a table.
_PUT: Final = rb"(?:\[[^\n]*\][^\n=]*=[^=]|\.(?:add|append|extend|insert|set|setdefault|update)\()"
#: Objects of a module, and what makes fixtures that live longer than a test.
_OBJECT: Final = re.compile(rb"^\w+[ \t]*(?::[^=\n]+)?=[ \t]*(?:\w+\.)*([A-Z]\w*)\(", re.MULTILINE)
_MEMBERS: Final = re.compile(rb"^class[ \t]+(\w+)\([^)\n]*(?:Enum|Flag)\b", re.MULTILINE)
_MADE: Final = re.compile(rb"\b([A-Z]\w*)\(")
_CLASS: Final = re.compile(rb"^class[ \t]+(\w+)", re.MULTILINE)
_END: Final = re.compile(rb"^[^\s#)\]}]", re.MULTILINE)
#: ``if self._rates is None: self._rates = load()``.
_LAZY: Final = re.compile(
    rb"^[ \t]+if\b[^\n]*(?:\bself\.|hasattr\(\s*self\s*,\s*[\"']"
    rb"|[\"'](?=\w+[\"'] not in (?:self\.__dict__|vars\(self\))))(\w+)\b[^\n]*\n"
    rb"(?:[^\n]*\n){0,3}?[ \t]+self\.\1\b[^\n=(]*=[^=]",
    re.MULTILINE,
)
_PROPERTY: Final = re.compile(
    rb"^[ \t]+@[\w.]*cached_property\b(?:[^\n]*\n){1,3}?[ \t]*def[ \t]+(\w+)", re.MULTILINE
)
#: Of a name that more functions than this have, it is not asked who runs.
_MOST_READERS: Final = 60
_MOST: Final = 200
_MOST_IN_FILE: Final = 500


@dataclass(frozen=True, slots=True)
class Keeper:
    """A place that keeps values, and the functions that read them."""

    unit: Unit
    places: tuple[Place, ...]
    #: None if there are too many.
    readers: tuple[Place, ...] | None


def keepers(sources: Sources, late: Callable[[], bool] = lambda: False) -> list[Keeper]:
    """All of a project, as far as their text tells, or those found before it got ``late``."""
    found: list[Keeper] = []
    lasting = lasting_classes(sources)
    wide = wide_fixtures(sources)
    for path, content in sources.all().items():
        if late():
            break
        kept = chain(_kept(content), _kept_in_objects(content, lasting))
        lines = [(one, False) for one in islice(kept, _MOST_IN_FILE)]
        shared = kept_for_tests(content, wide)
        lines += [(one, True) for one in islice(shared, _MOST_IN_FILE)]
        text = sources.text(path)
        by_name: dict[tuple[bytes, bool, bool], list[Place]] = {}
        for (name, attribute, first, whole), for_all in lines:
            place = text.function(first) if whole else text.line(first)
            if place is not None:
                by_name.setdefault((name, attribute, for_all), []).append(place)
        for (name, attribute, for_all), places in by_name.items():
            shown = name.decode("utf-8", "replace")
            unit = (path, f"{places[0].unit[1]} keeps {shown}")
            places = [place._replace(unit=unit) for place in places]
            readers = None
            if len(found) < _MOST and not late():
                readers = _readers(path, name, attribute, sources, for_all=for_all)
            found.append(Keeper(unit, tuple(places), readers))
    return found


def lasting_classes(sources: Sources) -> set[bytes]:
    """Classes of which some object may live longer than a test."""
    found: set[bytes] = set()
    for content in sources.all().values():
        found.update(_OBJECT.findall(content) + _MEMBERS.findall(content))
        if b"self.__dict__ =" in content:  # all objects have one dictionary
            found.update(_CLASS.findall(content))
    for _, _, wide, body in fixtures(sources):
        found.update(_MADE.findall(body) if wide else ())
    return found


def _line(content: bytes, at: int) -> int:
    return content.count(b"\n", 0, at) + 1


def _kept_in_objects(
    content: bytes, lasting: set[bytes]
) -> Iterator[tuple[bytes, bool, int, bool]]:
    """What objects of some classes make when somebody asks first; as :func:`_kept`."""
    for match in _CLASS.finditer(content):
        if match[1] not in lasting:
            continue
        end = _END.search(content, match.end())
        until = end.start() if end else len(content)
        for one in _LAZY.finditer(content, match.end(), until):
            yield one[1], True, _line(content, one.end() - 1), False
        for one in _PROPERTY.finditer(content, match.end(), until):
            yield one[1], True, _line(content, one.end(1)), True


def _kept(content: bytes) -> Iterator[tuple[bytes, bool, int, bool]]:
    """What some function keeps: name, whether it is an attribute, line, whether it is of the
    function's own name."""
    for match in _DECORATED.finditer(content) if b"cache" in content or b"memo" in content else ():
        indented = match[0][:1] in b" \t"
        yield match[1], indented, _line(content, match.end(1)), True
    for match in _GLOBAL.finditer(content) if b"global" in content else ():
        for name in match[1].replace(b",", b" ").split():
            setting = rb"^[ \t]+(?:\w+[ \t]*,[ \t]*)*" + name + rb"\b[^\n=(.\[]*=[^=]"
            for one in re.finditer(setting, content, re.MULTILINE):
                yield name, False, _line(content, one.end() - 1), False
    tables: dict[bytes, None] = {}
    for match in _SET.finditer(content):
        if match[1] is None:
            yield match[2], True, _line(content, match.start(2)), False
        elif match[1] + b"[" in content or match[1] + b"." in content:
            tables[match[1]] = None
    for name in tables:
        for one in re.finditer(rb"\b" + name + _PUT, content):
            yield name, False, _line(content, one.start()), False
    text = b"\n" + content
    for match in _OF_THING.finditer(content):
        root = b"\n" + match[1]
        if b"\ndef " + match[1] + b"(" in text or root + b" = " in text:
            yield match[2], True, _line(content, match.start(2)), False
    for name, at in chain(_defaults(content), _given(content)):
        yield name, False, _line(content, at), False
    for name in dict.fromkeys(_OF_BODY.findall(content)):
        own = b"self." + name
        if (own + b"[" in content or own + b"." in content) and own + b" =" not in content:
            for one in re.finditer(re.escape(own) + _PUT, content):
                yield name, True, _line(content, one.start()), False


def _defaults(content: bytes) -> Iterator[tuple[bytes, int]]:
    """Where parameters of which the default is a table are filled."""
    for match in _DEFAULT.finditer(content):
        at = content.rfind(b"def ", 0, match.start())
        head = content[at : match.start()] if at >= 0 else b":\n"
        name = _PARAMETER.search(head)
        if name is not None and b":\n" not in head:
            for one in re.finditer(rb"\b" + name[1] + _PUT, content[match.end() :]):
                yield name[1], match.end() + one.start()


def _given(content: bytes) -> Iterator[tuple[bytes, int]]:
    """Where functions that another one gives away fill variables of that one."""
    for match in _GIVEN.finditer(content):
        start = content.rfind(b"def " + match[2] + b"(", 0, match.start())
        line = content.rfind(b"\n", 0, start) + 1
        if start < 0 or not content.startswith(match[1], line):
            continue
        inner = content[start : match.start()]
        names = [
            (name, rb"^[ \t]+" + name + rb"\b[^\n=(.\[]*=[^=]")
            for one in _NONLOCAL.findall(inner)
            for name in one.replace(b",", b" ").split()
        ]
        outer = content[content.rfind(b"def ", 0, start) : start]
        names += [(name, rb"\b" + name + _PUT) for name in _OF_BODY.findall(outer)]
        for name, sign in names:
            for one in re.finditer(sign, inner, re.MULTILINE):
                yield name, start + one.end() - 1


def _readers(
    path: str, name: bytes, attribute: bool, sources: Sources, *, for_all: bool
) -> tuple[Place, ...] | None:
    """The functions that have a name in their text, or one that is given to the same thing.

    ``for_all``: in files that do not mention the one where it is kept, too.
    """
    found: dict[Place, None] = {}
    waiting, met = [(name, attribute)], {name}
    while waiting:
        one, attribute = waiting.pop()
        bare = re.compile(rb"\b" + one + rb"\b")
        dotted = re.compile(rb"\.\s*" + one + rb"\b")
        for other, content in sources.all().items():
            if one not in content or not (for_all or sources.mentions(other, path)):
                continue
            unknown = other != path and b"import" not in content and not for_all
            sign = dotted if attribute or unknown else bare
            places, more = sources.text(other).reading(sign, one)
            found.update(dict.fromkeys(places))
            waiting += [(alias, False) for alias in more if alias not in met]
            met.update(more)
            if len(found) > _MOST_READERS:
                return None
    return tuple(found)
