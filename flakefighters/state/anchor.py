"""The anchor: the folder where a project's history and settings are found.

The plugin takes it from what pytest found; the command line has to find it without pytest, by
pytest's own rules, so that both meet at the same history.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from flakefighters.records import NamedTuple
from flakefighters.state.git import find_top

__all__ = ["Anchor", "locate"]

#: In pytest's order.  The first two are read by pytest 9 and newer.
_NAMES: Final = (
    "pytest.toml",
    ".pytest.toml",
    "pytest.ini",
    ".pytest.ini",
    "pyproject.toml",
    "tox.ini",
    "setup.cfg",
)
_SINCE_9: Final = frozenset({"pytest.toml", ".pytest.toml"})


class Anchor(NamedTuple):
    """A folder, and what made it the anchor."""

    path: Path
    #: pytest's ini-file, if that made it.
    inipath: Path | None = None

    @classmethod
    def from_inipath(cls, inipath: Path | None, rootdir: Path) -> Anchor:
        """From what pytest found: ``config.inipath`` and ``config.rootpath``."""
        # "-c /dev/null" is the way to ask for no configuration: that is no place.
        if inipath is not None and _is_file(inipath):
            return cls(path=inipath.parent, inipath=inipath)
        return cls(path=find_top(rootdir) or rootdir)


def locate(start: Path, args: Sequence[str] = ()) -> Anchor:
    """The anchor that pytest would give us, started in ``start`` with ``args``."""
    start = Path(os.path.abspath(start))  # noqa: PTH100 - links stay, as pytest keeps them
    folders = _folders(start, args)
    ancestor = _common(folders) if folders else start
    inipath = _ini_file([ancestor])
    if inipath is not None:
        return Anchor.from_inipath(inipath, inipath.parent)
    for folder in (ancestor, *ancestor.parents):
        if _is_file(folder / "setup.py"):
            return Anchor.from_inipath(None, folder)
    if folders and folders != [ancestor]:
        inipath = _ini_file(folders)
        if inipath is not None:
            return Anchor.from_inipath(inipath, inipath.parent)
    rootdir = _common([start, ancestor])
    return Anchor.from_inipath(None, start if rootdir == Path(rootdir.anchor) else rootdir)


def _folders(start: Path, args: Sequence[str]) -> list[Path]:
    """The folders of those arguments that exist."""
    found = []
    for arg in args:
        if arg.startswith("-"):
            continue
        path = Path(os.path.abspath(start / arg.split("::")[0]))  # noqa: PTH100
        try:
            if path.exists():
                found.append(path if path.is_dir() else path.parent)
        except (OSError, ValueError):
            continue
    return found


def _is_file(path: Path) -> bool:
    """False as well in a folder that cannot be entered, for which Path raises."""
    return os.path.isfile(path)  # noqa: PTH113


def _common(folders: Sequence[Path]) -> Path:
    try:
        return Path(os.path.commonpath(folders))
    except ValueError:  # different drives
        return folders[0]


def _ini_file(folders: Sequence[Path]) -> Path | None:
    """The file that configures pytest for ``folders``, first upwards from each that has one."""
    bare: Path | None = None
    for folder in folders:
        for place in (folder, *folder.parents):
            for name in _NAMES:
                path = place / name
                if not _is_file(path) or (name in _SINCE_9 and not _pytest_reads_toml()):
                    continue
                if name == "pyproject.toml" and bare is None:
                    bare = path
                if _configures(path):
                    return path
    # A project file without settings for pytest still marks a project.
    return bare


def _configures(path: Path) -> bool:
    """True if the file holds pytest's settings; files made for pytest always do."""
    if path.name in ("tox.ini", "setup.cfg"):
        return _has_section(path, "pytest" if path.name == "tox.ini" else "tool:pytest")
    if path.name == "pyproject.toml":
        return _has_table(path)
    return True


def _has_section(path: Path, section: str) -> bool:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, ValueError):
        return False
    return re.search(rf"^\[{re.escape(section)}\]", text, re.MULTILINE) is not None


def _has_table(path: Path) -> bool:
    import tomllib

    try:
        table = tomllib.loads(path.read_text(encoding="utf-8")).get("tool", {}).get("pytest", {})
    except (OSError, ValueError, AttributeError):
        return False
    if not isinstance(table, dict):
        return False
    native = any(name != "ini_options" for name in table)
    return "ini_options" in table or (native and _pytest_reads_toml())


def _pytest_reads_toml() -> bool:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return int(version("pytest").partition(".")[0]) >= 9
    except (PackageNotFoundError, ValueError):
        return True
