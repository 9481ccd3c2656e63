"""The content of a folder without git's help."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

from flakefighters.state.disk import with_mode
from flakefighters.state.generated import generated, generated_folder

if TYPE_CHECKING:
    from flakefighters.state.disk import Disk, Hasher

__all__ = ["walk"]

_MOST: Final = 20_000
#: A folder with one of these is an environment.
_ENVIRONMENTS: Final = frozenset({"pyvenv.cfg", "conda-meta"})


def walk(
    base: Path, disk: Disk, hasher: Hasher, now: Callable[[], float], seconds: float = 3.0
) -> tuple[dict[str, str], str | None]:
    """Path to 16 digits of the blob id for all below ``base``, and why it is not all of it."""
    until = now() + seconds
    paths: list[str] = []
    for some in _folders(base, disk):
        paths += some
        if len(paths) > _MOST:
            return {}, f"more than {_MOST} files without git's help"
        if now() > until:
            return {}, f"listing the files took more than {seconds:g} s"
    found: dict[str, str] = {}
    for path in sorted(paths):
        if now() > until:
            return {}, f"reading the files took more than {seconds:g} s"
        if (name16 := hasher.name(f"{base}/{path}")) is not None:
            found[path] = with_mode(name16, path, disk.mode(f"{base}/{path}"))
    return found, None


def _folders(base: Path, disk: Disk) -> Iterator[list[str]]:
    """The files of each folder below ``base`` that people may have written."""
    folders = [""]
    while folders:
        here = folders.pop()
        entries = disk.entries(f"{base}/{here}") or []
        if here and any(name in _ENVIRONMENTS for name, _, _ in entries):
            continue
        files: list[str] = []
        for name, is_folder, _ in entries:
            path = here + name
            if is_folder:
                if not generated_folder(name, top=not here):
                    folders.append(path + "/")
            elif name != ".git" and not generated(path):
                files.append(path)
        yield files
