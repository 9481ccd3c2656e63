"""What a verdict rests on, in the words that reports group failures by."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from flakefighters.model import ChangeKind, Label, setting

__all__ = ["cause", "change"]

#: By flakefighter; with a label where the same flakefighter says different things.
_CAUSES: Final[Mapping[str | tuple[str, Label], str]] = {
    "rerun": "passed when run again",
    "systemic": "many tests failed at once",
    "broken": "three failures in a row, all alike",
    "same_state": "passed on the same state",
    "persistent": "genuine before, and not fixed since",
    ("touched_change", Label.GENUINE): "ran what changed",
    ("touched_change", Label.FLAKY): "touched no change",
    ("touched_change", Label.UNDECIDED): "may have touched a change",
    ("changed_imports", Label.GENUINE): "imports what changed",
    ("changed_imports", Label.FLAKY): "imports nothing that changed",
    ("changed_imports", Label.UNDECIDED): "may import what changed",
    "marked": "marked by a person",
    "traceback": "failed so before",
    "similarity": "worded like known failures",
    "coverage_independence": "as the tests that run the same code, or not",
    "flip_rate": "fails by chance now and then",
    "retry": "passed later on the same state",
    "trial": "settled by a trial",
    "bisect": "the commit that broke it was found",
}


def cause(by: str, label: Label | None) -> str:
    """What a verdict of this flakefighter says, as a heading."""
    if label is None:
        return "not judged"
    known = _CAUSES.get(by) or _CAUSES.get((by, label))
    return known or (f"said by {by.replace('_', ' ')}" if by else "no cause known")


def change(evidence: Mapping[str, Any]) -> str:
    """The first change that a verdict names, empty if it names none; any evidence is foreign."""
    touched = evidence.get("touched")
    first = touched[0] if isinstance(touched, list) and touched else None
    if not isinstance(first, list) or len(first) < 4:
        return ""
    _, kind, path, unit = first[:4]
    name = setting(str(path)) if kind == ChangeKind.SETTING.value else str(path)
    return f"{unit} in {name}" if unit else name
