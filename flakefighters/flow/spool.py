"""Runs that are not in their history yet: where they wait, and how they get there."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

from flakefighters.capture.journal import JournalError, Recovered, leftovers, recover
from flakefighters.errors import ConflictError, FlakefightersError
from flakefighters.history import History
from flakefighters.ids import h128
from flakefighters.model import Target

__all__ = ["address", "deliver_leftovers", "state_folder", "writable"]


def address(target: Target) -> str:
    """Which history a journal is meant for: "local", or user@host:port/database."""
    if target.backend == "sqlite":
        return "local"
    return f"{target.user or ''}@{target.host or ''}:{target.port or 5432}/{target.database or ''}"


def state_folder(anchor: Path) -> Path:
    """The user's own folder for a project in whose folder nothing can be written."""
    home = os.environ.get("XDG_STATE_HOME") or ""
    root = Path(home) if home.startswith("/") else Path("~/.local/state").expanduser()
    return root / "flakefighters" / h128("anchor", str(anchor))[:16]


def writable(folder: Path) -> bool:
    """Whether files can be made in ``folder``."""
    return os.access(folder, os.W_OK | os.X_OK)


def deliver_leftovers(
    history: History,
    folder: Path,
    *,
    to: str,
    limit: int = 50,
    seconds: float = 2.0,
    clock: Callable[[], float] = time.monotonic,
) -> tuple[int, list[str]]:
    """Save the journals of runs that are over and were meant for this history.

    Returns how many were saved, and one-line troubles.
    """
    saved, notes = 0, []
    end = clock() + seconds
    for path in leftovers(folder, time.time()):
        if saved >= limit or clock() > end:
            break
        try:
            found = recover(path)
            if found.address != to:
                continue
            deliver(history, found)
        except (JournalError, ConflictError) as error:
            notes.append(str(error))
            _set_aside(path)
            continue
        except FlakefightersError as error:
            notes.append(str(error))
            break
        path.unlink(missing_ok=True)
        saved += 1
    return saved, notes


def deliver(history: History, found: Recovered) -> None:
    """Save one recovered run."""
    if found.run.suite:
        history.save(found.run, found.verdicts, via="spool")


def _set_aside(path: Path) -> None:
    """A journal that can never be delivered must not be tried, and reported, in every run."""
    try:
        path.rename(path.with_suffix(".damaged"))
    except OSError:
        return
