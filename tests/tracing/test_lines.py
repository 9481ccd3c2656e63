"""Lines, seen by sys.monitoring as TraceSession does."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.skipif(sys.version_info < (3, 12), reason="lines are seen on 3.12+")

#: Calls a TraceSession as pytest's hooks do; ``attempt(function)`` tells the lines that it ran.
DOOR = """
    import json, sys, threading
    from flakefighters.model import Watch
    from flakefighters.tracing.session import TraceSession

    {before}
    session = TraceSession(Watch(base={base!r}, lines={lines}))
    session.start()
    sys.path.insert(0, {base!r})
    import shop

    def taken():
        found = session.take_lines()
        return found if found is None else {{
            code.name.replace("<locals>.", ""): sorted(lines) for code, lines in found.items()
        }}

    def attempt(function, *args):
        session.begin()
        session.setup()
        function(*args)
        found = taken()
        session.end()
        return found

    class FixtureDef:
        scope = "module"
        argnames = ()

    def wide(function):
        steps = session.fixture_setup(FixtureDef(), None)
        next(steps)
        function()
        try:
            steps.send(None)
        except StopIteration:
            pass

    said = []
    {body}
    session.stop()
    print(json.dumps(said))
"""
SHOP = """\
def tax(n):
    if n > 1:
        return n
    return -n

def count():
    n = 0
    while True:
        yield n
        n += 1

def outer(n):
    def inner():
        return n
    return [one + inner() for one in range(n)]

def through(call):
    call()
    return 0

class Basket:
    size = tax(1)
    double = lambda self: 2
"""


def said(
    folder: Path, body: str, *, before: str = "", lines: bool = True, shop: str = SHOP
) -> list[object]:
    (folder / "shop.py").write_text(shop)
    script = dedent(DOOR).format(base=str(folder), body=body, before=before, lines=lines)
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    assert done.returncode == 0, done.stderr
    found: list[object] = json.loads(done.stdout)
    return found


def test_each_attempt_has_its_lines(tmp_path: Path) -> None:
    body = "said += [attempt(shop.tax, n) for n in (2, 0, 2, 2)]"
    assert said(tmp_path, body) == [
        {"tax": [2, 3]},
        {"tax": [2, 4]},
        {"tax": [2, 3]},
        {"tax": [2, 3]},
    ]


def test_a_generator_that_goes_on(tmp_path: Path) -> None:
    body = "g = shop.count(); said += [attempt(next, g) for _ in range(3)]"
    first, *later = said(tmp_path, body)
    assert first == {"count": [7, 8, 9]}
    for one in later:
        assert isinstance(one, dict)
        assert set(one["count"]) >= {8, 10}


def test_functions_within_functions(tmp_path: Path) -> None:
    (found,) = said(tmp_path, "said += [attempt(shop.outer, 2)]")
    assert found == {"outer": [13, 15], "outer.inner": [14]}


def test_bodies_of_modules_and_classes_are_left_out(tmp_path: Path) -> None:
    body = "import importlib; said += [attempt(importlib.reload, shop)]"
    assert said(tmp_path, body) == [{"tax": [2, 4]}]


def test_the_setup_of_a_wide_fixture_belongs_to_no_attempt(tmp_path: Path) -> None:
    body = "said += [attempt(lambda: (wide(lambda: shop.tax(2)), shop.tax(0)))]"
    assert said(tmp_path, body) == [{"tax": [2, 4]}]


def test_a_function_that_asks_for_a_wide_fixture_goes_on(tmp_path: Path) -> None:
    body = "said += [attempt(shop.through, lambda: wide(lambda: shop.tax(2)))]"
    assert said(tmp_path, body) == [{"through": [18, 19]}]


def test_an_attempt_that_nobody_asked_about(tmp_path: Path) -> None:
    body = "session.begin(); shop.tax(0); session.end(); said += [attempt(shop.tax, 2)]"
    assert said(tmp_path, body) == [{"tax": [2, 3]}]


def test_what_runs_between_tests_belongs_to_none(tmp_path: Path) -> None:
    body = "shop.tax(0); said += [attempt(shop.tax, 2)]; shop.tax(0); said += [taken()]"
    assert said(tmp_path, body) == [{"tax": [2, 3]}, {}]


def test_other_threads_are_seen(tmp_path: Path) -> None:
    body = """
    def both():
        thread = threading.Thread(target=shop.tax, args=(0,))
        thread.start()
        thread.join()
        shop.tax(2)
    said += [attempt(both)]
    """
    assert said(tmp_path, dedent(body)) == [{"tax": [2, 3, 4]}]


@pytest.mark.parametrize("taken", [[4], [5], [4, 5]])
def test_without_two_ids_nothing_is_told(tmp_path: Path, taken: list[int]) -> None:
    before = f"[sys.monitoring.use_tool_id(number, 'other') for number in {taken}]"
    assert said(tmp_path, "said += [attempt(shop.tax, 2)]", before=before) == [None]


def test_another_tool_may_want_an_id(tmp_path: Path) -> None:
    body = """
    said += [attempt(shop.tax, 2)]
    sys.monitoring.use_tool_id(5, "other")
    said += [attempt(shop.tax, 2), session.trouble]
    """
    first, second, trouble = said(tmp_path, dedent(body))
    assert (first, second) == ({"tax": [2, 3]}, None)
    assert "wanted by another tool" in str(trouble)


def test_other_tools_keep_their_events(tmp_path: Path) -> None:
    before = """
m = sys.monitoring
m.use_tool_id(1, "coverage")
seen = []
m.register_callback(1, m.events.LINE, lambda code, line: seen.append((code.co_name, line)))
m.set_events(1, m.events.LINE)
"""
    body = """
    seen.clear()
    said += [attempt(shop.tax, 2), attempt(shop.tax, 2)]
    said += [[line for name, line in seen if name == "tax"]]
    """
    assert said(tmp_path, dedent(body), before=before) == [
        {"tax": [2, 3]},
        {"tax": [2, 3]},
        [2, 3, 2, 3],
    ]


def test_lines_are_watched_only_if_that_was_asked_for(tmp_path: Path) -> None:
    assert said(tmp_path, "said += [attempt(shop.tax, 2)]", lines=False) == [None]


def test_nothing_is_left_behind(tmp_path: Path) -> None:
    body = """
    attempt(shop.tax, 2)
    session.stop()
    m = sys.monitoring
    said += [m.get_tool(4), m.get_tool(5)]
    m.use_tool_id(5, "other")
    said += [m.get_local_events(5, shop.tax.__code__)]
    said += [m.register_callback(5, m.events.LINE, None) is None]
    """
    assert said(tmp_path, dedent(body)) == [None, None, 0, True]
