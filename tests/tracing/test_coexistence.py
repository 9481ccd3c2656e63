"""Beside coverage, hypothesis, debuggers and tools that want our monitoring ids."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.tracing.conftest import NEW

functions = pytest.mark.skipif(not NEW, reason="Python 3.11 sees no functions")

SOURCE = '''
"""A module with many shapes."""
import contextlib

def branches(x):
    if (
        x
        and x > 1
    ):
        return (
            x +
            1
        )
    for i in range(x):
        if i: continue
    else:
        x = [y for y in range(3)]
    with contextlib.suppress(KeyError):
        raise KeyError
    return x

def tries(x):
    try:
        return 1 // x
    except ZeroDivisionError:
        return 0
    finally:
        x = 2

def gen(n):
    for i in range(n):
        got = yield i
    match n:
        case 1:
            pass
        case _:
            n = 2

by = lambda x: (
    x or
    1)

class Shop:
    rate = 1
    def total(self): return by(self.rate)
'''

TEST = """
import pytest, shapes

def helper(x):
    return x

@pytest.mark.parametrize("n", range(3))
def test_branches(n):
    assert shapes.branches(helper(n)) is not None

def test_tries():
    assert shapes.tries(0) == 0
    assert shapes.tries(1) == 1

def test_gen():
    assert list(shapes.gen(2)) == [0, 1]
    assert shapes.Shop().total() == 1
"""


def report(project: Any, out: Path, door: bool, *options: str, core: str = "ctrace") -> Any:
    """pytest-cov's JSON report, of a run with us or without; it lists contexts in hash order."""
    project.run(
        "-p", "pytest_cov", "--cov=.", f"--cov-report=json:{out}", *options,
        door=door, environment={"COVERAGE_CORE": core, "PYTHONHASHSEED": "0"}, expect=(0,),
    )  # fmt: skip
    value = json.loads(out.read_text())
    del value["meta"]["timestamp"]
    return value


@pytest.mark.parametrize("core", ["ctrace", pytest.param("sysmon", marks=[
    pytest.mark.skipif(not NEW, reason="needs sys.monitoring")])])  # fmt: skip
@pytest.mark.parametrize("options", [("--cov-branch",), ("--cov-context=test",)])
def test_coverage_reports_stay_the_same(
    project: Any, tmp_path: Path, core: str, options: tuple[str, ...]
) -> None:
    if core == "sysmon" and sys.version_info < (3, 14):
        options = ()  # coverage itself offers neither there
    project.changed("shapes.py", SOURCE)
    project.changed("test_a.py", TEST)
    if "--cov-context=test" in options:
        (project.path / ".coveragerc").write_text("[json]\nshow_contexts = true\n")
    alone = report(project, tmp_path / "alone.json", False, *options, core=core)
    beside = report(project, tmp_path / "beside.json", True, *options, core=core)
    assert alone["totals"]["covered_lines"] > 30
    assert beside == alone


@functions
def test_beside_coverage_we_see_the_same(project: Any) -> None:
    project.changed("shapes.py", SOURCE)
    project.write("test_a.py", TEST)
    alone = project.run()
    beside = project.run("-p", "pytest_cov", "--cov=.", "--cov-report=", "--cov-context=test")
    for test in ("test_branches[1]", "test_tries", "test_gen"):
        assert alone.trace(test).ran == beside.trace(test).ran
    assert alone.ran("test_tries", file="shapes.py") == {"tries"}


@functions
def test_beside_hypothesis_and_settrace(project: Any) -> None:
    project.changed("shapes.py", SOURCE)
    project.write(
        "test_a.py",
        """
        import sys, shapes
        from hypothesis import given, strategies, settings

        @given(strategies.integers(0, 3))
        @settings(max_examples=5, database=None)
        def test_given(n): shapes.branches(n)

        def test_traced():
            sys.settrace(lambda *a: None)
            try:
                shapes.tries(1)
            finally:
                sys.settrace(None)

        def test_profiled():
            sys.setprofile(lambda *a: None)
            try:
                shapes.tries(1)
            finally:
                sys.setprofile(None)

        def test_after(): shapes.tries(1)
        """,
    )
    outcome = project.run(expect=(0,))
    assert outcome.ran("test_given", file="shapes.py") == {"branches"}
    for name in ("traced", "profiled", "after"):
        assert outcome.ran(f"test_{name}", file="shapes.py") == {"tries"}


@functions
def test_tests_of_tools_that_use_monitoring(project: Any) -> None:
    project.changed("mod.py", "def f(): return 1\n")
    project.write(
        "test_ids.py",
        """
        import sys, mod
        def test_before(): assert mod.f()
        def test_takes_an_id():
            sys.monitoring.use_tool_id(4, "mine")
            sys.monitoring.free_tool_id(4)
        def test_cleans_up():
            for number in range(6):
                if sys.monitoring.get_tool(number) is not None:
                    sys.monitoring.free_tool_id(number)
        def test_after(): assert mod.f()
        """,
    )
    outcome = project.run(expect=(0,))
    assert outcome.ran("test_before", file="mod.py") == {"f"}
    assert outcome.trace("test_before").unknown == ()
    assert "id 4 was wanted" in outcome.trace("test_after").unknown[0]
    assert outcome.stdout.count("flakefighters: warning:") == 1
    assert "--flakefighters-trace=off" in outcome.stdout
    outcome = project.run("-k", "not takes", expect=(0,))
    assert "took over" in outcome.trace("test_after").unknown[0]


def test_no_files_are_left_and_caches_are_as_without_us(project: Any) -> None:
    project.changed("shop.py", "def f(): return 1\n")
    project.changed("test_a.py", "import shop\ndef test_a(): assert shop.f()\n")
    project.run(environment={"PYTHONDONTWRITEBYTECODE": ""})
    names = {p.relative_to(project.path).name for p in project.path.rglob("*") if p.is_file()}
    tag = sys.implementation.cache_tag
    compiled = {name for name in names if name.endswith(".pyc")}
    assert names - compiled == {"pytest.ini", "shop.py", "test_a.py"}
    assert {name for name in compiled if "pytest" not in name} == {f"shop.{tag}.pyc"}
    # A cache that is there does not keep us from seeing.
    assert ("shop.py", "import") in project.run().process.loaded


def test_code_without_end_takes_no_memory_without_end(project: Any) -> None:
    project.changed("mod.py", "def f(): return 1\n")
    project.write(
        "test_a.py",
        """
        import mod, trace_door
        def test_a():
            for n in range(3000):
                exec(compile("def f(): pass\\nf()", "mod.py", "exec"), {})
                exec(compile("def f(): pass\\nf()", f"odd{n}", "exec"), {})
            session = trace_door.session
            assert len(session._functions._known) < 500
            assert len(session._facts._numbers) < 50
        """,
    )
    project.run(expect=(0,))
