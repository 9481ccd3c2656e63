"""For each failing execution the account of what it had to do with the changes.

Sources are read here, and only here: when something failed, for the states that its test passed
on, as far as files were loaded.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from flakefighters.capture.nodeids import own_file
from flakefighters.environment.requirements import behind
from flakefighters.judging.results import Session
from flakefighters.model import (
    Change,
    ChangeKind,
    Changes,
    Execution,
    Failure,
    Process,
    Reach,
    Run,
    Touching,
    Trace,
)
from flakefighters.reach.budget import Budget
from flakefighters.reach.changed_units import Delta, Effects
from flakefighters.reach.early_loading import EarlyLoading
from flakefighters.reach.import_graph import ImportGraph
from flakefighters.reach.project import Facts, Project
from flakefighters.reach.seen import Execution as Asked
from flakefighters.reach.side_effects import SideEffects
from flakefighters.reach.touch import Touch
from flakefighters.source.doctests import words_of
from flakefighters.source.facts import UnitFacts
from flakefighters.state.checkout import Checkout
from flakefighters.tracing.wire import read_all

__all__ = ["IN_FILES", "Accounts"]

#: Seconds of work for the search for readers of changed names, and for all accounts.
_SEARCHING: Final = 2.0
_IN_ALL: Final = 6.0
_LARGEST: Final = 4 << 20
#: What an execution did of which there was nothing to watch.
_NOTHING: Final = Trace(process=Process(), at=0)
IN_FILES: Final = frozenset(ChangeKind) - {ChangeKind.DISTRIBUTION, ChangeKind.SETTING}
#: Modules that draw what a seed sets.
_DRAWING: Final = frozenset(
    {"factory", "faker", "hypothesis", "mimesis", "model_bakery", "numpy", "random", "torch"}
)
#: Fixtures that come with pytest.
_PYTESTS: Final = frozenset(
    {
        *("cache", "capfd", "capfdbinary", "caplog", "capsys", "capsysbinary", "capteesys"),
        *("doctest_namespace", "monkeypatch", "pytestconfig", "pytester", "recwarn", "request"),
        *("record_property", "record_testsuite_property", "record_xml_attribute", "self"),
        *("subtests", "testdir", "tmp_path", "tmp_path_factory", "tmpdir", "tmpdir_factory"),
    }
)


class Accounts:
    """Asked once per failure and baseline; what several have in common is kept."""

    def __init__(self, run: Run, checkout: Checkout, session: Session):
        self._checkout, self._session = checkout, session
        self._budget = Budget()
        base = str(checkout.base)
        self._facts = Facts(lambda path: self._read(f"{base}/{path}"), self._read)
        self._traces = _traces(run)
        self._collected = frozenset(map(own_file, run.suite))
        processes = {id(one.process): one for one in self._traces.values()}.values()
        loaded = {path for one in processes for path, _ in one.process.loaded}
        imported = {path for one in self._traces.values() for path in one.imported}
        early = {path for one in processes for path, by in one.process.loaded if by == "before"}
        self._loaded = loaded | imported
        copies = {} if session.lookback is None else session.lookback.watch.copies
        self._copies = {copy: path for copy, path in copies.items() if path}
        paths = self._loaded | set(session.plugin_files)
        self._project = Project(paths, self._facts, self._copies)
        self._early = EarlyLoading(self._project, early)
        self._side_effects = SideEffects(self._project)
        self._installed = _Installed(session.modules)
        self._deltas: dict[str, Delta] = {}
        self._effects: Effects | None = None
        self._graphs: dict[frozenset[str], ImportGraph] = {}
        self._reach: dict[tuple[str, frozenset[str]], Reach] = {}

    @property
    def known(self) -> bool:
        """Whether execution was watched at all."""
        return bool(self._traces)

    def trace(self, execution: Execution, index: int) -> Trace | None:
        """What the execution of a failure did; None if it was not watched.

        Where no file differs from what tests passed on, there was nothing to watch.
        """
        found = self._traces.get((execution.nodeid, execution.attempt, index))
        lookback = self._session.lookback
        if found is None and not self._traces and lookback is not None and lookback.watch.unchanged:
            return _NOTHING
        return found

    def since(self, state: str, old: Mapping[str, str]) -> Delta:
        """What differs from an older state, of these files, and what that reaches."""
        if state not in self._deltas:
            if self._effects is None:
                self._effects = Effects(
                    self._checkout.files() or {},
                    self._checkout.read_blobs,
                    self._project,
                    self._loaded,
                    lambda: self._budget.spent() > _SEARCHING,
                )
            with self._budget:
                self._deltas[state] = self._effects.since(old)
        return self._deltas[state]

    def touching(
        self,
        execution: Execution,
        failure: Failure,
        trace: Trace,
        changes: Changes,
        state: str | None,
        old: Mapping[str, str] | None,
    ) -> Touching | None:
        """What an execution had to do with the changes since a state with the files ``old``."""
        if self._budget.spent() > _IN_ALL:
            return None
        if trace is _NOTHING and any(one.kind in IN_FILES for one in changes.changes):
            return None
        delta = self._deltas.get(state or "")
        effects = () if delta is None else delta.effects
        file = own_file(execution.nodeid)
        lookback = self._session.lookback

        def reach() -> Reach:
            return self.reach(file, old or {})

        asked = Asked(
            nodeid=execution.nodeid,
            own_file=file,
            trace=trace,
            collected=self._collected,
            exception=failure.exception or "",
            text=failure.text,
            example=self._example(execution.nodeid, file),
            reach=reach,
            distributions=lambda: self._installed.imported(
                file, changes.changes, lambda: self._outside(file, old or {})
            ),
            loaded=lambda: self._installed.loaded(changes.changes),
            uses_library=lambda some: self._uses_library(
                execution.nodeid, file, trace, old or {}, some
            ),
            reach_of=lambda path: self.reach(path, old or {}),
            watched=frozenset() if lookback is None else lookback.watch.changed,
        )
        touch = Touch(asked, self._project, self._side_effects, self._early)
        with self._budget:
            return touch.of(effects, changes.changes, changes.unknown)

    def reach(self, file: str, old: Mapping[str, str]) -> Reach:
        """The files that a test's file leads to by its imports, now or at an older state."""
        gone = frozenset(old.keys() - (self._checkout.files() or {}).keys())
        key = (file, gone)
        if key not in self._reach:
            self._reach[key] = self._graph(gone).reach(file)
        return self._reach[key]

    def _graph(self, gone: frozenset[str]) -> ImportGraph:
        if gone not in self._graphs:
            self._graphs[gone] = ImportGraph(
                self._checkout.base,
                self._checkout.files() or (),
                old_files=gone,
                roots=self._session.roots,
                plugins=self._session.plugins,
                plugin_files=self._session.plugin_files,
                copies=self._copies,
                cut=self._checkout.prefix,
                disk=self._checkout.disk,
                facts=self._facts,
            )
        return self._graphs[gone]

    def draws(self, execution: Execution, trace: Trace | None) -> bool:
        """Whether an execution may draw from a generator that a seed of the run sets."""
        if trace is None:
            return True
        files = {code.path for code in trace.ran} | {own_file(execution.nodeid)}
        if trace.way != "functions" or trace is _NOTHING:
            files |= self.reach(own_file(execution.nodeid), {}).files.keys()
        return any(
            reference.module[:1] and reference.module[0] in _DRAWING
            for path in files
            for reference in self._project.facts(path).references
            if path.endswith(".py") and not reference.level
        )

    # -- small questions ---------------------------------------------------------------------

    def _outside(self, file: str, old: Mapping[str, str]) -> frozenset[str]:
        """Top-level modules that the test's files ask for and that are not of the project."""
        found = self.reach(file, old)
        gone = frozenset(old.keys() - (self._checkout.files() or {}).keys())
        # Which pytest it is, and what that needs, concerns no test by itself.
        return self._graph(gone).outside(found.files) - {"pytest", "_pytest"}

    def _uses_library(
        self,
        nodeid: str,
        file: str,
        trace: Trace,
        old: Mapping[str, str],
        some: frozenset[str] | None,
    ) -> bool:
        """Whether a test uses an installed library (one of ``some``), or a fixture of one."""
        names = trace.before(trace.process.modules)
        packages = () if self._session.lookback is None else self._session.lookback.watch.packages
        ours = {"pytest", "_pytest", "flakefighters", *packages}
        installed = names - ours - frozenset(sys.stdlib_module_names)
        installed = installed if some is None else installed & some
        parts = nodeid.partition("[")[0].split("::")[1:]
        test = next(
            (one for one in self._project.facts(file).units if one.name == ".".join(parts)), None
        )
        if test is None or trace.way != "functions":
            uses = not installed.isdisjoint(self._outside(file, old))
        else:
            ran = [(code.path, self._project.facts(code.path).at(*code[1:])) for code in trace.ran]
            uses = any(
                one is not None and self._project.uses(path, one, installed)
                for path, one in [(file, test), *ran]
            )
        return uses or (some is None and test is not None and self._asks_for_foreign(test))

    def _asks_for_foreign(self, test: UnitFacts) -> bool:
        """Whether a test asks for a fixture that is neither the project's nor pytest's."""
        given = {word.strip() for text in test.head.texts for word in text.split(",")}
        asked = test.reads.parameters - test.head.words - given - _PYTESTS
        defined = {
            one.own_name
            for path in self._project.mentioning(sorted(asked))
            for one in self._project.facts(path).units
            if one.is_fixture
        }
        return not asked <= defined

    def _example(self, nodeid: str, file: str) -> frozenset[str] | None:
        """The words of an example, of a test whose name is a dotted one, or its file's."""
        name = nodeid.rpartition("::")[2]
        if "." not in name.partition("[")[0]:
            return None
        return words_of(file, name, self._facts.content(file))

    def _read(self, path: str) -> bytes | None:
        content = self._checkout.disk.read(path, 0, _LARGEST + 1)
        return None if content is None or len(content) > _LARGEST else content


