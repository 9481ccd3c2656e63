"""Classes of a project that only hold values: making one of them does nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

__all__ = ["records"]

#: Definitions and assignments, with something in the second group if that is a named tuple.
_DEFINED: Final = re.compile(
    rb"^[ \t]*(?:(?:async[ \t]+)?def|class)[ \t]+(\w+)"
    rb"[ \t]*(\([ \t]*(?:\w+\.)?NamedTuple[ \t]*\)[ \t]*:)?"
    rb"|^[ \t]*(\w+)[ \t]*=(?!=)[ \t]*((?:\w+\.)?namedtuple\()?",
    re.MULTILINE,
)
#: A dataclass without bases, and its body.
_DATACLASS: Final = re.compile(
    rb"^@(?:dataclasses\.)?dataclass\b[^\n]*\nclass[ \t]+(\w+)[ \t]*:((?:[^\n]*\n(?!\S))*)",
    re.MULTILINE,
)
#: What such a class may do when one is made.
_ACTIVE: Final = re.compile(
    rb"\b__(?:post_init|init|new|setattr|getattribute)__"
    rb"|\bdefault_factory\s*=\s*(?!(?:dict|list|set|tuple)\b)"
)


def records(sources: Iterable[bytes]) -> frozenset[str]:
    """The names that are bound to named tuples and plain dataclasses, wherever they are bound."""
    found: dict[str, bool] = {}
    for content in sources:
        plain = {match[1] for match in _DATACLASS.finditer(content) if not _ACTIVE.search(match[2])}
        for match in _DEFINED.finditer(content):
            name = (match[1] or match[3]).decode()
            record = bool(match[2] or match[4]) or match[1] in plain
            found[name] = found.get(name, True) and record
    return frozenset(name for name, record in found.items() if record)
