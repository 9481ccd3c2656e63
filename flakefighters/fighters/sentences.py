"""Reasons in words: a sentence for each kind of doubt, and how changes and runs are shown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from flakefighters.model import Case, Change, ChangeKind, Doubt, DoubtKind, Past, setting
from flakefighters.words import ago, few

__all__ = ["DOUBTS", "apart", "changed", "crossed", "doubtful", "run_name", "shown", "where"]

#: What a doubt says; ``{change}``, ``{detail}`` and ``{since}`` are filled in.  docs/verdicts.md
#: explains each.
DOUBTS: Final = {
    DoubtKind.INCOMPLETE: "not all that changed is known: {detail}",
    DoubtKind.MAY_READ: "{change} changed, and it computes what it {detail}",
    DoubtKind.MAY_IMPORT: "{change} changed, and it may import that: {detail}",
    DoubtKind.AT_IMPORT: "{change} changed, and may affect all that import it",
    DoubtKind.HANDED_ON: "{change} changed, and is handed on when it is imported",
    DoubtKind.IN_EXAMPLE: "{change} changed, which an example in a text may read",
    DoubtKind.LOADED_EARLY: "{change} changed, and was loaded before the tests could be watched",
    DoubtKind.BY_LIBRARY: "{change} changed, and was loaded by its name, not by an import",
    DoubtKind.COMPILED: "{change} changed, and compiled code of the project is loaded",
    DoubtKind.DIFFERS_INSTALLED: "the installed copy of {detail} differs from the one here",
    DoubtKind.LEFT_BEHIND: "{change} changed, ran before this test, and alters what it reads",
    DoubtKind.KEPT: "{change} changed, and code may keep what it gave an earlier test",
    DoubtKind.READ_BEFORE: "{change} changed, and was read before this test",
    DoubtKind.NAMED: "{change} changed, which it names but was not seen to open",
    DoubtKind.OPENED_IN_C: "{change} changed, and {detail} opens such files unseen",
    DoubtKind.STEERED: "{change} changed, which may set the {detail} that it reads",
    DoubtKind.CHILD: "a child process may have run what changed: {detail}",
    DoubtKind.ELSEWHERE: "it last passed elsewhere ({since}): {change}",
    DoubtKind.REMOVED_DISTRIBUTION: "{change} was removed, and may have been imported",
    DoubtKind.PYTEST_DISTRIBUTION: "{change} changed, which pytest or a plugin loaded",
    DoubtKind.UNSEEN: "what it ran is not known: {detail}",
    DoubtKind.IMPORTS_UNKNOWN: "its imports are not wholly known: {detail}",
}


def doubtful(doubts: Sequence[Doubt], since: Past) -> list[tuple[str, str]]:
    """The kinds of doubts, and each as a sentence without a full stop; one for all places."""
    said = []
    places = [one.change for one in doubts if one.kind is DoubtKind.ELSEWHERE and one.change]
    for kind, change, detail in doubts:
        text = "" if change is None else shown(change)
        if kind is DoubtKind.ELSEWHERE:
            text = few(list(map(shown, places)))
        sentence = DOUBTS[kind].format(change=text, detail=detail, since=where(since))
        if kind is DoubtKind.ELSEWHERE:
            sentence = crossed(places, where(since)) or sentence
        said.append((kind.value, sentence))
    return list(dict.fromkeys(said))


def shown(change: Change) -> str:
    """How a change is shown in a reason."""
    if change.kind is ChangeKind.FUNCTION:
        return f"{change.unit}() in {change.path}"
    if change.kind in (ChangeKind.DISTRIBUTION, ChangeKind.SETTING):
        if change.path.startswith("env."):  # its value is known by its hash alone
            return f"another value of {change.path[4:]}"
        name = setting(change.path) if change.kind is ChangeKind.SETTING else change.path
        if change.before is not None and change.after is not None:
            return f"{name} {change.before} -> {change.after}"
        return name
    return str(change)


def changed(case: Case, changes: Sequence[Change], since: Past) -> str:
    """ "changed in 9826683 'raise rate'" where git can tell, else since which pass."""
    told = [case.commits.get((one.path, one.unit), ()) for one in changes]
    names = list(dict.fromkeys(name for some in told for name in some)) if all(told) else []
    if not names or names == ["uncommitted edit"]:
        return f"changed since it last passed ({names[0] if names else where(since)})"
    return f"changed in {' and '.join(names) if len(names) == 2 else few(names)}"


def crossed(changes: Iterable[Change], since: str) -> str | None:
    """ "passed in CI (a1b2c3d), fails here", if that is what changed; the reverse; else None."""
    for change in changes:
        if change.path == "ci.vendor" and change.how in ("added", "removed"):
            there, here = ("in CI", "here") if change.how == "removed" else ("outside CI", "in CI")
            return f"passed {there} ({since}), fails {here}"
    return None


def run_name(past: Past) -> str:
    """How a run is named in a reason: its random tail."""
    return f"run {past.run.id[-4:]}"


def apart(then: int, now: int) -> str:
    """ "5 minutes ago", or "5 minutes later" for what came after."""
    if then <= now:
        return ago(then, now)
    text = ago(now, then)
    return text if text == "just now" else text.removesuffix(" ago") + " later"


def where(past: Past) -> str:
    """The commit of a run as people write it, else the run."""
    return past.run.commit[:7] if past.run.commit else run_name(past)
