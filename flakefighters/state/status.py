"""Reading what ``git status`` prints for programs (porcelain version 2, NUL-terminated)."""

from __future__ import annotations

from dataclasses import field
from typing import Final

from flakefighters.records import NamedTuple, record
from flakefighters.state.git import is_commit

__all__ = ["COMMAND", "Entry", "Status", "parse"]

COMMAND: Final = (
    "status",
    "--porcelain=v2",
    "-z",
    "--branch",
    "--no-ahead-behind",
    "--no-renames",
    "--untracked-files=all",
    "--ignored=matching",
    "--ignore-submodules=none",
)


class Entry(NamedTuple):
    """A tracked path that differs from the commit."""

    path: str
    #: It differs from the index as well, so that its content must be read from the disk.
    in_work_tree: bool
    submodule: bool
    mode_before: str
    mode_now: str
    #: Blob ids in the commit and in the index; all zeros where there is none.
    id_before: str
    id_in_index: str


@record
class Status:
    """Everything that ``git status`` said; paths are relative to the top level."""

    commit: str | None = None
    branch: str | None = None
    upstream: str | None = None
    entries: list[Entry] = field(default_factory=list)
    #: Files, and nested repositories with a slash at the end.
    untracked: list[str] = field(default_factory=list)
    #: Files, and folders that are ignored as a whole with a slash at the end.
    ignored: list[str] = field(default_factory=list)


def parse(output: bytes) -> Status:
    """Parse it; what is not understood is left out, as git's own documents ask for."""
    status = Status()
    lines = iter(output.decode("utf-8", "surrogateescape").split("\0"))
    for line in lines:
        kind, _, rest = line.partition(" ")
        if kind == "#":
            _header(status, rest)
        elif kind == "?":
            status.untracked.append(rest)
        elif kind == "!":
            status.ignored.append(rest)
        elif kind in ("1", "2", "u"):
            fields = rest.split(" ", {"1": 7, "2": 8, "u": 9}[kind])
            if kind == "2":
                next(lines, None)  # where it came from
            if len(fields) == {"1": 8, "2": 9, "u": 10}[kind]:
                status.entries.append(_entry(kind, fields))
    return status


def _header(status: Status, text: str) -> None:
    name, _, value = text.partition(" ")
    if name == "branch.oid" and is_commit(value):
        status.commit = value
    elif name == "branch.head" and value != "(detached)":
        status.branch = value
    elif name == "branch.upstream":
        status.upstream = value


def _entry(kind: str, fields: list[str]) -> Entry:
    if kind == "u":  # in conflict: modes and ids of the stages 1 to 3, the work tree's mode
        before, now, id_before, id_in_index = fields[3], fields[5], fields[7], "0" * 40
    else:
        before, now, id_before, id_in_index = fields[2], fields[4], fields[5], fields[6]
    return Entry(
        path=fields[-1],
        in_work_tree=kind == "u" or fields[0][1:] != ".",
        submodule=fields[1].startswith("S"),
        mode_before=before,
        mode_now=now,
        id_before=id_before,
        id_in_index=id_in_index,
    )
