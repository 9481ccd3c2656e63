"""Every shape of code, watched in this process; Python 3.12 and newer."""

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

from flakefighters.model import Trace, Watch
from flakefighters.tracing.session import TraceSession
from flakefighters.tracing.wire import Reader
from tests.tracing.conftest import short

monitoring: Any = getattr(sys, "monitoring", None)
pytestmark = pytest.mark.skipif(monitoring is None, reason="Python 3.11 sees no functions")


class Watched:
    """Modules written, watched and imported; and what ran."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.names: list[str] = []
        self.name = ""
        self.begin()

    def begin(self) -> None:
        """Watch anew."""
        self.reader = Reader()
        changed = frozenset({"anything.txt"})
        self.session = TraceSession(Watch(base=str(self.folder), changed=changed))
        self.session.start()

    def load(self, source: str) -> ModuleType:
        """Import a module."""
        name = self.name = f"watched_shape_{len(sys.modules)}"
        path = self.folder / f"{name}.py"
        path.write_text(dedent(source).lstrip("\n"))
        self.names.append(name)
        importlib.invalidate_caches()
        module = importlib.import_module(name)
        self.session.begin()
        return module

    def trace(self) -> Trace:
        """What was seen since the last window began."""
        return self.reader.read(self.session.attach(None))

    def ran(self, run: Callable[[], Any] | None = None) -> set[str]:
        """What ``run`` runs, in a window of its own."""
        if run is not None:
            self.session.begin()
            run()
        trace = self.trace()
        assert trace.unknown == ()
        return {short(code.name) for code in trace.ran if code.path == f"{self.name}.py"}


@pytest.fixture
def watched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Watched]:
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    found = Watched(tmp_path)
    yield found
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


def test_functions(watched: Watched) -> None:
    module = watched.load(FUNCTIONS)
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
            inner_too = {"Shop.Inner.deep.<lambda>"} if unit == "Shop.Inner.deep" else set()
            assert watched.ran(run) == {unit} | inner_too
        with pytest.raises(KeyError):
            watched.ran(module.raising)
        assert watched.ran() == {"raising"}
        assert watched.ran(inner) == {"outer.inner"}
        assert watched.ran(lambda: None) == set()


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


def test_generators(watched: Watched) -> None:
    module = watched.load(GENERATORS)
    counting = module.counting()
    assert watched.ran(lambda: next(counting)) == {"counting"}
    assert watched.ran(lambda: None) == set()
    assert watched.ran(lambda: next(counting)) == {"counting"}
    closing = module.closing()
    assert watched.ran(lambda: next(closing)) == {"closing"}
    assert watched.ran(closing.close) == {"closing"}
    catching = module.catching()
    next(catching)
    assert watched.ran(lambda: catching.throw(KeyError())) == {"catching"}
    assert "delegating" in watched.ran(lambda: list(module.delegating()))
    manager = module.managing()
    assert watched.ran(manager.__enter__) == {"managing"}
    assert watched.ran(lambda: manager.__exit__(None, None, None)) == {"managing"}


def test_coroutines(watched: Watched) -> None:
    module = watched.load(GENERATORS)
    with contextlib.closing(asyncio.new_event_loop()) as loop:
        event = asyncio.Event()
        task = loop.create_task(module.waiting(event))
        assert watched.ran(lambda: loop.run_until_complete(asyncio.sleep(0))) == {"waiting"}
        assert watched.ran(lambda: loop.run_until_complete(asyncio.sleep(0))) == set()

        async def release() -> None:
            event.set()
            await task

        assert watched.ran(lambda: loop.run_until_complete(release())) == {"waiting"}
        agen = module.agen()
        assert watched.ran(lambda: loop.run_until_complete(anext(agen))) == {"agen"}
        assert watched.ran(lambda: loop.run_until_complete(anext(agen))) == {"agen"}
        loop.run_until_complete(agen.aclose())
        run = module.looping(module.agen())
        assert watched.ran(lambda: loop.run_until_complete(run)) == {"looping", "agen"}


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


def test_threads(watched: Watched) -> None:
    module = watched.load(THREADS)
    try:
        # A thread that is in a function now goes on there, whatever it does.
        assert watched.ran(lambda: None) == {"working"}

        def use() -> None:
            module.done.clear()
            module.go.set()
            assert module.done.wait(5)

        assert watched.ran(use) == {"working", "helper"}
        assert watched.ran(use) == {"working", "helper"}
    finally:
        module.stop.set()
        module.thread.join()
    assert watched.ran(lambda: None) == set()

    def start() -> None:
        thread = threading.Thread(target=module.started)
        thread.start()
        thread.join()

    assert watched.ran(start) == {"started"}


def test_code_is_told_apart_by_identity(watched: Watched) -> None:
    source = "a = [lambda: 1 for _ in range(2)]\ndef f(): return 1\ng = f\n"
    module = watched.load(source)
    copy = type(module.f)(module.f.__code__.replace(), {})
    assert watched.ran(copy) == {"f"}
    assert watched.ran(module.f) == {"f"}
    assert {module.f.__code__: 1}  # constants stay hashable


def test_nothing_is_seen_after_stop(watched: Watched) -> None:
    taken = [monitoring.get_tool(n) for n in range(6)]
    assert taken.count("flakefighters") == 2
    module = watched.load(FUNCTIONS)
    watched.session.stop()
    assert "flakefighters" not in [monitoring.get_tool(n) for n in range(6)]
    assert "built-in" in repr(monitoring.use_tool_id)
    module.plain(1)
    assert watched.trace().unknown
    watched.session.stop()


def test_a_second_session_sees_functions_that_ran_in_the_first(watched: Watched) -> None:
    module = watched.load(FUNCTIONS)
    module.plain(1)
    module.Shop.Inner().deep()
    watched.session.stop()
    watched.begin()
    assert watched.ran(lambda: module.plain(1)) == {"plain"}
    assert "Shop.Inner.deep" in watched.ran(module.Shop.Inner().deep)


def test_the_same_code_made_without_end(watched: Watched) -> None:
    module = watched.load("def f(): return 1\n")
    for _ in range(300):
        type(module.f)(module.f.__code__.replace(), {})()
    assert len(watched.session._functions._known) < 200
    assert watched.ran(lambda: None) == {"f"}  # taken to run everywhere from now on


@pytest.fixture
def single(watched: Watched) -> Iterator[Watched]:
    watched.session.stop()
    monitoring.use_tool_id(5, "somebody")
    watched.begin()
    yield watched
    watched.session.stop()
    assert monitoring.get_tool(5) == "somebody"
    monitoring.free_tool_id(5)


def test_with_one_id(single: Watched) -> None:
    module = single.load(FUNCTIONS)
    assert single.session.way == "functions"
    for _ in range(2):
        assert single.ran(lambda: module.plain(1)) == {"plain"}
        assert single.ran(module.outer()) == {"outer.inner"}
    for _ in range(300):
        module.plain(1)
    assert single.ran(lambda: None) == {"plain"}  # taken to run everywhere from now on


def test_without_an_id(watched: Watched) -> None:
    watched.session.stop()
    for number in (4, 5):
        monitoring.use_tool_id(number, "somebody")
    try:
        watched.begin()
        assert watched.session.way == "imports"
        assert "other tools" in watched.trace().unknown[0]
        watched.session.stop()
        assert [monitoring.get_tool(number) for number in (4, 5)] == ["somebody"] * 2
    finally:
        for number in (4, 5):
            monitoring.free_tool_id(number)


@pytest.mark.parametrize("wanted", [4, 5])
def test_an_id_that_is_wanted_is_given_up(watched: Watched, wanted: int) -> None:
    module = watched.load(FUNCTIONS)
    module.plain(1)
    monitoring.use_tool_id(wanted, "somebody")
    try:
        assert "wanted by another tool" in watched.trace().unknown[0]
        assert "plain" in {code.name for code in watched.trace().ran}  # what was seen stays
        assert "flakefighters" not in [monitoring.get_tool(n) for n in range(6)]
        watched.session.begin()
        module.plain(1)
        watched.session.end()
        with pytest.raises(ValueError, match="already in use"):
            monitoring.use_tool_id(wanted, "somebody else")
    finally:
        monitoring.free_tool_id(wanted)


@pytest.mark.parametrize("again", [True, False])
def test_an_id_taken_away_is_told(watched: Watched, again: bool) -> None:
    module = watched.load(FUNCTIONS)
    module.plain(1)
    monitoring.free_tool_id(5)
    if again:
        monitoring.use_tool_id(5, "somebody")
    try:
        watched.session.begin()
        assert "not watched any more" in watched.trace().unknown[0]
        watched.session.stop()
        assert monitoring.get_tool(5) == ("somebody" if again else None)
    finally:
        if again:
            monitoring.free_tool_id(5)


def test_restart_by_another_tool_is_harmless(watched: Watched) -> None:
    module = watched.load(FUNCTIONS)
    assert watched.ran(lambda: module.plain(1)) == {"plain"}
    monitoring.restart_events()
    assert watched.ran(lambda: module.one_line(1)) == {"one_line"}
    assert watched.ran(lambda: None) == set()


def test_callbacks_never_raise(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    module = watched.load(FUNCTIONS)

    def refuse(*args: object) -> None:
        raise RuntimeError("odd world")

    monkeypatch.setattr(watched.session._functions._paths, "of", refuse)
    watched.session.begin()
    assert module.plain(1) == 1
    assert "odd world" in watched.trace().unknown[0]


def test_greenlets_are_a_doubt_once_they_are_used(watched: Watched) -> None:
    greenlet = pytest.importorskip("greenlet")
    count = greenlet._greenlet.get_total_main_greenlets
    module = watched.load(FUNCTIONS)
    assert bool(watched.trace().unknown) == (count() > 0)
    greenlet.greenlet(module.plain).switch(1)
    assert "greenlets" in watched.trace().unknown[0]


@pytest.mark.parametrize("name", ["jax", "_xxsubinterpreters", "torch._dynamo.eval_frame"])
def test_what_runs_unseen_is_a_doubt(
    watched: Watched, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "greenlet._greenlet", raising=False)
    assert watched.trace().unknown == ()
    monkeypatch.setitem(sys.modules, name, ModuleType(name))
    assert "cannot be watched" in watched.trace().unknown[0]
