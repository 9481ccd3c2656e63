"""Changed Python files: did the execution run, read or import what changed?"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from flakefighters.model import Change, ChangeKind, DoubtKind, Effect, How, Scope, Unit, Via
from flakefighters.reach import tables
from flakefighters.reach.early_loading import EarlyLoading
from flakefighters.reach.seen import Findings, Seen, units
from flakefighters.reach.side_effects import SideEffects

__all__ = ["PythonFiles"]

#: Those who load a module for the reason that its text shows.
_PLAIN_LOADERS: Final = frozenset({"import", "pytest"})
#: What an import of a file raises that is no Python.
_UNREADABLE: Final = frozenset({"IndentationError", "SyntaxError", "TabError"})


class PythonFiles:
    """The rules for one execution."""

    def __init__(self, seen: Seen, found: Findings, side_effects: SideEffects, early: EarlyLoading):
        self._seen, self._found = seen, found
        self._side_effects, self._early = side_effects, early

    def judge(self, effect: Effect) -> None:
        """Note what the execution had to do with one change."""
        change = effect.change
        path = change.path
        how = self._read_as_text(path)
        if how is not None:
            self._found.touch(how, change)
            return
        reader = self._reader_in_c(path)
        if reader is not None:
            self._found.doubt(DoubtKind.OPENED_IN_C, change, reader)
            return
        if change.unit is None and not change.by_run:
            self._found.certain = self._found.certain and not self._seen.reflects(tables.REFLECTION)
            return  # no more than its text differs
        if not self._seen.is_loaded(path):
            self._not_loaded(effect)
            return
        if not self._seen.sees:
            self._by_imports(effect)
            return
        run = units(effect, Via.RUN)
        if run & self._seen.ran:
            self._found.touch(How.RAN, change)
            return
        compiler = self._compiler(path)
        if compiler is not None:
            self._found.doubt(DoubtKind.UNSEEN, change, f"{compiler} compiles functions of {path}")
            return
        if self._is_asked(effect):
            self._found.touch(How.ASKS, change)
            return
        if run & (self._seen.earlier | self._seen.outside):
            self._found.ran_before = True
        elif change.names or change.kind is not ChangeKind.FUNCTION:
            self._found.certain = False  # it took effect with its file
        if not self._reads(effect, run):
            self._polluted(effect, run)

    def _read_as_text(self, path: str) -> How | None:
        if path in self._seen.trace.opened and path != self._seen.execution.own_file:
            return How.OPENED
        return How.READ_AT_IMPORT if self._seen.was_read_at_import(path) else None

    def _reader_in_c(self, path: str) -> str | None:
        """What reads sources unseen, and is used by the test."""
        modules = self._seen.trace.before(self._seen.trace.process.modules)
        for module, endings in tables.OPENED_IN_C.items():
            if path.endswith(endings) and module in modules:
                return module if self._seen.execution.uses_library(frozenset({module})) else None
        return None

    def _compiler(self, path: str) -> str | None:
        """What compiles functions of a file, so that they run unseen."""
        modules = self._seen.trace.before(self._seen.trace.process.modules) & tables.COMPILERS
        content = self._seen.project.files.content(path) if modules else b""
        return next((name for name in sorted(modules) if name.encode() in content), None)

    def _not_loaded(self, effect: Effect) -> None:
        """None of its code ran in this process, so it matters only by being missing."""
        change = effect.change
        if change.how == "removed":
            self._found.certain = False  # what it did for others is done no more
        elif change.how == "added" and self._seen.reflects(tables.REFLECTION):
            self._found.certain = False  # some code may look for it
        elif self._seen.reflects(tables.LOOKING_AT_FILES):
            self._found.certain = False
        missing = change.how == "removed" or self._cannot_be_read(change)
        own = change.path == self._seen.execution.own_file
        if own or (missing and change.path in self._seen.reach.files):
            self._found.touch(How.ASKS, change)
        elif change.how != "changed" and self._is_listed(change.path):
            self._found.touch(How.LISTED, change)

    def _is_listed(self, path: str) -> bool:
        return (path.rpartition("/")[0] or ".") in self._seen.trace.opened

    def _by_imports(self, effect: Effect) -> None:
        """Where no function was seen: a test that can reach the file may have run the change."""
        change = effect.change
        self._found.ran_before = True
        run = units(effect, Via.RUN)
        if self._is_asked(effect):
            self._found.touch(How.ASKS, change)
        elif change.path in self._seen.trace.imported:
            self._found.touch(How.IMPORTED, change)
        elif any(path in self._seen.reach.files for path in (change.path, *_linked(effect))):
            self._found.doubt(DoubtKind.UNSEEN, change, "this Python cannot watch functions")
        elif self._seen.unknown is not None:
            self._found.doubt(DoubtKind.IMPORTS_UNKNOWN, change, self._seen.unknown)
        elif not (self._is_early(effect, frozenset(), run) or self._by_library(effect)):
            own = self._seen.own_functions()
            if self._side_effects.left_to(run, own):
                self._found.doubt(DoubtKind.LEFT_BEHIND, change)

    def _is_asked(self, effect: Effect) -> bool:
        """Whether pytest asks for the change before the test runs."""
        change = effect.change
        file, name = self._seen.own()
        asked = units(effect, Via.ASK)
        if any(unit.path == file and unit.name == name for unit in asked):
            return True
        if self._shows(change) or self._stands_in(effect):
            return True
        return self._cannot_be_read(change) and change.unit is None

    def _shows(self, change: Change) -> bool:
        """Whether the test is an example of which the text changed, or an item of the file."""
        if change.path != self._seen.execution.own_file:
            return False
        last = self._seen.execution.nodeid.rpartition("::")[2]
        if change.by_run or change.names or change.unit is None:
            return False
        return last.endswith(f".{change.unit}") or ":" in last  # pytest's, Sybil's

    def _stands_in(self, effect: Effect) -> bool:
        """Whether the test stands in a class that is made otherwise now, or inherits from one."""
        change = effect.change
        if not change.headed:
            return False
        path, name = self._seen.own()
        unit = change.unit or ""
        if change.kind is ChangeKind.FUNCTION:
            unit = unit.rpartition(".")[0]
        if change.path == path and name.startswith(f"{unit}."):
            return True
        inherits = not effect.names.isdisjoint(name.split(".")[:-1])
        return inherits and (change.path == path or change.path in self._seen.reach.files)

    def _cannot_be_read(self, change: Change) -> bool:
        """Whether the failure tells that Python cannot read a changed file."""
        kind = self._seen.execution.exception.rpartition(".")[2]
        return kind in _UNREADABLE and change.path.rpartition("/")[2] in self._seen.execution.text

    def _reads(self, effect: Effect, run: frozenset[Unit]) -> bool:
        """Whether the execution touched the change by a name, or may have; notes which."""
        change, path = effect.change, effect.change.path
        read, may = units(effect, Via.READ), units(effect, Via.MAY_READ)
        importers = bool(units(effect, Via.IMPORT))
        surface = bool(change.names) or change.kind is not ChangeKind.FUNCTION
        if (surface or run) and self._is_early(effect, read, run):
            return True
        if (surface or run & self._seen.outside) and self._by_library(effect):
            return True
        if (not surface and not importers) or self._is_elsewhere(effect):
            return self._ran_at_import(effect, run)
        reached = path in self._seen.reach.files
        if read & self._seen.ran:
            self._reads_name(change, reached)
            return True
        if self._ran_at_import(effect, run):
            return True
        follow = self._reached if reached else self._not_reached
        return follow(effect, may, importers)

    def _reads_name(self, change: Change, reached: bool) -> None:
        """It reads the name of something that changed; but if it has that from elsewhere?"""
        if self._seen.unknown is None or reached:
            self._found.touch(How.READS, change)
        else:
            self._found.doubt(DoubtKind.MAY_IMPORT, change, self._seen.unknown)

    def _reached(self, effect: Effect, may: frozenset[Unit], importers: bool) -> bool:
        change = effect.change
        if change.unit is None and change.how == "removed":
            self._found.touch(How.ASKS, change)
        elif importers:
            self._found.doubt(DoubtKind.AT_IMPORT, change)
        elif any(unit.path in self._seen.reach.files for unit in units(effect, Via.HANDED)):
            self._found.doubt(DoubtKind.HANDED_ON, change)
        elif may & (self._seen.ran | self._seen.before):
            self._found.doubt(DoubtKind.MAY_READ, change, "calls" if change.by_call else "reads")
        elif self._may_show(effect):
            self._found.doubt(DoubtKind.IN_EXAMPLE, change)
        else:
            return False
        return True

    def _ran_at_import(self, effect: Effect, run: frozenset[Unit]) -> bool:
        change = effect.change
        body = change.kind is not ChangeKind.FUNCTION and change.by_run
        ran = run & self._seen.before and change.path in self._seen.reach.files
        if ran or (body and change.path in self._seen.trace.imported):
            self._found.touch(How.RAN_AT_IMPORT, change)
            return True
        return False

    def _not_reached(self, effect: Effect, may: frozenset[Unit], importers: bool) -> bool:
        change = effect.change
        if may & self._seen.ran and self._seen.unknown is not None:
            self._found.doubt(DoubtKind.MAY_IMPORT, change, self._seen.unknown)
        elif importers and (change.unit or "").startswith("pytest_"):  # a hook
            self._found.doubt(DoubtKind.AT_IMPORT, change)
        elif self._may_show(effect):
            self._found.doubt(DoubtKind.IN_EXAMPLE, change)
        elif importers and self._seen.unknown is not None:
            self._found.doubt(DoubtKind.IMPORTS_UNKNOWN, change, self._seen.unknown)
        else:
            return False
        return True

    def _is_elsewhere(self, effect: Effect) -> bool:
        """Whether a change is in a file of which nothing came to the test.

        Then the names that it reads are not those.  Unless the change alters another file's
        things (``rates.RATE = 7``), for which there is no need to know the file.
        """
        path, execution = effect.change.path, self._seen.execution
        if path in self._seen.reach.files or path in self._seen.trace.imported:
            return False
        if effect.leaves and self._seen.is_loaded(path):
            return False
        if path in execution.collected and path != execution.own_file:
            return not effect.leaves  # other tests: no code asks for it by a computed name
        return self._seen.unknown is None

    def _may_show(self, effect: Effect) -> bool:
        """Whether the example in a text may look up what changed, or import it."""
        last = self._seen.execution.nodeid.rpartition("::")[2].partition("[")[0]
        if "." not in last:
            return False
        example = self._seen.execution.example
        if example is None or units(effect, Via.IMPORT):
            return True
        change = effect.change
        module = change.path.removesuffix(".py").removesuffix("/__init__").rpartition("/")[2]
        names = {name.text for name in change.names} | effect.names
        return not example.isdisjoint({*names, *(change.unit or "").split("."), module})

    # -- code that ran unseen, and libraries -------------------------------------------------

    def _is_early(self, effect: Effect, read: frozenset[Unit], run: frozenset[Unit]) -> bool:
        """A file that was loaded before the trace began: what ran then is not known."""
        change = effect.change
        if "before" not in self._seen.loaders.get(change.path, ()):
            return False
        self._found.certain = False
        if (change.unit or "").rpartition(".")[2].startswith("pytest_"):
            if self._shares_texts(run):  # the name of an option
                self._found.touch(How.RAN_AT_IMPORT, change)
            else:
                self._found.doubt(DoubtKind.LOADED_EARLY, change)
            return True
        # Where the change may have run then, what was bound with its help differs.
        read = read | self._early.readers(change)
        if read & self._seen.ran:
            self._found.touch(How.READS, change)
            return True
        surface = change.names or change.kind is not ChangeKind.FUNCTION
        if surface or any(map(self._early.may_have_run, run)):
            if self._seen.execution.uses_library(None) and not self._early.is_imported(change.path):
                self._found.touch(How.READ_BY_LIBRARY, change)
            else:
                self._found.doubt(DoubtKind.LOADED_EARLY, change)
            return True
        return False

    def _shares_texts(self, units: Iterable[Unit]) -> bool:
        """Whether code that the test ran has a text in common with some functions."""
        texts: list[set[str]] = []
        for some in (units, self._seen.ran):
            facts = (self._seen.project.facts(one.path).at(one.name, one.line) for one in some)
            reads = [one.reads for one in facts if one is not None]
            texts.append({text for one in reads for text in (*one.texts, *one.words)})
        return not texts[0].isdisjoint(texts[1])

    def _by_library(self, effect: Effect) -> bool:
        """A file that a library loaded, or code that was handed its name."""
        change = effect.change
        loaders = self._seen.loaders.get(change.path, frozenset()) - _PLAIN_LOADERS - {"before"}
        if not loaders:
            return self._behind_library(effect)
        if change.path in self._seen.execution.collected:
            return False
        if units(effect, Via.READ) & self._seen.ran:
            self._found.touch(How.READS, change)
        elif loaders != {"computed"} and self._seen.execution.uses_library(None):
            self._found.touch(How.READ_BY_LIBRARY, change)
        elif change.path in self._seen.trace.imported:
            self._found.touch(How.RAN_AT_IMPORT, change)
        else:
            self._found.doubt(DoubtKind.BY_LIBRARY, change)
        return True

    def _behind_library(self, effect: Effect) -> bool:
        """A file that came with one that a library loaded, and does something at import.

        Where no function was seen, it may have handed any to the library, which calls it now.
        """
        path, seen = effect.change.path, self._seen
        acts = units(effect, Via.IMPORT) or (not seen.sees and seen.execution.uses_library(None))
        if not acts or path in seen.reach.files:
            return False
        chosen = [one for one, by in self._seen.loaders.items() if by - _PLAIN_LOADERS]
        if not any(path in self._seen.execution.reach_of(one).files for one in sorted(chosen)):
            return False
        self._found.doubt(DoubtKind.BY_LIBRARY, effect.change)
        return True

    # -- what earlier tests left -------------------------------------------------------------

    def _polluted(self, effect: Effect, run: frozenset[Unit]) -> None:
        """What earlier code that ran the change may have altered, or kept, for this test."""
        change = effect.change
        earlier = run & (self._seen.earlier | self._seen.outside)
        ran = self._seen.ran | frozenset([Unit(*self._seen.own(), 0)])
        if earlier and self._side_effects.left_to(earlier, ran):
            self._found.doubt(DoubtKind.LEFT_BEHIND, change)
            return
        if effect.undone and self._side_effects.read_by(change.path, effect.undone, ran):
            self._found.doubt(DoubtKind.LEFT_BEHIND, change)
            return
        if effect.leaves and not run and self._alters_what_is_read(effect):
            self._found.doubt(DoubtKind.LEFT_BEHIND, change)
            return
        pairs = self._seen.trace.before(self._seen.trace.process.callers)
        under = {self._seen.unit(caller) for code, caller in pairs if self._seen.unit(code) in run}
        if under - run and self._side_effects.left_to(sorted(under - run), ran):
            self._found.doubt(DoubtKind.KEPT, change)

    def _alters_what_is_read(self, effect: Effect) -> bool:
        names = {name for name in effect.change.names if name.scope is Scope.ANYWHERE}
        return bool(names) and self._side_effects.read_by(effect.change.path, names, self._seen.ran)


def _linked(effect: Effect) -> set[str]:
    """The files that a change reaches in any way."""
    return {link.unit.path for link in effect.links}
