"""Before the tests: which states did they last pass on, and which files differ from these?

Capped questions to the history, then file maps.  No source is read; nothing stays open.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from flakefighters.history import History
from flakefighters.model import RunHead, Trust, Watch
from flakefighters.state.checkout import Checkout

__all__ = ["Lookback", "counts", "first_look", "look_back", "ordered", "packages_of"]

#: More states than these are not compared at the start: of others it is not known which data
#: files were opened.
_MOST_STATES: Final = 6
_MOST_KEYS: Final = 3
#: Folders that hold a project's packages.
_ROOTS: Final = ("", "src", "lib", "python")
#: Modules at the top that nobody installs.
_NOT_INSTALLED: Final = (
    "conftest",
    "docs",
    "example",
    "fabfile",
    "noxfile",
    "setup",
    "tasks",
    "test",
)


@dataclass(slots=True)
class Lookback:
    """What differs from each state that some test last passed on."""

    watch: Watch
    #: Data files that git ignores and that were edited since the oldest of the runs, with the
    #: time of it (µs).
    loose: Mapping[str, int] = field(default_factory=dict)


def ordered(runs: Sequence[RunHead], checkout: Checkout) -> tuple[list[RunHead], dict[str, int]]:
    """Runs by strength of evidence: ancestry, then start; and the rank of each ancestor."""
    rank = {commit: place for place, commit in enumerate(checkout.ancestors())} if runs else {}
    far = len(rank)
    return sorted(runs, key=lambda one: (rank.get(one.commit or "", far), -one.started)), rank


def counts(run: RunHead, pr: str | None, rank: Mapping[str, int]) -> bool:
    """Whether a pass in this run may be a baseline."""
    if run.trust is Trust.UNTRUSTED or run.context.get("debugger"):
        return False
    # What another pull request never merged is no past of ours.
    return run.pr in (None, pr) or run.commit in rank


def look_back(head: RunHead, history: History, checkout: Checkout, *, limit: int) -> Lookback:
    """Compare the file map of the work tree with those of the nearest passes."""
    runs, rank = ordered(history.recent(head.project, limit=limit), checkout)
    fit = [run for run in runs if counts(run, head.pr, rank)]
    wanted = _states(fit, history)
    states = [state for state in wanted if state != head.state][:_MOST_STATES]
    oldest = min((run.started for run in runs), default=head.started)
    edits = checkout.ignored_data() if fit else {}
    loose = {path: edited for path, edited in edits.items() if edited > oldest}
    new = (checkout.files() or {}) if states else {}
    changed: set[str] = set()
    if not fit:
        return first_look(head, checkout)
    if states and new:
        recorded = history.state_files(states)
        trees = {run.state: run.tree for run in runs if run.dirty is False}
        for state in states:
            old, tree = recorded.get(state), trees.get(state)
            if old is None and tree is not None:
                old = checkout.files_of(tree)
            changed |= _differing(old or {}, new)
    return Lookback(
        Watch(
            base=str(checkout.base),
            changed=frozenset(changed),
            packages=packages_of(new),
            loose=frozenset(loose),
        ),
        loose,
    )


def first_look(head: RunHead, checkout: Checkout) -> Lookback:
    """Where no run is known, git still tells what is being changed."""
    former, new = checkout.former(head.base_branch), checkout.files() or {}
    changed = _differing(former[1], new) if former is not None and new else set()
    return Lookback(
        Watch(base=str(checkout.base), changed=frozenset(changed), packages=packages_of(new))
    )


def _states(fit: Sequence[RunHead], history: History) -> list[str]:
    """The states of the nearest passes, in every environment that ran lately.

    Which environment this is cannot be told before pytest has read all its options.
    """
    keys = list(dict.fromkeys(run.environment_key for run in fit))[:_MOST_KEYS]
    wanted: dict[str, None] = {}
    for some in (fit, *([run for run in fit if run.environment_key == key] for key in keys)):
        wanted.update((run.state, None) for run in history.baselines(some) if run.state)
        # A state that passed before the one which is checked out: what came in since?
        older = (run.state for run in some if run.state is not None)
        wanted.update((state, None) for state in list(dict.fromkeys(older))[:2])
        # Old contents are to be had only of what was committed.
        clean = next((run.state for run in some if run.dirty is False and run.state), None)
        if clean is not None:
            wanted[clean] = None
    return list(wanted)


def _differing(old: Mapping[str, str], new: Mapping[str, str]) -> set[str]:
    return {path for path in old.keys() | new.keys() if old.get(path) != new.get(path)}


def packages_of(paths: Iterable[str]) -> dict[str, str]:
    """Top-level packages and modules of a project, with the folders that hold them."""
    found: dict[str, str] = {}
    for path in paths:
        if not path.endswith(".py"):
            continue
        for root in _ROOTS:
            inside = path[len(root) + 1 :] if root and path.startswith(f"{root}/") else path
            if root and inside == path:
                continue
            parts = inside.split("/")
            top = parts[0].removesuffix(".py") if len(parts) == 1 else parts[0]
            is_module = len(parts) == 1 or parts[1:] == ["__init__.py"]
            if is_module and top != "__init__" and not top.startswith(_NOT_INSTALLED):
                found[top] = root
    return found
