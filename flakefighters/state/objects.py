"""What git remembers: trees, contents and the order of commits."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Final

from flakefighters.records import NamedTuple
from flakefighters.state.disk import SHORT, with_mode
from flakefighters.state.git import is_commit

if TYPE_CHECKING:
    from flakefighters.state.git import Git

__all__ = [
    "Edit",
    "commit_of",
    "described",
    "edits",
    "entries",
    "file_map",
    "list_tree",
    "log",
    "merge_base",
    "midpoints",
    "read_blobs",
    "tree_of",
]

_BLOB: Final = r"[0-9a-f]{16,64}"
_EDITS: Final = (
    *("log", "--max-count=30", "--format=%x01%H %P%n%s", "--encoding=UTF-8", "--no-show-signature"),
    *("--no-color", "-c", "--raw", "--no-abbrev", "--no-renames"),
)


class Edit(NamedTuple):
    """What one commit made of a file; ids have 16 digits."""

    #: None is the work tree.
    commit: str | None
    subject: str
    #: The file in each of its parents, None where it was missing; empty if parents are not known.
    before: tuple[str | None, ...]
    after: str | None


def list_tree(git: Git, tree: str) -> dict[str, str] | None:
    """Path to object id of everything in ``tree``, submodules too; None if git has it not."""
    records = entries(git, tree)
    return None if records is None else {path: name for path, _, name in records}


def file_map(git: Git, tree: str) -> dict[str, str] | None:
    """Path to what file maps have of everything in ``tree``; None if git has it not."""
    records = entries(git, tree)
    if records is None:
        return None
    return {path: with_mode(name[:SHORT], path, mode) for path, mode, name in records}


def entries(git: Git, tree: str) -> list[tuple[str, str, str]] | None:
    """Path, mode and object id of everything in ``tree``; None if git has it not."""
    if not is_commit(tree):
        return None
    answer = git.ask("ls-tree", "-r", "-z", "--full-tree", "--end-of-options", tree)
    if answer.reason is not None:
        return None
    found = []
    for record in answer.output.decode("utf-8", "surrogateescape").split("\0"):
        about, tab, path = record.partition("\t")
        mode, _, name = about.partition(" ")
        name = name.rpartition(" ")[2]
        if tab and is_commit(name):
            found.append((path, mode, name))
    return found


def read_blobs(git: Git, names: Iterable[str]) -> dict[str, bytes]:
    """Contents by blob id, given whole or by its first digits (at least 16)."""
    asked = [name for name in dict.fromkeys(names) if re.fullmatch(_BLOB, name)]
    if not asked:
        return {}
    lines = "".join(f"{name}\n" for name in asked).encode()
    output = git.ask("cat-file", "--batch", stdin=lines).output
    found = {}
    for asked_name, (name, kind, content) in zip(asked, _batch(output), strict=False):
        if kind == "blob" and name.startswith(asked_name):
            found[asked_name] = content
    return found


def _batch(output: bytes) -> Iterator[tuple[str, str, bytes]]:
    """Id, kind and content of each answer; what is missing has the kind "missing"."""
    at = 0
    while (end := output.find(b"\n", at)) >= 0:
        fields = output[at:end].decode("ascii", "replace").split(" ")
        at = end + 1
        if len(fields) != 3 or not fields[2].isdigit():
            yield fields[0], "missing", b""
            continue
        size = int(fields[2])
        content = output[at : at + size]
        if len(content) != size:
            return  # killed in the middle
        yield fields[0], fields[1], content
        at += size + 1


def tree_of(git: Git, revision: str) -> str | None:
    """The tree of a commit by any name of it, None if git does not know it."""
    answer = git.ask("rev-parse", "--quiet", "--verify", "--end-of-options", f"{revision}^{{tree}}")
    name = answer.output.decode("ascii", "replace").strip()
    return name if is_commit(name) else None


def merge_base(git: Git, one: str, other: str) -> str | None:
    """The newest commit that both have; None if git does not know them, or one is too shallow."""
    answer = git.ask("merge-base", "--end-of-options", one, other)
    name = answer.output.decode("ascii", "replace").strip()
    return name if is_commit(name) else None


def log(git: Git, commit: str, limit: int) -> list[tuple[str, int]]:
    """``commit`` and its ancestors with their times (seconds since the epoch), newest first."""
    if not is_commit(commit):
        return []
    answer = git.ask(
        "rev-list", "--timestamp", f"--max-count={int(limit)}", "--end-of-options", commit, "--"
    )
    found = []
    for line in answer.output.decode("ascii", "replace").splitlines():
        at, _, name = line.partition(" ")
        if is_commit(name) and at.lstrip("-").isdigit():
            found.append((name, int(at)))
    return found


def midpoints(git: Git, bad: str, good: Iterable[str]) -> list[str]:
    """The commits of ``bad`` that no ``good`` one has, by how well each halves them, best first.

    As ``git bisect`` chooses; none if git does not know one of them.
    """
    names = [bad, *good]
    if not all(map(is_commit, names)):
        return []
    without = [f"^{one}" for one in names[1:]]
    output = git.ask("rev-list", "--bisect-all", bad, *without, "--").output
    found = (line.partition(" ")[0] for line in output.decode("ascii", "replace").splitlines())
    return [name for name in found if is_commit(name)]


def commit_of(git: Git, revision: str) -> str | None:
    """The commit that a name stands for, None if git does not know it."""
    answer = git.ask(
        "rev-parse", "--quiet", "--verify", "--end-of-options", f"{revision}^{{commit}}"
    )
    name = answer.output.decode("ascii", "replace").strip()
    return name if is_commit(name) else None


def described(git: Git, commit: str) -> tuple[str, str] | None:
    """Subject and author of a commit."""
    if not is_commit(commit):
        return None
    answer = git.ask("log", "-1", "--no-show-signature", "--format=%s%x00%an", commit, "--")
    subject, separator, author = answer.output.decode("utf-8", "replace").partition("\0")
    return (subject.strip(), author.strip()) if separator else None


def edits(git: Git, commit: str, since: str, path: str) -> list[Edit]:
    """What the commits since another one made of a file, newest first; none if git cannot tell."""
    if not (is_commit(commit) and is_commit(since)):
        return []
    output = git.ask(*_EDITS, commit, f"^{since}", "--", path).output.decode("utf-8", "replace")
    found = []
    for record in output.split("\1")[1:]:
        names, _, rest = record.partition("\n")
        subject, _, raw = rest.partition("\n")
        name, _, of_parents = names.partition(" ")
        # ":100644 100644 OLD NEW M\tPATH"; of a merge "::100644 100644 100644 OLD OLD NEW MM\tPATH"
        about = raw.strip().partition("\t")[0]
        parents = len(about) - len(about.lstrip(":")) if of_parents else 0
        ids = [
            one[:SHORT] if one.strip("0") else None
            for one in about.split()[parents + 1 : 2 * parents + 2]
        ]
        found.append(Edit(name, subject, tuple(ids[:-1]), ids[-1] if ids else None))
    return found
