"""What lies over the commit in a work tree: uncommitted, untracked and ignored content."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from flakefighters import ids
from flakefighters.records import record
from flakefighters.state.disk import SHORT, with_mode
from flakefighters.state.generated import generated, generated_folder, ours, version_stamp

if TYPE_CHECKING:
    from flakefighters.state.disk import Disk, Hasher
    from flakefighters.state.status import Entry, Status

__all__ = ["Overlay", "Repository", "ignored_data", "lay"]

#: More differing files than this are not named one by one: the state is not known then.
_MOST: Final = 20_000
_MOST_REPOSITORIES: Final = 16
#: Files that matter in one ignored folder; a folder with more is taken for an environment.
_MOST_IGNORED: Final = 400
_MOST_FOLDERS: Final = 400
#: Files of all kinds in one ignored folder; one with more holds data of other programs.
_MOST_ENTRIES: Final = 5000
_SUBMODULE: Final = "160000"
_DATA: Final = frozenset(
    {
        *("cfg", "conf", "csv", "env", "html", "ini", "j2", "jinja", "jinja2", "json", "jsonl"),
        *("mako", "properties", "sql", "toml", "tsv", "txt", "xml", "yaml", "yml"),
    }
)

#: Commit and digest of a repository inside the work tree, None if they are not known.
Repository = Callable[[str], tuple[str | None, str | None] | None]


@record
class Overlay:
    """Paths that differ from the commit."""

    #: Path to the 16 digits of its present content, None if it is gone.
    ids: dict[str, str | None] = field(default_factory=dict)
    #: Path to its mode, where git says that it changed.
    modes: dict[str, str] = field(default_factory=dict)
    #: True if anything but ignored files is in here.
    dirty: bool = False
    #: Why it is not the whole difference, None if it is.
    reason: str | None = None

    def digest(self) -> str | None:
        """One name for all of it, None if there is nothing."""
        if not self.ids:
            return None
        return ids.h128(
            "overlay", [[path, self.ids[path], self.modes.get(path)] for path in sorted(self.ids)]
        )


def lay(
    status: Status,
    base: Path,
    disk: Disk,
    hasher: Hasher,
    inner: Repository,
    hidden: Iterable[tuple[str, str, bool]] = (),
) -> Overlay:
    """Compare the work tree at ``base`` with its commit.

    ``inner`` reads nested repositories; ``hidden`` are the tracked files that ``git status`` does
    not look at, each with its blob id and whether it may be missing.
    """
    overlay = Overlay()
    if len(status.entries) + len(status.untracked) > _MOST:
        overlay.dirty = True
        overlay.reason = f"more than {_MOST} files differ from the commit"
        return overlay
    nested = _Nested(inner)
    for entry in sorted(status.entries, key=lambda entry: entry.path):
        if not ours(entry.path):
            _tracked(overlay, entry, base, hasher, nested)
    _hidden(overlay, hidden, base, disk, hasher)
    for path in sorted(status.untracked):
        if generated(path.rstrip("/")):  # our own files among them
            continue
        if path.endswith("/"):
            if not _other_worktree(disk, f"{base}/{path}.git"):
                path = path.rstrip("/")
                overlay.ids[path] = nested.name(path)
        elif (name := hasher.name(f"{base}/{path}")) is not None:
            overlay.ids[path] = with_mode(name, path, disk.mode(f"{base}/{path}"))
    overlay.dirty = bool(overlay.ids)
    for path in _ignored_python(disk, base, sorted(status.ignored)):
        if (name := hasher.name(f"{base}/{path}")) is not None:
            overlay.ids[path] = name
    overlay.reason = nested.reason
    return overlay


def _tracked(overlay: Overlay, entry: Entry, base: Path, hasher: Hasher, nested: _Nested) -> None:
    name: str | None
    if entry.submodule and entry.mode_now == _SUBMODULE:
        name = nested.name(entry.path)
    elif entry.in_work_tree:
        name = hasher.name(f"{base}/{entry.path}")
    else:  # staged, and the work tree agrees with the index
        name = entry.id_in_index[:SHORT] if entry.id_in_index.strip("0") else None
    # In conflict, or touched and put back: equal content is no difference.
    before = entry.id_before[:SHORT] if entry.id_before.strip("0") else None
    same_mode = entry.mode_now == entry.mode_before or name is None
    if name == before and same_mode:
        return
    overlay.ids[entry.path] = name and with_mode(name, entry.path, entry.mode_now)
    if not same_mode and before is not None:
        overlay.modes[entry.path] = entry.mode_now


def _hidden(
    overlay: Overlay,
    hidden: Iterable[tuple[str, str, bool]],
    base: Path,
    disk: Disk,
    hasher: Hasher,
) -> None:
    """What was edited although git was told that it would not be."""
    there: dict[str, bool] = {}
    for path, before, may_be_missing in hidden:
        folder = path.rpartition("/")[0]
        if may_be_missing:  # a sparse checkout has whole folders of them
            if folder not in there:
                there[folder] = disk.kind(f"{base}/{folder}") == "folder"
            if not there[folder]:
                continue
        name = hasher.name(f"{base}/{path}")
        if name != before[:SHORT] and not (name is None and may_be_missing):
            overlay.ids[path] = name and with_mode(name, path, disk.mode(f"{base}/{path}"))


class _Nested:
    """Names repositories inside the work tree, as many as time allows."""

    def __init__(self, inner: Repository):
        self._inner = inner
        self._left = _MOST_REPOSITORIES
        self.reason: str | None = None

    def name(self, path: str) -> str | None:
        self._left -= 1
        found = self._inner(path) if self._left >= 0 else None
        if found is None:
            self.reason = f"the repository in {path} could not be read"
            return None
        commit, digest = found
        if digest is None and commit is not None:
            return commit[:SHORT]
        return ids.h128("repository", commit, digest)[:SHORT]


def _other_worktree(disk: Disk, dot_git: str) -> bool:
    """True for another checkout of a repository (``git worktree add``) that lies in this one."""
    return disk.kind(dot_git) == "file" and b"/worktrees/" in (disk.read(dot_git, 0, 4096) or b"")


def _ignored_python(disk: Disk, base: Path, ignored: list[str]) -> Iterator[str]:
    """Python files that git ignores: generated code runs like any other.

    Environments, caches and builds are left out, and the stamp of the version.
    """
    for path in ignored:
        if path.endswith("/"):
            if not generated(path + "x"):
                yield from _below(disk, base, path.rstrip("/"), _is_python)
        elif _is_python(path) and not generated(path):
            yield path


def ignored_data(disk: Disk, base: Path, ignored: Iterable[str]) -> Iterator[str]:
    """Data files among what git ignores, of kinds that people write: settings, tables, texts."""
    for path in ignored:
        if path.endswith("/"):
            if not generated(path + "x"):
                yield from _below(disk, base, path.rstrip("/"), _is_data)
        elif _is_data(path) and not generated(path):
            yield path


def _is_data(path: str) -> bool:
    name = path.rpartition("/")[2].lower()
    return name.startswith(".env") or name.rpartition(".")[2] in _DATA


def _is_python(path: str) -> bool:
    return path.endswith(".py") and not version_stamp(path)


def _below(disk: Disk, base: Path, folder: str, wanted: Callable[[str], bool]) -> list[str]:
    """Files in an ignored folder, unless it is an environment or has too many."""
    found: list[str] = []
    folders = [folder]
    visited = 0
    while folders:
        here = folders.pop()
        visited += 1
        entries = disk.entries(f"{base}/{here}", _MOST_ENTRIES) or []
        names = {name for name, _, _ in entries}
        if not names.isdisjoint({"pyvenv.cfg", "conda-meta", ".git"}):
            continue
        for name, is_folder, is_link in entries:
            path = f"{here}/{name}"
            if is_folder:
                if not generated_folder(name, top=False):
                    folders.append(path)
            elif not is_link and wanted(path):
                found.append(path)
        if len(found) > _MOST_IGNORED or visited > _MOST_FOLDERS:
            return []
    return found
