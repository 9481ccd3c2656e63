"""Beside coverage, hypothesis, debuggers and import hooks; and what cannot be seen."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

NEW = sys.version_info >= (3, 12)

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
    project.changed("shapes.py", SOURCE, "branches", "tries", "gen", "Shop", lines=[36, 37, 38])
    project.changed("test_a.py", TEST, "helper", "test_branches", "test_tries", "test_gen")
    if "--cov-context=test" in options:
        (project.path / ".coveragerc").write_text("[json]\nshow_contexts = true\n")
    alone = report(project, tmp_path / "alone.json", False, *options, core=core)
    beside = report(project, tmp_path / "beside.json", True, *options, core=core)
    assert alone["totals"]["covered_lines"] > 30
    assert beside == alone


def test_beside_coverage_we_see_the_same(project: Any) -> None:
    project.changed("shapes.py", SOURCE, "branches", "tries", "gen", "Shop.total")
    project.write("test_a.py", TEST)
    alone = project.run()
    beside = project.run("-p", "pytest_cov", "--cov=.", "--cov-report=", "--cov-context=test")
    assert alone.tests == beside.tests
    assert alone.units("test_tries") == {"tries"}


def test_beside_hypothesis_and_settrace(project: Any) -> None:
    project.changed("shapes.py", SOURCE, "branches", "tries", "gen", "Shop.total")
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
    assert outcome.units("test_given") == {"branches"}
    for name in ("traced", "profiled", "after"):
        assert outcome.units(f"test_{name}") == {"tries"}


def test_conftest_plugins_and_import_modes(project: Any) -> None:
    project.changed("conftest.py", "import pytest\n@pytest.fixture\ndef one(): return 1\n", "one")
    project.changed("pkg/__init__.py", "def f(): return 2\n", "f")
    project.changed("pkg/deep/mod.py", "from pkg import f\ndef g(): return f()\n", "g")
    project.changed(
        "tests/test_a.py",
        """
        from pkg.deep import mod
        def check(x): assert x == 2, "no"
        def test_a(one): check(mod.g())
        def test_b(): check(3)
        """,
        "check",
    )
    for mode in ("prepend", "append", "importlib"):
        outcome = project.run(
            f"--import-mode={mode}", environment={"PYTHONPATH_EXTRA": ""}, expect=(1,)
        )
        assert outcome.units("test_a") == {"one", "f", "g", "check"}, mode
        assert outcome.touched("test_a").blind == frozenset()
        # pytest's rewriting of assertions is still at work.
        assert "assert 3 == 2" in outcome.stdout


def test_import_hooks_of_others(project: Any) -> None:
    project.changed("shop.py", "def f(): return 1\n", "f")
    project.changed("late.py", "def g(): return 1\n", "g")
    project.changed("run.py", "def h(): return 1\nh()\n", "h")
    project.write(
        "conftest.py",
        """
        import importlib, importlib.machinery, importlib.util, sys

        class Loader(importlib.machinery.SourceFileLoader):
            def source_to_code(self, data, path, **options):
                return super().source_to_code(data, path)

        class Finder:
            def find_spec(self, name, path=None, target=None):
                if name in ("shop", "late"):
                    file = __file__.replace("conftest", name)
                    return importlib.util.spec_from_file_location(
                        name, file, loader=Loader(name, file))

        sys.meta_path.append(Finder()) if "--behind" in sys.argv else None
        sys.meta_path.insert(0, Finder())
        def pytest_addoption(parser): parser.addoption("--behind", action="store_true")
        """,
    )
    project.write(
        "test_a.py",
        """
        import runpy, shop
        def test_f(): shop.f()
        def test_run(): runpy.run_path("run.py")
        def test_lazy():
            import importlib.util
            spec = importlib.util.find_spec("late")
            loader = importlib.util.LazyLoader(spec.loader)
            spec.loader = loader
            module = importlib.util.module_from_spec(spec)
            loader.exec_module(module)
            module.g()
        """,
    )
    outcome = project.run(expect=(0,))
    for test, unit, path in [
        ("f", "f", "shop.py"),
        ("run", "h", "run.py"),
        ("lazy", "g", "late.py"),
    ]:
        touched = outcome.touched(f"test_{test}")
        # Seen, or known to be unseen.
        assert touched.units == {(path, unit)} or (not NEW and path in touched.blind), test


def test_imported_before_us(project: Any) -> None:
    project.changed("early.py", "def f(): return 1\n", "f")
    project.write("test_a.py", "import early\ndef test_a(): early.f()\n")
    outcome = project.run("-p", "early")
    assert outcome.ambient.imported == {"early.py"}
    touched = outcome.touched("test_a")
    assert touched.units == ({("early.py", "f")} if NEW else set())
    assert touched.blind == (set() if NEW else {"early.py"})


def test_code_made_by_the_project(project: Any) -> None:
    project.changed("shop.py", "def f(): return 1\n", "f")
    project.write(
        "test_a.py",
        """
        import pathlib
        def test_a():
            path = pathlib.Path("shop.py").resolve()
            space = {}
            exec(compile(path.read_text(), str(path), "exec"), space)
            space["f"]()
        """,
    )
    touched = project.run(expect=(0,)).touched("test_a")
    assert touched.units == ({("shop.py", "f")} if NEW else set())
    assert touched.blind == (set() if NEW else {"shop.py"})


def test_template_that_became_code(project: Any) -> None:
    project.write("page.txt", "x = 1\n")
    project.data = {"page.txt"}
    project.write(
        "test_a.py",
        """
        code = compile(open("page.txt").read(), "page.txt", "exec")
        def test_a(): exec(code)
        """,
    )
    outcome = project.run(expect=(0,))
    assert outcome.ambient.opened == {"page.txt"}
    assert outcome.touched("test_a").opened == ({"page.txt"} if NEW else set())


@pytest.mark.parametrize(("text", "known"), [("import numba", False), ("x = 1", True)])
def test_compilers(project: Any, text: str, known: bool) -> None:
    project.write("numba.py", "")
    project.changed("shop.py", f"{text}\ndef f(): return 1\n", "f")
    project.write("test_a.py", "import numba, shop\ndef test_a(): pass\n")
    assert (project.run().touched("test_a").unknown is None) is known


def test_no_files_are_left_and_caches_are_as_without_us(project: Any) -> None:
    project.changed("shop.py", "def f(): return 1\n", "f")
    project.changed("test_a.py", "import shop\ndef test_a(): assert shop.f()\n", "test_a")
    project.run(environment={"PYTHONDONTWRITEBYTECODE": ""})
    names = {p.relative_to(project.path).name for p in project.path.rglob("*") if p.is_file()}
    tag = sys.implementation.cache_tag
    compiled = {name for name in names if name.endswith(".pyc")}
    assert names - compiled == {"pytest.ini", "shop.py", "test_a.py"}
    assert {name for name in compiled if "pytest" not in name} == {f"shop.{tag}.pyc"}
    for path in project.path.rglob("*.pyc"):
        assert b"\0store" not in path.read_bytes()
    # A cache that is there does not keep us from seeing.
    assert project.run().units("test_a") == {"f", "test_a"}
