"""Which flakefighters are asked, and with which settings."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from flakefighters.records import NamedTuple

__all__ = ["ENABLED", "Choice", "Given"]

#: The setting that every flakefighter has: whether it is asked.
ENABLED = "enabled"


class Given(NamedTuple):
    """A value that was set, not yet checked, and where: "pyproject.toml:12"."""

    value: Any
    origin: str


class Choice(NamedTuple):
    """What options and settings say of the flakefighters."""

    #: These and no others; None: all that are enabled.
    names: tuple[str, ...] | None = None
    #: By the name of a flakefighter and of its setting.
    settings: Mapping[str, Mapping[str, Given]] = MappingProxyType({})
    #: How the statistical ones are joined, see :mod:`flakefighters.fighters.rule`.
    statistics: str = "any"
