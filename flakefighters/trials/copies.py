"""A state of the project written into a folder of its own, from git's objects and the work tree.

The user's repository is only read: nothing that a kill could leave behind is written to it.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from dataclasses import field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from flakefighters.records import record
from flakefighters.state.disk import EXECUTABLE, SHORT, Hasher, with_mode
from flakefighters.state.generated import generated_folder, ours

if TYPE_CHECKING:
    from flakefighters.state.checkout import Checkout

__all__ = ["Copy", "make_copy"]

_LINK: Final = "120000"
_SUBMODULE: Final = "160000"
#: Of what git ignores a copy takes no more: other projects keep their data in such folders.
_MOST_FILES: Final = 5_000
_MOST_BYTES: Final = 200_000_000
#: Folders that tools fill and tests need: what Hypothesis has found, for example.
_WANTED: Final = frozenset({".hypothesis"})


@record
class Copy:
    """What was written."""

    folder: Path
    #: Why it is not the state that was asked for, None if it is.
    reason: str | None = None
    #: Files that git ignores, relative to the folder, and whether these are all there are.
    ignored: set[str] = field(default_factory=set)
    whole: bool = True


def make_copy(checkout: Checkout, tree: str | None, folder: Path) -> Copy:
    """Write ``tree``, or with None the state of ``checkout`` as it was read, into ``folder``.

    What git ignores is copied as it is now.  Objects that are not there are not fetched.
    """
    copy = Copy(folder)
    entries = _entries(checkout, tree)
    if entries is None:
        copy.reason = f"git does not have the tree {(tree or '')[:7]}"
        return copy
    missing: dict[str, tuple[str, str]] = {}
    now = checkout.files() or {}
    hasher = Hasher(checkout.disk, digits=len(checkout.tree or "") or 40)
    for path, (mode, name) in entries.items():
        source = f"{checkout.base}/{path}"
        known = with_mode(name[:SHORT], path, mode)
        if mode == _SUBMODULE:
            if tree is not None and now.get(path) != known:
                copy.reason = f"the submodule {path} was at another commit"
                return copy
            _copy_folder(source, folder / path)
        elif _as_named(hasher.name(source), known, path, mode):
            _copy_file(source, folder / path)
        else:
            missing[path] = (mode, name)
    contents = checkout.read_blobs(name for _, name in missing.values())
    for path, (mode, name) in missing.items():
        if name not in contents:
            copy.reason = f"git does not have {path} of that state"
            return copy
        _write(folder / path, contents[name], mode)
    _copy_ignored(checkout, copy, entries)
    return copy


def _as_named(found: str | None, known: str, path: str, mode: str) -> bool:
    return found is not None and known in (found, with_mode(found, path, mode))


def _entries(checkout: Checkout, tree: str | None) -> Mapping[str, tuple[str, str]] | None:
    """Path to mode and blob id of everything in a state."""
    committed = checkout.entries_of(tree or checkout.tree or "")
    if tree is not None:
        return committed
    files = checkout.files()
    if files is None:
        return None
    modes = committed or {}
    found = {}
    for path, name in files.items():
        mode, whole = modes.get(path, (checkout.disk.mode(f"{checkout.base}/{path}"), ""))
        same = whole and with_mode(whole[:SHORT], path, mode) == name
        found[path] = (mode, whole if same else name)
    return found


def _write(path: Path, content: bytes, mode: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if mode == _LINK:
        path.symlink_to(os.fsdecode(content))
        return
    path.write_bytes(content)
    if mode == EXECUTABLE:
        path.chmod(0o755)


def _copy_file(source: str, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy2(source, path, follow_symlinks=False)


def _copy_folder(source: str, path: Path) -> None:
    shutil.copytree(source, path, symlinks=True, ignore=lambda *_: {".git"}, dirs_exist_ok=True)


def _copy_ignored(checkout: Checkout, copy: Copy, entries: Mapping[str, object]) -> None:
    """Copy what git ignores and no tool makes anew: built modules, generated code, local data."""
    left = _MOST_BYTES
    base = str(checkout.base)
    for ignored in checkout.ignored:
        for path in _walk(base, ignored.rstrip("/")):
            size = checkout.disk.size(f"{base}/{path}") or 0
            if len(copy.ignored) >= _MOST_FILES or size > left:
                copy.whole = False
                return
            if path in entries or (copy.folder / path).exists():
                continue
            left -= size
            _copy_file(f"{base}/{path}", copy.folder / path)
            copy.ignored.add(path)


def _walk(base: str, path: str) -> list[str]:
    """The files below an ignored path that a copy needs, relative to the base."""
    name = path.rpartition("/")[2]
    if ours(path) or (name not in _WANTED and generated_folder(name, "/" not in path)):
        return []
    place = f"{base}/{path}"
    if os.path.islink(place) or os.path.isfile(place):  # noqa: PTH113, PTH114
        return [] if name.endswith((".pyc", ".pyo")) else [path]
    if os.path.exists(f"{place}/pyvenv.cfg") or os.path.exists(f"{place}/.git"):  # noqa: PTH110
        return []
    try:
        inside = sorted(os.listdir(place))  # noqa: PTH208
    except OSError:
        return []
    return [found for one in inside for found in _walk(base, f"{path}/{one}")]
