"""Looking back before the tests start: what changed since they last passed, so what to watch.

Two capped questions to the history, then git and the files.  Nothing stays open.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from flakefighters.history import Evidence
from flakefighters.history.content import state_key
from flakefighters.judging.evidence import ordered
from flakefighters.judging.untracked import module_files
from flakefighters.model import ChangeKind, Effect, RunHead, Unit, Use
from flakefighters.reach.delta import MOST_PARSED, Delta, Sources, delta
from flakefighters.reach.early_imports import Loaded, may_have_run
from flakefighters.reach.keepers import Keeper, keepers
from flakefighters.reach.lookers import Lookers
from flakefighters.source.lines import Place
from flakefighters.source.units import spans
from flakefighters.state.checkout import Checkout
from flakefighters.tracing import FileWatch, UnitSpan, Watch

__all__ = ["Lookback", "files_of", "look_back"]

#: More states than these are not compared at the start: a test whose last pass lies on another
#: one is judged by its imports.
MOST_STATES: Final = 6
MOST_KEYS: Final = 3
#: For the search of places that keep values.
_SECONDS: Final = 1.0
_LARGEST: Final = 4 << 20


@dataclass(slots=True)
class Lookback:
    """What differs from each state that some test last passed on."""

    watch: Watch
    deltas: dict[str, Delta] = field(default_factory=dict)
    #: Data files that git ignores and that were edited since the oldest of the runs, with the
    #: time of it (µs).
    loose: dict[str, int] = field(default_factory=dict)
    #: Where code keeps what it computed.
    keepers: Sequence[Keeper] = ()


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


def look_back(evidence: Evidence, checkout: Checkout, *, limit: int) -> Lookback:
    """Compare the work tree with the states of the nearest passes."""
    base, head = str(checkout.base), evidence.judged
    runs, _ = ordered(evidence.builds(limit), checkout)
    fit = [run for run in runs if evidence.believes(run, Use.BASELINE)]
    # Which environment this is cannot be told before pytest has read all its options, so each of
    # those that ran lately gets its baselines.
    keys = list(dict.fromkeys(run.environment_key for run in fit))[:MOST_KEYS]
    wanted: dict[str, None] = {}
    for some in (fit, *([run for run in fit if run.environment_key == key] for key in keys)):
        for run in evidence.baselines(some):
            if run.state is not None:
                wanted[run.state] = None
        # A state that passed before the one which is checked out: what came in since?
        older = next((run.state for run in some if run.state not in (None, head.state)), None)
        # Old contents are to be had only of what was committed.
        clean = next((run.state for run in some if run.dirty is False and run.state), None)
        wanted.update(dict.fromkeys(state for state in (older, clean) if state is not None))
    states = [state for state in wanted if state != head.state][:MOST_STATES]
    new = checkout.files() if states else None
    oldest = min((run.started for run in runs), default=head.started)
    edits = checkout.ignored_data() if fit else {}
    loose = {path: edited for path, edited in edits.items() if edited > oldest}
    if new is None:
        return Lookback(_watch(base, (), Sources((), lambda _: None), loose), loose=loose)
    recorded = files_of([run for run in fit if run.state in states], evidence, checkout)
    sources = Sources(new, lambda path: _read(checkout, path))
    found = Lookback(Watch(base=base), loose=loose)
    lookers = Lookers(sources)
    for state in states:
        old = recorded.get(state)
        if old is not None:
            found.deltas[state] = delta(old, new, checkout.read_blobs, sources, lookers=lookers)
    if any(effect.targets for one in found.deltas.values() for effect in one.effects):
        end = time.monotonic() + _SECONDS
        found.keepers = keepers(sources, lambda: time.monotonic() > end)
    found.deltas = dict(_unseen(found.deltas, base, sources))
    places = [place for one in found.keepers for place in (*one.places, *(one.readers or ()))]
    places += [
        lookers.places[unit]
        for unit in {u for one in found.deltas.values() for e in one.effects for u in e.looked}
        if unit in lookers.places
    ]
    found.watch = replace(
        _watch(base, found.deltas.values(), sources, loose, places),
        keepers=frozenset(keeper.unit for keeper in found.keepers),
    )
    return found


def _unseen(
    deltas: Mapping[str, Delta], base: str, sources: Sources
) -> Iterator[tuple[str, Delta]]:
    """Mark what may have mattered to modules that are loaded by now."""
    touching = {path for one in deltas.values() for e in one.effects for path, _ in e.targets}
    data = any(
        effect.change.kind is ChangeKind.DATA for one in deltas.values() for effect in one.effects
    )
    paths = set(_below(base, module_files())) if touching or data else set()
    if touching.isdisjoint(paths) and not (data and paths):
        yield from deltas.items()
        return
    contents = {path: sources.read(path) for path in sorted(paths)}
    loaded = may_have_run({path: one for path, one in contents.items() if one is not None})
    for state, one in deltas.items():
        yield state, replace(one, effects=tuple(_marked(effect, loaded) for effect in one.effects))


def _below(base: str, files: Iterable[str]) -> Iterator[str]:
    """Files in the project, relative to it, also where ``sys.path`` has another name for it."""
    # Projects put all kinds of things there.
    folders = [one for one in sys.path if isinstance(one, str) and one]
    places = {one: os.path.realpath(one) for one in dict.fromkeys([base, *folders])}
    for file in files:
        for name, real in places.items():
            path = real + file.removeprefix(name)
            if file.startswith(name + os.sep) and path.startswith(base + os.sep):
                yield path[len(base) + 1 :].replace(os.sep, "/")


def _marked(effect: Effect, loaded: Loaded) -> Effect:
    if effect.change.kind is ChangeKind.DATA:
        unseen = loaded.opened
    else:
        unseen = any(map(loaded.ran, effect.targets))
    return replace(effect, unseen=True) if unseen else effect


def _read(checkout: Checkout, path: str) -> bytes | None:
    content = checkout.disk.read(f"{checkout.base}/{path}", 0, _LARGEST + 1)
    return None if content is None or len(content) > _LARGEST else content


def _watch(
    base: str,
    deltas: Iterable[Delta],
    sources: Sources,
    loose: Iterable[str] = (),
    places: Iterable[Place] = (),
) -> Watch:
    """All units that matter to any of the changes, or may bring in what changed unseen."""
    units: dict[str, set[str]] = {}
    data: set[str] = set()
    leavers: set[Unit] = set()
    for one in deltas:
        for effect in one.effects:
            change = effect.change
            leavers |= effect.leavers
            if change.kind is ChangeKind.DATA:
                data.add(change.path)
                if change.how != "changed":
                    data.add(change.path.rpartition("/")[0])
                for path, name in effect.maybe:
                    units.setdefault(path, set()).add(name)
                continue
            units.setdefault(change.path, set())  # its import alone may matter
            for path, name in effect.targets | effect.maybe | effect.leavers | effect.left_to:
                units.setdefault(path, set()).add(name)
    changed = [path for path in units if path in sources.all()]
    importers = list(sources.importers()) if units else []
    for path, name in importers:
        units.setdefault(path, set()).add(name)
    more: dict[str, list[UnitSpan]] = {}
    for (path, name), first, last in dict.fromkeys(places):
        more.setdefault(path, []).append(UnitSpan(name, first, last))
        units.setdefault(path, set())
    files = {}
    for path, names in units.items():
        content = sources.read(path)
        if content is None:
            continue
        watched = tuple(
            UnitSpan(span.name, span.first_line, span.last_line)
            for span in spans(path, content)
            if span.kind is ChangeKind.FUNCTION and span.name in names
        )
        files[f"{base}/{path}"] = FileWatch((*watched, *more.get(path, ())))
    return Watch(
        base=base,
        files=files,
        data=frozenset(f"{base}/{path}".rstrip("/") for path in data),
        sources=frozenset(f"{base}/{path}" for path in changed if importers),
        loose=frozenset(f"{base}/{path}" for path in loose),
        leavers=frozenset(leavers),
        everything=len(files) > MOST_PARSED,
    )
