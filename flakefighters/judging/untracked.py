"""Loaded code that no state tells of: installed packages, other checkouts, what git ignores.

A file of it that was edited since a test passed makes that pass no proof.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Collection, Iterable, Iterator
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Final

from flakefighters.environment import distributions
from flakefighters.environment.variables import asked_for

if TYPE_CHECKING:
    from flakefighters.environment.variables import Asked
    from flakefighters.model import Execution, Failure, Run
    from flakefighters.state.checkout import Checkout

__all__ = ["Missing", "asked_for_in", "edits", "loaded_files", "module_files"]

_INSTALLED: Final = ("site-packages", "dist-packages")
_ASKING: Final = (".cfg", ".ini", ".py", ".sh", ".toml", ".yaml", ".yml")
#: More files, or larger ones, are not searched for names of variables.
_MOST_FILES: Final = 3_000
_LARGEST: Final = 1 << 20
_OURS: Final = Path(__file__).resolve().parents[1]
_STDLIB: Final = Path(os.__file__).parent


def loaded_files(executions: Iterable[Execution]) -> tuple[str, ...]:
    """The files of all modules that are loaded; asked for only where something failed."""
    return module_files() if any(one.failures for one in executions) else ()


class Missing:
    """Which files that git ignores the failures of a run miss; git is asked once for all."""

    def __init__(self, run: Run, checkout: Checkout):
        self._failures = [one for execution in run.executions for one in execution.failures]
        self._checkout = checkout

    def of(self, failure: Failure) -> str | None:
        """The file that a failure says is not there."""
        path = _missed(failure)
        return path if path is not None and path in self._ignored else None

    @cached_property
    def _ignored(self) -> set[str]:
        missed = dict.fromkeys(filter(None, map(_missed, self._failures)))
        files = self._checkout.files() or {}
        asked = [path for path in missed if path not in files and not Path(path).is_absolute()]
        return self._checkout.would_ignore(asked, self._checkout.base)


def _missed(failure: Failure) -> str | None:
    found = re.search(r"No such file or directory: '([^'\n]+)'", failure.text)
    return None if found is None else found[1]


def module_files() -> tuple[str, ...]:
    """The files of all modules that are loaded, as they call them."""
    found: list[str] = []
    for module in list(sys.modules.values()):
        try:
            file = getattr(module, "__file__", None)
        except Exception:  # noqa: S112 - any object may stand there: protects the end of the run
            continue
        if isinstance(file, str):
            found.append(file)
    return tuple(found)


def asked_for_in(checkout: Checkout) -> Asked:
    """Variables of the environment that the project's files may ask for."""
    files = (path for path in checkout.files() or () if not path.startswith("."))
    paths = [path for path in files if path.endswith(_ASKING)][:_MOST_FILES]
    contents = (checkout.disk.read(f"{checkout.base}/{path}", 0, _LARGEST) for path in paths)
    return asked_for(filter(None, contents))


def edits(
    files: Iterable[str],
    base: Path,
    known: Callable[[], Collection[str]],
    since: int,
    *,
    lasting: bool,
) -> tuple[tuple[str, int], ...]:
    """What was edited after ``since``, with the time of the edit (both µs), the newest first.

    ``known`` gives the files below ``base`` that the state tells of.  Without ``lasting`` only
    what was edited after it had been installed counts: a machine that is made for each run
    has new files of everything else.
    """
    found: dict[str, int] = {}
    installations = _Installations()
    for file in files:
        try:
            edited = os.stat(file).st_mtime_ns // 1000  # noqa: PTH116 - hundreds of them
            if edited <= since:
                continue
            shown = _untracked_name(
                Path(file).resolve(), base, known, edited, lasting, installations
            )
        except (OSError, ValueError):
            continue
        if shown is not None:
            found[shown] = edited
    return tuple(sorted(found.items(), key=lambda one: -one[1]))


def _untracked_name(
    path: Path,
    base: Path,
    known: Callable[[], Collection[str]],
    edited: int,
    lasting: bool,
    installations: _Installations,
) -> str | None:
    """How such a file is called, None if it is none."""
    place = next((at for at, part in enumerate(path.parts) if part in _INSTALLED), None)
    if place is not None:
        folder, inner = Path(*path.parts[: place + 1]), path.parts[place + 1 :]
        if edited <= installations.of(folder, inner[0].partition(".")[0]):
            return None
        return "/".join(inner)
    if not lasting or path.is_relative_to(_STDLIB):
        return None
    if path.is_relative_to(_OURS):
        return None
    if path.is_relative_to(base):
        relative = path.relative_to(base)
        # Of repositories within this one the state tells as a whole.
        told = known()
        if any(one.as_posix() in told for one in (relative, *relative.parents)):
            return None
        return relative.as_posix()
    return "/".join(path.parts[-2:])


class _Installations:
    """When the distributions of a folder were put there, each folder read once."""

    def __init__(self) -> None:
        self._times: dict[Path, dict[str, int]] = {}

    def of(self, folder: Path, module: str) -> int:
        """The time for what brings a top-level module, in µs; 0 if that is not known."""
        if folder not in self._times:
            self._times[folder] = dict(_times(folder))
        return self._times[folder].get(module, 0)


def _times(folder: Path) -> Iterator[tuple[str, int]]:
    newest: dict[str, int] = {}
    for info in folder.glob("*-info"):
        name = distributions.normalised(info.name.partition("-")[0])
        files = (info, *info.iterdir()) if info.is_dir() else (info,)
        newest[name] = max(file.stat().st_mtime_ns // 1000 for file in files)
    for module, names in distributions.owners([str(folder)]).items():
        yield module, max((newest.get(name, 0) for name in names), default=0)
