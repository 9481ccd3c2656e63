"""Every shape of code, watched in this process in the way of this interpreter."""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from textwrap import dedent
from types import ModuleType
from typing import Any

import pytest

from flakefighters.tracing import FileWatch, TraceSession, UnitSpan, Watch


class Watched:
    """Modules written, watched and imported; and what was touched."""

    def __init__(self, folder: Path, mode: str):
        self.folder = folder
        self.mode = mode
        self.session: TraceSession | None = None
        self.names: list[str] = []

    def load(
        self,
        source: str,
        units: Callable[[str], tuple[UnitSpan, ...]],
        lines: frozenset[int] = frozenset(),
    ) -> ModuleType:
        """Import a module in which these units changed."""
        name = f"watched_shape_{len(sys.modules)}"
        path = self.folder / f"{name}.py"
        text = dedent(source).lstrip("\n")
        path.write_text(text)
        watch = Watch(base=str(self.folder), files={str(path): FileWatch(units(text), lines)})
        self.session = TraceSession(watch, self.mode)
        self.session.start()
        self.names.append(name)
        module = importlib.import_module(name)
        self.session.begin()
        return module

    def units(self, run: Callable[[], Any] | None = None) -> set[str | int]:
        """What ``run`` touches, in a window of its own."""
        assert self.session is not None
        if run is not None:
            self.session.begin()
            run()
        touched = self.session.touched(None)
        assert touched.unknown is None
        assert not touched.blind
        return {unit for _, unit in touched.units}


@pytest.fixture(params=["auto", "functions"])
def watched(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Watched]:
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    found = Watched(tmp_path, request.param)
    yield found
    if found.session is not None:
        found.session.stop()
    for name in found.names:
        sys.modules.pop(name, None)


FUNCTIONS = '''
"""A docstring."""
from __future__ import annotations
import functools

def plain(x):
    """Of the function."""
    return x

def one_line(x): return x

def _keep(f): return f

@_keep
@functools.lru_cache(maxsize=None)
def decorated(x=[i for i in range(3)] and 1):
    return x

def outer():
    def inner():
        return 1
    return inner

def only_a_doc():
    """Nothing else."""

def comprehending(x):
    return [y for y in x]

def raising():
    raise KeyError

class Shop:
    rate = 2
    def total(self):
        return self.rate
    @property
    def name(self):
        return "x"
    @staticmethod
    def still():
        return 1
    class Inner:
        def deep(self):
            return (lambda: 3)()
'''


def test_functions(watched: Watched, make_units: Callable[..., tuple[UnitSpan, ...]]) -> None:
    module = watched.load(FUNCTIONS, make_units)
    shop = module.Shop()
    inner = module.outer()
    cases: dict[str, Callable[[], Any]] = {
        "plain": lambda: module.plain(1),
        "one_line": lambda: module.one_line(1),
        "decorated": lambda: module.decorated(object()),
        "outer": module.outer,
        "only_a_doc": module.only_a_doc,
        "comprehending": lambda: module.comprehending([1]),
        "Shop.total": shop.total,
        "Shop.name": lambda: shop.name,
        "Shop.still": module.Shop.still,
        "Shop.Inner.deep": module.Shop.Inner().deep,
    }
    for _ in range(3):
        for unit, run in cases.items():
            assert watched.units(run) == {unit}
        with pytest.raises(KeyError):
            watched.units(module.raising)
        assert watched.units() == {"raising"}
        # A function within a function is part of it, if its span says so.
        assert watched.units(inner) == {"outer", "outer.inner"}
        assert watched.units(lambda: None) == set()


def test_nothing_else_is_told(
    watched: Watched, make_units: Callable[..., tuple[UnitSpan, ...]]
) -> None:
    module = watched.load(FUNCTIONS, lambda text: make_units(text, ["plain", "outer.inner"]))
    assert watched.units(module.one_line.__get__(1)) == set()
    assert watched.units(module.outer) == set()
    assert watched.units(module.outer()) == {"outer.inner"}
    assert watched.units(lambda: importlib.reload(module)) == set()
    assert watched.session is not None
    assert watched.session.touched(None).imported


LINES = """
CONSTANT = 1

def f(x):
    if x == 1:
        return 1
    elif x == 2:
        for i in range(2):
            x += i
    while x > 100:
        x = 0
    try:
        x = int(x)
    except ValueError:
        x = -1
    return x

class Shop:
    rate = 2
    def total(self):
        return 1

by_name = lambda x: (
    x + 1)
by_line = lambda x: (x or
    1)
"""


