"""The anchor: where the project's history and settings are found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Anchor", "locate"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Anchor:
    """A folder, and what made it the anchor."""

    path: Path
    #: pytest's ini-file, if that made it.
    inipath: Path | None = None

    @classmethod
    def from_inipath(cls, inipath: Path | None, rootdir: Path) -> Anchor:
        """From what pytest found: ``config.inipath`` and ``config.rootpath``."""
        raise NotImplementedError


def locate(start: Path, args: Sequence[str] = ()) -> Anchor:
    """The anchor that pytest would give us, started in ``start`` with ``args``."""
    raise NotImplementedError
