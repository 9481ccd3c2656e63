"""What is checked out: commit, branch, remotes, and the state of the work tree."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Final

from flakefighters import ids
from flakefighters.model import State
from flakefighters.state import dotgit, objects, skip_worktree, status, urls
from flakefighters.state.disk import Disk, Hasher
from flakefighters.state.git import Git, find_top, is_commit
from flakefighters.state.overlay import ignored_data, lay
from flakefighters.state.walk import walk

if TYPE_CHECKING:
    from flakefighters.state.anchor import Anchor
    from flakefighters.state.overlay import Overlay

__all__ = ["Checkout"]

_PLACE: Final = (
    "rev-parse",
    "--is-inside-work-tree",
    "--is-shallow-repository",
    "--show-cdup",
    "HEAD",
    "HEAD^{tree}",
)
_CONFIG: Final = (
    "config",
    "-z",
    "--get-regexp",
    r"^(remote\..*\.url|url\..*\.insteadof|core\.autocrlf)$",
)
#: Older ancestors are not asked for.
_MOST_COMMITS: Final = 1000
#: Repositories within repositories.
_DEEPEST: Final = 3


@dataclass(eq=False, repr=False, match_args=False, kw_only=True)
class Checkout:
    """A work tree as it was when :meth:`read` looked at it.

    Three calls of git, side by side, make it; whatever costs more is read when asked for, and
    speaks of the same moment: the commit's tree under the overlay that was found at the start.
    """

    #: git's top level, else the anchor; every path below is relative to it.
    base: Path
    #: The anchor's path within the base, empty if they are the same.
    prefix: str = ""
    #: None if the state cannot be known; ``reason`` says why.
    state: State | None = None
    commit: str | None = None
    tree: str | None = None
    #: None on a detached head.
    branch: str | None = None
    #: The branch that it follows ("origin/main").
    upstream: str | None = None
    #: Name to URL, without credentials.
    remotes: Mapping[str, str] = field(default_factory=dict)
    shallow: bool = False
    #: Uncommitted or untracked content; None if not known.
    dirty: bool | None = None
    #: One line on what could not be known, None if all is.
    reason: str | None = None
    #: False if git does not answer for this folder.
    has_git: bool = False
    #: The file system as it was bound at the start, for others who read late.
    disk: Disk = field(default_factory=Disk)
    _git: Git
    #: What lies over the tree, or without git all there is; None if not known.
    _over: Mapping[str, str | None] | None = None
    #: Untracked and ignored paths as git wrote them.
    _loose: frozenset[str] = frozenset()
    _ignored: tuple[str, ...] = ()

    @classmethod
    def read(cls, anchor: Anchor, git: Git | None = None) -> Checkout:
        """Look at the work tree around ``anchor``; never raises for what it finds."""
        return _read(anchor.path, git or Git(anchor.path), 0)

    def files(self) -> Mapping[str, str] | None:
        """Path to the first 16 digits of its blob id, as in the work tree when it was read.

        Of a file that may be executed, and is not Python, they are others.  A submodule is one
        path.  None if git did not answer.
        """
        return self._files

    @cached_property
    def _files(self) -> Mapping[str, str] | None:
        if self._over is None:
            return None
        committed = self.files_of(self.tree) if self.has_git and self.tree else {}
        if committed is None:
            return None
        found = dict(committed)
        for path, name in self._over.items():
            if name is None:
                found.pop(path, None)
            else:
                found[path] = name
        return found

    def files_of(self, tree: str) -> Mapping[str, str] | None:
        """The file map of a recorded tree; None if git no longer has it."""
        return objects.file_map(self._git, tree) if self.has_git else None

    def entries_of(self, tree: str) -> Mapping[str, tuple[str, str]] | None:
        """Path to mode and blob id of everything in ``tree``; None if git has it not."""
        found = objects.entries(self._git.at(self.base, 20), tree) if self.has_git else None
        return None if found is None else {path: (mode, name) for path, mode, name in found}

    @property
    def ignored(self) -> tuple[str, ...]:
        """What git ignores, as it told when the work tree was read; folders end with "/"."""
        return self._ignored

    def commit_of(self, revision: str) -> str | None:
        """The commit that a name stands for, None if git does not know it."""
        return objects.commit_of(self._git, revision) if self.has_git else None

    def midpoints(self, bad: str, good: Iterable[str]) -> list[str]:
        """See :func:`flakefighters.state.objects.midpoints`."""
        return objects.midpoints(self._git.at(self.base, 30), bad, good) if self.has_git else []

    def described(self, commit: str) -> tuple[str, str] | None:
        """Subject and author of a commit."""
        return objects.described(self._git, commit) if self.has_git else None

    def read_many(self, tree: str, paths: Iterable[str]) -> dict[str, bytes]:
        """Contents of ``paths`` in ``tree``, as far as git has them; two calls."""
        names = objects.list_tree(self._git, tree) if self.has_git else None
        wanted = {path: names[path] for path in paths if path in names} if names else {}
        found = self.read_blobs(wanted.values())
        return {path: found[name] for path, name in wanted.items() if name in found}

    def read_blobs(self, names: Iterable[str]) -> dict[str, bytes]:
        """Contents by blob id, whole or 16 digits, as far as git has them; one call."""
        return objects.read_blobs(self._git, names) if self.has_git else {}

    def contents(self, path: str, tree: str) -> bytes | None:
        """Content of one path in ``tree``, None if git has it not."""
        return self.read_many(tree, [path]).get(path)

    @property
    def main_tree(self) -> Path | None:
        """The anchor's folder in the main work tree, if this is a linked one."""
        top = dotgit.main_tree(self.base, self.disk)
        return None if top is None else top / self.prefix

    def relative(self, path: Path | str) -> str | None:
        """``path`` in POSIX form relative to the base, None if it lies elsewhere."""
        for place in (os.path.abspath(path), os.path.realpath(path)):  # noqa: PTH100
            try:
                return Path(place).relative_to(self.base).as_posix()
            except ValueError:
                continue
        return None

    def ignored_data(self) -> Mapping[str, int]:
        """Data files that git ignores and no tool makes, with the time of the last edit (µs)."""
        found = {}
        for path in ignored_data(self.disk, self.base, self._ignored):
            edited = self.disk.edited(f"{self.base}/{path}")
            if edited is not None:
                found[path] = edited
        return found

    def would_ignore(self, paths: Sequence[str], folder: Path) -> set[str]:
        """Those among some paths in a folder that git ignores, whether they are there or not."""
        asked = b"\0".join(map(os.fsencode, paths))
        command = ("--no-literal-pathspecs", "check-ignore", "-z", "--stdin", "--no-index")
        answer = self._git.at(folder).ask(*command, stdin=asked)
        return set(map(os.fsdecode, answer.output.split(b"\0")))

    def is_tracked(self, path: Path | str) -> bool:
        """True if git tracks ``path`` (absolute, or relative to the base), in any case."""
        inside = self.relative(self.base / path)
        if inside is None:
            return False
        if not self.has_git:
            return dotgit.tracks(self.base, inside, self.disk)
        parents = (f"{parent.as_posix()}/" for parent in Path(inside).parents)
        if inside in self._loose or not self._loose.isdisjoint(parents):
            return False
        return inside.lower() in self._tracked

    @cached_property
    def _tracked(self) -> frozenset[str]:
        answer = self._git.at(self.base).ask("ls-files", "-z")
        names = answer.output.decode("utf-8", "surrogateescape").lower()
        return frozenset(names.split("\0"))

    def ancestors(self, limit: int = _MOST_COMMITS) -> tuple[str, ...]:
        """The commit and its ancestors, newest first, at most ``limit``; cut where shallow."""
        return self._log[:limit]

    def edits_of(self, path: str, since: str | None, seconds: float) -> list[objects.Edit]:
        """What happened to a file since a commit, in the work tree too, the newest first."""
        found = []
        if self.has_git and self._over and path in self._over:
            head = (self.files_of(self.tree or "") or {}).get(path)
            found.append(objects.Edit(None, "", (head,), self._over[path]))
        git = self._git.at(self.base, seconds)
        return found + objects.edits(git, self.commit or "", since or "", path)

    def former(self, base_branch: str | None = None) -> tuple[str, Mapping[str, str]] | None:
        """What git says was there before: who changes it, and the file map of then.

        Before uncommitted edits that is the commit; in a pull request what it has in common with
        ``base_branch``; otherwise the commit's parent.  None if git does not know.
        """
        who, tree = self.former_tree(base_branch)
        files = None if tree is None else self.files_of(tree)
        return None if files is None else (who, files)

    def former_tree(self, base_branch: str | None = None) -> tuple[str, str | None]:
        """The same as a tree; None if git does not know."""
        if not self.has_git or self.commit is None:
            return "", None
        if self.dirty:
            return "an uncommitted edit", self.tree
        return self._before_commit(base_branch)

    def tree_of(self, commit: str) -> str | None:
        """The tree of a commit; None if git does not have it."""
        return objects.tree_of(self._git, commit) if is_commit(commit) else None

    def _before_commit(self, base_branch: str | None) -> tuple[str, str | None]:
        for name in (f"origin/{base_branch}", base_branch) if base_branch else ():
            common = objects.merge_base(self._git, self.commit or "", name)
            if common is not None and common != self.commit:
                return "this pull request", objects.tree_of(self._git, common)
        return "the last commit", objects.tree_of(self._git, f"{self.commit}^")

    @cached_property
    def _log(self) -> tuple[str, ...]:
        if self.commit is None or not self.has_git:
            return ()
        return tuple(commit for commit, _ in objects.log(self._git, self.commit, _MOST_COMMITS))


