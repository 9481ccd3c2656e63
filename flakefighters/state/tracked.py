"""Which files of a folder came with a commit: whoever may commit could have written them."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path, PurePosixPath

from flakefighters.state import dotgit
from flakefighters.state.disk import Disk
from flakefighters.state.git import Git, find_top

__all__ = ["tracked_in"]


def tracked_in(folder: Path, names: Collection[str]) -> set[str]:
    """Those of ``names`` in ``folder`` that git tracks, or may track where it does not answer.

    Every work tree around the folder is asked, with links resolved: a submodule, and the
    repository that it lies in.  Case makes no difference, as on many disks.
    """
    place = Path(os.path.realpath(folder))
    found: set[str] = set()
    tops = list(_tops(place))
    # Without any: a repository apart from its work tree can be named by variables.
    for top in tops or [place]:
        inside = place.relative_to(top).as_posix()
        paths = {name: name if inside == "." else f"{inside}/{name}" for name in names}
        answer = Git(top).ask("ls-files", "-z")
        if answer.reason is None:
            listed = answer.output.decode("utf-8", "surrogateescape").lower().split("\0")
            found |= _among(frozenset(listed), paths)
        elif tops:
            disk = Disk()
            found |= {name for name in names if dotgit.may_track(top, paths[name], disk)}
    return found


def _tops(place: Path) -> Iterator[Path]:
    """The work trees around a folder, inmost first."""
    top = find_top(place)
    while top is not None:
        yield top
        top = None if top.parent == top else find_top(top.parent)


def _among(listed: frozenset[str], paths: Mapping[str, str]) -> set[str]:
    """The names whose paths are listed, lie below one that is (a submodule), or above one."""
    found = set()
    for name, path in paths.items():
        wanted = path.lower()
        above = (parent.as_posix() for parent in PurePosixPath(wanted).parents)
        if not listed.isdisjoint((wanted, *above)) or any(
            one.startswith(f"{wanted}/") for one in listed
        ):
            found.add(name)
    return found
