"""All that a history holds, in a form that is equal for equal content."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flakefighters.history import open_history
from flakefighters.history.foreign import ForeignHistory
from flakefighters.model import Run, Target, Verdict
from flakefighters.sync import Transfer, clone, pull, push

__all__ = ["Content", "clone_into", "content", "path_of", "pull_into", "push_to", "rows", "save"]


@dataclass(frozen=True, slots=True)
class Content:
    """Runs without the trust given to them, hashes, and verdicts."""

    runs: dict[str, Run]
    hashes: dict[str, str]
    #: By their text.
    verdicts: dict[str, Verdict]


def content(target: Target) -> Content:
    """Read all of a history through the front door, and check its file if it is one."""
    with open_history(target) as history:
        ids = sorted(history.run_ids())
        runs = {}
        for name in ids:
            run = history.load(name)
            runs[name] = run._replace(head=run.head._replace(trust="local"))  # type: ignore[arg-type]
        found = Content(
            runs,
            history.content_hashes(ids),
            {str(verdict): verdict for verdict in history.verdicts(ids)},
        )
    if target.path is not None:
        assert rows(target, "PRAGMA integrity_check") == [("ok",)]
        assert rows(target, "PRAGMA foreign_key_check") == []
    return found


def path_of(target: Target) -> Path:
    """The file of a SQLite history."""
    assert target.path is not None
    return target.path


def rows(target: Target, sql: str, *params: object) -> list[tuple[Any, ...]]:
    """Ask a SQLite file directly."""
    assert target.path is not None
    connection = sqlite3.connect(target.path, isolation_level=None)
    try:
        return connection.execute(sql, params).fetchall()
    finally:
        connection.close()


def save(target: Target, *runs: Run, verdicts: Sequence[Verdict] = (), **more: Any) -> None:
    """Record runs and verdicts on them."""
    with open_history(target) as history:
        for run in runs:
            own = [verdict for verdict in verdicts if verdict.run == run.head.id]
            history.save(run, own, **more)


def _reading(source: Target) -> Any:
    if source.path is not None:
        return ForeignHistory(source.path)
    return open_history(source._replace(read_only=True), create=False)


def clone_into(target: Target, source: Target, **more: Any) -> Transfer:
    """Clone, as the command does."""
    with _reading(source) as opened:
        return clone(opened, target, **more)


def pull_into(target: Target, source: Target, **more: Any) -> Transfer:
    """Pull, as the command does."""
    with _reading(source) as opened, open_history(target) as into:
        return pull(opened, into, **more)


def push_to(target: Target, source: Target, **more: Any) -> Transfer:
    """Push local runs, as the command does."""
    with open_history(source) as here, open_history(target) as there:
        return push(here, there, **more)
