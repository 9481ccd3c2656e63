"""The classes and functions that a project defines, by the names that they have anywhere in it."""

from __future__ import annotations

import ast
import re
from collections.abc import Collection
from typing import Final

from flakefighters.source.purity import is_known_base

__all__ = ["Definitions"]

#: How a class may learn of its subclasses.
_LEARNING: Final = re.compile(rb"\b(?:__subclasses__|__init_subclass__)\b")
_CLASS: Final = re.compile(
    rb"^[ \t]*class\s+(\w+)\s*(?:\[[^\]]*\]\s*)?(?:\(([^)]*)\))?", re.MULTILINE
)
#: With what stands before the first parameter of a method.
_DEFINITION: Final = re.compile(
    rb"^[ \t]*(?:(?:async[ \t]+)?def|class)[ \t]+(\w+)(?:\s*\(\s*(self|cls)\b)?", re.MULTILINE
)
_PROTOCOL: Final = re.compile(rb"\bruntime_checkable\b|\b__(?:subclasshook|instancecheck)__")
_BRACKETS: Final = re.compile(r"\[[^\[\]]*(?:\[[^\[\]]*\][^\[\]]*)*\]")
_COMMENT: Final = re.compile(r"#.*")


class Definitions:
    """Asked by the text of all files at once; a name says nothing of which file has it."""

    def __init__(self, contents: Collection[bytes]):
        self._contents = contents
        self._bases: dict[str, list[str]] | None = None
        self._defined: tuple[set[str], set[str]] | None = None
        self._protocols: bool | None = None
        self._learning = False

    def has(self, name: str) -> bool:
        """Whether a function or class of that name is defined, other than as a method."""
        return name in self._names()[0]

    def has_method(self, name: str) -> bool:
        """Whether anything of that name is defined, be it a method."""
        return name in self._names()[0] or name in self._names()[1]

    def has_protocols(self) -> bool:
        """Whether some class counts others among its own by the methods that they have."""
        if self._protocols is None:
            self._protocols = any(map(_PROTOCOL.search, self._contents))
        return self._protocols

    def plain_class(self, name: str) -> bool:
        """Whether all classes of a name are of this project and learn of no subclass."""
        known = self._classes()
        waiting, met = [name], set()
        while waiting:
            one = waiting.pop()
            if one in met or (one not in known and is_known_base(ast.Name(one))):
                continue
            met.add(one)
            if one not in known or self._learning:
                return False
            for bases in known[one]:
                if "=" in bases or "(" in bases:
                    return False
                plain = _BRACKETS.sub("", _COMMENT.sub("", bases))
                waiting += [
                    base.strip().rpartition(".")[2] for base in plain.split(",") if base.strip()
                ]
        return True

    def _classes(self) -> dict[str, list[str]]:
        """The bases that the classes of each name have, as written."""
        if self._bases is None:
            self._bases = {}
            for content in self._contents:
                self._learning = self._learning or _LEARNING.search(content) is not None
                for match in _CLASS.finditer(content):
                    bases = (match[2] or b"").decode("utf-8", "replace")
                    self._bases.setdefault(match[1].decode("utf-8", "replace"), []).append(bases)
        return self._bases

    def _names(self) -> tuple[set[str], set[str]]:
        """The names of functions and classes, and those of methods."""
        if self._defined is None:
            self._defined = set(), set()
            for content in self._contents:
                for match in _DEFINITION.finditer(content):
                    names = self._defined[match[2] is not None]
                    names.add(match[1].decode("utf-8", "replace"))
        return self._defined