def _read(folder: Path, git: Git, depth: int) -> Checkout:
    disk = Disk()
    place, state, config, marked = git.ask_together(
        _PLACE, status.COMMAND, _CONFIG, skip_worktree.COMMAND
    )
    lines = place.output.decode("utf-8", "surrogateescape").splitlines()
    if lines[:1] != ["true"] or len(lines) < 3:
        return _without_git(folder, git, disk, place.reason or "not a git work tree")
    real = os.path.realpath(folder)
    base = Path(os.path.normpath(f"{real}/{lines[2]}"))
    # Without a commit, git repeats the words and gives up: the rest has been said by then.
    commit, tree = (
        lines[3:5] if len(lines) == 5 and all(map(is_commit, lines[3:])) else (None, None)
    )
    settings = _settings(config.output)
    found = status.parse(state.output)
    hasher = Hasher(
        disk,
        digits=len(tree or "") or 40,
        text=dict(settings).get("core.autocrlf", "").lower() in ("true", "input"),
    )
    overlay: Overlay | None = None
    reason = state.reason
    if state.reason is None:
        inner, unlooked = _inner(git, base, depth), skip_worktree.parse(marked.output)
        overlay = lay(found, base, disk, hasher, inner, unlooked)
        reason = overlay.reason
    digest = overlay.digest() if overlay else None
    return Checkout(
        base=base,
        prefix=_prefix(Path(real), base),
        state=_state(tree, digest) if reason is None else None,
        commit=commit,
        tree=tree,
        branch=found.branch,
        upstream=found.upstream,
        remotes=urls.remotes(settings),
        shallow=lines[1] == "true",
        dirty=overlay.dirty if overlay else None,
        reason=reason,
        has_git=True,
        _git=git,
        disk=disk,
        _over=overlay.ids if overlay and reason is None else None,
        _loose=frozenset(found.untracked) | frozenset(found.ignored),
        _ignored=tuple(found.ignored),
    )


