"""Which database, and who said so.

Importing this package loads nothing heavy: pydantic-settings, tomllib and the keyring are
reached only when something is configured, the views only when they are shown.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flakefighters.profiles.ci import CiInfo, detect
from flakefighters.profiles.resolution import Inputs, Origin, Resolution, Settings
from flakefighters.profiles.resolve import resolve

if TYPE_CHECKING:
    from flakefighters.profiles.views import all_settings, profiles

__all__ = [
    "CiInfo",
    "Inputs",
    "Origin",
    "Resolution",
    "Settings",
    "all_settings",
    "detect",
    "profiles",
    "resolve",
]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from flakefighters.profiles import views

    return getattr(views, name)
