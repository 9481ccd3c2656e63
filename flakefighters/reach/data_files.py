"""Changed files that are no Python: were they opened, or read otherwise?

A repository within the project (a submodule) is one of them: which of its files changed is not
known, but those that were run, imported and opened lie below its path.
"""

from __future__ import annotations

from flakefighters.model import Change, DoubtKind, Effect, How
from flakefighters.reach import tables
from flakefighters.reach.early_loading import EarlyLoading
from flakefighters.reach.seen import Findings, Seen
from flakefighters.reach.side_effects import SideEffects

__all__ = ["DataFiles"]


class DataFiles:
    """The rules for one execution."""

    def __init__(self, seen: Seen, found: Findings, side_effects: SideEffects, early: EarlyLoading):
        self._seen, self._found = seen, found
        self._side_effects, self._early = side_effects, early

    def judge(self, effect: Effect) -> None:
        """Note what the execution had to do with one of them."""
        change, trace = effect.change, self._seen.trace
        path, folder = change.path, change.path.rpartition("/")[0] or "."
        if path == self._seen.execution.own_file:
            self._found.touch(How.ASKS, change)
        elif path in trace.opened:
            self._found.touch(How.OPENED, change)
        elif change.how != "changed" and folder in trace.opened:
            self._found.touch(How.LISTED, change)
        elif self._seen.was_read_at_import(path):
            self._found.touch(How.READ_AT_IMPORT, change)
        elif self._is_used(change):
            pass
        elif path not in self._seen.execution.watched:
            self._found.doubt(DoubtKind.UNSEEN, change, "it was not watched for")
        elif self._was_kept(path):
            self._found.doubt(DoubtKind.READ_BEFORE, change)
        elif self._early.reads_files():
            self._found.doubt(DoubtKind.LOADED_EARLY, change)
        elif self._is_named(effect):
            self._found.doubt(DoubtKind.NAMED, change)
        else:
            self._by_table(effect)

    def _is_used(self, change: Change) -> bool:
        """Whether code of a repository within the project mattered, or may have; notes how."""
        seen, below = self._seen, f"{change.path}/"
        if not any(one.startswith(below) for one in seen.loaded):
            return False
        used = {unit.path for unit in seen.ran} | seen.trace.imported
        earlier = [one for one in seen.earlier | seen.outside if one.path.startswith(below)]
        if any(path.startswith(below) for path in used):
            self._found.touch(How.USES, change)
        elif change.path in seen.reach.files:
            self._found.doubt(DoubtKind.AT_IMPORT, change)
        elif seen.unknown is not None:
            self._found.doubt(DoubtKind.IMPORTS_UNKNOWN, change, seen.unknown)
        elif self._side_effects.left_to(earlier, seen.ran):
            self._found.doubt(DoubtKind.LEFT_BEHIND, change)
        else:
            self._found.certain = False
            return False
        return True

    def _was_kept(self, path: str) -> bool:
        """Whether what was read of a file may have been kept by code that the test can reach."""
        pairs = self._seen.trace.before(self._seen.trace.process.opened)
        openers = {file for data, file in pairs if data == path} - {"<test>"}
        if not openers:
            return False
        if path in self._seen.execution.collected and path != self._seen.execution.own_file:
            return False  # a text with tests, which pytest has read
        # A test keeps nothing of what it reads by itself.
        openers -= self._seen.execution.collected - {self._seen.execution.own_file}
        if "" in openers or self._seen.unknown is not None:
            return bool(openers)
        return not openers.isdisjoint(self._seen.reach.files)

    def _is_named(self, effect: Effect) -> bool:
        for link in effect.links:
            unit = link.unit
            if unit.name and unit in self._seen.ran | self._seen.before:
                return True
            if (not unit.name or not self._seen.sees) and unit.path in self._seen.reach.files:
                return True
        return False

    def _by_table(self, effect: Effect) -> None:
        """What is known of kinds of files: who reads them otherwise than by opening them."""
        change, path = effect.change, effect.change.path
        modules = self._seen.trace.before(self._seen.trace.process.modules)
        name = path.rpartition("/")[2]
        if name.endswith(tables.COMPILED_SOURCES) and self._has_native():
            self._found.doubt(DoubtKind.COMPILED, change)
        elif tables.STEERING.fullmatch(path):
            if self._reads_environment(effect.names):
                self._found.doubt(DoubtKind.STEERED, change, "variables")
            elif self._reads_metadata(effect.names):
                self._found.doubt(DoubtKind.STEERED, change, "metadata")
        elif self._is_looked_for(path):
            self._found.doubt(DoubtKind.NAMED, change)
        elif self._seen.reflects(tables.LOOKING_AT_FILES):
            self._found.certain = False
        else:
            for module, endings in tables.OPENED_IN_C.items():
                if module in modules and name.lower().endswith(endings):
                    self._found.doubt(DoubtKind.OPENED_IN_C, change, module)
                    return

    def _is_looked_for(self, path: str) -> bool:
        """Whether a file looks at others, and names this one's folder or the stem of its name."""
        folder, _, name = path.rpartition("/")
        parts = {folder.rpartition("/")[2], name.partition(".")[0]} - {""}
        looking = self._seen.own_files(tables.LOOKING_AT_FILES)
        return not looking.isdisjoint(self._seen.own_files(parts, words=True))

    def _has_native(self) -> bool:
        return any(path.endswith((".so", ".pyd")) for path in self._seen.loaders)

    def _reads_environment(self, names: frozenset[str]) -> bool:
        """Whether it asks for a variable of one of these names."""
        return any(
            not one.reads.plain().isdisjoint(tables.ENVIRONMENT)
            and not names.isdisjoint(one.reads.words)
            for one in self._seen.own_code()
        )

    def _reads_metadata(self, names: frozenset[str]) -> bool:
        """Whether it may ask what is installed, of which lines with these words tell."""
        project = self._seen.project
        modules = (path.rpartition("/")[2].removesuffix(".py") for path in project.paths)
        return not names.isdisjoint({"version", *modules}) and any(
            (*one.module, *one.names)[:2] == asked or one.module[:1] == asked
            for path in self._seen.reach.files
            for one in project.facts(path).references
            for asked in tables.METADATA
        )