def test_lines_of_a_function(watched: Watched) -> None:
    def units(_text: str) -> tuple[UnitSpan, ...]:
        return (
            UnitSpan("return 1", 5, 5),
            UnitSpan("add", 8, 8),
            UnitSpan("zero", 10, 10),
            UnitSpan("minus", 14, 14),
            UnitSpan("rate", 18, 18),
            UnitSpan("by_name", 22, 23),
            UnitSpan("by_line", 24, 24),
        )

    module = watched.load(LINES, units, frozenset([1]))
    every = {"return 1", "add", "zero", "minus"}
    for _ in range(2):
        for argument, unit in [(1, "return 1"), (2, "add"), (200, "zero"), ("x", "minus")]:
            run = (lambda a: lambda: module.f(a if a != "x" else X()))(argument)
            assert watched.units(run) == ({unit} if watched.mode == "auto" else every)
        assert watched.units(lambda: module.by_name(1)) == {"by_name"}
        # Its first line is that of its definition.
        assert watched.units(lambda: module.by_line(1)) == {"by_line"}
        assert watched.units(module.Shop().total) == set()
    names = {1, "rate", "by_name", "by_line"}
    assert watched.units(lambda: importlib.reload(module)) == names


class X(int):
    """Equal to nothing, no int, and not large."""

    def __eq__(self, other: object) -> bool:
        return False

    __hash__ = int.__hash__

    def __int__(self) -> int:
        raise ValueError

    __trunc__ = __index__ = __int__


GENERATORS = """
import asyncio, contextlib

def counting():
    yield 1
    yield 2

def closing():
    try:
        yield 1
    finally:
        marker = 1

def catching():
    try:
        yield 1
    except KeyError:
        yield 2

def delegating():
    x = yield from counting()
    return x

@contextlib.contextmanager
def managing():
    x = (yield 1) or 2
    assert x

async def waiting(event):
    await event.wait()
    return 1

async def agen():
    yield 1
    yield 2

async def looping(source):
    async for x in source:
        pass
"""


def test_generators(watched: Watched, make_units: Callable[..., tuple[UnitSpan, ...]]) -> None:
    module = watched.load(GENERATORS, make_units)
    counting = module.counting()
    assert watched.units(lambda: next(counting)) == {"counting"}
    assert watched.units(lambda: None) == set()
    assert watched.units(lambda: next(counting)) == {"counting"}
    closing = module.closing()
    assert watched.units(lambda: next(closing)) == {"closing"}
    assert watched.units(closing.close) == {"closing"}
    catching = module.catching()
    next(catching)
    assert watched.units(lambda: catching.throw(KeyError())) == {"catching"}
    assert "delegating" in watched.units(lambda: list(module.delegating()))
    manager = module.managing()
    assert watched.units(manager.__enter__) == {"managing"}
    assert watched.units(lambda: manager.__exit__(None, None, None)) == {"managing"}


def test_coroutines(watched: Watched, make_units: Callable[..., tuple[UnitSpan, ...]]) -> None:
    module = watched.load(GENERATORS, make_units)
    with contextlib.closing(asyncio.new_event_loop()) as loop:
        event = asyncio.Event()
        task = loop.create_task(module.waiting(event))
        assert watched.units(lambda: loop.run_until_complete(asyncio.sleep(0))) == {"waiting"}
        assert watched.units(lambda: loop.run_until_complete(asyncio.sleep(0))) == set()

        async def release() -> None:
            event.set()
            await task

        assert watched.units(lambda: loop.run_until_complete(release())) == {"waiting"}
        agen = module.agen()
        assert watched.units(lambda: loop.run_until_complete(anext(agen))) == {"agen"}
        assert watched.units(lambda: loop.run_until_complete(anext(agen))) == {"agen"}
        loop.run_until_complete(agen.aclose())
        run = module.looping(module.agen())
        assert watched.units(lambda: loop.run_until_complete(run)) == {"looping", "agen"}


THREADS = """
import threading

go = threading.Event()
done = threading.Event()
stop = threading.Event()

def working():
    while not stop.is_set():
        if go.wait(0.01):
            go.clear()
            helper()
            done.set()

def helper():
    pass

def started():
    pass

thread = threading.Thread(target=working, daemon=True)
thread.start()
"""


