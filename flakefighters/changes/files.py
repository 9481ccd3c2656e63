"""Which files differ between two file maps."""

from __future__ import annotations

from collections.abc import Mapping

from flakefighters.model import Change

__all__ = ["differing"]


def differing(old: Mapping[str, str], new: Mapping[str, str]) -> tuple[Change, ...]:
    """Files added, removed and changed, in order of their paths."""
    raise NotImplementedError
