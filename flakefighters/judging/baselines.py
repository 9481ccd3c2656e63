"""Before the tests: which states did they last pass on, and which files differ from these?

Capped questions to the history, then file maps.  No source is read; nothing stays open.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from flakefighters.environment.distributions import own_files
from flakefighters.history.content import state_key
from flakefighters.model import Use, Watch
from flakefighters.records import NamedTuple

if TYPE_CHECKING:
    from flakefighters.history import Evidence
    from flakefighters.model import RunHead
    from flakefighters.state.checkout import Checkout

__all__ = ["Lookback", "files_of", "first_look", "look_back", "ordered", "packages_of"]

#: More states than these are not compared at the start: of others it is not known which data
#: files were opened.
_MOST_STATES: Final = 6
_MOST_KEYS: Final = 3
#: Folders that hold a project's packages.
_ROOTS: Final = ("", "src", "lib", "python")
#: Modules at the top that are never installed.
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


class Lookback(NamedTuple):
    """What differs from each state that some test last passed on."""

    watch: Watch
    #: Data files that git ignores and that were edited since the oldest of the runs, with the
    #: time of it (µs).
    loose: Mapping[str, int] = MappingProxyType({})


def ordered(runs: Sequence[RunHead], checkout: Checkout) -> tuple[list[RunHead], dict[str, int]]:
    """Runs by strength of evidence: ancestry, then start; and the rank of each ancestor."""
    rank = {commit: place for place, commit in enumerate(checkout.ancestors())} if runs else {}
    far = len(rank)
    return sorted(runs, key=lambda one: (rank.get(one.commit or "", far), -one.started)), rank


def files_of(
    runs: Iterable[RunHead], evidence: Evidence, checkout: Checkout
) -> dict[str, Mapping[str, str]]:
    """Path to blob id for the states of these runs whose files are known.

    Where git has the tree, git speaks.  What is recorded counts for the rest, and only if a run
    that is believed says so.
    """
    found: dict[str, Mapping[str, str]] = {}
    missing: dict[str, None] = {}
    for run in runs:
        if run.state is None or run.state in found:
            continue
        # A state without uncommitted files is its tree, whatever else a row says.
        clean = run.tree is not None and run.state == state_key(run.tree, None)
        files = checkout.files_of(run.tree) if clean and run.tree is not None else None
        if files is None:
            missing[run.state] = None
        else:
            found[run.state] = files
    missing = {state: None for state in missing if state not in found}
    return found | evidence.state_files(missing) if missing else found


def look_back(
    evidence: Evidence, checkout: Checkout, *, limit: int, own: Collection[str] = ()
) -> Lookback:
    """Compare the file map of the work tree with those of the nearest passes.

    ``own``: the names of the project's own distributions.
    """
    head = evidence.judged
    runs, _ = ordered(evidence.builds(limit), checkout)
    fit = [run for run in runs if evidence.believes(run, Use.BASELINE)]
    if not fit:
        return first_look(head, checkout, own)
    states = [state for state in _states(fit, evidence) if state != head.state][:_MOST_STATES]
    oldest = min(run.started for run in runs)
    loose = {path: edited for path, edited in checkout.ignored_data().items() if edited > oldest}
    new = (checkout.files() or {}) if states else {}
    changed: set[str] = set()
    recorded: Mapping[str, Mapping[str, str]] = {}
    if new:
        recorded = files_of([run for run in fit if run.state in states], evidence, checkout)
        for state in states:
            changed |= _differing(recorded.get(state, {}), new)
    watch = _watch(checkout, changed, [new, *recorded.values()], own)
    return Lookback(watch._replace(loose=frozenset(loose)), loose)


def first_look(head: RunHead, checkout: Checkout, own: Collection[str] = ()) -> Lookback:
    """Where no run is known, git still tells what is being changed."""
    former, new = checkout.former(head.base_branch), checkout.files() or {}
    old = former[1] if former is not None and new else new
    return Lookback(_watch(checkout, _differing(old, new), [new, old], own))


def _watch(
    checkout: Checkout,
    changed: Collection[str],
    states: Sequence[Mapping[str, str]],
    own: Collection[str],
) -> Watch:
    base, packages = str(checkout.base), packages_of(states[0])
    copies: Mapping[str, str] = {}
    if changed:
        from flakefighters.judging.copies import renamed

        copies = renamed(own_files(own, base), states, packages, checkout)
    return Watch(base=base, changed=frozenset(changed), packages=packages, copies=copies)


def _states(fit: Sequence[RunHead], evidence: Evidence) -> list[str]:
    """The states of the nearest passes, in every environment that ran lately.

    Which environment this is cannot be told before pytest has read all its options.
    """
    keys = list(dict.fromkeys(run.environment_key for run in fit))[:_MOST_KEYS]
    wanted: dict[str, None] = {}
    for some in (fit, *([run for run in fit if run.environment_key == key] for key in keys)):
        wanted.update((run.state, None) for run in evidence.baselines(some) if run.state)
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
    python = [path for path in paths if path.endswith(".py")]
    packages = {path.rpartition("/")[0] for path in python if path.endswith("/__init__.py")}
    found: dict[str, str] = {}
    for path in sorted(python, key=lambda one: (one.count("/"), one)):
        root, _, top = path.removesuffix(".py").removesuffix("/__init__").rpartition("/")
        if root in packages or any(part.startswith(_NOT_INSTALLED) for part in path.split("/")):
            continue
        place = root.rpartition("/")[2]
        if place in _ROOTS or f"{root}/{top}" in packages:
            found.setdefault(top, root)
        while place not in _ROOTS:  # it may be part of a namespace
            root, _, top = root.rpartition("/")
            place = root.rpartition("/")[2]
            if root in packages:
                break
            found.setdefault(top, root)
    return found