def test_threads(watched: Watched, make_units: Callable[..., tuple[UnitSpan, ...]]) -> None:
    module = watched.load(THREADS, make_units)
    assert watched.session is not None
    try:
        # A thread that is in a function now goes on there, whatever it does.
        assert watched.units(lambda: None) == {"working"}

        def use() -> None:
            module.done.clear()
            module.go.set()
            assert module.done.wait(5)

        assert watched.units(use) == {"working", "helper"}
        assert watched.units(use) == {"working", "helper"}
    finally:
        module.stop.set()
        module.thread.join()
    assert watched.units(lambda: None) == set()

    def start() -> None:
        thread = threading.Thread(target=module.started)
        thread.start()
        thread.join()

    assert watched.units(start) == {"started"}


def test_code_is_told_apart_by_identity(
    watched: Watched, make_units: Callable[..., tuple[UnitSpan, ...]]
) -> None:
    source = "a = [lambda: 1 for _ in range(2)]\ndef f(): return 1\ng = f\n"
    module = watched.load(source, make_units)
    copy = type(module.f)(module.f.__code__.replace(), {})
    assert watched.units(copy) == {"f"}
    assert watched.units(module.f) == {"f"}
    assert {module.f.__code__: 1}  # constants stay hashable


def test_nothing_is_seen_after_stop(
    watched: Watched, make_units: Callable[..., tuple[UnitSpan, ...]]
) -> None:
    before = list(sys.meta_path)
    tools = [monitoring.get_tool(n) for n in range(6)] if monitoring else []
    module = watched.load(FUNCTIONS, make_units)
    assert watched.session is not None
    first = watched.session
    first.stop()
    assert sys.meta_path == before
    assert tools == ([monitoring.get_tool(n) for n in range(6)] if monitoring else [])
    module.plain(1)
    assert first.touched(None).unknown
    first.stop()


monitoring: Any = getattr(sys, "monitoring", None)


@pytest.mark.skipif(monitoring is None, reason="probes cannot see modules imported before")
def test_a_second_session_sees_functions_that_ran_in_the_first(
    watched: Watched, make_units: Callable[..., tuple[UnitSpan, ...]]
) -> None:
    module = watched.load(FUNCTIONS, lambda text: make_units(text, ["one_line"]))
    assert watched.session is not None
    module.plain(1)
    module.Shop.Inner().deep()
    watched.session.stop()
    path = str(module.__file__)
    files = {path: FileWatch(make_units(Path(path).read_text()))}
    watched.session = TraceSession(Watch(base=str(watched.folder), files=files), watched.mode)
    watched.session.start()
    assert watched.units(lambda: module.plain(1)) == {"plain"}
    assert watched.units(module.Shop.Inner().deep) == {"Shop.Inner.deep"}


@pytest.mark.skipif(monitoring is None, reason="needs sys.monitoring")
@pytest.mark.parametrize("free", [1, 0])
def test_with_fewer_ids(
    watched: Watched, make_units: Callable[..., tuple[UnitSpan, ...]], free: int
) -> None:
    taken = (4, 5)[free:]
    for number in taken:
        monitoring.use_tool_id(number, "somebody")
    try:
        module = watched.load(FUNCTIONS, make_units)
        assert watched.session is not None
        if free:
            assert watched.session.way == "functions"
            for _ in range(2):
                assert watched.units(lambda: module.plain(1)) == {"plain"}
                assert watched.units(module.outer()) == {"outer", "outer.inner"}
        else:
            assert watched.session.way == "imports"
            module.plain(1)
            assert "other tools" in (watched.session.touched(None).unknown or "")
        watched.session.stop()
        assert [monitoring.get_tool(number) for number in taken] == ["somebody"] * len(taken)
    finally:
        for number in taken:
            monitoring.free_tool_id(number)


@pytest.mark.skipif(monitoring is None, reason="needs sys.monitoring")
def test_an_id_taken_over_is_told(
    watched: Watched, make_units: Callable[..., tuple[UnitSpan, ...]]
) -> None:
    watched.load(FUNCTIONS, make_units)
    assert watched.session is not None
    monitoring.free_tool_id(5)
    monitoring.use_tool_id(5, "somebody")
    try:
        assert "took over" in (watched.session.touched(None).unknown or "")
        watched.session.stop()
        assert monitoring.get_tool(5) == "somebody"
    finally:
        monitoring.free_tool_id(5)


@pytest.mark.skipif(monitoring is None, reason="needs sys.monitoring")
def test_restart_by_another_tool_is_harmless(
    watched: Watched, make_units: Callable[..., tuple[UnitSpan, ...]]
) -> None:
    module = watched.load(FUNCTIONS, make_units)
    assert watched.units(lambda: module.plain(1)) == {"plain"}
    monitoring.restart_events()
    assert watched.units(lambda: module.one_line(1)) == {"one_line"}
    assert watched.units(lambda: None) == set()
