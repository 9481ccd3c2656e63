"""Which of the changes since a baseline did an execution touch?

The dynamic form of DeFlaker's question (Bell et al., ICSE 2018), asked per unit, of everything
that changed since the test last passed instead of the last commit alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from flakefighters.fighters.words import few, where
from flakefighters.model import (
    Baseline,
    Case,
    Change,
    ChangeKind,
    Effect,
    Reach,
    Touch,
    Unit,
)

__all__ = ["Touching", "touching"]

#: Programs that run no code of the project and read none of its files.
_HARMLESS: Final = frozenset(
    {
        *("cc", "clang", "gcc", "id", "ldconfig", "locale", "lsb_release", "objdump"),
        *("stty", "tput", "uname", "which"),
    }
)
#: How programs are called that run what they find in files.
_RUNNING_CODE: Final = ("bash", "make", "node", "py", "sh")
#: What an import of a file raises that is no Python.
_UNREADABLE: Final = frozenset({"IndentationError", "SyntaxError", "TabError"})
#: Settings that say where a run ran, not how: another job alone is no change of behaviour.
_PLACE: Final = ("ci",)


@dataclass(slots=True)
class Touching:
    """The changes that were touched, and why there may be more."""

    touched: list[tuple[str, Change]] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)

    def say(self, baseline: Baseline) -> str:
        """A sentence on the touched changes."""
        since = f"changed since it last passed ({where(baseline.past)})"
        first = self.touched[0][0]
        shown = [_show(change) for how, change in self.touched if how == first]
        return f"{first} {few(list(dict.fromkeys(shown)))}, {since}"


@dataclass(frozen=True, slots=True)
class _Seen:
    """What an execution did and can reach, as it is asked for below."""

    case: Case
    touch: Touch
    #: Changed code that ran in the execution, and what ran before it and may matter to it.
    ran: frozenset[Unit]
    before: frozenset[Unit]
    reach: Mapping[str, str]
    #: Why it may reach more than that, None if it does not.
    unknown: str | None

    @classmethod
    def of(cls, case: Case, touch: Touch) -> _Seen:
        reach = case.reach or Reach(files={})
        ran = _plain(touch.ran)
        unknown: str | None = None
        if case.reach is None or not reach.files:
            unknown = "its imports are not known"
        else:
            # A computed import matters to those who ran it, or depend on who ran it.
            run = ran | _plain(_ran_before(touch, reach.files))
            came = (
                why
                for unit, why in reach.unknown_in.items()
                if unit[0] in touch.blind or not run.isdisjoint(_plain(frozenset({unit})))
            )
            unknown = reach.unknown_anyway or next(came, None)
        before = _plain(_ran_before(touch, None if unknown else reach.files))
        return cls(case, touch, ran, before, reach.files, unknown)

    def is_elsewhere(self, effect: Effect) -> bool:
        """Whether a change is in a file of which nothing came to the test.

        Then the names that it reads are not those.  Unless the change alters another file's
        things (``rates.RATE = 7``), for which there is no need to know the file.
        """
        path, touch = effect.change.path, self.touch
        if not self.reach or path in self.reach or path in touch.imported or path in touch.blind:
            return False
        others = self.case.collected - {self.case.own_file}
        if not (
            path in touch.imported_before
            or path in touch.opened
            or path in touch.opened_before
            or any(path in one.modules for one in touch.imports)
        ):
            return True  # none of its code ran in this process
        along = any(path in one.modules for one in touch.imports if one.file != path)
        if effect.at_import and not _only_binds(effect.change):
            return False
        if path in others:
            return True  # a file with other tests: nobody asks for it by a computed name
        return (path not in touch.imported_before or along) and self.unknown is None

    def may_have_kept(self, path: str) -> bool:
        """Whether what was read of a file may have been kept by code that the test can reach."""
        if path in self.case.collected and path != self.case.own_file:
            return False  # a text with tests, which pytest has read
        openers = {file for data, file in self.touch.openers if data == path}
        if not openers or "" in openers or not self.reach or self.unknown is not None:
            return True
        return not openers.isdisjoint(self.reach)


def touching(case: Case, baseline: Baseline) -> Touching:
    """Join what changed with what was touched."""
    found = Touching()
    touch = case.touch
    assert touch is not None
    seen = _Seen.of(case, touch)
    for effect in baseline.changes.effects:
        _judge(effect, seen, found)
        _left(effect, seen, found)
        _kept(effect, seen, found)
        _looked(effect, seen, found)
    files = {effect.change for effect in baseline.changes.effects}
    for change in baseline.changes.changes:
        if change not in files:
            _environment(change, case, found)
    found.touched.sort(key=lambda one: _RANK.index(one[0]))
    _doubts(baseline, seen, found)
    return found


def _is_text(case: Case) -> bool:
    """Whether the test is no function: a doctest has a dotted name, or its file's."""
    return "." in case.nodeid.rpartition("::")[2].partition("[")[0]


