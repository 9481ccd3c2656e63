"""Which of the changes since a baseline did an execution touch, and what cannot be known?

The dynamic form of DeFlaker's question (Bell et al., ICSE 2018), asked per unit, of everything
that changed since the test last passed instead of the last commit alone.  FLAKY needs a complete
account: for each change it must be told why it cannot matter, and what no rule accounts for is a
doubt.
"""

from __future__ import annotations

from collections.abc import Iterable

from flakefighters.model import Change, ChangeKind, DoubtKind, Effect, How, Touching
from flakefighters.reach import tables
from flakefighters.reach.data_files import DataFiles
from flakefighters.reach.early_loading import EarlyLoading
from flakefighters.reach.project import Project
from flakefighters.reach.python_files import PythonFiles
from flakefighters.reach.seen import Execution, Findings, Seen
from flakefighters.reach.side_effects import SideEffects
from flakefighters.words import few

__all__ = ["Touch"]


class Touch:
    """The joint of what changed and what was seen, for one execution."""

    def __init__(
        self,
        execution: Execution,
        project: Project,
        side_effects: SideEffects,
        early: EarlyLoading,
    ):
        self._seen, self._found = Seen(execution, project), Findings()
        self._data = DataFiles(self._seen, self._found, side_effects, early)
        self._python = PythonFiles(self._seen, self._found, side_effects, early)

    def of(
        self, effects: Iterable[Effect], changes: Iterable[Change], unknown: str | None = None
    ) -> Touching:
        """Join ``effects``, and those of ``changes`` that are in the environment.

        ``unknown``: why not all that changed is known.
        """
        if unknown is not None:
            self._found.doubt(DoubtKind.INCOMPLETE, detail=unknown)
        files = set()
        for effect in effects:
            files.add(effect.change)
            if self._is_stale(effect.change):
                # What runs is the copy, of which this change tells nothing.
                self._found.doubt(DoubtKind.DIFFERS_INSTALLED, detail=effect.change.path)
            elif effect.change.kind is ChangeKind.DATA:
                self._data.judge(effect)
            else:
                self._python.judge(effect)
        for change in changes:
            if change not in files:
                self._environment(change)
        if files:
            self._unseen()
        order = list(How)
        self._found.touched.sort(key=lambda one: order.index(one[0]))
        grave = list(DoubtKind)
        self._found.doubts.sort(key=lambda one: grave.index(one.kind))
        return Touching(
            touched=tuple(self._found.touched),
            doubts=tuple(dict.fromkeys(self._found.doubts)),
            ran_before=self._found.ran_before,
            certain=self._found.certain and not self._found.ran_before and self._seen.sees,
            watched=self._seen.sees,
        )

    # -- the environment ---------------------------------------------------------------------

    def _environment(self, change: Change) -> None:
        """A distribution or a setting that differs."""
        if change.kind is ChangeKind.DISTRIBUTION:
            used, loaded = self._seen.execution.distributions(), self._seen.execution.loaded()
            if used is None or change.path in used:
                self._found.touch(How.USES, change)
            elif change.how == "removed":
                self._found.doubt(DoubtKind.REMOVED_DISTRIBUTION, change)
            elif loaded is None or change.path in loaded:
                self._found.doubt(DoubtKind.PYTEST_DISTRIBUTION, change)
        elif change.kind is ChangeKind.SETTING:
            if change.path.partition(".")[0].partition(" ")[0] in tables.PLACES:
                self._found.doubt(DoubtKind.ELSEWHERE, change)
            else:
                self._found.touch(How.RUNS_WITH, change)

    def _unseen(self) -> None:
        """What cannot be known of this execution while anything in the files changed."""
        trace = self._seen.trace
        children = sorted(
            child for child in trace.children if child.rpartition(" ")[2] not in tables.HARMLESS
        )
        if children:
            self._found.doubt(DoubtKind.CHILD, detail="started " + few(children))
        earlier = trace.before(trace.process.children)
        names = {child.rpartition(" ")[2] for child in earlier} - tables.HARMLESS
        if any(name.startswith(tables.RUNNING_CODE) for name in names):
            self._found.doubt(DoubtKind.CHILD, detail="ended before the test")
        if "multiprocessing.Process" in earlier:
            self._found.doubt(DoubtKind.CHILD, detail="started before the test")
        for why in trace.unknown:
            self._found.doubt(DoubtKind.UNSEEN, detail=why)
        for path, place in sorted(trace.before(trace.process.installed)):
            if path in self._seen.execution.reach().files and self._differs(path, place):
                self._found.doubt(DoubtKind.DIFFERS_INSTALLED, detail=path)
                return

    def _is_stale(self, change: Change) -> bool:
        """Whether an installed copy of a changed file is loaded, and is another version of it."""
        trace = self._seen.trace
        copies = trace.before(trace.process.installed)
        if any(path == change.path and self._differs(path, place) for path, place in copies):
            return True
        # A copy of unknown origin may be that of code which is not loaded from elsewhere.
        return change.kind is not ChangeKind.DATA and (
            any(not path for path, _ in copies)
            and all(path != change.path for path, _ in trace.process.loaded)
        )

    def _differs(self, path: str, place: str) -> bool:
        return self._seen.project.files.differs(path, place)
