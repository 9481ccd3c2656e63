"""The start of a session: where it is, which history it has, and what is checked out."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flakefighters import __version__
from flakefighters.capture.nodeids import offset
from flakefighters.ids import h128, uuid7
from flakefighters.model import Project, RunHead
from flakefighters.profiles import Inputs, Resolution, resolve
from flakefighters.session.places import spool_folder, state_folder
from flakefighters.session.settings import Asked
from flakefighters.state.anchor import Anchor
from flakefighters.state.checkout import Checkout
from flakefighters.state.project import identify

__all__ = ["Start", "begin"]


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
    #: Where journals go.
    spool: Path
    #: Our one-line troubles so far.
    notes: list[str]
    #: Runs of the history that could not be read, and why.
    unreadable: dict[str, str] = field(default_factory=dict)


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
        base_branch=None if ci is None else ci.base_branch,
        pr=None if ci is None else ci.pr,
        build=None if ci is None else ci.build,
        job=None if ci is None else ci.job,
        shard=None if ci is None else ci.shard,
        attempt=None if ci is None else ci.attempt,
        dirty=checkout.dirty,
        state=None if checkout.state is None else checkout.state.id,
        origin=_origin(ci),
        context={} if ci is None or ci.run_url is None else {"url": ci.run_url},
    )
    return Start(
        anchor=anchor,
        checkout=checkout,
        resolution=resolution,
        project=project,
        head=head,
        offset=offset(rootdir, checkout.base),
        spool=spool_folder(anchor.path),
        notes=notes,
    )


def _origin(ci: Any) -> dict[str, Any]:
    """Who writes: enough to tell machines apart, not to name them."""
    import socket

    origin = {"program": f"flakefighters {__version__}", "host": h128(socket.gethostname())[:12]}
    if ci is not None:
        origin["ci"] = ci.vendor
    return origin


def local_identity(folder: Path) -> str:
    """A random name for a project without a remote, kept beside its history."""
    for home in (folder / ".flakefighters", state_folder(folder)):
        path = home / "project"
        try:
            known = path.read_text("utf-8").strip()
        except (OSError, UnicodeDecodeError):
            known = ""
        if known.startswith("local:") and len(known) == 38 and known[6:].isalnum():
            return known
        identity = f"local:{uuid7()}"
        try:
            home.mkdir(mode=0o700, parents=True, exist_ok=True)
            ignore = home / ".gitignore"
            if not ignore.exists():
                ignore.write_text("*\n", encoding="utf-8")
            with path.open("x", encoding="utf-8") as file:
                file.write(identity + "\n")
        except FileExistsError:
            path.write_text(identity + "\n", encoding="utf-8")  # it was damaged
        except OSError:
            continue
        return identity
    return f"local:{h128('folder', str(folder))}"
