"""Which of the changes since a baseline did an execution touch, and what cannot be known?

The dynamic form of DeFlaker's question (Bell et al., ICSE 2018), asked per unit, of everything
that changed since the test last passed instead of the last commit alone.  FLAKY needs a complete
account: for each change it must be told why it cannot matter, and what no rule accounts for is a
doubt.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

from flakefighters.model import (
    Change,
    ChangeKind,
    Code,
    Doubt,
    DoubtKind,
    Effect,
    How,
    Reach,
    Scope,
    Touching,
    Trace,
    Unit,
    Via,
)
from flakefighters.reach import tables
from flakefighters.reach.early_loading import EarlyLoading
from flakefighters.reach.project import Project
from flakefighters.reach.side_effects import SideEffects
from flakefighters.source.facts import UnitFacts

__all__ = ["Execution", "Touch"]

#: Those who load a module for the reason that its text shows.
_PLAIN_LOADERS: Final = frozenset({"import", "pytest"})
#: What an import of a file raises that is no Python.
_UNREADABLE: Final = frozenset({"IndentationError", "SyntaxError", "TabError"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Execution:
    """The failing execution, and what is asked about it besides its trace."""

    nodeid: str
    #: The test's own file, relative to the base.
    own_file: str
    trace: Trace
    #: All files with tests of this run.
    collected: frozenset[str] = frozenset()
    #: The failure's exception and text.
    exception: str = ""
    text: str = ""
    #: The words of the example that a doctest is; None if they do not tell all, or it is none.
    example: frozenset[str] | None = None
    reach: Callable[[], Reach] = field(default=lambda: Reach(files={}))
    #: Distributions that the test's files import, directly or not, and that the process had
    #: loaded; None if that is not known.
    distributions: Callable[[], frozenset[str] | None] = field(default=lambda: None)
    loaded: Callable[[], frozenset[str] | None] = field(default=lambda: None)
    #: Whether the test uses a library: it imports one, or asks for a fixture of one.
    uses_library: Callable[[], bool] = field(default=lambda: False)
    #: The paths that were watched for openings.
    watched: Collection[str] = ()


class Touch:
    """The joint of what changed and what was seen, for one execution."""

    def __init__(
        self,
        execution: Execution,
        project: Project,
        side_effects: SideEffects,
        early: EarlyLoading,
    ):
        self._execution, self._trace = execution, execution.trace
        self._project, self._side_effects, self._early = project, side_effects, early
        self._touched: list[tuple[How, Change]] = []
        self._doubts: list[Doubt] = []
        self._ran_before = False
        #: Whether all that was told apart is sure.
        self._certain = True

    # -- what was seen -----------------------------------------------------------------------

    @cached_property
    def _reach(self) -> Reach:
        return self._execution.reach()

    def _units(self, codes: Iterable[Code]) -> frozenset[Unit]:
        return frozenset(self._unit(code) for code in codes)

    def _unit(self, code: Code) -> Unit:
        if code.name.rpartition(".")[2].startswith("<"):  # a lambda belongs to what is around it
            facts = self._project.facts(code.path).at(code.name, code.line)
            if facts is not None:
                return Unit(code.path, facts.name, facts.first)
        return Unit(*code)

    @cached_property
    def _ran(self) -> frozenset[Unit]:
        return self._units(self._trace.ran)

    @cached_property
    def _earlier(self) -> frozenset[Unit]:
        return self._units(self._trace.before(self._trace.process.earlier))

    @cached_property
    def _at_import(self) -> tuple[tuple[str, Unit], ...]:
        pairs = self._trace.before(self._trace.process.at_import)
        return tuple((file, self._unit(code)) for file, code in pairs)

    @cached_property
    def _between(self) -> frozenset[Unit]:
        return self._units(self._trace.before(self._trace.process.between))

    @cached_property
    def _before(self) -> frozenset[Unit]:
        """What ran outside of tests and may matter to this one, which depends on the module."""
        files = None if self._unknown else self._reach.files
        imported = (unit for file, unit in self._at_import if files is None or file in files)
        return self._between.union(imported)

    @cached_property
    def _loaders(self) -> Mapping[str, frozenset[str]]:
        found: dict[str, set[str]] = {}
        for path, by in self._trace.before(self._trace.process.loaded):
            found.setdefault(path, set()).add(by)
        return {path: frozenset(by) for path, by in found.items()}

    @cached_property
    def _unknown(self) -> str | None:
        """Why the test may reach more than its imports tell, None if it does not."""
        reach = self._reach
        if not reach.files:
            return "its imports are not known"
        # A computed import matters to those who ran it, or depend on who ran it.
        run = {(unit.path, unit.name) for unit in self._ran | self._between}
        run |= {(one.path, one.name) for file, one in self._at_import if file in reach.files}
        came = (why for unit, why in reach.unknown_in.items() if unit in run)
        unseen = next(iter(reach.unknown_in.values()), None) if not self._sees else None
        return reach.unknown_anyway or next(came, unseen)

    @property
    def _sees(self) -> bool:
        return self._trace.way == "functions"

    def _is_loaded(self, path: str) -> bool:
        return path in self._loaders or path in self._trace.imported

    # -- the answer --------------------------------------------------------------------------

    def of(
        self, effects: Iterable[Effect], changes: Iterable[Change], unknown: str | None = None
    ) -> Touching:
        """Join ``effects``, and those of ``changes`` that are in the environment.

        ``unknown``: why not all that changed is known.
        """
        if unknown is not None:
            self._doubts.append(Doubt(DoubtKind.INCOMPLETE, detail=unknown))
        files = set()
        for effect in effects:
            files.add(effect.change)
            if effect.change.kind is ChangeKind.DATA:
                self._data(effect)
            else:
                self._python(effect)
        for change in changes:
            if change not in files:
                self._environment(change)
        if files:
            self._unseen()
        order = list(How)
        self._touched.sort(key=lambda one: order.index(one[0]))
        grave = list(DoubtKind)
        self._doubts.sort(key=lambda one: grave.index(one.kind))
        return Touching(
            touched=tuple(self._touched),
            doubts=tuple(dict.fromkeys(self._doubts)),
            ran_before=self._ran_before,
            certain=self._certain and not self._ran_before and self._sees,
            watched=self._sees,
        )

    def _doubt(self, kind: DoubtKind, change: Change | None = None, detail: str = "") -> None:
        self._doubts.append(Doubt(kind, change, detail))

    # -- data files --------------------------------------------------------------------------

    def _data(self, effect: Effect) -> None:
        change, trace = effect.change, self._trace
        path, folder = change.path, change.path.rpartition("/")[0]
        if path in trace.opened:
            self._touched.append((How.OPENED, change))
        elif change.how != "changed" and folder in trace.opened:
            self._touched.append((How.LISTED, change))
        elif self._was_read_at_import(path):
            self._touched.append((How.READ_AT_IMPORT, change))
        elif path not in self._execution.watched:
            self._doubt(DoubtKind.UNSEEN, change, "it was not watched for")
        elif self._was_kept(path):
            self._doubt(DoubtKind.READ_BEFORE, change)
        elif self._early.reads_files():
            self._doubt(DoubtKind.LOADED_EARLY, change)
        elif self._is_named(effect):
            self._doubt(DoubtKind.NAMED, change)
        else:
            self._by_table(effect)

    def _was_read_at_import(self, path: str) -> bool:
        pairs = self._trace.before(self._trace.process.read_at_import)
        return any(data == path and file in self._reach.files for data, file in pairs)

    def _was_kept(self, path: str) -> bool:
        """Whether what was read of a file may have been kept by code that the test can reach."""
        pairs = self._trace.before(self._trace.process.opened)
        openers = {file for data, file in pairs if data == path}
        if not openers:
            return False
        if path in self._execution.collected and path != self._execution.own_file:
            return False  # a text with tests, which pytest has read
        # What a test reads by itself it keeps for nobody.
        openers -= self._execution.collected - {self._execution.own_file}
        if "" in openers or self._unknown is not None:
            return bool(openers)
        return not openers.isdisjoint(self._reach.files)

    def _is_named(self, effect: Effect) -> bool:
        for link in effect.links:
            unit = link.unit
            if unit.name and unit in self._ran | self._before:
                return True
            if (not unit.name or not self._sees) and unit.path in self._reach.files:
                return True
        return False

    def _by_table(self, effect: Effect) -> None:
        """What is known of kinds of files: who reads them otherwise than by opening them."""
        change, path = effect.change, effect.change.path
        modules = self._trace.before(self._trace.process.modules)
        name = path.rpartition("/")[2]
        if name.endswith(tables.COMPILED_SOURCES) and self._has_native():
            self._doubt(DoubtKind.COMPILED, change)
        elif tables.STEERING.fullmatch(path):
            if self._reads_environment(effect.names):
                self._doubt(DoubtKind.STEERED, change)
        elif self._reflects(tables.LOOKING_AT_FILES):
            self._certain = False
        else:
            for module, endings in tables.OPENED_IN_C.items():
                if module in modules and name.lower().endswith(endings):
                    self._doubt(DoubtKind.OPENED_IN_C, change, module)
                    return

    def _has_native(self) -> bool:
        return any(path.endswith((".so", ".pyd")) for path in self._loaders)

    def _reads_environment(self, names: frozenset[str]) -> bool:
        """Whether it asks for a variable of one of these names."""
        return any(
            not one.reads.plain().isdisjoint(tables.ENVIRONMENT)
            and not names.isdisjoint(one.reads.words)
            for one in self._own_code()
        )

    def _reflects(self, signs: frozenset[str]) -> bool:
        """Whether code that it ran has one of some names."""
        return any(not one.reads.plain().isdisjoint(signs) for one in self._own_code())

    def _own_code(self) -> Iterator[UnitFacts]:
        """The functions that it ran, and the statements of their files."""
        units = self._ran | self._before
        for path in {unit.path for unit in units} | {self._execution.own_file}:
            for one in self._project.facts(path).units:
                here = Unit(path, one.name, one.first)
                if not self._sees or here in units or one.kind is ChangeKind.STATEMENT:
                    yield one

    # -- Python files ------------------------------------------------------------------------

    def _python(self, effect: Effect) -> None:
        change = effect.change
        path = change.path
        if path in self._trace.opened and path != self._execution.own_file:
            self._touched.append((How.OPENED, change))  # as a text
            return
        if change.unit is None and not change.by_run:
            self._certain = self._certain and not self._reflects(tables.REFLECTION)
            return  # no more than its text differs
        if not self._is_loaded(path):
            self._not_loaded(effect)
            return
        if not self._sees:
            self._by_imports(effect)
            return
        run = _units(effect, Via.RUN)
        if run & self._ran:
            self._touched.append((How.RAN, change))
            return
        compiler = self._compiler(path)
        if compiler is not None:
            self._doubt(DoubtKind.UNSEEN, change, f"{compiler} compiles functions of {path}")
            return
        if self._is_asked(effect):
            self._touched.append((How.ASKS, change))
            return
        if run & (self._earlier | self._between) or any(unit in run for _, unit in self._at_import):
            self._ran_before = True
        elif change.names or change.kind is not ChangeKind.FUNCTION:
            self._certain = False  # it took effect with its file
        if not self._reads(effect, run):
            self._polluted(effect, run)

    def _compiler(self, path: str) -> str | None:
        """What compiles functions of a file, so that they run unseen."""
        modules = self._trace.before(self._trace.process.modules) & tables.COMPILERS
        content = self._project.files.content(path) if modules else b""
        return next((name for name in sorted(modules) if name.encode() in content), None)

    def _not_loaded(self, effect: Effect) -> None:
        """None of its code ran in this process, so it matters only by being missing."""
        change = effect.change
        if change.path == self._execution.own_file or (
            (change.how == "removed" or self._cannot_be_read(change))
            and (change.path in self._reach.files)
        ):
            self._touched.append((How.ASKS, change))
        elif change.path.rpartition("/")[0] in self._trace.opened and change.how != "changed":
            self._touched.append((How.LISTED, change))

    def _by_imports(self, effect: Effect) -> None:
        """Where no function was seen: whoever can reach the file may have run the change."""
        change = effect.change
        self._ran_before = True
        if change.path in self._reach.files or change.path in self._trace.imported:
            self._doubt(DoubtKind.UNSEEN, change, "this Python cannot watch functions")
        elif self._unknown is not None:
            self._doubt(DoubtKind.IMPORTS_UNKNOWN, change, self._unknown)
        elif self._loaders.get(change.path, frozenset()) - _PLAIN_LOADERS:
            self._doubt(DoubtKind.BY_LIBRARY, change)

    def _is_asked(self, effect: Effect) -> bool:
        """Whether pytest asks for the change before the test runs."""
        change = effect.change
        file, name = self._own()
        asked = _units(effect, Via.ASK)
        if any(unit.path == file and unit.name == name for unit in asked):
            return True
        if self._shows(change) or self._stands_in(effect):
            return True
        return self._cannot_be_read(change) and change.unit is None

    def _own(self) -> tuple[str, str]:
        parts = self._execution.nodeid.partition("[")[0].split("::")[1:]
        return self._execution.own_file, ".".join(parts)

    def _shows(self, change: Change) -> bool:
        """Whether the test is an example of which the text changed, or an item of the file."""
        if change.path != self._execution.own_file:
            return False
        last = self._execution.nodeid.rpartition("::")[2]
        if change.by_run or change.names or change.unit is None:
            return False
        return last.endswith(f".{change.unit}") or ":" in last  # pytest's, Sybil's

    def _stands_in(self, effect: Effect) -> bool:
        """Whether the test stands in a class that is made otherwise now, or inherits from one."""
        change = effect.change
        if not change.headed:
            return False
        path, name = self._own()
        unit = change.unit or ""
        if change.kind is ChangeKind.FUNCTION:
            unit = unit.rpartition(".")[0]
        if change.path == path and name.startswith(f"{unit}."):
            return True
        inherits = not effect.names.isdisjoint(name.split(".")[:-1])
        return inherits and (change.path == path or change.path in self._reach.files)

    def _cannot_be_read(self, change: Change) -> bool:
        """Whether the failure tells that Python cannot read a changed file."""
        kind = self._execution.exception.rpartition(".")[2]
        return kind in _UNREADABLE and change.path.rpartition("/")[2] in self._execution.text

    def _reads(self, effect: Effect, run: frozenset[Unit]) -> bool:
        """Whether the execution touched the change by a name, or may have; notes which."""
        change, path = effect.change, effect.change.path
        read, may = _units(effect, Via.READ), _units(effect, Via.MAY_READ)
        importers = bool(_units(effect, Via.IMPORT))
        surface = bool(change.names) or change.kind is not ChangeKind.FUNCTION
        if (surface or run) and self._is_early(effect, read, run):
            return True
        outside = self._between | frozenset(unit for _, unit in self._at_import)
        if (surface or run & outside) and self._by_library(effect):
            return True
        if (not surface and not importers) or self._is_elsewhere(effect):
            return self._ran_at_import(effect, run)
        reached = path in self._reach.files
        if read & self._ran:
            # It reads the name of something that changed; but if it has that from elsewhere?
            if self._unknown is None or reached:
                self._touched.append((How.READS, change))
            else:
                self._doubt(DoubtKind.MAY_IMPORT, change, self._unknown)
        elif self._ran_at_import(effect, run):
            pass
        elif not reached:
            return self._not_reached(effect, may, importers)
        elif change.unit is None and change.how == "removed":
            self._touched.append((How.ASKS, change))
        elif importers:
            self._doubt(DoubtKind.AT_IMPORT, change)
        elif any(unit.path in self._reach.files for unit in _units(effect, Via.HANDED)):
            self._doubt(DoubtKind.HANDED_ON, change)
        elif may & (self._ran | self._before):
            self._doubt(DoubtKind.MAY_READ, change, "calls" if change.by_call else "reads")
        elif self._may_show(effect):
            self._doubt(DoubtKind.IN_EXAMPLE, change)
        else:
            return False
        return True

    def _ran_at_import(self, effect: Effect, run: frozenset[Unit]) -> bool:
        change = effect.change
        body = change.kind is not ChangeKind.FUNCTION and change.by_run
        ran = run & self._before and change.path in self._reach.files
        if ran or (body and change.path in self._trace.imported):
            self._touched.append((How.RAN_AT_IMPORT, change))
            return True
        return False

    def _not_reached(self, effect: Effect, may: frozenset[Unit], importers: bool) -> bool:
        change = effect.change
        if may & self._ran and self._unknown is not None:
            self._doubt(DoubtKind.MAY_IMPORT, change, self._unknown)
        elif importers and (change.unit or "").startswith("pytest_"):  # a hook
            self._doubt(DoubtKind.AT_IMPORT, change)
        elif self._may_show(effect):
            self._doubt(DoubtKind.IN_EXAMPLE, change)
        elif importers and self._unknown is not None:
            self._doubt(DoubtKind.IMPORTS_UNKNOWN, change, self._unknown)
        else:
            return False
        return True

    def _is_elsewhere(self, effect: Effect) -> bool:
        """Whether a change is in a file of which nothing came to the test.

        Then the names that it reads are not those.  Unless the change alters another file's
        things (``rates.RATE = 7``), for which there is no need to know the file.
        """
        path, execution = effect.change.path, self._execution
        if path in self._reach.files or path in self._trace.imported:
            return False
        if effect.leaves and not self._only_loaded_for_others(path):
            return False
        if path in execution.collected and path != execution.own_file:
            return not effect.leaves  # other tests: nobody asks for it by a computed name
        return self._unknown is None

    def _only_loaded_for_others(self, path: str) -> bool:
        return not self._is_loaded(path)

    def _may_show(self, effect: Effect) -> bool:
        """Whether the example in a text may look up what changed, or import it."""
        last = self._execution.nodeid.rpartition("::")[2].partition("[")[0]
        if "." not in last:
            return False
        example = self._execution.example
        if example is None or _units(effect, Via.IMPORT):
            return True
        change = effect.change
        module = change.path.removesuffix(".py").removesuffix("/__init__").rpartition("/")[2]
        names = {name.text for name in change.names} | effect.names
        return not example.isdisjoint({*names, *(change.unit or "").split("."), module})

    # -- code that nobody saw, and libraries -------------------------------------------------

    def _is_early(self, effect: Effect, read: frozenset[Unit], run: frozenset[Unit]) -> bool:
        """A file that was loaded before anybody watched: what ran then is not known."""
        change = effect.change
        if "before" not in self._loaders.get(change.path, ()):
            return False
        if (change.unit or "").rpartition(".")[2].startswith("pytest_"):
            self._touched.append((How.RAN_AT_IMPORT, change))
            return True
        # Where the change may have run then, what was bound with its help differs.
        read = read | self._early.readers(change)
        if read & self._ran:
            self._touched.append((How.READS, change))
            return True
        surface = change.names or change.kind is not ChangeKind.FUNCTION
        if surface or any(map(self._early.may_have_run, run)):
            if self._execution.uses_library() and not self._early.is_imported(change.path):
                self._touched.append((How.READ_BY_LIBRARY, change))
            else:
                self._doubt(DoubtKind.LOADED_EARLY, change)
            return True
        return False

    def _by_library(self, effect: Effect) -> bool:
        """A file that a library loaded, or code that was handed its name."""
        change = effect.change
        loaders = self._loaders.get(change.path, frozenset()) - _PLAIN_LOADERS - {"before"}
        if not loaders or change.path in self._execution.collected:
            return False
        if _units(effect, Via.READ) & self._ran:
            self._touched.append((How.READS, change))
        elif loaders != {"computed"} and self._execution.uses_library():
            self._touched.append((How.READ_BY_LIBRARY, change))
        elif change.path in self._trace.imported:
            self._touched.append((How.RAN_AT_IMPORT, change))
        else:
            self._doubt(DoubtKind.BY_LIBRARY, change)
        return True

    # -- what earlier tests left -------------------------------------------------------------

    def _polluted(self, effect: Effect, run: frozenset[Unit]) -> None:
        """What earlier code that ran the change may have altered, or kept, for this test."""
        change = effect.change
        earlier = run & (self._earlier | frozenset(unit for _, unit in self._at_import))
        ran = self._ran | frozenset([Unit(*self._own(), 0)])
        if earlier and self._side_effects.left_to(earlier, ran, kept=True):
            self._doubt(DoubtKind.LEFT_BEHIND, change)
            return
        if effect.undone and self._side_effects.read_by(change.path, effect.undone, ran):
            self._doubt(DoubtKind.LEFT_BEHIND, change)
            return
        if effect.leaves and not run and self._alters_what_is_read(effect):
            self._doubt(DoubtKind.LEFT_BEHIND, change)
            return
        pairs = self._trace.before(self._trace.process.callers)
        under = {self._unit(caller) for code, caller in pairs if self._unit(code) in run}
        if under - run and self._side_effects.left_to(sorted(under - run), ran, kept=True):
            self._doubt(DoubtKind.KEPT, change)

    def _alters_what_is_read(self, effect: Effect) -> bool:
        names = {name for name in effect.change.names if name.scope is Scope.ANYWHERE}
        return bool(names) and self._side_effects.read_by(effect.change.path, names, self._ran)

    # -- the environment ---------------------------------------------------------------------

    def _environment(self, change: Change) -> None:
        """A distribution or a setting that differs."""
        if change.kind is ChangeKind.DISTRIBUTION:
            used, loaded = self._execution.distributions(), self._execution.loaded()
            if used is None or change.path in used:
                self._touched.append((How.USES, change))
            elif change.how == "removed":
                self._doubt(DoubtKind.REMOVED_DISTRIBUTION, change)
            elif loaded is None or change.path in loaded:
                self._doubt(DoubtKind.PYTEST_DISTRIBUTION, change)
        elif change.kind is ChangeKind.SETTING:
            if change.path.partition(".")[0].partition(" ")[0] in tables.PLACES:
                self._doubt(DoubtKind.ELSEWHERE, change)
            else:
                self._touched.append((How.RUNS_WITH, change))

    def _unseen(self) -> None:
        """What cannot be known of this execution while anything in the files changed."""
        trace = self._trace
        children = sorted(
            child for child in trace.children if child.rpartition(" ")[2] not in tables.HARMLESS
        )
        if children:
            self._doubt(DoubtKind.CHILD, detail="started " + _few(children))
        earlier = trace.before(trace.process.children)
        names = {child.rpartition(" ")[2] for child in earlier} - tables.HARMLESS
        if any(name.startswith(tables.RUNNING_CODE) for name in names):
            self._doubt(DoubtKind.CHILD, detail="ended before the test")
        if "multiprocessing.Process" in earlier:
            self._doubt(DoubtKind.CHILD, detail="started before the test")
        for why in trace.unknown:
            self._doubt(DoubtKind.UNSEEN, detail=why)
        for path, place in sorted(trace.before(trace.process.installed)):
            if path in self._execution.reach().files and self._differs(path, place):
                self._doubt(DoubtKind.DIFFERS_INSTALLED, detail=path)
                return

    def _differs(self, path: str, place: str) -> bool:
        return self._project.files.differs(path, place)


def _units(effect: Effect, via: Via) -> frozenset[Unit]:
    return frozenset(link.unit for link in effect.links if link.via is via)


def _few(names: list[str], most: int = 2) -> str:
    shown = ", ".join(names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"
