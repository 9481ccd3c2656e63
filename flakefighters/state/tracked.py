"""Which files of a folder came with a commit: every committer could have written them."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator, Mapping
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
            output = answer.output.decode("utf-8", "surrogateescape")
            found |= _among(output.split("\0"), paths)
        elif tops:
            listed = dotgit.listed(top, Disk())
            found |= set(names) if listed is None else _among(listed, paths)
    return found


def _tops(place: Path) -> Iterator[Path]:
    """The work trees around a folder, inmost first."""
    top = find_top(place)
    while top is not None:
        yield top
        top = None if top.parent == top else find_top(top.parent)


def _among(paths_of_git: Iterable[str], paths: Mapping[str, str]) -> set[str]:
    """The names whose paths are listed, lie below one that is (a submodule), or above one."""
    listed = frozenset(path.lower() for path in paths_of_git)
    found = set()
    for name, path in paths.items():
        wanted = path.lower()
        above = (parent.as_posix() for parent in PurePosixPath(wanted).parents)
        if not listed.isdisjoint((wanted, *above)) or any(
            one.startswith(f"{wanted}/") for one in listed
        ):
            found.add(name)
    return found
