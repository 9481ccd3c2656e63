"""Which paths are made by tools, so that they are no part of a state unless git tracks them."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["generated", "generated_folder", "ours", "version_stamp"]

_FOLDERS: Final = frozenset(
    {
        ".benchmarks",
        ".cache",
        ".eggs",
        ".flakefighters",
        ".git",
        ".hg",
        ".hypothesis",
        ".idea",
        ".ipynb_checkpoints",
        ".mypy_cache",
        ".nox",
        ".pytest_cache",
        ".pytype",
        ".ruff_cache",
        ".svn",
        ".tox",
        ".venv",
        ".vscode",
        "__pycache__",
        "htmlcov",
        "node_modules",
        "site-packages",
    }
)
#: Generated only at the top: deeper down, a package may well be called "build".
_TOP_FOLDERS: Final = frozenset({"build", "dist", "env", "venv"})
_NAME: Final = re.compile(
    r"flakefighters\.db.*|\.coverage(\..*)?|coverage\.(xml|json|lcov)|lcov\.info|junit.*\.xml"
    r"|flakefighters.*\.(csv|html|json|md|xml)|\.report\.json"
    # What --html, --junit-xml and `flakefighters report` are mostly told to write.
    r"|(report|(test[-_])?results?|pytest)\.(html|xml)"
    r"|\.testmondata.*|\.ds_store|thumbs\.db|.*~|.*\.(log|pyc|pyo|swp|orig|rej|db-wal|db-shm)",
    re.DOTALL,
)
_STAMP: Final = r"_*(git_?|scm_?|build_?)?version(_?info)?_*\.py"


def ours(path: str) -> bool:
    """True for what flakefighters itself writes: the history and its folder."""
    folder, _, name = path.rpartition("/")
    return name.startswith("flakefighters.db") or ".flakefighters" in folder.split("/")


def generated_folder(name: str, top: bool) -> bool:
    """True for the name of a folder that tools fill; ``top``: it lies directly in the base."""
    return name in _FOLDERS or name.endswith(".egg-info") or (top and name in _TOP_FOLDERS)


def generated(path: str) -> bool:
    """True for a path that tools generate."""
    *folders, name = path.split("/")
    if any(generated_folder(folder, index == 0) for index, folder in enumerate(folders)):
        return True
    return _NAME.fullmatch(name.lower()) is not None


def version_stamp(path: str) -> bool:
    """True for the module in which build tools write the version, which holds the commit.

    Where git ignores it, it differs in every commit and installation and says nothing new.
    """
    return re.fullmatch(_STAMP, path.rpartition("/")[2].lower()) is not None
