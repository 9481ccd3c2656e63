"""Importing our own modules late, in the process of a test run."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.machinery import ModuleSpec, PathFinder
from typing import Any, Final

__all__ = ["as_installed"]

_OURS: Final = "flakefighters."


class _Finder:
    """Finds the modules of this package as Python does, passing by pytest's import hook."""

    @staticmethod
    def find_spec(name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        return PathFinder.find_spec(name, path, target) if name.startswith(_OURS) else None


@contextmanager
def as_installed() -> Iterator[None]:
    """Take our modules' bytecode from the installation.

    pytest would rewrite the assertions of every module in a plugin's distribution, of which we
    have none: more than half a second in a fresh environment, or where no bytecode is written.
    Meanwhile nothing is garbage, and no time is spent on looking for it.
    """
    collecting = gc.isenabled()
    gc.disable()
    sys.meta_path.insert(0, _Finder)
    try:
        yield
    finally:
        sys.meta_path.remove(_Finder)
        if collecting:
            gc.enable()
