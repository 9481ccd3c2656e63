"""The start of a session: where it is, which history it has, and what is checked out."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from flakefighters import __version__
from flakefighters.capture.journal import make_private
from flakefighters.capture.nodeids import offset
from flakefighters.environment.distributions import own_names
from flakefighters.ids import h128, uuid7
from flakefighters.model import Project, RunHead
from flakefighters.profiles import Inputs, Resolution, resolve
from flakefighters.session.places import Spool, own_folders, spool_folder, spools
from flakefighters.session.settings import Asked
from flakefighters.state.anchor import Anchor
from flakefighters.state.checkout import Checkout
from flakefighters.state.project import identify

__all__ = ["Start", "begin", "known_identity", "local_identity"]

_IDENTITY: Final = re.compile("local:[0-9a-z]{32}")

#: Fields of a run's head that only CI tells, under the same names.
_SAID_BY_CI: Final = ("base_branch", "pr", "build", "job", "shard", "attempt")


@dataclass(slots=True, kw_only=True)
class Start:
    """What is known when pytest is configured."""

    anchor: Anchor
    checkout: Checkout
    resolution: Resolution
    project: Project
    head: RunHead
    #: From the base to pytest's rootdir.
    offset: str
    #: Where this run's journal goes, and where those of earlier runs may lie.
    spool: Path
    spools: tuple[Spool, ...]
    #: Our one-line troubles so far.
    notes: list[str]
    #: Normalised names of the distributions that the project itself is.
    own_distributions: frozenset[str] = frozenset()


def begin(
    asked: Asked,
    inipath: Path | None,
    rootdir: Path,
    environ: Mapping[str, str] = os.environ,
    clock: Callable[[], int] = time.time_ns,
) -> Start:
    """Find out all of it.  ConfigError for what the user asked for and cannot have."""
    started = clock() // 1000
    anchor = Anchor.from_inipath(inipath, rootdir)
    checkout = Checkout.read(anchor)
    resolution = resolve(
        Inputs(
            anchor=anchor.path,
            environ=environ,
            option_profile=asked.profile,
            option_url=asked.database_url,
            option_url_in_project=asked.url_in_project,
            project_root=checkout.base,
        )
    )
    notes = list(resolution.notes)
    ci = resolution.ci
    project = identify(
        checkout,
        anchor,
        resolution.settings.project,
        None if ci is None else ci.repository,
        lambda: local_identity(anchor.path),
    )
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
        offset=offset(rootdir, checkout.base),
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
    import socket

    origin = {"program": f"flakefighters {__version__}", "host": h128(socket.gethostname())[:12]}
    if ci is not None:
        origin["ci"] = ci.vendor
    return origin


def local_identity(folder: Path) -> str:
    """A random name for a project without a remote, kept beside its history."""
    known = known_identity(folder)
    if known:
        return known
    identity = f"local:{uuid7()}"
    for home, _ in own_folders(folder):
        try:
            make_private(home)
            return _keep(home / "project", identity)
        except OSError:
            continue
    return f"local:{h128('folder', str(folder))}"


def known_identity(folder: Path) -> str:
    """The name that the project got with its first run; empty if it has none yet."""
    homes = (folder / ".flakefighters", *(home for home, _ in own_folders(folder)))
    return next(filter(None, (_kept(home / "project") for home in homes)), "")


def _kept(path: Path) -> str:
    try:
        known = path.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return ""
    return known if _IDENTITY.fullmatch(known) else ""


def _keep(path: Path, identity: str) -> str:
    """Write a name down; returns the one that is there if another run was faster."""
    if os.path.lexists(path):
        if known := _kept(path):
            return known
        path.unlink()  # it was damaged
    with path.open("x", encoding="utf-8") as file:
        file.write(identity + "\n")
    return identity
