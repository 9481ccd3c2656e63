"""The tracers as a pytest plugin needs them: attempts, wide fixtures, what lies between tests.

One :class:`TraceSession` per process that runs tests (each xdist worker has its own).  Its
methods are called from hooks, the session itself registers none:

* :meth:`start` before conftest files are imported: in a wrapper of
  ``pytest_load_initial_conftests``, before the yield;
* :meth:`collection` as the wrapper of ``pytest_make_collect_report``, for files;
* :meth:`begin` first thing in a wrapper of ``pytest_runtest_protocol``;
* :meth:`setup` first thing in ``pytest_runtest_setup``: each attempt has one;
* :meth:`fixture_setup` as the wrapper of ``pytest_fixture_setup``;
* :meth:`touched` in ``pytest_runtest_makereport`` for what failed;
* :meth:`end` last in the wrapper of ``pytest_runtest_protocol``;
* :meth:`stop` in ``pytest_unconfigure``.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Generator, Iterator
from dataclasses import replace
from typing import Any, Final, NamedTuple

from flakefighters.tracing.audit import Audit
from flakefighters.tracing.children import Children, process_count
from flakefighters.tracing.compilers import compiled_unseen
from flakefighters.tracing.imports_only import ImportsOnly
from flakefighters.tracing.lookup import UNIT, Label, Lookup, labels_to_touched
from flakefighters.tracing.openers import openers, read_at_import
from flakefighters.tracing.tracer import Tracer, TracerUnavailableError
from flakefighters.tracing.watch import NOTHING, Touched, Watch

__all__ = ["MODES", "TraceSession"]

#: As the option ``--flakefighters-trace`` has them.
MODES: Final = ("auto", "functions", "off")

#: What came in with more modules than these counts for all tests that can reach it.
_MOST_KEPT: Final = 50
_MOST_MODULES: Final = 200

#: With more spans than this, a span within a function counts as the whole function.
_MANY_SPANS: Final = 400


class _Sum:
    """What was seen over some windows."""

    __slots__ = ("children", "labels", "opened")

    def __init__(
        self,
        labels: set[Label] | None = None,
        opened: set[str] | None = None,
        children: set[str] | None = None,
    ):
        self.labels = set() if labels is None else labels
        self.opened = set() if opened is None else opened
        self.children = set() if children is None else children

    def add(self, other: _Sum) -> None:
        self.labels |= other.labels
        self.opened |= other.opened
        self.children |= other.children

    def touched(self) -> Touched:
        seen = labels_to_touched(self.labels)
        return replace(
            seen,
            opened=seen.opened | self.opened,
            children=frozenset(self.children),
        )


class _Wide(NamedTuple):
    """What setting up a fixture touched that lives longer than a test."""

    fixturedef: Any  # kept: known by identity
    seen: _Sum
    error: BaseException | None


class TraceSession:
    """Tells for each attempt at a test what it touched of what changed."""

    def __init__(self, watch: Watch, mode: str = "auto"):
        """``mode``: one of :data:`MODES`."""
        self._watch = watch
        self._mode = mode
        self._getpid = os.getpid
        self._pid = os.getpid()
        self._active = False
        self._lookup = Lookup(watch)
        self._tracer: Tracer = ImportsOnly(None)
        self._audit = Audit(watch.data | watch.sources, self._lookup.relative, watch.loose)
        self._children = Children()
        self._processes = ""
        #: Outside any attempt: collection, hooks between tests.
        self._between = _Sum()
        #: What ran while files with tests were imported, with the modules that came in by it.
        self._imports: dict[str, tuple[frozenset[str], _Sum]] = {}
        #: What may leave something altered behind, and what of it ran in attempts that are over.
        self._leavers: set[Label] = {(UNIT, *unit) for unit in watch.leavers}
        self._earlier: set[Label] = set()
        self._keepers: set[Label] = {(UNIT, *unit) for unit in watch.keepers}
        self._kept: dict[Label, set[Label]] = {}
        #: What is being summed up: the attempt, and within it each wide fixture in its setup.
        self._open: list[_Sum] = [self._between]
        self._set_up = False
        #: By the FixtureDef's identity.
        self._wide: dict[int, _Wide] = {}

    @property
    def way(self) -> str:
        """How execution is watched: "lines", "functions", "probes" or "imports"."""
        return self._tracer.name

    def start(self) -> None:
        """Begin to watch.  Does nothing if nothing changed."""
        if self._watch.empty or self._active:
            return
        self._active = True
        self._audit.start()
        self._between.labels |= {marks.body for marks in self._lookup.imported()}
        self._tracer = self._choose()
        self._processes = process_count()

    def _choose(self) -> Tracer:
        if self._mode == "off":
            return ImportsOnly("execution was not watched: --flakefighters-trace=off")
        if self._watch.everything and sys.version_info < (3, 12):
            # Probes in all files would double the run, to tell that each test touched a change.
            return ImportsOnly("every file counts as changed, which Python 3.11 cannot watch")
        spans = sum(len(f.units) + len(f.module_lines) for f in self._watch.files.values())
        lines = self._mode == "auto" and not self._watch.everything and spans <= _MANY_SPANS
        tracer: Tracer
        try:
            if sys.version_info >= (3, 12):
                from flakefighters.tracing.monitoring import MonitoringTracer

                tracer = MonitoringTracer(self._lookup, lines=lines)
            else:
                from flakefighters.tracing.probes import ProbeTracer

                tracer = ProbeTracer(self._lookup, self._audit, lines=lines)
            tracer.start()
        except TracerUnavailableError as error:
            return ImportsOnly(f"execution was not watched: {error}")
        return tracer

    def stop(self) -> None:
        """Watch no more; leaves no trace in the interpreter but an inert audit hook."""
        if not self._active:
            return
        self._active = False
        self._tracer.stop()
        self._audit.stop()

    def _asleep(self) -> bool:
        """Not started, or in a forked child."""
        return not self._active or self._getpid() != self._pid

    # -- windows -----------------------------------------------------------------------------

    def _window(self) -> _Sum:
        """What was seen since the last :meth:`_flush`."""
        audit = self._audit
        children = audit.children
        if process_count() != self._processes:
            children = children | {"multiprocessing.Process"}
        return _Sum(self._tracer.collect(), audit.opened, children)

    def _flush(self, keep: bool = True) -> None:
        """Add what was seen to all that is being summed up, and open a new window."""
        seen = self._window()
        if seen.labels or seen.opened or seen.children:
            if keep:
                for part in self._open:
                    part.add(seen)
            self._audit.begin()
            self._processes = process_count()
        self._tracer.begin()

    def begin(self) -> None:
        """An attempt starts."""
        if self._asleep():
            return
        self._flush()
        self._tracer.between(False)
        self._open = [_Sum(self._lookup.running())]
        self._set_up = False

    def setup(self) -> None:
        """The setup of an attempt starts; a second one after :meth:`begin` is a rerun."""
        if self._set_up or self._open[0] is self._between:
            self.end()
            self.begin()
        self._set_up = True

    def end(self) -> None:
        """The attempt is over; what runs until the next :meth:`begin` belongs to no test."""
        if self._asleep() or self._open[0] is self._between:
            return
        ran = self._tracer.collect() | self._open[0].labels
        self._between.labels |= self._lookup.bodies & ran
        self._earlier |= self._leavers & ran
        for keeper in self._keepers & ran:
            self._kept.setdefault(keeper, set()).update(ran - self._keepers)
        # What a test has read, it may have kept for others.
        self._between.opened |= self._audit.opened | self._open[0].opened
        self._flush(keep=False)
        self._tracer.between(True)
        self._open = [self._between]

    # -- collection --------------------------------------------------------------------------

    def collection(self, path: str) -> Generator[None, Any, Any]:
        """Body of a wrapper around the collection of a file, or of a class in it.

        To be used as ``return (yield from ...)``.  What runs while the file is imported matters to
        tests that depend on one of the modules that were imported by it, not to those that
        happen to be in the same process.
        """
        if self._asleep() or self._open != [self._between]:
            return (yield)
        self._flush()
        seen = _Sum()
        self._open = [seen]
        known = len(sys.modules)
        try:
            return (yield)
        finally:
            if self._open == [seen] and not self._asleep():
                self._flush()
                self._open = [self._between]
                self._imported(path, known, seen)

    def _imported(self, path: str, known: int, seen: _Sum) -> None:
        """Keep what ran in an import: with its modules, if they are known to be all."""
        units = {label for label in seen.labels if label[0] == UNIT}
        self._between.add(_Sum(seen.labels - units, seen.opened, seen.children))
        modules = self._lookup.modules_since(known) if seen.labels else None
        if modules is None or len(modules) > _MOST_MODULES:
            self._between.labels |= units
        else:
            file = self._lookup.relative(path)
            before, earlier = self._imports.get(file, (frozenset(), _Sum()))
            self._imports[file] = (before | modules, _Sum(earlier.labels | units))

    # -- wide fixtures -----------------------------------------------------------------------

    def fixture_setup(self, fixturedef: Any, request: Any) -> Generator[None, Any, Any]:
        """Body of a wrapper of ``pytest_fixture_setup``: ``return (yield from ...)``.

        Remembers what the setup of a fixture touches that is wider than a function, for all
        the tests that use the fixture from its cache.
        """
        if self._asleep() or fixturedef.scope == "function":
            return (yield)
        before = set(getattr(request, "_fixture_defs", ()))
        self._flush()
        seen = _Sum()
        self._open.append(seen)
        error: BaseException | None = None
        try:
            return (yield)
        except BaseException as raised:
            error = raised
            raise
        finally:
            if self._open[-1] is seen and not self._asleep():
                self._flush()
                self._open.pop()
                self._inherit(seen, fixturedef, request, before)
                self._wide[id(fixturedef)] = _Wide(fixturedef, seen, error)

    def _inherit(self, seen: _Sum, fixturedef: Any, request: Any, before: set[str]) -> None:
        """Add the wide fixtures that this one may have asked for by ``getfixturevalue``.

        Those it names as arguments are known to each test that uses it.
        """
        if "request" not in getattr(fixturedef, "argnames", ("request",)):
            return
        active: dict[str, Any] = getattr(request, "_fixture_defs", {})
        new = [name for name in active if name not in before]
        # With none new, one that the test had already may have been asked for.
        for name in new or active:
            wide = self._wide.get(id(active[name]))
            if wide is not None:
                seen.add(wide.seen)

    def _used(self, item: Any) -> Iterator[_Wide]:
        """The wide fixtures that an item has used so far."""
        request = getattr(item, "_request", None)
        active: dict[str, Any] = getattr(request, "_fixture_defs", None) or {}
        for fixturedef in active.values():
            wide = self._wide.get(id(fixturedef))
            if wide is not None:
                yield wide

    def _raised(self, error: BaseException | None) -> Iterator[_Wide]:
        """The wide fixtures whose failure an error is, or comes from."""
        errors = {id(part) for part in _chain(error)}
        for wide in self._wide.values():
            if wide.error is not None and id(wide.error) in errors:
                yield wide

    # -- answers -----------------------------------------------------------------------------

    def touched(self, item: Any, error: BaseException | None = None) -> Touched:
        """What the current attempt at ``item`` has touched so far.

        ``error`` is what its phase raised: a wide fixture that failed raises it again from its
        cache, and is known by it.
        """
        if self._watch.empty:
            return NOTHING
        if self._asleep():
            return Touched(unknown="execution was not watched in this process")
        for wide in self._raised(error):  # kept for the later phases of the attempt
            self._open[0].add(wide.seen)
        total = _Sum(set(self._tracer.common()))
        total.add(self._open[0])
        total.add(self._window())
        for wide in self._used(item):
            total.add(wide.seen)
        return self._complete(total)

    def ambient(self) -> Touched:
        """What ran or was opened outside of any attempt so far, in this process.

        At import and collection, in hooks between tests; and the bodies of modules that
        earlier tests were the first to import.  Which of it matters to a test, its imports tell.
        """
        if self._watch.empty:
            return NOTHING
        if self._asleep():
            return Touched(unknown="execution was not watched in this process")
        total = _Sum()
        total.add(self._between)
        if self._open[0] is self._between:
            total.add(self._window())
        below = self._tracer.imports().items()
        imports = frozenset(
            [
                *(
                    (f, modules, seen.touched().units)
                    for f, (modules, seen) in self._imports.items()
                ),
                *((f, frozenset((f,)), _Sum(labels).touched().units) for f, labels in below),
            ]
        )
        return replace(
            self._complete(total),
            imports=imports,
            openers=frozenset(openers(self._audit.openers, self._lookup)),
            read_at_import=frozenset(read_at_import(self._audit.openers, self._lookup)),
            earlier=frozenset((path, str(name)) for _, path, name in self._earlier),
            kept=frozenset(self._all_kept()),
        )

    def _all_kept(self) -> Iterator[tuple[str, str, str, str]]:
        for (_, path, name), ran in self._kept.items():
            units = [(file, unit) for kind, file, unit in ran if kind == UNIT]
            for file, unit in units if len(units) <= _MOST_KEPT else [("", "")]:
                yield path, str(name), file, str(unit)

    def _complete(self, total: _Sum) -> Touched:
        touched = total.touched()
        try:
            return replace(
                touched,
                children=touched.children | self._children.living(),
                blind=self._tracer.blind(),
                unknown=self._tracer.trouble()
                or self._audit.trouble()
                or compiled_unseen(self._lookup.paths()),
            )
        except Exception as error:  # a test may replace what we call: it must not break the run
            return replace(touched, unknown=f"looking for child processes raised {error!r:.80}")


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """An exception, its causes and contexts, and the members of groups."""
    pending = [error]
    met: set[int] = set()
    while pending:
        current = pending.pop()
        if current is None or id(current) in met:
            continue
        met.add(id(current))
        yield current
        pending += [current.__cause__, current.__context__]
        if isinstance(current, BaseExceptionGroup):
            pending += current.exceptions
