"""Which database, and who said so.

Importing this package loads nothing heavy: pydantic-settings, tomllib and the keyring are
reached only when something is configured.
"""

from flakefighters.profiles.ci import CiInfo, detect
from flakefighters.profiles.nouns import Inputs, Origin, Resolution, Settings
from flakefighters.profiles.resolve import resolve
from flakefighters.profiles.views import (
    FileView,
    ProfileView,
    SettingsView,
    SettingView,
    all_settings,
    profiles,
)

__all__ = [
    "CiInfo",
    "FileView",
    "Inputs",
    "Origin",
    "ProfileView",
    "Resolution",
    "SettingView",
    "Settings",
    "SettingsView",
    "all_settings",
    "detect",
    "profiles",
    "resolve",
]
