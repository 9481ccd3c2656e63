"""What is checked out: commit, branch, remotes, and the state of the work tree."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from flakefighters.changes.anchor import Anchor
from flakefighters.changes.git import Git
from flakefighters.model import State

__all__ = ["Checkout"]


@dataclass(frozen=True, kw_only=True)
class Checkout:
    """A work tree as it was when :meth:`read` looked at it."""

    #: git's top level, else the anchor; every path below is relative to it.
    base: Path
    anchor: Path
    #: None if the state cannot be known; ``reason`` says why.
    state: State | None = None
    commit: str | None = None
    tree: str | None = None
    #: None on a detached head.
    branch: str | None = None
    #: The branch that it follows ("origin/main").
    upstream: str | None = None
    #: Name to URL, as configured.
    remotes: Mapping[str, str] = field(default_factory=dict)
    shallow: bool = False
    #: Uncommitted or untracked content; None if not known.
    dirty: bool | None = None
    #: One line on what could not be known, None if all is.
    reason: str | None = None

    @classmethod
    def read(cls, anchor: Anchor, git: Git | None = None) -> Checkout:
        """Look at the work tree around ``anchor``; never raises for what it finds."""
        raise NotImplementedError

    def files(self) -> Mapping[str, str]:
        """Path to the first 16 digits of its blob id, as in the work tree when it was read."""
        raise NotImplementedError

    def files_of(self, tree: str) -> Mapping[str, str] | None:
        """The same for a recorded tree; None if git no longer has it."""
        raise NotImplementedError

    def read_many(self, tree: str, paths: Iterable[str]) -> dict[str, bytes]:
        """Contents of ``paths`` in ``tree``, as far as git has them."""
        raise NotImplementedError

    def read_blobs(self, ids: Iterable[str]) -> dict[str, bytes]:
        """Contents by (16 digits of) blob id, as far as git has them."""
        raise NotImplementedError

    def contents(self, path: str, tree: str) -> bytes | None:
        """Content of one path in ``tree``, None if git has it not."""
        raise NotImplementedError

    def is_tracked(self, path: Path | str) -> bool:
        """True if git tracks ``path``, whatever the case of its letters."""
        raise NotImplementedError

    def ancestors(self, limit: int = 1000) -> tuple[str, ...]:
        """The commit and its ancestors, newest first, at most ``limit``."""
        raise NotImplementedError

    def commit_time(self) -> int | None:
        """When the commit was made, in microseconds since the epoch."""
        raise NotImplementedError
