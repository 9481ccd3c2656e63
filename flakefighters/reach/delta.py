"""From two file maps to what differs in units, and to what must run for a change to matter.

A change in a function matters to whoever runs the function.  A changed constant, default or
deleted method matters to whoever runs something that reads its name, in this file or another.
A change with an effect at import may matter to whoever imports the file.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from flakefighters.model import Change, ChangeKind, Effect, Unit
from flakefighters.reach.callers import callers
from flakefighters.reach.importers import seekers
from flakefighters.reach.leavings import Leavings
from flakefighters.reach.lookers import Lookers
from flakefighters.reach.project import Sources
from flakefighters.reach.readers import Readers, readers
from flakefighters.source.units import ANY, compare, spans
from flakefighters.state.files import differing

__all__ = ["MOST_PARSED", "Delta", "Sources", "delta"]

#: Beyond so many changed Python files each is one change: nobody reads more, and parsing costs.
MOST_PARSED: Final = 400

#: Where code may go on if there is no such name, or ask which there are.
_EXPECTING: Final = re.compile(
    rb"\bgetattr\([^\n]*,[^\n]*,|\bhasattr\(|\b(?:Attribute|Key|Lookup|Name)Error\b|\.get\("
    rb"|\bexcept\s*:|\bexcept\b[^:\n]*\b(?:Base)?Exception\b|\bsuppress\s*\(|\b(?:dir|vars)\("
    rb"|__dict__|\bgetmembers|\bin globals\(|\bglobals\(\)\s*(?:\.|:|$)|\b(?:eval|exec)\("
)
_NOBODY: Final = Readers(frozenset(), frozenset(), True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Delta:
    """Everything that differs between the files of two states."""

    effects: tuple[Effect, ...] = ()
    #: "git" if old contents were at hand for all changed files, else "recorded".
    source: str = "git"
    #: Why there may be more, None if this is all.
    unknown: str | None = None


def delta(
    old: Mapping[str, str],
    new: Mapping[str, str],
    read_old: Callable[[Iterable[str]], Mapping[str, bytes]],
    sources: Sources,
    *,
    lookers: Lookers | None = None,
    seconds: float = 2.0,
    clock: Callable[[], float] = time.monotonic,
) -> Delta:
    """Compare two file maps (path to blob id).

    ``read_old`` gives contents by blob id as far as they can be had; ``lookers`` are those of the
    sources, kept for several comparisons.  ``seconds`` bounds the search for readers of changed
    names, beyond which a change counts as one at import.
    """
    end = clock() + seconds
    sources.late = lambda: clock() > end
    files = differing(old, new)
    python = [one for one in files if one.kind is ChangeKind.FILE]
    wanted = {
        one.path: old[one.path]
        for one in python[:MOST_PARSED]
        if one.path in old and (one.path in new or _has_tests(one.path))
    }
    contents = read_old(wanted.values()) if wanted else {}
    effects: list[Effect] = []
    coarse = False
    leavings = Leavings(sources, lambda: clock() > end)
    lookers = lookers or Lookers(sources)
    former: Mapping[str, bytes] = {}

    def look(one: Change) -> frozenset[Unit]:
        return frozenset() if clock() > end else lookers.of(one)

    for one in files:
        if one.kind is not ChangeKind.FILE:
            effects.append(_looked(_data(one, sources, clock() > end), look(one)))
            continue
        looked = look(one)
        before = contents.get(wanted.get(one.path, ""))
        after = sources.read(one.path) if one.path in new else None
        if before is None or after is None:
            coarse = coarse or (one.path in old and one.path in new)
            whole = _whole(one, after, sources, lambda: clock() > end)
            if one.how == "added":
                former = former or _former(sources, old, wanted, contents)
                whole = replace(whole, named_in=whole.named_in | seekers(one.path, former))
            effects.append(_looked(leavings.add(whole, before), looked))
            continue
        if clock() <= end:
            looked |= lookers.of_texts(one.path, before, after)
        changes = compare(one.path, before, after, sources.around(one.path))
        if looked and not changes:  # somebody may read the very text
            effects.append(Effect(change=replace(one, by_run=False), looked=looked))
        for change in changes:
            if change.kind is ChangeKind.FILE:
                found = _whole(change, after, sources, lambda: clock() > end)
            else:
                found = sources.effects.get(change) or _effect(
                    change, sources, lambda: clock() > end
                )
                if clock() <= end:
                    sources.effects[change] = found
            effects.append(_looked(leavings.add(found, before), looked))
    return Delta(
        effects=tuple(effects),
        source="recorded" if coarse else "git",
        unknown="there are too many files to read them all" if sources.cut else None,
    )


def _former(
    sources: Sources,
    old: Mapping[str, str],
    wanted: Mapping[str, str],
    contents: Mapping[str, bytes],
) -> dict[str, bytes]:
    """The files that were there before, as they were if that is known."""
    return {
        path: contents.get(wanted.get(path, ""), content)
        for path, content in sources.all().items()
        if path in old
    }


def _looked(effect: Effect, looked: frozenset[Unit]) -> Effect:
    return replace(effect, looked=looked) if looked else effect


def _has_tests(path: str) -> bool:
    name = path.rpartition("/")[2]
    return name.startswith(("test_", "conftest.")) or name.endswith("_test.py")


def _whole(
    change: Change, content: bytes | None, sources: Sources, late: Callable[[], bool]
) -> Effect:
    """A file that is known only as different: any part of it may be what changed.

    Of a new one that only binds names it is known who asks for them.
    """
    units = spans(change.path, content) if content is not None else ()
    own = frozenset((change.path, unit.name) for unit in units)
    if change.how != "added" or not sources.quiet(change.path):
        return Effect(change=replace(change, names=(ANY,)), targets=own, at_import=True)
    found = readers(change.path, sources.bound(change.path), sources, late, added=True)
    return Effect(
        change=replace(change, names=(ANY,)),
        targets=own | found.sure,
        maybe=found.maybe,
        named_in=found.handed,
        asked=found.asked,
        carried=found.names,
        at_import=not found.complete,
    )


def _data(change: Change, sources: Sources, late: bool) -> Effect:
    """A data file: opening it is seen, but not a look at its existence, C code, or a cache."""
    if late:
        return Effect(change=change)
    name = change.path.rpartition("/")[2].encode("utf-8", "surrogateescape")
    maybe: set[Unit] = set()
    named_in: set[str] = set()
    for path, content in sources.all().items():
        if name not in content:
            continue
        lines = [at for at, line in enumerate(content.splitlines(), 1) if name in line]
        functions = [one for one in spans(path, content) if one.kind is ChangeKind.FUNCTION]
        for line in lines:
            around = [one for one in functions if one.first_line <= line <= one.last_line]
            if around:
                maybe.update((path, one.name) for one in around)
            else:
                named_in.add(path)
    return Effect(change=change, maybe=frozenset(maybe), named_in=frozenset(named_in))


def _is_test(change: Change) -> bool:
    name = (change.unit or "").rpartition(".")[2]
    return change.kind is ChangeKind.FUNCTION and name.startswith("test")


def _effect(change: Change, sources: Sources, late: Callable[[], bool]) -> Effect:
    names = {name for name in change.names if name != ANY}
    own: frozenset[Unit] = frozenset()
    there = change.unit is not None and change.line is not None
    if change.kind is ChangeKind.FUNCTION and change.by_run and there and change.unit is not None:
        own = frozenset({(change.path, change.unit)})
    found = _NOBODY
    asked: frozenset[Unit] = frozenset()
    if _is_test(change):
        # Nobody but pytest asks for it, to run it.
        asked = own if names else frozenset()
    elif change.by_call and change.unit is not None:
        found = callers(change.path, change.unit, sources, late) or readers(
            change.path, names, sources, late
        )
    elif names:
        # With a member its class was there before.
        added = change.how == "added" and "." not in (change.unit or "")
        found = readers(change.path, names, sources, late, added=added)
    maybe = found.maybe
    if change.how == "added" and "." not in (change.unit or ".") and names <= {change.unit}:
        # Who asked for it by a computed name before would have failed, unless it expects that.
        maybe = sources.looking_tests() & maybe | frozenset(
            one for one in maybe if sources.catches(one[0], _EXPECTING)
        )
    return Effect(
        change=change,
        targets=own | found.sure,
        maybe=maybe,
        named_in=found.handed,
        asked=asked | found.asked,
        carried=found.names,
        at_import=ANY in change.names
        or not found.complete
        or ("__all__" in names and sources.starred(change.path)),
    )
