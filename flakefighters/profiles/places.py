"""Where configuration files are, and a cheap look whether there is any.  Standard library only."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from flakefighters.profiles.resolution import Inputs

__all__ = [
    "BUILT_IN_FILE",
    "MAX_BYTES",
    "anything_configured",
    "display_path",
    "empty_variables",
    "expand",
    "in_project",
    "is_closed",
    "may_hold_history",
    "profiles_file",
    "settings_variables",
    "user_file",
]

#: Where the history is by default, beside pytest's settings.
BUILT_IN_FILE: Final = "flakefighters.db"
#: Larger files are not read.
MAX_BYTES: Final = 1_000_000
_PREFIX: Final = "FLAKEFIGHTERS_"
#: Variables of our own test suite: no settings.
_TESTS: Final = "FLAKEFIGHTERS_TEST_"


def profiles_file(inputs: Inputs) -> tuple[Path, bool]:
    """The file of profiles for this project, and whether a variable named it."""
    named = inputs.environ.get("FLAKEFIGHTERS_PROFILES_FILE", "").strip()
    if not named:
        return inputs.anchor / "profiles.toml", False
    return inputs.anchor / expand(inputs, named), True


def user_file(inputs: Inputs) -> Path | None:
    """The user's own ``profiles.toml``; None if there is no home."""
    folder = inputs.user_config_dir
    if folder is None:
        folder = _config_dir(inputs)
    return None if folder is None else folder / "profiles.toml"


def _config_dir(inputs: Inputs) -> Path | None:
    """The platform's folder for configuration, by variables, without asking a user database."""
    environ = inputs.environ
    if chosen := environ.get("XDG_CONFIG_HOME"):
        # The standard wants absolute paths and others ignored: a relative one would let the
        # project's folder pass as the user's.
        return Path(chosen, "flakefighters") if Path(chosen).is_absolute() else None
    if sys.platform == "win32":
        roaming = environ.get("APPDATA")
        return Path(roaming, "flakefighters") if roaming else None
    home = environ.get("HOME")
    if not home or not Path(home).is_absolute():
        return None
    if sys.platform == "darwin":
        return Path(home, "Library", "Application Support", "flakefighters")
    return Path(home, ".config", "flakefighters")


def expand(inputs: Inputs, text: str) -> str:
    """A path with its leading ~ replaced by the home that the variables name."""
    home = inputs.environ.get("HOME") or inputs.environ.get("USERPROFILE")
    return home + text[1:] if home and text.startswith(("~/", "~\\")) else text


def settings_variables(inputs: Inputs) -> list[str]:
    """The names of the variables that mean to set something; an empty one does not."""
    return sorted(
        name
        for name, value in inputs.environ.items()
        if name.upper().startswith(_PREFIX)
        and not name.upper().startswith(_TESTS)
        and value.strip()
    )


def empty_variables(inputs: Inputs) -> bool:
    """Is there a variable for a profile that has no value?"""
    return any(
        name.upper().startswith(f"{_PREFIX}PROFILES__") and not value.strip()
        for name, value in inputs.environ.items()
    )


def in_project(inputs: Inputs, path: Path) -> bool:
    """Does a file belong to the project, by its name or by where its links lead?"""
    roots = [inputs.anchor, inputs.project_root or inputs.anchor]
    # os.path, not Path: that raises for a circle of links.
    roots += [Path(os.path.realpath(root)) for root in roots]
    names = [Path(os.path.abspath(path)), Path(os.path.realpath(path))]  # noqa: PTH100 - links must stay
    return any(name.is_relative_to(root) for name in names for root in roots)


def may_hold_history(inputs: Inputs, path: Path) -> bool:
    """May a file of the project place a history there?  Within the project, with links resolved.

    git's own folder is no place: what lies there acts by itself.
    """
    root = Path(os.path.realpath(inputs.project_root or inputs.anchor))
    real = Path(os.path.realpath(path))
    inside = real.is_relative_to(root)
    return inside and ".git" not in (part.lower() for part in real.relative_to(root).parts)


def is_closed(path: str) -> bool:
    """Is there a file, or a folder on the way to it, that this user may not read?"""
    try:
        os.stat(path)  # noqa: PTH116
    except OSError as error:
        return isinstance(error, PermissionError)
    return not os.access(path, os.R_OK)


def display_path(inputs: Inputs, path: Path) -> str:
    """A path as people write it: relative to the anchor, or below ~, if it is."""
    if path.is_relative_to(inputs.anchor):
        return path.relative_to(inputs.anchor).as_posix()
    home = inputs.environ.get("HOME")
    if home and path.is_relative_to(home):
        return f"~/{path.relative_to(home).as_posix()}"
    return str(path)


def anything_configured(inputs: Inputs) -> bool:
    """False only if nothing is set, so that the built-in profiles are all there is."""
    if inputs.option_profile is not None or inputs.option_url is not None:
        return True
    if settings_variables(inputs):
        return True
    # os.path, not Path: this look is made at every start.
    anchor = os.fspath(inputs.anchor)
    if os.path.lexists(os.path.join(anchor, "profiles.toml")):  # noqa: PTH118
        return True
    user = user_file(inputs)
    if user is not None and os.path.lexists(user):
        return True
    try:
        with open(os.path.join(anchor, "pyproject.toml"), "rb") as stream:  # noqa: PTH118, PTH123
            text = stream.read(MAX_BYTES + 1)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    if len(text) > MAX_BYTES:
        return True
    if b"flakefighters" not in text:
        return False
    import tomllib

    try:
        tool = tomllib.loads(text.decode("utf-8-sig")).get("tool")
        return isinstance(tool, dict) and tool.get("flakefighters", {}) != {}
    except (ValueError, RecursionError):
        return True
