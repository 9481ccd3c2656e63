"""Where our own files lie: in the project, else with the user, else in a temporary place."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from flakefighters.ids import h128
from flakefighters.records import NamedTuple

if TYPE_CHECKING:
    from flakefighters.model import Target

__all__ = ["Spool", "address", "journals_in", "own_folders", "spool_folder", "spools"]
__all__ += ["watch_file", "writable"]

_NAME: Final = ".flakefighters"
#: Windows has no numbers for users; there the folders' own rights have to do.
_uid = getattr(os, "geteuid", None)


class Spool(NamedTuple):
    """A folder with journals."""

    path: Path
    #: Whose files are believed there; None for a folder that the user named.
    owners: frozenset[int] | None = None


def _owners(anchor: Path | None) -> frozenset[int] | None:
    """The user, and the owner of the project."""
    if _uid is None:
        return None
    owners = {_uid()}
    if anchor is not None:
        with suppress(OSError):  # it cannot be entered: nothing is read there
            owners.add(anchor.stat().st_uid)
    return frozenset(owners)


def _home() -> Path | None:
    """The user's folder for state, None if there is no home."""
    state = os.environ.get("XDG_STATE_HOME") or ""
    if os.path.isabs(state):  # noqa: PTH117
        return Path(state)
    if os.environ.get("HOME") == "":
        return None
    home = os.path.expanduser("~")  # noqa: PTH111 - Path raises if the home is not known
    return Path(home, ".local", "state") if os.path.isabs(home) else None  # noqa: PTH117


def _temporary() -> Path | None:
    """A folder of this user among the temporary ones; None if there is none.

    Not ``tempfile.gettempdir``: it would keep what it found, and tests may set TMPDIR later.
    """
    named = (os.environ.get(name) for name in ("TMPDIR", "TEMP", "TMP"))
    for root in (*named, "/tmp", "/var/tmp"):  # noqa: S108 - checked by _is_safe
        if root and os.path.isabs(root) and os.access(root, os.W_OK | os.X_OK):  # noqa: PTH117
            return Path(root, "flakefighters" if _uid is None else f"flakefighters-{_uid()}")
    return None


def _is_safe(folder: Path, owners: frozenset[int] | None, *, private: bool = False) -> bool:
    """Whether a folder of ours is what it seems to be, if it is there.

    A link may come with a commit and lead anywhere; a folder of another user holds what they like.
    """
    try:
        facts = os.lstat(folder)
    except FileNotFoundError:
        return True
    except OSError:  # it cannot be entered, or what lies above is a file
        return False
    if not stat.S_ISDIR(facts.st_mode) or (owners is not None and facts.st_uid not in owners):
        return False
    return not private or owners is None or not facts.st_mode & 0o077


def own_folders(anchor: Path) -> Iterator[tuple[Path, frozenset[int] | None]]:
    """The folders for our files of a project, best first, each with whose files are believed there.

    They need not be there, and may not be writable.
    """
    owners = _owners(anchor)
    if _is_safe(anchor / _NAME, owners):
        yield anchor / _NAME, owners
    name, mine = h128("anchor", str(anchor))[:16], _owners(None)
    home, shared = _home(), _temporary()
    if home is not None and _is_safe(home / "flakefighters" / name, mine):
        yield home / "flakefighters" / name, mine
    if shared is not None and _is_safe(shared, mine, private=True):
        yield shared / name, mine


def writable(folder: Path) -> bool:
    """Whether files can be made in ``folder``, or it can be made itself."""
    for place in (folder, *folder.parents):
        if os.path.lexists(place):
            return os.path.isdir(place) and os.access(place, os.W_OK | os.X_OK)  # noqa: PTH112
    return False


def spools(anchor: Path) -> tuple[Spool, ...]:
    """Every folder in which journals of a project may wait, best first."""
    found = ((folder / "spool", owners) for folder, owners in own_folders(anchor))
    return tuple(Spool(path, owners) for path, owners in found if _is_safe(path, owners))


def journals_in(folder: Path) -> list[str]:
    """The names of what looks like a journal, in order; a cheap question."""
    try:
        return sorted(name for name in os.listdir(folder) if name.endswith(".jsonl"))  # noqa: PTH208
    except OSError:
        return []


def address(target: Target) -> str:
    """Which history a journal is meant for: "local", a file, or user@host:port/database."""
    if target.backend == "sqlite":
        return "local" if target.profile == "local" else f"sqlite:{target.path}"
    return f"{target.user or ''}@{target.host or ''}:{target.port or 5432}/{target.database or ''}"


def spool_folder(anchor: Path) -> Path:
    """Where journals are written.  If there is no place at all, writing will say why."""
    for spool in spools(anchor):
        if writable(spool.path):
            return spool.path
    return anchor / _NAME / "spool"


def watch_file(spool: Path, testrun: str) -> Path:
    """Where the controller tells the xdist workers of one test run what to watch."""
    return spool / f"{h128('watch', testrun)[:16]}.watch"
