"""The difference between two versions of one Python file, in units instead of lines.

Both versions are read as syntax trees.  A function (its nested functions apart), a class's body
(its methods apart) and a statement of the module are units; comments, docstrings, formatting,
annotations that are not evaluated and code that only moved are no change.

A :class:`~flakefighters.model.Change` is touched by a test that runs its lines, and by a test
that runs something which reads one of the change's ``names``: a constant, a new default, a
deleted method.  ``"*"`` among them stands for an effect that no name leads to, such as a call at
import: all that imports the file may be affected.  No names: only running its lines counts.
"""

from __future__ import annotations

from dataclasses import dataclass

from flakefighters.model import EVERYONE, Change, ChangeKind
from flakefighters.source.compare import Comparison
from flakefighters.source.parse import MAX_BYTES, comparable_lines, parse, policy
from flakefighters.source.walk import walk

__all__ = [
    "MAX_BYTES",
    "UnitSpan",
    "compare",
    "spans",
]


@dataclass(frozen=True, slots=True)
class UnitSpan:
    """Where a unit stands.  Spans nest: a line belongs to the smallest one around it."""

    #: Qualified name, as a code object's ``co_qualname`` has it.
    name: str
    kind: ChangeKind
    #: Decorators included, as in ``co_firstlineno``.
    first_line: int
    last_line: int


def compare(path: str, old: bytes | None, new: bytes | None) -> tuple[Change, ...]:
    """The units that differ between two versions of a Python file, in order of their lines.

    ``None`` is a file that does not exist.  One change of kind FILE where units make no sense: a
    new or deleted file, or one that this Python cannot parse.  ``Change.line`` is the
    ``first_line`` of the unit's span in the new version, None if it is gone.
    """
    if old == new:
        return ()
    if old is None or new is None:
        how = "added" if old is None else "removed"
        return (Change(kind=ChangeKind.FILE, path=path, how=how, names=(EVERYONE,)),)
    before, after = parse(old), parse(new)
    if before is None or after is None:
        return _whole(path)
    try:
        counts = policy(old, before, new, after)
        found = Comparison(path, counts, comparable_lines(old, new)).modules(before, after)
    except RecursionError:  # definitions nested more deeply than Python can follow
        return _whole(path)
    return tuple(sorted(found, key=lambda change: (change.line is None, change.line or 0)))


def spans(path: str, source: bytes) -> tuple[UnitSpan, ...]:
    """The units of one version that can run, in order; () if it cannot be parsed."""
    del path  # as in compare(); other languages may need it one day
    tree = parse(source)
    if tree is None:
        return ()
    try:
        return tuple(
            UnitSpan(unit.name, unit.entry.kind, unit.entry.first, unit.entry.last)
            for unit in walk(tree)
        )
    except RecursionError:
        return ()


def _whole(path: str) -> tuple[Change, ...]:
    return (Change(kind=ChangeKind.FILE, path=path, names=(EVERYONE,)),)
