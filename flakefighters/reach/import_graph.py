"""Which files one test can run, as far as its imports tell."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Final

from flakefighters.model import Reach
from flakefighters.reach.budget import Budget
from flakefighters.reach.modules import Found, Modules, folder_of
from flakefighters.reach.project import Facts
from flakefighters.source.facts import FileFacts, Reference
from flakefighters.state.disk import Disk

__all__ = ["ImportGraph"]

_LARGEST: Final = 4 << 20
_MODULE_PATH: Final = re.compile(rb"^\s*path\s*=\s*(.+?)\s*$", re.MULTILINE)
_MOST_IN_SUBMODULES: Final = 5000

_GONE: Final = FileFacts()
_UNPARSED: Final = FileFacts(opaque="could not be parsed")
_UNREADABLE: Final = FileFacts(opaque="could not be read")

#: A file and how it is reached.
_Step = tuple[str, str]


class ImportGraph:
    """The static import graph of a work tree, read as far as it is asked for.

    It errs on the wide side: a name that could be several files is all of them, dotted names in
    strings count (patches, settings), and so do modules that are gone.  Where it could miss
    something, :attr:`Reach.unknown` says so.
    """

    def __init__(
        self,
        base: Path,
        files: Iterable[str],
        *,
        old_files: Iterable[str] = (),
        roots: Sequence[str] = (),
        plugins: Sequence[str] = (),
        plugin_files: Sequence[str] = (),
        copies: Mapping[str, str] = MappingProxyType({}),
        cut: str = "",
        seconds: float = 5.0,
        disk: Disk | None = None,
        facts: Facts | None = None,
    ):
        """``files`` and ``old_files`` are the paths now and at the baseline.

        ``roots``: folders below ``base`` known to be on ``sys.path``, relative to it.
        ``plugins``: modules that every test depends on (``-p``, ``PYTEST_PLUGINS``), by name or
        by file.
        ``copies``: paths of files that are installed under other names to those here.
        ``cut``: the folder above which no conftest.py counts.  ``seconds``: for all calls.
        ``disk``: the checkout's, where tests may have left another file system behind.
        ``facts``: those of the files as they are now.
        """
        self._base = base
        self._disk = disk or Disk()
        self._seconds, self._budget = seconds, Budget()
        paths = set(files) | set(old_files)
        #: File inside a submodule to the submodule, which is what the file maps know.
        self._submodules = dict(self._in_submodules()) if ".gitmodules" in paths else {}
        self._modules = Modules(paths | self._submodules.keys(), copies)
        self._paths = paths
        self._cut = cut.strip("/")
        guesses = ("", "src", self._cut, f"{self._cut}/src".strip("/"))
        given = ("" if root == "." else root.strip("/") for root in roots)
        self._roots = tuple(dict.fromkeys((*given, *guesses)))
        self._plugins = [Reference(0, tuple(name.split("."))) for name in plugins]
        self._plugin_files = plugin_files
        self._facts = facts or Facts(lambda path: self._disk.read(f"{base}/{path}"))
        self._steps: dict[tuple[str, tuple[str, ...]], tuple[list[_Step], str | None]] = {}

    def reach(self, test_file: str) -> Reach:
        """Files reachable from ``test_file`` (relative to ``base``) and its conftest.py files."""
        with self._budget:
            return self._reach(test_file)

    def outside(self, paths: Iterable[str]) -> frozenset[str]:
        """Top-level modules that these files (of a :meth:`reach`) ask for by absolute names."""
        return frozenset(
            reference.module[0]
            for path in paths
            if path.endswith(".py")
            for reference in self._asked(path).references
            if not reference.level and reference.module
        )

    def _reach(self, test_file: str) -> Reach:
        conftests = [path for path in self._above(test_file) if path in self._paths]
        own_roots = [self._modules.root_of(path) for path in (test_file, *conftests)]
        roots = tuple(dict.fromkeys((*own_roots, *self._roots)))
        queue: deque[_Step] = deque([(test_file, "the test's own file")])
        queue.extend((path, "a conftest.py above the test") for path in conftests)
        queue.extend((path, "loaded as a plugin") for path in self._of_plugins(roots))
        reached: dict[str, str] = {}
        unknown: list[str] = []
        within: dict[tuple[str, str], str] = {}
        if not test_file.endswith(".py"):
            unknown.append(f"{test_file} is not a Python file")
        while queue:
            path, how = queue.popleft()
            if path in reached:
                continue
            reached[path] = how
            if path in self._submodules:
                reached.setdefault(self._submodules[path], how)
            if not path.endswith(".py"):
                continue
            if self._budget.spent() > self._seconds:
                unknown.insert(0, "following the imports took too long")
                break
            steps, why = self._from(path, roots)
            queue.extend(steps)
            if why is not None:
                unknown.append(f"{path} {why}")
            for function, clause in self._asked(path).opaque_in.items():
                within[path, function] = f"{path} {clause}"
        return Reach(
            files=reached,
            unknown=_joined([*unknown, *dict.fromkeys(within.values())]),
            unknown_anyway=_joined(unknown),
            unknown_in=within,
        )

    def _of_plugins(self, roots: tuple[str, ...]) -> Iterator[str]:
        for plugin in self._plugins:
            for found in self._modules.absolute(plugin.module, roots):
                yield from found.files
        yield from self._plugin_files

    def _above(self, test_file: str) -> Iterator[str]:
        folder = folder_of(test_file)
        while True:
            yield f"{folder}/conftest.py" if folder else "conftest.py"
            if folder in ("", self._cut):
                return
            folder = folder_of(folder)

    def _from(self, path: str, roots: tuple[str, ...]) -> tuple[list[_Step], str | None]:
        """The files that ``path`` leads to, and why that may not be all."""
        cached = self._steps.get((path, roots))
        if cached is None:
            steps = [(package, f"package of {path}") for package in self._modules.packages_of(path)]
            seen = self._asked(path)
            unknown = seen.opaque
            here = self._modules.root_of(path)
            around = roots if here in roots else (here, *roots)
            for reference in seen.references:
                files, why = self._files_of(reference, path, around)
                unknown = unknown or why
                steps.extend((file, f"{reference.how} {path}") for file in files)
            cached = self._steps[path, roots] = (steps, unknown)
        return cached

    def _files_of(
        self, reference: Reference, path: str, roots: Sequence[str]
    ) -> tuple[list[str], str | None]:
        if reference.level:
            folder = folder_of(path)
            for _ in range(reference.level - 1):
                folder = folder_of(folder)
            place = self._modules.below(folder, reference.module)
            if not reference.module:
                place.files.extend(self._modules.at(folder) if folder else ())
            places = [place]
        else:
            places = self._modules.absolute(reference.module, roots)
            if not any(place.files for place in places):  # of a namespace, maybe elsewhere
                for name in reference.names:
                    places += self._modules.absolute((*reference.module, name), roots)
        files: list[str] = []
        unknown = None
        for place in places:
            names, why = self._names(reference, place)
            unknown = unknown or why
            files.extend(place.files)
            for name in names:
                files.extend(self._modules.at(f"{place.key}/{name}" if place.key else name))
        return files, unknown

    def _names(self, reference: Reference, place: Found) -> tuple[Sequence[str], str | None]:
        """The names wanted from a module that may be modules themselves."""
        if place.key is None:
            return (), None
        if reference.names != ("*",) or not self._modules.is_package(place.key):
            return reference.names, None
        exports: list[str] = []
        for init in place.files[-1:]:
            names = self._asked(init).exports
            if names is None:
                return (), f"imports * from {init}, which computes __all__"
            exports.extend(names)
        return exports, None

    def _asked(self, path: str) -> FileFacts:
        if self._disk.kind(f"{self._base}/{path}") is None:
            return _GONE  # since the baseline, or outside a sparse checkout
        found = self._facts.of(path)
        if found is None:
            return _UNPARSED if self._facts.content(path) else _UNREADABLE
        return found

    def _in_submodules(self) -> Iterator[tuple[str, str]]:
        text = self._disk.read(f"{self._base}/.gitmodules", 0, _LARGEST) or b""
        left = _MOST_IN_SUBMODULES
        for match in _MODULE_PATH.finditer(text):
            top = match[1].decode("utf-8", "surrogateescape").strip('"').strip("/")
            folders = [top] if ".." not in top.split("/") else []
            while folders and left > 0:
                here = folders.pop()
                for name, is_folder, is_link in self._disk.entries(f"{self._base}/{here}") or ():
                    if is_folder and not name.startswith("."):
                        folders.append(f"{here}/{name}")
                    elif name.endswith(".py") and not is_link:
                        left -= 1
                        yield f"{here}/{name}", top


def _joined(unknown: Sequence[str]) -> str | None:
    if not unknown:
        return None
    return unknown[0] if len(unknown) == 1 else f"{unknown[0]}, and {len(unknown) - 1} more"
