"""The project's paths, and the process's variables, in a copy of a state."""

from __future__ import annotations

import os
import re
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from flakefighters.trials.bench import Bench

__all__ = ["Moved"]

#: Variables that would make the child report, measure, or take itself for another process.
_UNSET: Final = re.compile(
    r"FLAKEFIGHTERS_.*|PYTEST_(?:ADDOPTS|CURRENT_TEST|VERSION|XDIST_.*)|COV_CORE_.*"
    r"|COVERAGE_PROCESS_(?:START|CONFIG)"
)
#: Folders that hold a project's packages.
_ROOTS: Final = ("src", "lib", "python", "")


class Moved:
    """Says where in a copy each path is; without a copy all of them stay."""

    def __init__(self, bench: Bench, folder: str | None = None, packages: Collection[str] = ()):
        """``packages``: what is installed from the project, at the top."""
        self._bench, self._folder, self._packages = bench, folder, packages
        self.pairs: list[list[str]] = []
        if folder is not None:
            places = dict.fromkeys([bench.base, os.path.realpath(bench.base)])
            self.pairs = [[place, folder] for place in places]

    def __call__(self, text: str) -> str:
        """A path, or an argument with a path behind "="."""
        start, equals, end = text.rpartition("=")
        for old, new in self.pairs:
            if (end + os.sep).startswith(old + os.sep):
                return f"{start}{equals}{new}{end[len(old) :]}"
        return text

    def name(self, nodeid: str) -> str:
        """A node id of the history as pytest writes it."""
        known = self._bench.names.get(nodeid)
        if known is not None:
            return known
        path, separator, rest = nodeid.partition("::")
        place = os.path.relpath(f"{self._bench.base}/{path}", self._bench.rootdir)
        return Path(place).as_posix() + separator + rest

    def inside(self, file: str) -> bool:
        """Whether a file is the project's own, where the session ran."""
        home = os.path.dirname(os.path.dirname(self._bench.python[0]))  # noqa: PTH120
        of_python = home != self._bench.base and file.startswith(home + os.sep)
        return (
            file.startswith(self._bench.base + os.sep)
            and "site-packages" not in file
            and not of_python
        )

    def path(self) -> list[str]:
        """``sys.path``: the project's entries moved, its packages found in the copy first."""
        return [*self._roots(), *map(self._moved_entry, self._bench.path)]

    def environ(self) -> dict[str, str]:
        """The variables of the child."""
        found = {
            name: value for name, value in self._bench.environ.items() if not _UNSET.match(name)
        }
        found["FLAKEFIGHTERS"] = "0"
        given = [one for one in found.get("PYTHONPATH", "").split(os.pathsep) if one]
        entries = [*self._roots(), *map(self._moved_entry, given)]
        return {**found, "PYTHONPATH": os.pathsep.join(entries)} if entries else found

    def _moved_entry(self, entry: str) -> str:
        return self(entry) if self.inside(entry + os.sep) else entry

    def _roots(self) -> list[str]:
        """Folders of the copy in which the packages lie that are installed from the project."""
        if self._folder is None:
            return []
        places = [f"{self._folder}/{root}".rstrip("/") for root in _ROOTS]
        return [
            place
            for place in places
            if any(os.path.exists(f"{place}/{package}") for package in self._packages)  # noqa: PTH110
        ]