def _traces(run: Run) -> dict[tuple[str, int, int], Trace]:
    """What each failing execution did, by node id, attempt and index of its failure."""
    attached: dict[str | None, list[tuple[tuple[str, int, int], Mapping[str, Any]]]] = {}
    for execution in run.executions:
        for index, failure in enumerate(execution.failures):
            raw = failure.facts.get("trace")
            if raw is not None:
                key = (execution.nodeid, execution.attempt, index)
                attached.setdefault(execution.worker, []).append((key, raw))
    return {
        key: trace
        for some in attached.values()
        for (key, _), trace in zip(some, read_all([raw for _, raw in some]), strict=True)
    }


class _Installed:
    """Which changed distributions may matter to a test; what is found out is kept."""

    def __init__(self, modules: Iterable[str] | None):
        """``modules``: the top-level ones that the session had imported; None if not known."""
        self._modules = modules
        self._loaded: frozenset[str] | None = None
        self._found: dict[tuple[str, frozenset[str]], frozenset[str]] = {}

    def loaded(self, changes: Iterable[Change]) -> frozenset[str] | None:
        """Distributions that the process had imported; None if that is not known or not asked."""
        if self._loaded is None and self._modules is not None and _changed(changes):
            self._loaded = behind(self._modules, deep=False)
        return self._loaded

    def imported(
        self, file: str, changes: Iterable[Change], outside: Callable[[], Iterable[str]]
    ) -> frozenset[str]:
        """Distributions that the code of a test's file imports, directly or not.

        ``outside`` gives the top-level modules that the code asks for.
        """
        changed = _changed(changes)
        if not changed:
            return frozenset()
        loaded = self.loaded(changes)
        sought = frozenset(
            name
            for name, how in changed.items()
            if how == "removed" or loaded is None or name in loaded
        )
        key = (file, sought)
        if key not in self._found:
            self._found[key] = behind(outside(), sought=sought, among=loaded)
        return self._found[key]


def _changed(changes: Iterable[Change]) -> dict[str, str]:
    """Distributions that changed, and how."""
    return {change.path: change.how for change in changes if change.kind is ChangeKind.DISTRIBUTION}
