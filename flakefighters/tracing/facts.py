"""What is known of a process so far: each fact once, and which of them are not told yet."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from flakefighters.model.trace import Code

__all__ = ["KINDS", "Facts"]

#: The fields of :class:`~flakefighters.model.trace.Process`, and which parts of a fact are
#: functions, given by number: of "at_import" the second, of "callers" both.
KINDS: Final = {
    "earlier": (0,),
    "between": (0,),
    "at_import": (1,),
    "callers": (0, 1),
    "loaded": (),
    "opened": (),
    "read_at_import": (),
    "children": (),
    "modules": (),
    "installed": (),
}


class Facts:
    """Facts of a process and its functions, which are known by number."""

    def __init__(self) -> None:
        self._numbers: dict[Code, int] = {}
        self._count = itertools.count()
        self._new_codes: list[tuple[int, Code]] = []
        #: Functions by number.
        self.codes: dict[int, Code] = {}
        self._known: dict[str, set[Any]] = {kind: set() for kind in KINDS}
        self._new: dict[str, list[Any]] = {kind: [] for kind in KINDS}

    def number(self, code: Code) -> int:
        """The number of a function; safe to call from any thread."""
        number = self._numbers.get(code)
        if number is None:
            number = self._numbers.setdefault(code, next(self._count))
            self.codes[number] = code
            self._new_codes.append((number, code))
        return number

    def note(self, kind: str, fact: Any) -> None:
        """Keep a fact of one of :data:`KINDS`."""
        known = self._known[kind]
        if fact not in known:
            known.add(fact)
            self._new[kind].append(fact)

    def new(self) -> tuple[list[tuple[int, Code]], dict[str, list[Any]]]:
        """Functions with their numbers, and facts, since the last call."""
        codes, self._new_codes = self._new_codes, []
        facts = {kind: found for kind, found in self._new.items() if found}
        for kind in facts:
            self._new[kind] = []
        return codes, facts