def _may_read(effect: Effect, case: Case) -> bool:
    """Whether the example in a text may look up what changed, or import it."""
    if not _is_text(case):
        return False
    if case.example is None or effect.at_import:
        return True
    change = effect.change
    module = change.path.removesuffix(".py").removesuffix("/__init__").rpartition("/")[2]
    names = {name.lstrip(".@?") for name in change.names} | effect.carried
    return not case.example.isdisjoint({*names, *(change.unit or "").split("."), module})


def _shows(change: Change, case: Case) -> bool:
    """Whether the test is an example of which the text changed."""
    if change.by_run or change.names or change.unit is None or case.own_file != change.path:
        return False
    last = case.nodeid.rpartition("::")[2]
    return last.endswith(f".{change.unit}") or ":" in last  # pytest's, Sybil's


def _own_unit(case: Case) -> Unit:
    """The function that a test is."""
    parts = case.nodeid.partition("[")[0].split("::")[1:]
    return case.own_file or "", ".".join(parts)


def _stands_in(effect: Effect, seen: _Seen) -> bool:
    """Whether the test stands in a class that is made otherwise now, or inherits from one."""
    if not effect.change.headed:
        return False
    path, name = _own_unit(seen.case)
    unit = effect.change.unit or ""
    if effect.change.kind is ChangeKind.FUNCTION:
        unit = unit.rpartition(".")[0]
    if effect.change.path == path and name.startswith(f"{unit}."):
        return True
    inherits = not effect.carried.isdisjoint(name.split(".")[:-1])
    return inherits and (effect.change.path == path or effect.change.path in seen.reach)


def _only_binds(change: Change) -> bool:
    """Whether the names of a change are those that it binds in its own file."""
    names = [name for name in change.names if name != "*"]
    unit = change.unit or ""
    if any(name.startswith("?") for name in names):
        return False
    if change.kind is ChangeKind.STATEMENT:
        return ", ".join(names) in (unit, unit.partition(".")[0])
    return {name.lstrip(".@") for name in names} <= set(unit.split("."))


def _ran_before(touch: Touch, reach: Mapping[str, str] | None) -> frozenset[Unit]:
    """What ran before the execution and may matter to it.

    Code that ran while a module was imported matters to those who depend on the module; None:
    on any.
    """
    return touch.ran_before.union(
        *(one.ran for one in touch.imports if reach is None or not one.modules.isdisjoint(reach))
    )


_HANDED: Final = "changed, and is handed on when it is imported"
_RANK: Final = (
    *(
        "ran",
        "ran at import",
        "asks for",
        "opened",
        "read at import",
        "listed the folder of",
        "uses",
        "runs with",
    ),
)


