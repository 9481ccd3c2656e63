"""The functions of a file as its indentation tells them: to parse it would cost far more."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from flakefighters.model import Unit

__all__ = ["Place", "Text"]

_DEF: Final = re.compile(rb"[ \t]*(?:async[ \t]+)?def[ \t]+(\w+)")
_CLOSING: Final = (b")", b"]", b"}", b"#")


class Place(NamedTuple):
    """A function, or lines in one."""

    unit: Unit
    first: int
    last: int


class Text:
    """The lines of a file, and the functions that its indentation tells."""

    def __init__(self, path: str, content: bytes):
        self._path = path
        self._content = content
        self._lines = content.split(b"\n")
        self._functions: list[tuple[int, int, str]] | None = None

    def functions(self) -> list[tuple[int, int, str]]:
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
        around = [one for one in self.functions() if one[0] <= line <= one[1]]
        if not around:
            return None
        first, last, name = around[-1]
        return Place((self._path, f"{name} at {first}"), first, last)

    def lines(self, first: int, last: int) -> bytes:
        """The text of some lines, both included."""
        return b"\n".join(self._lines[max(first, 1) - 1 : last])

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
        for at in self.having(sign):
            line = self._lines[at - 1]
            if line.lstrip().startswith(b"#"):
                continue
            more.update(renamed.findall(line) + alias.findall(line))
            place = self.function(at)
            if place is not None:
                found[place] = None
        return list(found), more

    def having(self, sign: re.Pattern[bytes]) -> Iterator[int]:
        """The lines that have a sign."""
        last, line = 0, 1
        for match in sign.finditer(self._content):
            line += self._content.count(b"\n", last, match.start())
            last = match.start()
            yield line
