"""Every function of the project that runs, by ``sys.monitoring`` (Python 3.12 and newer).

One tool id (*discovery*) has PY_START set for all code; its callback looks at each code object
once, switches local events on where the code is the project's, and is disabled for that code.  The
other id (*data*) has these local events only.  Each callback returns DISABLE, so that a function is
paid for once per window; a new window re-arms only what fired in the last one.

Local events are switched off and on to re-arm them: ``restart_events`` would re-arm other
tools as well.  An id cannot re-arm locally what it also has globally, hence the two ids.  With one
id, functions of the project are told of at each start.

If asked to, the data id has LINE as well: each line is told of once per window.
"""

from __future__ import annotations

import atexit
import gc
import sys
import threading
from collections.abc import Callable, Iterator
from types import CodeType, FrameType, FunctionType
from typing import TYPE_CHECKING, Any, Final

from flakefighters.model.trace import Code

if TYPE_CHECKING:
    from flakefighters.tracing.facts import Facts
    from flakefighters.tracing.paths import Paths

__all__ = ["Functions"]

_NAME: Final = "flakefighters"

#: 0 to 2 are reserved for debuggers, coverage and profilers, 3 is taken by hypothesis; Python
#: has no more than these two beside them.
_IDS: Final = (4, 5)

_OPTIMIZED: Final = 0x1  # what bodies of modules and classes lack
_RESUMABLE: Final = 0x20 | 0x80 | 0x200  # generator, coroutine, async generator

#: With one id, what starts more often is taken to run in every window.
_MOST_STARTS: Final = 200
#: What starts more often while no test runs is not told by module any more.
_MOST_BODIES: Final = 20
#: Frames that are looked at for callers.
_MOST_FRAMES: Final = 50
#: Code objects of one function that are told apart: programs may make such without end.
_MOST_COPIES: Final = 100

# Absent before 3.12.
_monitoring: Any = getattr(sys, "monitoring", None)

#: Sessions of this process so far.  A disabled event of a tool id outlives its tool: a later
#: session is not told of the start of code that an earlier one has seen.
_started: list[int] = []


class _Entry:
    """A function of the project."""

    __slots__ = ("changed", "code", "events", "key", "lines", "number", "starts")

    def __init__(self, code: CodeType, key: Code, number: int, events: int, changed: bool):
        self.code, self.key, self.number, self.events = code, key, number, events
        self.changed = changed
        #: While no test runs; with one id, at any time.
        self.starts = 0
        #: Those that ran in this window, if lines are watched.
        self.lines: set[int] = set()


