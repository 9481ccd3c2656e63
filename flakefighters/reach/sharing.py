"""Where tests leave something for later ones: in fixtures that live longer than a test, and such.

By the text of the files, as in :mod:`~flakefighters.reach.keepers`.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Collection, Iterator
from typing import Final

from flakefighters.reach.project import Sources
from flakefighters.reach.queries import ASKING

__all__ = ["fixtures", "kept_for_tests", "wide_fixtures"]

_WIDE: Final = re.compile(rb"\bscope[ \t]*=(?![ \t]*[\"']function)")
_FIXTURE: Final = re.compile(rb"^[ \t]*@[\w.]*fixture\b", re.MULTILINE)
#: ``return app``; and what a module has or imports.
_GIVING: Final = re.compile(rb"^[ \t]+(?:return|yield)[ \t]+(\w+)[ \t]*$", re.MULTILINE)
_OF_MODULE: Final = rb"^(?:[ \t]*(?:from\b[^\n]*)?\bimport\b[^\n]*\b%s\b|%s[ \t]*=)"
#: What is done to a thing so that it is another one afterwards.
_DONE: Final = (
    rb"(?:(?:\.\w+)*\[[^\n]*\][ \t]*[-+|]?=[^=]|(?:\.\w+)+[ \t]*[-+|]?=[^=]"
    rb"|[^\n]*\.(?:add|append|clear|create|delete|discard|extend|insert|patch|pop|post|push|put"
    rb"|register|remove|save|set|store|unlink|update|upload|write)\w*\("
    rb"|[^\n]*\.execute\w*\((?![ \t]*[\"']+[ \t]*(?i:" + "|".join(ASKING).encode() + rb")\b))"
)
#: ``pytest.order = 7``, ``request.config.order = 7``.
_OF_PYTEST: Final = re.compile(
    rb"^[ \t]+(?:pytest|config|request\.config|session|request\.session)\.(\w+)[ \t]*=[^=]",
    re.MULTILINE,
)
_ENVIRONMENT: Final = re.compile(
    rb"^[ \t]+os\.(?:environ(?:\[[^\n]*\][ \t]*=[^=]|\.(?:pop|setdefault|update)\()|putenv\()",
    re.MULTILINE,
)


def wide_fixtures(sources: Sources) -> frozenset[bytes]:
    """Names of the fixtures of a project that give what lives longer than a test.

    They have a wide scope, or return such a fixture, or something that a module has.
    """
    found: set[bytes] = set()
    handing: list[tuple[bytes, bytes]] = []
    for content, name, wide, body in fixtures(sources):
        if wide:
            found.add(name)
        for given in _GIVING.findall(body):
            handing.append((name, given))
            if re.search(_OF_MODULE % (given, given), content, re.MULTILINE):
                found.add(name)
    for _ in range(3):
        found.update(name for name, given in handing if given in found)
    return frozenset(found)


def fixtures(sources: Sources) -> Iterator[tuple[bytes, bytes, bool, bytes]]:
    """For each the content of its file, its name, whether its scope is wide, and its text."""
    for path, content in sources.all().items():
        if b"fixture" not in content:
            continue
        text = sources.text(path)
        firsts = [one[0] for one in text.functions()]
        for line in text.having(_FIXTURE):
            for first, last, function in text.functions()[bisect_right(firsts, line) :][:1]:
                name = function.rpartition(".")[2].encode("utf-8", "surrogatepass")
                wide = _WIDE.search(text.lines(line, first)) is not None
                yield content, name, wide, text.lines(first, last)


def kept_for_tests(
    content: bytes, wide: Collection[bytes]
) -> Iterator[tuple[bytes, bool, int, bool]]:
    """What a file leaves in them: name, whether it is an attribute, line, False."""

    def line(at: int) -> int:
        return content.count(b"\n", 0, at) + 1

    names = sorted(name for name in wide if name in content)
    if names:
        named = b"|".join(map(re.escape, names))
        for match in re.finditer(
            rb"^[ \t]+[^\n#]*?\b(" + named + rb")\b" + _DONE, content, re.MULTILINE
        ):
            yield match[1], False, line(match.end(1)), False
    for match in (
        _OF_PYTEST.finditer(content) if b"pytest" in content or b"config" in content else ()
    ):
        yield match[1], True, line(match.start(1)), False
    for match in _ENVIRONMENT.finditer(content) if b"environ" in content else ():
        yield b"environ", False, line(match.end()), False
