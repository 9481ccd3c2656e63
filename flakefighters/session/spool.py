"""Runs that are not in their history yet: where they wait, and how they get there."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from flakefighters.capture.journal import JournalError, Recovered, address_of, leftovers, recover
from flakefighters.errors import ConflictError, FlakefightersError
from flakefighters.history import History
from flakefighters.history.intake import Saved
from flakefighters.ids import short
from flakefighters.model import Target
from flakefighters.session.spent import stripped

__all__ = ["address", "deliver_leftovers", "waiting"]


def address(target: Target) -> str:
    """Which history a journal is meant for: "local", a file, or user@host:port/database."""
    if target.backend == "sqlite":
        return "local" if target.profile == "local" else f"sqlite:{target.path}"
    return f"{target.user or ''}@{target.host or ''}:{target.port or 5432}/{target.database or ''}"


def waiting(folder: Path) -> dict[str, int]:
    """How many runs that are over wait there, by the history that they are meant for."""
    return Counter(address_of(path) for path in leftovers(folder, time.time()))


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
            # Killed between saving and removing the journal: what was saved is the better copy.
            if not history.content_hashes([found.run.head.id]):
                how = deliver(history, found)
                if how is Saved.BEYOND:
                    notes.append(f"run {short(found.run.head.id)} is older than the history keeps")
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


def deliver(history: History, found: Recovered) -> Saved | None:
    """Save one recovered run, unless nothing happened in it."""
    if found.run.suite or found.run.head.context.get("collection_errors"):
        return history.save(stripped(found.run), found.verdicts, via="spool")
    return None


def _set_aside(path: Path) -> None:
    """A journal that can never be delivered must not be tried, and reported, in every run."""
    try:
        path.rename(path.with_suffix(".damaged"))
    except OSError:
        return