def _without_git(folder: Path, git: Git, disk: Disk, reason: str) -> Checkout:
    real = Path(os.path.realpath(folder))
    base = find_top(real) or real
    about = dotgit.read(base, disk)
    names, missing = walk(base, disk, Hasher(disk), time.monotonic)
    digest = None
    if missing is None:
        digest = ids.h128("files", [[path, names[path]] for path in sorted(names)])
    return Checkout(
        base=base,
        prefix=_prefix(real, base),
        state=_state(None, digest) if missing is None else None,
        commit=about.commit,
        branch=about.branch,
        remotes=urls.remotes(about.config),
        shallow=about.shallow,
        reason=reason if missing is None else f"{reason}; {missing}",
        _git=git,
        disk=disk,
        _over=names if missing is None else None,
    )


def _state(tree: str | None, digest: str | None) -> State:
    return State(id=ids.h128("state", tree, digest), tree=tree, digest=digest)


def _prefix(anchor: Path, base: Path) -> str:
    inside = anchor.relative_to(base).as_posix() if anchor.is_relative_to(base) else "."
    return "" if inside == "." else inside


def _inner(
    git: Git, base: Path, depth: int
) -> Callable[[str], tuple[str | None, str | None] | None]:
    """How repositories inside this one are read."""

    def read(path: str) -> tuple[str | None, str | None] | None:
        if depth >= _DEEPEST:
            return None
        folder = base / path
        inner = _read(folder, git.at(folder), depth + 1)
        if inner.state is None or inner.base != Path(os.path.realpath(folder)):
            return None
        return inner.commit, inner.state.digest

    return read


def _settings(output: bytes) -> list[tuple[str, str]]:
    """Keys and values of ``git config -z``."""
    records = output.decode("utf-8", "surrogateescape").split("\0")
    pairs = (record.partition("\n") for record in records if record)
    return [(key, value) for key, _, value in pairs]
