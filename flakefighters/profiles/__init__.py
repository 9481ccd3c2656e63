"""Which database, and who said so.

Importing this package loads nothing heavy: pydantic-settings, tomllib and the keyring are
reached only when something is configured.
"""

from __future__ import annotations

from flakefighters.profiles.ci import CiInfo, detect
from flakefighters.profiles.resolution import Inputs, Origin, Resolution, Settings
from flakefighters.profiles.resolve import resolve

__all__ = ["CiInfo", "Inputs", "Origin", "Resolution", "Settings", "detect", "resolve"]