class Functions:
    """Sees functions start and go on.

    There is one window at a time: it opens at :meth:`start` and anew at each :meth:`begin`.
    """

    def __init__(self, paths: Paths, facts: Facts):
        self._paths = paths
        self._facts = facts
        #: Whether lines are watched: only with two ids.
        self.lines = paths.watch.lines
        self._ids: tuple[int, ...] = ()
        self._ask: Any = None
        #: By identity, which also keeps code alive: code objects are equal by value.
        self._known: dict[int, _Entry] = {}
        self._copies: dict[int, int] = {}
        #: What fired in this window.
        self._fired: dict[int, _Entry] = {}
        #: Whether a test is under way.
        self.testing = False
        #: What is taken to run in every window.
        self.always: set[int] = set()
        #: Why there may be more than what is told.
        self.trouble: str | None = None

    def start(self) -> bool:
        """Begin to watch; False where functions cannot be seen, see :attr:`trouble`."""
        if _monitoring is None:
            return False
        taken = []
        for number in _IDS:
            if _monitoring.get_tool(number) is None:
                try:
                    _monitoring.use_tool_id(number, _NAME)
                except ValueError:  # taken by another thread in between
                    continue
                taken.append(number)
        if not taken:
            self.trouble = "functions were not watched: other tools hold all monitoring ids"
            return False
        self._ids = tuple(taken)
        self.lines = self.lines and len(taken) > 1
        # While Python ends, what the callbacks need goes away: in a process that was forked, or
        # that pytest left without its last hook.
        atexit.register(self.stop)
        self._give_way()
        if len(taken) == 1:
            self._start_single(taken[0])
        else:
            self._start_pair(*taken)
        return True

    def _start_pair(self, discovery: int, data: int) -> None:
        """Set the callbacks; they are closures, as each attribute looked up would count."""
        events, disable = _monitoring.events, _monitoring.DISABLE
        known, hit, frame_of = self._known, self._hit, sys._getframe

        def discover(code: CodeType, _offset: int) -> object:
            try:
                if id(code) not in known:  # else another tool has re-armed all events
                    entry = self._adopt(code)
                    if entry is not None:
                        hit(entry, frame_of(1))
            except Exception as error:  # the program's own code must go on
                self.trouble = _said(error)
            return disable

        def entered(code: CodeType, _offset: int) -> object:
            try:
                entry = known.get(id(code))
                if entry is not None and not hit(entry, frame_of(1)):
                    return None
            except Exception as error:  # as above
                self.trouble = _said(error)
            return disable

        def thrown(code: CodeType, _offset: int, _error: BaseException) -> None:
            # A generator is thrown into or closed; this event is neither local nor disabled.
            try:
                entry = known.get(id(code))
                if entry is not None:
                    hit(entry, frame_of(1))
            except Exception as error:  # as above
                self.trouble = _said(error)

        if _started:
            self._adopt_seen()
        _started.append(1)
        register = _monitoring.register_callback
        register(data, events.PY_START, entered)
        register(data, events.PY_RESUME, entered)
        if self.lines:
            register(data, events.LINE, self._line_callback())
        register(discovery, events.PY_START, discover)
        register(discovery, events.PY_THROW, thrown)
        _monitoring.set_events(discovery, events.PY_START | events.PY_THROW)

    def _line_callback(self) -> Callable[[CodeType, int], object]:
        disable, known = _monitoring.DISABLE, self._known

        def reached(code: CodeType, line: int) -> object:
            entry = known.get(id(code))
            if entry is not None:
                entry.lines.add(line)
                self._fired[id(code)] = entry
            return disable

        return reached

    def _start_single(self, number: int) -> None:
        """With one id, functions of the project are told of at each start."""
        events, disable = _monitoring.events, _monitoring.DISABLE
        frame_of = sys._getframe

        def entered(code: CodeType, _offset: int) -> object:
            try:
                entry = self._known.get(id(code)) or self._adopt(code)
                if entry is None:
                    return disable
                self._hit(entry, frame_of(1))
                entry.starts += 1
                if entry.starts > _MOST_STARTS:
                    self.always.add(entry.number)
                    return disable
            except Exception as error:  # the program's own code must go on
                self.trouble = _said(error)
            return None

        def thrown(code: CodeType, offset: int, _error: BaseException) -> None:
            entered(code, offset)

        register = _monitoring.register_callback
        register(number, events.PY_START, entered)
        register(number, events.PY_RESUME, entered)
        register(number, events.PY_THROW, thrown)
        _monitoring.set_events(number, events.PY_START | events.PY_RESUME | events.PY_THROW)

    def _adopt(self, code: CodeType) -> _Entry | None:
        """Look at a code object for the first time; None if it is no function of the project."""
        if not code.co_flags & _OPTIMIZED:
            return None
        path = self._paths.of(code.co_filename)
        if path is None:
            return None
        key = Code(path, code.co_qualname, code.co_firstlineno)
        number = self._facts.number(key)
        copies = self._copies[number] = self._copies.get(number, 0) + 1
        if copies > _MOST_COPIES:
            self.always.add(number)
            return None
        events = _monitoring.events
        chosen = events.PY_START
        if code.co_flags & _RESUMABLE:
            chosen |= events.PY_RESUME
        if self.lines:
            chosen |= events.LINE
        changed = path in self._paths.watch.changed
        entry = self._known[id(code)] = _Entry(code, key, number, chosen, changed)
        if len(self._ids) > 1:
            _monitoring.set_local_events(self._ids[-1], code, chosen)
        return entry

    def _adopt_seen(self) -> None:
        """Look for functions whose start is not told any more, see ``_started``."""
        pending = [f.__code__ for f in gc.get_objects() if isinstance(f, FunctionType)]
        while pending:
            code = pending.pop()
            if id(code) not in self._known and self._adopt(code) is not None:
                pending.extend(c for c in code.co_consts if isinstance(c, CodeType))

    def _hit(self, entry: _Entry, frame: FrameType) -> bool:
        """Note a start; False if the next one is wanted as well."""
        self._fired[id(entry.code)] = entry
        if entry.changed:
            for caller in self._callers(frame):
                self._facts.note("callers", (entry.number, caller))
        if self.testing:
            return True
        if len(self._ids) > 1:
            entry.starts += 1
        body = self._paths.module(frame) if entry.starts <= _MOST_BODIES else None
        if body is None:
            self._facts.note("between", entry.number)
            return True
        self._facts.note("at_import", (body, entry.number))
        return False

    def _callers(self, frame: FrameType) -> Iterator[int]:
        outer = frame.f_back
        for _ in range(_MOST_FRAMES):
            if outer is None:
                return
            code = outer.f_code
            entry = self._known.get(id(code))
            if entry is not None:
                yield entry.number
            outer = outer.f_back

    def running(self) -> set[int]:
        """Functions on the stack of another thread now.

        A worker may stay in one function over many tests, and nothing tells that it goes on.
        """
        found: set[int] = set()
        frames = _FRAMES() if self._ids else {}
        if len(frames) > 1:
            frames.pop(_IDENT(), None)
            for top in frames.values():
                frame: FrameType | None = top
                while frame is not None:
                    entry = self._known.get(id(frame.f_code))
                    if entry is not None:
                        found.add(entry.number)
                    frame = frame.f_back
        return found

    def begin(self) -> None:
        """Open a new window: re-arm what fired."""
        fired = self._fired
        if not fired:
            return
        self._fired = {}
        if not self._ids:
            return
        if not self._holding():
            self.give_up("another tool took over the monitoring of execution")
        elif len(self._ids) > 1:
            data, set_local = self._ids[-1], _monitoring.set_local_events
            for entry in list(fired.values()):
                set_local(data, entry.code, 0)
                set_local(data, entry.code, entry.events)

    def collect(self) -> set[int]:
        """What ran in the window so far; leaves it open."""
        if self._ids and not self._holding():
            self.give_up("another tool took over the monitoring of execution")
        return {entry.number for entry in list(self._fired.values())}

    def take_lines(self) -> dict[Code, set[int]]:
        """Functions that ran in the window so far, with their lines; each is told of once."""
        found: dict[Code, set[int]] = {}
        for entry in list(self._fired.values()):
            lines, entry.lines = entry.lines, set()
            found.setdefault(entry.key, set()).update(lines)
        return found

    def _holding(self) -> bool:
        return all(_monitoring.get_tool(number) == _NAME for number in self._ids)

    # -- ids that others want ----------------------------------------------------------------

    def _give_way(self) -> None:
        """Have an id of ours given up when another tool asks for it, before that is refused."""
        ask = self._ask = _monitoring.use_tool_id

        def use_tool_id(tool_id: int, name: str, /) -> None:
            if tool_id in self._ids:
                self.give_up(f"monitoring id {tool_id} was wanted by another tool")
            ask(tool_id, name)

        use_tool_id.__doc__ = ask.__doc__
        use_tool_id.__qualname__ = ask.__qualname__
        _monitoring.use_tool_id = self._mine = use_tool_id

    def give_up(self, reason: str) -> None:
        """Watch no more, for a reason that is told from now on."""
        self.trouble = f"{reason}, so functions are not watched any more"
        fired = self._fired
        self.stop()
        self._fired = fired

    def stop(self) -> None:
        """Switch all events off and give the ids back.  Harmless when not started."""
        ids, self._ids = self._ids, ()
        if not ids:
            return
        atexit.unregister(self.stop)
        if _monitoring.use_tool_id is self._mine:
            _monitoring.use_tool_id = self._ask
        events = _monitoring.events
        for number in ids:
            if _monitoring.get_tool(number) != _NAME:
                continue
            _monitoring.set_events(number, 0)
            if len(ids) > 1 and number == ids[-1]:
                for entry in self._known.values():
                    _monitoring.set_local_events(number, entry.code, 0)
            for event in (events.PY_START, events.PY_RESUME, events.PY_THROW, events.LINE):
                _monitoring.register_callback(number, event, None)
            _monitoring.free_tool_id(number)
        self._known = {}
        self._fired = {}


# Bound now: tests replace these by others.
_FRAMES: Callable[[], dict[int, FrameType]] = sys._current_frames
_IDENT: Callable[[], int] = threading.get_ident


def _said(error: Exception) -> str:
    return f"watching functions raised {error!r:.80}"