def _judge(effect: Effect, seen: _Seen, found: Touching) -> None:
    change, touch, reach = effect.change, seen.touch, seen.reach
    path, ran, before = change.path, seen.ran, seen.before
    if change.kind is ChangeKind.DATA:
        folder = path.rpartition("/")[0]
        named = _plain(effect.maybe) & (ran | before)
        if path in touch.opened:
            found.touched.append(("opened", change))
        elif change.how != "changed" and folder in touch.opened:
            found.touched.append(("listed the folder of", change))
        elif reach and any(data == path and file in reach for data, file in touch.read_at_import):
            found.touched.append(("read at import", change))
        elif effect.unseen:
            found.doubts.append(f"{path} changed, and may have been read before we could watch")
        elif path in touch.opened_before and seen.may_have_kept(path):
            found.doubts.append(f"{path} changed, and was read before this test")
        elif named or effect.named_in & reach.keys():
            found.doubts.append(f"{path} changed, which it names but was not seen to open")
        return
    if change.unit is None and not change.by_run:
        return  # no more than its text differs
    targets, maybe = _plain(effect.targets), _plain(effect.maybe)
    if any(unit[0] == path for unit in targets & ran):
        found.touched.append(("ran", change))
    elif (
        _plain(effect.asked) & _plain(frozenset({_own_unit(seen.case)}))
        or _shows(change, seen.case)
        or _stands_in(effect, seen)
    ):
        found.touched.append(("asks for", change))
    elif seen.is_elsewhere(effect):
        return
    elif targets & ran:
        # It reads the name of something that changed; but if it has that from elsewhere?
        if seen.unknown is None or path in reach:
            found.touched.append(("ran", change))
        else:
            found.doubts.append(f"{_show(change)} changed, and it may import that: {seen.unknown}")
    elif (targets & before and path in reach) or (
        path in touch.imported and change.kind is not ChangeKind.FUNCTION and change.by_run
    ):
        found.touched.append(("ran at import", change))
    elif path not in reach:
        if maybe & ran and seen.unknown is not None:
            found.doubts.append(f"{_show(change)} changed, and it computes what it imports")
        elif (
            effect.at_import
            and path in touch.imported_before
            and (change.unit or "").startswith("pytest_")
        ):  # a hook
            found.doubts.append(f"{_show(change)} changed, and was imported in this process")
        elif (change.names or effect.at_import) and _may_read(effect, seen.case):
            found.doubts.append(f"{_show(change)} changed, which an example in a text may read")
    elif change.unit is None and (change.how == "removed" or _cannot_be_read(change, seen.case)):
        found.touched.append(("asks for", change))
    elif effect.at_import and (path in touch.imported_before or path in touch.blind):
        found.doubts.append(f"{_show(change)} changed, and may affect all that import it")
    elif effect.named_in & reach.keys():
        how = "is new, and was asked for before" if change.how == "added" else _HANDED
        found.doubts.append(f"{_show(change)} {how}")
    elif path in touch.blind or effect.unseen:
        found.doubts.append(f"{path} changed, and was loaded before it could be watched")
    elif maybe & (ran | before):
        computes = "calls" if change.by_call else "reads"
        found.doubts.append(f"{_show(change)} changed, and it computes what it {computes}")
    elif change.names and _may_read(effect, seen.case):
        found.doubts.append(f"{_show(change)} changed, which an example in a text may read")


def _cannot_be_read(change: Change, case: Case) -> bool:
    """Whether the failure tells that Python cannot read a changed file."""
    kind = (case.failure.exception or "").rpartition(".")[2]
    return kind in _UNREADABLE and change.path.rpartition("/")[2] in case.failure.text


def _left(effect: Effect, seen: _Seen, found: Touching) -> None:
    """What an earlier test that ran the change, or an import, may have left behind for this one."""
    change, touch = effect.change, seen.touch
    earlier = _plain(effect.leavers) & _plain(touch.ran_earlier)
    imported = effect.leaves_at_import and change.path in touch.imported_before | touch.blind
    if not (earlier or imported) and (change.how != "removed" or effect.leavers):
        return
    if effect.left_to_all or _plain(effect.left_to) & (seen.ran | seen.before):
        how = "is gone, which altered"
        if earlier or (imported and change.how != "removed"):
            when = "ran in an earlier test" if earlier else "was imported"
            how = f"changed, {when}, and alters"
        found.doubts.append(f"{_show(change)} {how} what this one reads")


