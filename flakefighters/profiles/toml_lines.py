"""On which line of a TOML file a setting stands (tomllib does not tell)."""

from __future__ import annotations

import re
import tomllib
from typing import Any, Final

__all__ = ["find_line", "lines"]

_PART: Final = r"""(?:"(?:[^"\\]|\\.)*"|'[^']*'|[A-Za-z0-9_-]+)"""
_KEY: Final = re.compile(rf"\s*({_PART}(?:\s*\.\s*{_PART})*)\s*=")
_HEADER: Final = re.compile(rf"\s*\[\s*({_PART}(?:\s*\.\s*{_PART})*)\s*\]")
# A string that does not end is taken whole: otherwise hostile lines cost quadratic time.
_STRINGS: Final = re.compile(r'"""|\'\'\'|"(?:[^"\\\n]|\\.)*"?|\'[^\'\n]*\'?|#.*')


def lines(text: str) -> dict[tuple[str, ...], int]:
    """Map the path of each key and table to its line, from 1.

    A line-wise reading, good enough for messages: members of inline tables are not found, and a
    text that tomllib refuses gives what could be understood.
    """
    found: dict[tuple[str, ...], int] = {}
    table: tuple[str, ...] = ()
    quote = ""  # the kind of multi-line string that we are in
    for number, line in enumerate(text.split("\n"), start=1):
        if not quote:
            if header := _HEADER.match(line):
                table = _path(header[1])
                found.setdefault(table, number)
            elif key := _KEY.match(line):
                found.setdefault(table + _path(key[1]), number)
        quote = _open_string(line, quote)
    return found


def find_line(found: dict[tuple[str, ...], int], path: tuple[str, ...]) -> int | None:
    """The line of a path, else of the nearest table or key that holds it."""
    while path:
        if (line := found.get(path)) is not None:
            return line
        path = path[:-1]
    return None


def _path(key: str) -> tuple[str, ...]:
    """The parts of a dotted key."""
    try:
        node: Any = tomllib.loads(f"{key} = 0")
    except tomllib.TOMLDecodeError:
        return (key,)
    parts = []
    while isinstance(node, dict):
        [(part, node)] = node.items()
        parts.append(part)
    return tuple(parts)


def _open_string(line: str, quote: str) -> str:
    """The multi-line string that is open at the end of a line."""
    position = 0
    while True:
        if quote:
            end = line.find(quote, position)
            if end < 0:
                return quote
            position, quote = end + 3, ""
        token = _STRINGS.search(line, position)
        if token is None:
            return ""
        position = token.end()
        if token[0] in ('"""', "'''"):
            quote = token[0]
