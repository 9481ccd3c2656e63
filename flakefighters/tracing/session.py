"""The tracers as a pytest plugin needs them: attempts, wide fixtures, what lies between tests.

One :class:`TraceSession` per process that runs tests (each xdist worker has its own).  Its
methods are called from hooks, the session itself registers none, and none of them raises:

* :meth:`start` before conftest files are imported: in a wrapper of
  ``pytest_load_initial_conftests``, before the yield;
* :meth:`begin` first thing in a wrapper of ``pytest_runtest_protocol``;
* :meth:`setup` first thing in ``pytest_runtest_setup``: each attempt has one;
* :meth:`fixture_setup` as the wrapper of ``pytest_fixture_setup``;
* :meth:`attach` in ``pytest_runtest_makereport`` for what failed;
* :meth:`end` last in the wrapper of ``pytest_runtest_protocol``;
* :meth:`stop` in ``pytest_unconfigure``.

A window lies between two calls: what is seen in it is added to all that is being summed up, the
attempt and the wide fixtures in their setup.
"""

from __future__ import annotations

import contextlib
import functools
import os
import sys
from collections.abc import Callable, Generator, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final, ParamSpec

from flakefighters.tracing import audit
from flakefighters.tracing.children import Children, process_count
from flakefighters.tracing.facts import Facts
from flakefighters.tracing.functions import Functions
from flakefighters.tracing.loading import Loading
from flakefighters.tracing.openings import Openings
from flakefighters.tracing.paths import Paths
from flakefighters.tracing.seen import Lines, Seen, Wide, causes
from flakefighters.tracing.unseen import unseen
from flakefighters.tracing.wire import written

if TYPE_CHECKING:
    from flakefighters.model.trace import Code, Watch

__all__ = ["TraceSession"]

#: After so many failing reports no more is told: a longer account helps no reader.
_MOST_REPORTS: Final = 1_000

P = ParamSpec("P")


def _guarded(method: Callable[P, None]) -> Callable[P, None]:
    """Trouble of ours is a reason for doubt, never the end of a test run."""

    @functools.wraps(method)
    def inner(*args: P.args, **kwargs: P.kwargs) -> None:
        session: Any = args[0]
        if session.asleep:
            return
        try:
            method(*args, **kwargs)
        except Exception as error:  # whatever it is: tests replace all kinds of things
            session.failed(error)

    return inner


