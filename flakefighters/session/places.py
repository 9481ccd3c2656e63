"""Where our own files lie."""

from __future__ import annotations

import os
from pathlib import Path

from flakefighters.ids import h128

__all__ = ["spool_folder", "state_folder", "watch_file", "writable"]


def state_folder(anchor: Path) -> Path:
    """The user's own folder for a project in whose folder nothing can be written."""
    home = os.environ.get("XDG_STATE_HOME") or ""
    root = Path(home) if home.startswith("/") else Path("~/.local/state").expanduser()
    return root / "flakefighters" / h128("anchor", str(anchor))[:16]


def writable(folder: Path) -> bool:
    """Whether files can be made in ``folder``."""
    return os.access(folder, os.W_OK | os.X_OK)


def spool_folder(anchor: Path) -> Path:
    """Where journals wait."""
    if writable(anchor):
        return anchor / ".flakefighters" / "spool"
    return state_folder(anchor) / "spool"


def watch_file(spool: Path, testrun: str) -> Path:
    """Where the controller tells the xdist workers of one test run what to watch."""
    return spool / f"{h128('watch', testrun)[:16]}.watch"
