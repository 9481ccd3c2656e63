"""What the changes that failures touched look like, as far as this checkout's git remembers."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from flakefighters.capture.redact_patterns import redact_patterns
from flakefighters.history import History
from flakefighters.model import Run, RunHead, Verdict, standing
from flakefighters.reports.failed import Diff
from flakefighters.state.disk import SHORT
from flakefighters.state.git import Git, is_commit
from flakefighters.state.objects import entries, read_blobs, tree_of

__all__ = ["diffs"]

#: Files of a failure, and lines of a file, that are shown.
_FILES: Final = 3
_LINES: Final = 60
_WIDEST: Final = 400
_LARGEST: Final = 400_000


def diffs(
    history: History, git: Git, run: Run, verdicts: Sequence[Verdict]
) -> dict[tuple[str, str], Sequence[Diff]]:
    """The files that failures of a run touched, by node id and the run that they are compared with.

    A history names commits and paths, and any may be false.  So contents come from git's objects
    alone, and only from the tree of a commit that this checkout has; where a run tested something
    else than its commit, the file is left out.
    """
    wanted = _wanted(verdicts)
    heads = history.heads({baseline for _, baseline in wanted})
    trees: dict[str, Mapping[str, str]] = {}
    after = _tree(history, git, run.head, trees)
    pairs: dict[tuple[str, str], tuple[str | None, str | None]] = {}
    for (_, baseline), paths in wanted.items():
        before = _tree(history, git, heads[baseline], trees) if baseline in heads else {}
        if before and after:
            pairs |= {(baseline, path): (before.get(path), after.get(path)) for path in paths}
    blobs = read_blobs(git, {name for pair in pairs.values() for name in pair if name})
    found: dict[tuple[str, str], Sequence[Diff]] = {}
    for (nodeid, baseline), paths in wanted.items():
        shown = [_diff(path, pairs.get((baseline, path)), blobs) for path in paths]
        if kept := [one for one in shown if one is not None]:
            found[nodeid, baseline] = kept
    return found


def _wanted(verdicts: Sequence[Verdict]) -> dict[tuple[str, str], list[str]]:
    """The files that failures touched, by node id and the run that they are compared with."""
    found: dict[tuple[str, str], list[str]] = {}
    for one in standing(verdicts).values():
        baseline = str(one.evidence.get("baseline") or "")
        if baseline and (paths := list(dict.fromkeys(_touched(one)))):
            found[one.nodeid, baseline] = paths[:_FILES]
    return found


def _touched(verdict: Verdict) -> Iterator[str]:
    touched = verdict.evidence.get("touched")
    for one in touched if isinstance(touched, list) else ():
        if isinstance(one, list) and len(one) > 2:
            yield str(one[2])


def _tree(
    history: History, git: Git, head: RunHead, known: dict[str, Mapping[str, str]]
) -> Mapping[str, str]:
    """Path to blob of what a run tested, as far as its commit has it; empty if git has it not."""
    if head.id not in known:
        commit = head.commit or ""
        tree = tree_of(git, commit) if is_commit(commit) else None
        listed = (entries(git, tree) if tree else None) or []
        files = history.state_files([head.state]).get(head.state) if head.state else None
        known[head.id] = {
            path: name
            for path, _, name in listed
            if not head.dirty or (files is not None and files.get(path) == name[:SHORT])
        }
    return known[head.id]


def _diff(
    path: str, pair: tuple[str | None, str | None] | None, blobs: Mapping[str, bytes]
) -> Diff | None:
    """The difference of two blobs; None if there is none, or it is not of text."""
    if pair is None or pair[0] == pair[1] or any(name and name not in blobs for name in pair):
        return None
    contents = [blobs[name] if name else b"" for name in pair]
    if any(b"\0" in one or len(one) > _LARGEST for one in contents):
        return None
    before, after = (one.decode("utf-8", "replace").splitlines() for one in contents)
    lines = list(difflib.unified_diff(before, after, lineterm="", n=3))[2:]
    kept = [redact_patterns(line)[:_WIDEST] for line in lines[:_LINES]]
    return Diff(path, kept, len(lines) - len(kept)) if lines else None
