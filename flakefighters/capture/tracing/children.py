"""Child processes that audit events do not tell of."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

__all__ = ["living_children", "process_count"]


def process_count() -> str:
    """Changes whenever a ``multiprocessing.Process`` is made; started ones often tell nothing."""
    module = sys.modules.get("multiprocessing.process")
    return repr(getattr(module, "_process_counter", None))


def living_children(skip: frozenset[int] = frozenset()) -> frozenset[str]:
    """Names of the child processes that run now, as "still running: NAME".

    Known on Linux; elsewhere only that there are some, or nothing at all.
    """
    skip |= _resource_tracker()
    tasks = Path("/proc/self/task")
    try:
        lists = [(task / "children").read_text("ascii") for task in tasks.iterdir()]
    except OSError:
        return _some_child()
    names = set()
    for pid in {int(word) for text in lists for word in text.split()} - skip:
        try:
            stat = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace")
        except OSError:  # ended meanwhile
            continue
        name, _, rest = stat.partition("(")[2].rpartition(")")
        if rest.split()[:1] != ["Z"]:
            names.add(f"still running: {name}")
    return frozenset(names)


def _resource_tracker() -> frozenset[int]:
    """multiprocessing's own helper, which runs no code of the project."""
    module: ModuleType | Any = sys.modules.get("multiprocessing.resource_tracker")
    pid = getattr(getattr(module, "_resource_tracker", None), "_pid", None)
    return frozenset() if pid is None else frozenset([pid])


def _some_child() -> frozenset[str]:
    if not hasattr(os, "waitid"):
        return frozenset()
    try:
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except OSError:
        return frozenset()
    return frozenset(["still running: a child process"])
