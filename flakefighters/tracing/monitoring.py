"""Python 3.12 and newer: ``sys.monitoring``, no import hook, nothing paid by other code.

One tool id (*discovery*) has PY_START set for all code; its callback looks at each code object
once, switches local events on where the code is watched, and is disabled for that code.  The
other id (*data*) has these local events only.  Each callback returns DISABLE, so that a place
in the code is paid for once per window; a new window re-arms only what fired in the last one.

Local events are switched off and on to re-arm them: ``restart_events`` would re-arm other
tools as well.  An id cannot re-arm locally what it also has globally, hence the two ids.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable
from types import CodeType, FrameType, FunctionType
from typing import Any, Final, NamedTuple

from flakefighters.tracing.lookup import UNIT, Label, Lookup
from flakefighters.tracing.tracer import TracerUnavailableError

__all__ = ["MonitoringTracer"]

_NAME: Final = "flakefighters"

#: 0 to 2 are reserved for debuggers, coverage and profilers, 3 is taken by hypothesis; Python
#: has no more than these two beside them.
_IDS: Final = (4, 5)

_COMMON: Final = 5

#: What runs more often while modules are imported counts for all tests that import any.
_MOST_TIMES: Final = 200

# Absent before 3.12.
_monitoring: Any = getattr(sys, "monitoring", None)

#: Sessions of this process so far.  A disabled event of a tool id outlives its tool: a later
#: session is not told of the start of code that an earlier one has seen.
_started: list[int] = []


class _Entry(NamedTuple):
    """A watched code object and what its events mean."""

    code: CodeType
    events: int
    entered: frozenset[Label]
    lines: dict[int, frozenset[Label]]
    #: What any line tells that is not in ``lines``.
    other_line: frozenset[Label]


class MonitoringTracer:
    """Sees functions start and go on, and lines where only a part of a function changed."""

    def __init__(self, lookup: Lookup, *, lines: bool):
        self._lookup = lookup
        self._lines = lines
        self._ids: tuple[int, ...] = ()
        self._single = False
        self._hits: set[Label] = set()
        #: Watched code by identity, which also keeps it alive.
        self._known: dict[int, _Entry] = {}
        self._everything = lookup.everything
        #: In how many windows code fired, by identity; and what is taken to run in all.
        self._windows: dict[int, int] = {}
        self._common: set[Label] = set()
        #: What ran below the bodies of modules while no attempt was under way, by file; and how
        #: often each code object fired meanwhile.
        self._imports: dict[str, set[Label]] = {}
        self._times: dict[int, int] = {}
        self._switch: Callable[[bool], None] = lambda _on: None
        #: What fired in this window.
        self._fired: dict[int, _Entry] = {}

    @property
    def name(self) -> str:
        """ "lines" or "functions"."""
        return "lines" if self._lines else "functions"

    def start(self) -> None:
        """Take the ids and set the events."""
        if _monitoring is None:
            raise TracerUnavailableError("sys.monitoring needs Python 3.12")
        free = [number for number in _IDS if _monitoring.get_tool(number) is None]
        taken = []
        for number in free:
            try:
                _monitoring.use_tool_id(number, _NAME)
            except ValueError:  # taken by another thread in between
                continue
            taken.append(number)
        if not taken:
            raise TracerUnavailableError("other tools hold all monitoring ids")
        self._ids = tuple(taken)
        self._single = len(taken) == 1
        if self._single:
            self._lines = False
            self._start_single(taken[0])
        else:
            self._start_pair(*taken)

    def _start_pair(self, discovery: int, data: int) -> None:
        """Set the callbacks; they are closures, as each attribute looked up would count."""
        events = _monitoring.events
        disable = _monitoring.DISABLE
        known = self._known
        adopt = self._adopt

        def discover(code: CodeType, _offset: int) -> object:
            # Known: another tool has re-armed all events.
            if id(code) not in known and adopt(code, data):
                entered(code, 0)
            return disable

        def entered(code: CodeType, _offset: int) -> object:
            entry = known.get(id(code))
            if entry is not None:
                self._fired[id(code)] = entry
                self._hits.update(entry.entered)
            return disable

        def thrown(code: CodeType, _offset: int, _error: BaseException) -> None:
            # A generator is thrown into or closed; this event is neither local nor disabled.
            entry = known.get(id(code))
            if entry is not None:
                self._hits.update(entry.entered)

        def line(code: CodeType, number: int) -> object:
            entry = known.get(id(code))
            if entry is not None:
                self._fired[id(code)] = entry
                self._hits.update(entry.lines.get(number, entry.other_line))
            return disable

        # The same between attempts, where it counts for whom a module imports.

        def discover_below(code: CodeType, _offset: int) -> object:
            if id(code) not in known and adopt(code, data):
                entry = known[id(code)]
                self._below(entry, entry.entered, frame_of(1))
            return disable

        def entered_below(code: CodeType, _offset: int) -> object:
            entry = known.get(id(code))
            if entry is None or self._below(entry, entry.entered, frame_of(1)):
                return disable
            return None

        def line_below(code: CodeType, number: int) -> object:
            entry = known.get(id(code))
            if entry is None:
                return disable
            labels = entry.lines.get(number, entry.other_line)
            return disable if self._below(entry, labels, frame_of(1)) else None

        frame_of = sys._getframe

        def switch(on: bool) -> None:
            register = _monitoring.register_callback
            register(data, events.PY_START, entered_below if on else entered)
            register(data, events.PY_RESUME, entered_below if on else entered)
            register(data, events.LINE, line_below if on else line)
            register(discovery, events.PY_START, discover_below if on else discover)

        if _started:
            self._adopt_seen(data)
        _started.append(1)
        self._switch = switch
        switch(True)
        _monitoring.register_callback(discovery, events.PY_THROW, thrown)
        _monitoring.set_events(discovery, events.PY_START | events.PY_THROW)

    def _below(self, entry: _Entry, labels: frozenset[Label], frame: FrameType | None) -> bool:
        """Note what runs between attempts; True if it need not be told of again."""
        self._fired[id(entry.code)] = entry
        units = {label for label in labels if label[0] == UNIT}
        self._hits |= labels - units
        if not units:
            return True
        times = self._times[id(entry.code)] = self._times.get(id(entry.code), 0) + 1
        file = self._lookup.module(frame)
        if file is None or times > _MOST_TIMES:
            self._hits |= units
        else:
            self._imports.setdefault(file, set()).update(units)
        return times > _MOST_TIMES

    def between(self, on: bool) -> None:
        """Tell apart below which module's body something runs, or do not."""
        self._switch(on)

    def imports(self) -> dict[str, set[Label]]:
        """What ran below the bodies of modules so far, by file."""
        return self._imports

    def _adopt(self, code: CodeType, data: int) -> bool:
        """Set local events on ``code`` if it is watched."""
        marks = self._lookup.code(code)
        if marks is None:
            return False
        events = _monitoring.events
        chosen = events.PY_START
        by_line = self._lines and bool(marks.lines)
        if by_line:
            # Without PY_START, LINE does not fire again on the line of the `def` (3.13.0).
            chosen |= events.LINE
        if marks.resumable:
            chosen |= events.PY_RESUME
        if "greenlet" in sys.modules:
            chosen |= events.LINE  # switching greenlets shows only as lines
        if by_line:
            lines = {number: marks.whole | labels for number, labels in marks.lines.items()}
            entry = _Entry(code, chosen, marks.whole, lines, marks.whole)
        else:
            labels = marks.everything()
            entry = _Entry(code, chosen, labels, {}, labels)
        self._known[id(code)] = entry
        _monitoring.set_local_events(data, code, chosen)
        return True

    def _adopt_seen(self, data: int) -> None:
        """Look for functions whose start is not told any more, see ``_started``."""
        pending = [f.__code__ for f in gc.get_objects() if isinstance(f, FunctionType)]
        while pending:
            code = pending.pop()
            if id(code) not in self._known and self._lookup.file(code.co_filename) is not None:
                self._adopt(code, data)
                pending.extend(c for c in code.co_consts if isinstance(c, CodeType))

    def _start_single(self, number: int) -> None:
        """With one id, watched functions are told of at each start: slower where they are hot."""
        events = _monitoring.events
        disable = _monitoring.DISABLE
        watched = self._lookup.code

        def entered(code: CodeType, _offset: int) -> object:
            marks = watched(code)
            if marks is None:
                return disable
            self._hits.update(marks.everything())
            return None  # told again, at each start

        def thrown(code: CodeType, offset: int, _error: BaseException) -> None:
            entered(code, offset)

        _monitoring.register_callback(number, events.PY_START, entered)
        _monitoring.register_callback(number, events.PY_RESUME, entered)
        _monitoring.register_callback(number, events.PY_THROW, thrown)
        _monitoring.set_events(number, events.PY_START | events.PY_RESUME | events.PY_THROW)

    def begin(self) -> None:
        """Re-arm what fired."""
        if self._hits:
            self._hits = set()
        fired = self._fired
        if fired:
            self._fired = {}
            data = self._ids[-1]
            set_local = _monitoring.set_local_events
            for entry in fired.values():
                if self._everything and self._is_common(entry):
                    continue
                set_local(data, entry.code, 0)
                set_local(data, entry.code, entry.events)

    def _is_common(self, entry: _Entry) -> bool:
        """Whether so many windows touch this code that from now on all are taken to.

        Only where everything changed: there each test touches a change, and re-arming all the
        code that each test runs is what costs.
        """
        count = self._windows[id(entry.code)] = self._windows.get(id(entry.code), 0) + 1
        if count < _COMMON:
            return False
        self._common |= entry.entered
        return True

    def collect(self) -> set[Label]:
        """What ran in the window so far."""
        return self._hits

    def common(self) -> set[Label]:
        """What is taken to run in every window."""
        return self._common

    def blind(self) -> frozenset[str]:
        """None: functions of modules imported earlier are seen as well."""
        return frozenset()

    def trouble(self) -> str | None:
        """Whether somebody took an id away."""
        if not self._ids or any(_monitoring.get_tool(number) != _NAME for number in self._ids):
            return "another tool took over the monitoring of execution"
        return None

    def stop(self) -> None:
        """Switch all events off and give the ids back."""
        ids, self._ids = self._ids, ()
        if not ids:
            return
        events = _monitoring.events
        for number in ids:
            if _monitoring.get_tool(number) != _NAME:
                continue
            _monitoring.set_events(number, 0)
            if number == ids[-1]:
                for entry in self._known.values():
                    _monitoring.set_local_events(number, entry.code, 0)
            for event in (events.PY_START, events.PY_RESUME, events.PY_THROW, events.LINE):
                _monitoring.register_callback(number, event, None)
            _monitoring.free_tool_id(number)
        self._known.clear()
        self._fired.clear()
