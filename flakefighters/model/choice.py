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

    def to_json(self) -> dict[str, Any]:
        """JSON values that :meth:`from_json` reads."""
        settings = {name: dict(given) for name, given in self.settings.items()}
        return {"names": self.names, "settings": settings, "statistics": self.statistics}

    @classmethod
    def from_json(cls, plain: Mapping[str, Any]) -> Choice:
        """The inverse of :meth:`to_json`."""
        names = plain["names"]
        return cls(
            names=None if names is None else tuple(names),
            settings={
                name: {key: Given(*one) for key, one in given.items()}
                for name, given in plain["settings"].items()
            },
            statistics=plain["statistics"],
        )
