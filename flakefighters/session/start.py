"""The start of a session: where it is, which history it has, and what is checked out."""

from __future__ import annotations

import os
from dataclasses import field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from flakefighters import __version__
from flakefighters.environment.distributions import own_names
from flakefighters.ids import h128, uuid7
from flakefighters.model import RunHead
from flakefighters.originals import real
from flakefighters.profiles import Inputs, resolve
from flakefighters.profiles.fields import variable
from flakefighters.records import record
from flakefighters.session.identities import local_identity, meet
from flakefighters.session.places import spool_folder, spools
from flakefighters.state.anchor import Anchor
from flakefighters.state.checkout import Checkout
from flakefighters.state.project import identify

if TYPE_CHECKING:
    from flakefighters.model import Project, Verdict
    from flakefighters.profiles import Resolution
    from flakefighters.session.places import Spool
    from flakefighters.session.settings import Asked

__all__ = ["Start", "begin"]

#: Fields of a run's head that only CI tells, under the same names.
_SAID_BY_CI: Final = ("base_branch", "pr", "build", "job", "shard", "attempt")


@record
class Start:
    """What is known when pytest is configured."""

    anchor: Anchor
    checkout: Checkout
    resolution: Resolution
    project: Project
    head: RunHead
    #: Where this run's journal goes, and where those of earlier runs may lie.
    spool: Path
    spools: tuple[Spool, ...]
    #: Our one-line troubles so far.
    notes: list[str]
    #: Normalised names of the distributions that the project itself is.
    own_distributions: frozenset[str] = frozenset()
    #: Runs of the history that could not be read, and why.
    unreadable: dict[str, str] = field(default_factory=dict)
    #: Names of tests by which reruns go, None if no run is known.
    rerun_names: frozenset[str] | None = None
    #: Names of tests that were flaky before, if their lines are to be watched.
    flaky_names: frozenset[str] = frozenset()
    #: Verdicts on failures of earlier runs, which runs that were delivered now prove flaky.
    proved: list[Verdict] = field(default_factory=list)


def begin(
    asked: Asked,
    inipath: Path | None,
    rootdir: Path,
) -> Start:
    """Find out all of it.  ConfigError for what the user asked for and cannot have."""
    started = real.time_ns() // 1000
    anchor = Anchor.from_inipath(inipath, rootdir)
    checkout = Checkout.read(anchor)
    resolution = resolve(
        Inputs(
            anchor=anchor.path,
            environ=os.environ,
            option_profile=asked.profile,
            option_url=asked.database_url,
            option_url_in_project=asked.url_in_project,
            project_root=checkout.base,
        )
    )
    notes = list(resolution.notes)
    ci = resolution.ci
    main = checkout.main_tree
    project = identify(
        checkout,
        anchor,
        resolution.settings.project,
        None if ci is None else ci.repository,
        lambda: local_identity(anchor.path, main),
    )
    if asked.save:
        meet(anchor.path, project.identity)
        notes += _other_history(checkout, main, resolution)
    head = RunHead(
        id=uuid7(started),
        project=project.identity,
        started=started,
        commit=checkout.commit if ci is None else ci.head_commit or ci.commit or checkout.commit,
        tree=checkout.tree,
        branch=checkout.branch if ci is None else ci.branch or checkout.branch,
        dirty=checkout.dirty,
        state=None if checkout.state is None else checkout.state.id,
        origin=_origin(ci),
        context={} if ci is None or ci.run_url is None else {"url": ci.run_url},
        **({} if ci is None else {name: getattr(ci, name) for name in _SAID_BY_CI}),
    )
    return Start(
        anchor=anchor,
        checkout=checkout,
        resolution=resolution,
        project=project,
        head=head,
        spool=spool_folder(anchor.path),
        spools=spools(anchor.path),
        notes=notes,
        own_distributions=_own_distributions(checkout, anchor),
    )


def _own_distributions(checkout: Checkout, anchor: Anchor) -> frozenset[str]:
    folders = dict.fromkeys([str(anchor.path), str(checkout.base)])
    contents = (
        checkout.disk.read(f"{folder}/{name}", 0, 1 << 20)
        for folder in folders
        for name in ("pyproject.toml", "setup.cfg", "setup.py")
    )
    return own_names(*filter(None, contents))


def _origin(ci: Any) -> dict[str, Any]:
    """Who writes: enough to tell machines apart, not to name them."""
    origin = {"program": f"flakefighters {__version__}", "host": h128(real.hostname())[:12]}
    if ci is not None:
        origin["ci"] = ci.vendor
    return origin


def _other_history(checkout: Checkout, main: Path | None, resolution: Resolution) -> list[str]:
    """What to do in a new work tree, whose history is another file than the main one's."""
    path = resolution.target.path
    if main is None or path is None or path.exists():
        return []
    try:
        there = main / path.relative_to(checkout.base / checkout.prefix)
        if not there.is_file():
            return []
    except (OSError, ValueError):
        return []  # it is the same file for both, or cannot be looked at
    setting = variable("profiles", resolution.profile or "local", "url")
    note = f"this work tree begins a history of its own; to go on with that of {main}, set "
    return [f"{note}{setting}=sqlite:///{there}"]
