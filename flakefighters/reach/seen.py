"""One failing execution: what it did, and what is asked of the rest only if it is needed."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from flakefighters.model import (
    Change,
    ChangeKind,
    Code,
    Doubt,
    DoubtKind,
    Effect,
    How,
    Reach,
    Trace,
    Unit,
    Via,
)
from flakefighters.reach.project import Project
from flakefighters.records import record
from flakefighters.source.facts import UnitFacts

__all__ = ["Execution", "Findings", "Seen", "units"]


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
    #: Whether the test uses a library, or one of these: what it ran names one, or inherits from
    #: one, or it asks for a fixture of one.
    uses_library: Callable[[frozenset[str] | None], bool] = field(default=lambda _: False)
    #: The files that any file leads to by its imports.
    reach_of: Callable[[str], Reach] = field(default=lambda _: Reach(files={}))
    #: The paths that were watched for openings.
    watched: Collection[str] = ()


@record
class Findings:
    """What an execution touched, and why it may have touched more."""

    touched: list[tuple[How, Change]] = field(default_factory=list)
    doubts: list[Doubt] = field(default_factory=list)
    #: Changed code ran in the process before the execution.
    ran_before: bool = False
    #: Whether all that was told apart is sure.
    certain: bool = True

    def touch(self, how: How, change: Change) -> None:
        """The execution touched a change."""
        self.touched.append((how, change))

    def doubt(self, kind: DoubtKind, change: Change | None = None, detail: str = "") -> None:
        """It may have."""
        self.doubts.append(Doubt(kind, change, detail))


class Seen:
    """What one execution did, as the rules ask for it."""

    def __init__(self, execution: Execution, project: Project):
        self.execution, self.trace, self.project = execution, execution.trace, project

    @cached_property
    def reach(self) -> Reach:
        return self.execution.reach()

    def units(self, codes: Iterable[Code]) -> frozenset[Unit]:
        return frozenset(self.unit(code) for code in codes)

    def unit(self, code: Code) -> Unit:
        if code.name.rpartition(".")[2].startswith("<"):  # a lambda belongs to what is around it
            facts = self.project.facts(code.path).at(code.name, code.line)
            if facts is not None:
                return Unit(code.path, facts.name, facts.first)
        return Unit(*code)

    @cached_property
    def ran(self) -> frozenset[Unit]:
        return self.units(self.trace.ran)

    @cached_property
    def earlier(self) -> frozenset[Unit]:
        return self.units(self.trace.before(self.trace.process.earlier))

    @cached_property
    def at_import(self) -> tuple[tuple[str, Unit], ...]:
        pairs = self.trace.before(self.trace.process.at_import)
        return tuple((file, self.unit(code)) for file, code in pairs)

    @cached_property
    def between(self) -> frozenset[Unit]:
        return self.units(self.trace.before(self.trace.process.between))

    @cached_property
    def outside(self) -> frozenset[Unit]:
        """What ran while no test did."""
        return self.between.union(unit for _, unit in self.at_import)

    @cached_property
    def before(self) -> frozenset[Unit]:
        """What ran outside of tests and may matter to this one, which depends on the module."""
        files = None if self.unknown else self.reach.files
        imported = (unit for file, unit in self.at_import if files is None or file in files)
        return self.between.union(imported)

    @cached_property
    def loaders(self) -> Mapping[str, frozenset[str]]:
        found: dict[str, set[str]] = {}
        for path, by in self.trace.before(self.trace.process.loaded):
            found.setdefault(path, set()).add(by)
        return {path: frozenset(by) for path, by in found.items()}

    @cached_property
    def unknown(self) -> str | None:
        """Why the test may reach more than its imports tell, None if it does not."""
        reach = self.reach
        if not reach.files:
            return "its imports are not known"
        # A computed import matters to those who ran it, or depend on who ran it.
        run = {(unit.path, unit.name) for unit in self.ran | self.between}
        run |= {(one.path, one.name) for file, one in self.at_import if file in reach.files}
        came = (why for unit, why in reach.unknown_in.items() if unit in run)
        unseen = next(iter(reach.unknown_in.values()), None) if not self.sees else None
        return reach.unknown_anyway or next(came, unseen)

    @property
    def sees(self) -> bool:
        return self.trace.way == "functions"

    @cached_property
    def loaded(self) -> frozenset[str]:
        return frozenset(self.loaders).union(self.trace.imported)

    def is_loaded(self, path: str) -> bool:
        return path in self.loaded

    def own(self) -> tuple[str, str]:
        parts = self.execution.nodeid.partition("[")[0].split("::")[1:]
        return self.execution.own_file, ".".join(parts)

    def own_functions(self) -> frozenset[Unit]:
        """The functions of the test's own file."""
        path = self.execution.own_file
        return frozenset(
            Unit(path, one.name, one.first)
            for one in self.project.facts(path).units
            if one.kind is ChangeKind.FUNCTION
        )

    def was_read_at_import(self, path: str) -> bool:
        """Whether the body of a file that leads to the test opened this one."""
        pairs = self.trace.before(self.trace.process.read_at_import)
        return any(data == path and file in self.reach.files for data, file in pairs)

    def reflects(self, signs: frozenset[str]) -> bool:
        """Whether code that it ran has one of some names."""
        return any(not one.reads.plain().isdisjoint(signs) for one in self.own_code())

    def own_files(self, signs: Collection[str], *, words: bool = False) -> set[str]:
        """Files of which code that it ran has one of some names, or of some ``words``."""
        return {
            path
            for path, one in self._own_code()
            if not (one.reads.words if words else one.reads.plain()).isdisjoint(signs)
        }

    def own_code(self) -> Iterator[UnitFacts]:
        """The functions that it ran, and the statements of their files."""
        return (one for _, one in self._own_code())

    def _own_code(self) -> Iterator[tuple[str, UnitFacts]]:
        units = self.ran | self.before
        for path in {unit.path for unit in units} | {self.execution.own_file}:
            for one in self.project.facts(path).units:
                here = Unit(path, one.name, one.first)
                if not self.sees or here in units or one.kind is ChangeKind.STATEMENT:
                    yield path, one


def units(effect: Effect, via: Via) -> frozenset[Unit]:
    """The units that a change reaches in one way."""
    return frozenset(link.unit for link in effect.links if link.via is via)