class TraceSession:
    """Tells for each failing execution what it ran, and what its process did before."""

    def __init__(self, watch: Watch):
        self._watch = watch
        #: Whether to tell of each test what it ran.
        self.each_test = watch.each_test
        self._getpid = os.getpid
        self._pid = os.getpid()
        self._active = False
        self._facts = Facts()
        self._paths = Paths(watch, self._facts)
        self._functions = Functions(self._paths, self._facts)
        self._lines = Lines(self._functions) if watch.lines else None
        self._loading = Loading(self._paths, self._facts)
        self._openings = Openings(self._paths, self._facts, self._loading)
        self._children = Children()
        self._processes = ""
        self._modules: set[Any] = set()
        #: How execution is watched: "functions" or "imports".
        self.way = "imports"
        self._trouble: list[str] = []
        #: What is being summed up: the attempt, and within it each wide fixture in its setup;
        #: nothing while no attempt is under way.
        self._open: list[Seen] = []
        self._set_up = False
        #: How many attempts are over.
        self._over = 0
        self._reports = 0
        #: By the FixtureDef's identity.
        self._wide: dict[int, Wide] = {}

    @property
    def asleep(self) -> bool:
        """Not started, or in a forked child."""
        return not self._active or self._getpid() != self._pid

    @property
    def trouble(self) -> str | None:
        """Why not all can be seen, if something went wrong; for one line of warning."""
        return next(iter([*self._trouble, *filter(None, [self._functions.trouble])]), None)

    def failed(self, error: Exception) -> None:
        """Something of ours raised this: nothing is watched any more."""
        self._trouble.append(f"watching the tests raised {error!r:.120}")
        with contextlib.suppress(Exception):  # it may be what raised
            self._functions.stop()

    def start(self) -> None:
        """Begin to watch."""
        self._active = True
        self._start()

    @_guarded
    def _start(self) -> None:
        listeners = {
            "exec": self._loading.executed,
            **self._openings.listeners(),
            **self._children.listeners(),
        }
        if not audit.listen(listeners):
            self._trouble.append("audit events cannot be heard")
        self._loading.before()
        if self._functions.start():
            self.way = "functions"
        self._processes = process_count()

    def stop(self) -> None:
        """Watch no more; leaves no trace in the interpreter but an inert audit hook."""
        self._stop()
        self._active = False

    @_guarded
    def _stop(self) -> None:
        audit.silence()
        self._functions.stop()

    # -- windows -----------------------------------------------------------------------------

    def _window(self) -> Seen:
        """What was seen since the last :meth:`_flush`."""
        seen = Seen(self._functions.collect())
        seen.imported = self._loading.imported
        seen.opened = self._openings.opened
        seen.children = self._children.started
        if process_count() != self._processes:
            seen.children = seen.children | {"multiprocessing.Process"}
        return seen

    def _flush(self) -> None:
        """Add what was seen to all that is being summed up, and open a new window."""
        seen = self._window()
        if self._lines is not None:
            self._lines.window(len(self._open))
        for part in self._open:
            part.add(seen)
        for child in seen.children:
            self._facts.note("children", child)
        if seen.imported:
            self._loading.imported = set()
        if seen.opened:
            self._openings.opened = set()
        if seen.children:
            self._children.started = set()
            self._processes = process_count()
        self._functions.begin()

    def take_lines(self) -> dict[Code, set[int]] | None:
        """The functions that the current attempt ran, with their lines; None if not watched.

        To be asked once, when the attempt is over and the next one has not begun.
        """
        if self.asleep or self._lines is None or not self._functions.lines or self.trouble:
            return None
        self._flush()
        return self._lines.take()

    def _testing(self, on: bool) -> None:
        self._functions.testing = self._openings.testing = on

    @_guarded
    def begin(self) -> None:
        """An attempt starts."""
        self._finish()
        self._flush()
        if self._lines is not None:
            self._lines.take()
        self._testing(True)
        self._open = [Seen(self._functions.running())]
        self._set_up = False

    @_guarded
    def setup(self) -> None:
        """The setup of an attempt starts; a second one after :meth:`begin` is a rerun."""
        if self._set_up or not self._open:
            self.begin()
        self._set_up = True

    @_guarded
    def end(self) -> None:
        """The attempt is over; what runs until the next :meth:`begin` belongs to no test."""
        self._finish()

    def _finish(self) -> None:
        if not self._open:
            return
        self._flush()
        for number in self._open[0].ran:
            self._facts.note("earlier", number)
        self._over += 1
        self._open = []
        self._testing(False)

    # -- wide fixtures -----------------------------------------------------------------------

    def fixture_setup(self, fixturedef: Any, request: Any) -> Generator[None, Any, Any]:
        """Body of a wrapper of ``pytest_fixture_setup``: ``return (yield from ...)``.

        Remembers what the setup of a fixture runs that is wider than a function, for all
        the tests that use the fixture from its cache.
        """
        if self.asleep or not self._open or getattr(fixturedef, "scope", "") == "function":
            return (yield)
        before = set(getattr(request, "_fixture_defs", ()))
        seen = Seen()
        self._open_wide(seen)
        error: BaseException | None = None
        try:
            return (yield)
        except BaseException as raised:
            error = raised
            raise
        finally:
            self._close_wide(seen, fixturedef, request, before, error)

    @_guarded
    def _open_wide(self, seen: Seen) -> None:
        self._flush()
        self._open.append(seen)

    @_guarded
    def _close_wide(
        self,
        seen: Seen,
        fixturedef: Any,
        request: Any,
        before: set[str],
        error: BaseException | None,
    ) -> None:
        if self._open and self._open[-1] is seen:
            self._flush()
            self._open.pop()
            self._inherit(seen, fixturedef, request, before)
            self._wide[id(fixturedef)] = Wide(fixturedef, seen, error)

    def _inherit(self, seen: Seen, fixturedef: Any, request: Any, before: set[str]) -> None:
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

    def _used(self, item: Any) -> Iterator[Wide]:
        """The wide fixtures that an item has used so far."""
        request = getattr(item, "_request", None)
        active: dict[str, Any] = getattr(request, "_fixture_defs", None) or {}
        for fixturedef in active.values():
            wide = self._wide.get(id(fixturedef))
            if wide is not None:
                yield wide

    def _raised(self, error: BaseException | None) -> Iterator[Wide]:
        """The wide fixtures whose failure an error is, or comes from."""
        errors = {id(part) for part in causes(error)}
        for wide in self._wide.values():
            if wide.error is not None and id(wide.error) in errors:
                yield wide

    # -- answers -----------------------------------------------------------------------------

    def attach(self, item: Any, error: BaseException | None = None) -> dict[str, Any]:
        """What the current attempt at ``item`` has run so far, as :class:`Reader` reads it.

        ``error`` is what its phase raised: a wide fixture that failed raises it again from its
        cache, and is known by it.
        """
        if self._watch.unchanged:
            return {}
        if self.asleep:
            return {"unknown": ["execution was not watched in this process"]}
        if self._reports >= _MOST_REPORTS:
            return {"unknown": ["too many tests failed in this process to tell what each ran"]}
        try:
            return self._told(item, error)
        except Exception as trouble:  # a test may replace what we call: it must not break the run
            self.failed(trouble)
            return {"unknown": [self.trouble]}

    @_guarded
    def inherit(self, error: BaseException | None) -> None:
        """Add what a wide fixture ran that failed with this error to the attempt."""
        if self._open:
            for wide in self._raised(error):
                self._open[0].add(wide.seen)

    def covered(self, item: Any) -> tuple[set[int], Mapping[int, Code]] | None:
        """The functions that the current attempt at ``item`` has run so far, by number, and what
        numbers stand for; None if functions are not watched, or not any more."""
        if self.asleep or not self._open or self.way != "functions" or self.trouble:
            return None
        try:
            seen = (self._open[0], *(wide.seen for wide in self._used(item)))
            ran = self._functions.collect().union(self._functions.always, *(s.ran for s in seen))
        except Exception as trouble:  # as above
            self.failed(trouble)
            return None
        return ran, self._facts.codes

    def _told(self, item: Any, error: BaseException | None) -> dict[str, Any]:
        total = Seen(self._functions.always)
        if self._open:
            self.inherit(error)  # kept for the later phases of the attempt
            total.add(self._open[0])
            total.add(self._window())
        for wide in self._used(item):
            total.add(wide.seen)
        for child in self._children.started | total.children:
            self._facts.note("children", child)
        total.children |= self._children.living()
        self._look_at_modules()
        troubles = filter(None, [*self._trouble, self._functions.trouble, *unseen()])
        self._reports += 1
        return written(
            self._reports,
            self.way,
            self._facts,
            {name: getattr(total, name) for name in Seen.__slots__},
            first=self._over == 0,
            unknown=list(dict.fromkeys(troubles)),
        )

    def _look_at_modules(self) -> None:
        new = sys.modules.keys() - self._modules
        self._modules |= new
        for name in new:
            try:
                file = getattr(sys.modules.get(name), "__file__", None)
                if isinstance(name, str) and not (isinstance(file, str) and self._paths.of(file)):
                    self._facts.note("modules", name)
            except Exception:  # any object may stand there: it is no module of the project's
                self._facts.note("modules", name)