def _kept(effect: Effect, seen: _Seen, found: Touching) -> None:
    """What an earlier test computed by the change, and code may have kept for this one."""
    targets = _plain(effect.targets)
    for one in seen.touch.kept if targets else ():
        if ("", "") not in one.ran and targets.isdisjoint(_plain(one.ran)):
            continue
        reads = one.unit[0] in seen.reach if one.readers is None else one.readers & seen.ran
        if reads:
            found.doubts.append(
                f"{_show(effect.change)} changed, and {one.unit[0]} may keep what it gave an "
                f"earlier test"
            )
            return


def _looked(effect: Effect, seen: _Seen, found: Touching) -> None:
    """Code that looks at files ran, or the test depends on a module that does at import."""
    ran = effect.looked & (seen.ran | seen.before)
    if ran or any(not name and path in seen.reach for path, name in effect.looked):
        found.doubts.append(f"{effect.change.path} changed, and it looks at files like that")


def _environment(change: Change, case: Case, found: Touching) -> None:
    """A distribution or a setting that differs."""
    if change.kind is ChangeKind.DISTRIBUTION:
        if case.distributions is None or change.path in case.distributions:
            found.touched.append(("uses", change))
        elif change.how == "removed":
            found.doubts.append(f"{change.path} was removed, and may have been imported")
        elif case.loaded is None or change.path in case.loaded:
            found.doubts.append(
                f"{_show(change)} changed; its files do not import it, but pytest may"
            )
    elif change.kind is ChangeKind.SETTING:
        if change.path.partition(".")[0].partition(" ")[0] in _PLACE:
            found.doubts.append(f"it last passed elsewhere: {_show(change)}")
        else:
            found.touched.append(("runs with", change))


def _doubts(baseline: Baseline, seen: _Seen, found: Touching) -> None:
    """What cannot be known of this execution while anything in the files changed."""
    changes, touch = baseline.changes, seen.touch
    if not changes.complete:
        found.doubts.insert(0, f"not all that changed is known: {changes.unknown}")
    if not changes.effects:
        return
    children = sorted(
        child for child in touch.children if child.rpartition(" ")[2] not in _HARMLESS
    )
    if children:
        found.doubts.append(f"it started a child process ({few(children)}) while code changed")
    earlier = {child.rpartition(" ")[2] for child in touch.children_before}
    if any(name.startswith(_RUNNING_CODE) for name in earlier - _HARMLESS):
        found.doubts.append("a child process that ended before the test may have run changed code")
    if "multiprocessing.Process" in touch.children_before:
        found.doubts.append("a process that was started before the test may run changed code")
    if touch.unknown is not None:
        found.doubts.append(touch.unknown)
    if not seen.reach:
        found.doubts.append("its imports are not known")
    elif seen.unknown is not None and any(
        one.at_import and not seen.is_elsewhere(one) for one in changes.effects
    ):
        found.doubts.append(f"its imports are not wholly known: {seen.unknown}")


def _plain(units: frozenset[Unit]) -> frozenset[Unit]:
    """Qualified names in one spelling: nested functions with or without ``<locals>``."""
    return frozenset(
        (path, name.replace("<locals>.", "") if "<" in str(name) else name) for path, name in units
    )


def _show(change: Change) -> str:
    if change.kind is ChangeKind.FUNCTION:
        return f"{change.unit}() in {change.path}"
    if change.kind in (ChangeKind.DISTRIBUTION, ChangeKind.SETTING):
        if change.path.startswith("env."):  # its value is known by its hash alone
            return f"another value of {change.path[4:]}"
        if change.before is not None and change.after is not None:
            return f"{change.path} {change.before} -> {change.after}"
        return change.path
    return str(change)
