"""Which files one test can run, as far as its imports tell."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from flakefighters.model import Reach

__all__ = ["ImportGraph"]


class ImportGraph:
    """The static import graph of a work tree, read as far as it is asked for."""

    def __init__(
        self,
        base: Path,
        files: Iterable[str],
        *,
        old_files: Iterable[str] = (),
        roots: Sequence[str] = (),
        plugins: Sequence[str] = (),
        cut: str = "",
        seconds: float = 5.0,
    ):
        """``files``/``old_files``: paths now and at the baseline; ``roots``: folders (relative to
        ``base``) known to be on ``sys.path``; ``plugins``: modules that every test depends on
        (``-p``); ``cut``: folder above which no conftest.py counts; ``seconds``: for all calls."""
        raise NotImplementedError

    def reach(self, test_file: str) -> Reach:
        """Files reachable from ``test_file`` (relative to ``base``)."""
        raise NotImplementedError
