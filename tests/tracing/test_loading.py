"""By whom files of the project were loaded, through a real pytest run."""

from __future__ import annotations

import shutil
import sys
import sysconfig
from pathlib import Path
from typing import Any

import pytest

from tests.tracing.conftest import NEW

MOD = "def rate():\n    return 1\n"
HEAD = "import importlib, importlib.util, importlib.machinery, os, runpy, sys, types\n"
PATH = "F = os.path.join(os.path.dirname(__file__), 'plug', 'mod.py')\n"

WAYS = {
    "statement": ("from plug import mod as m", "import"),
    "import_module": ("m = importlib.import_module('plug.mod')", "computed"),
    "dunder": ("m = __import__('plug.mod', fromlist=['mod'])", "computed"),
    "spec": (
        (
            "s = importlib.util.spec_from_file_location('mod', F)\n"
            "m = importlib.util.module_from_spec(s)\ns.loader.exec_module(m)"
        ),
        "computed",
    ),
    "loader": ("m = importlib.machinery.SourceFileLoader('mod', F).load_module()", "computed"),
    "lazy": (
        (
            "s = importlib.util.spec_from_file_location('mod', F)\n"
            "s.loader = l = importlib.util.LazyLoader(s.loader)\n"
            "m = importlib.util.module_from_spec(s)\nsys.modules['mod'] = m\nl.exec_module(m)"
        ),
        "computed",
    ),
    "exec": (
        "m = types.SimpleNamespace()\nexec(compile(open(F).read(), F, 'exec'), m.__dict__)",
        "computed",
    ),
    "runpy": ("m = types.SimpleNamespace(**runpy.run_path(F))", "runpy"),
    "finder": (
        """
class Loader(importlib.machinery.SourceFileLoader):
    def exec_module(self, module): exec(compile(open(F).read(), F, "exec"), module.__dict__)
class Finder:
    def find_spec(self, name, path=None, target=None):
        if name == "odd": return importlib.util.spec_from_loader(name, Loader(name, F))
sys.meta_path.insert(0, Finder())
import odd as m
""",
        "computed",
    ),
}


@pytest.mark.parametrize("way", WAYS)
def test_ways_to_load(project: Any, way: str) -> None:
    source, by = WAYS[way]
    project.changed("plug/mod.py", MOD)
    body = "\ndef test_x(): assert m.rate() == 1\ndef test_y(): pass\n"
    project.write("test_m.py", HEAD + PATH + source + body)
    outcome = project.run("-W", "ignore", expect=(0,))
    trace = outcome.trace("test_x")
    assert ("plug/mod.py", by) in trace.before(trace.process.loaded)
    assert [one for one in outcome.process.loaded if one[0] == "plug/mod.py"] == [
        ("plug/mod.py", by)
    ]
    if NEW:
        assert outcome.ran("test_x", file="plug/mod.py") == {"rate"}
        assert outcome.ran("test_y", file="plug/mod.py") == set()


def test_reload_within_a_test(project: Any) -> None:
    project.changed("mod.py", MOD)
    project.write(
        "test_m.py",
        "import importlib, mod\ndef test_x(): importlib.reload(mod)\ndef test_y(): pass\n",
    )
    outcome = project.run(expect=(0,))
    assert outcome.trace("test_x").imported == {"mod.py"}
    assert outcome.trace("test_y").imported == frozenset()
    loaded = {by for path, by in outcome.process.loaded if path == "mod.py"}
    assert loaded == {"import", "computed"}


def test_by_pytest_before_and_by_a_library(project: Any, tmp_path: Path) -> None:
    lib = tmp_path / "elsewhere"
    lib.mkdir()
    (lib / "somelib.py").write_text("import importlib\ndef setup(n): importlib.import_module(n)\n")
    project.write("early.py", "")
    project.write("conftest.py", "")
    project.write("helper.py", "def check(): assert 1\n")
    project.changed("settings.py", "")
    project.write(
        "test_m.py", "import somelib, helper\nsomelib.setup('settings')\ndef test_x(): 1\n"
    )
    path = f"{lib}:{Path(__file__).parents[2]}:{Path(__file__).parent}"
    outcome = project.run("-p", "early", environment={"PYTHONPATH": path}, expect=(0,))
    found = set(outcome.process.loaded)
    # `-p` comes before the tracers can start.
    expected = {("early.py", "before"), ("conftest.py", "pytest"), ("settings.py", "somelib")}
    assert found == expected | {("helper.py", "import"), ("test_m.py", "pytest")}


@pytest.mark.parametrize("mode", ["prepend", "append", "importlib"])
def test_packages_and_import_modes(project: Any, mode: str) -> None:
    project.changed("pkg/__init__.py", "def f(): return 2\n")
    project.changed("pkg/deep/mod.py", "from pkg import f\ndef g(): return f()\n")
    project.write(
        "tests/test_a.py", "from pkg.deep import mod\ndef test_a(): assert mod.g() == 3\n"
    )
    outcome = project.run(f"--import-mode={mode}", expect=(1,))
    assert set(outcome.process.loaded) == {
        ("pkg/__init__.py", "import"),
        ("pkg/deep/mod.py", "import"),
        ("tests/test_a.py", "pytest"),
    }
    if NEW:
        assert outcome.ran("test_a", file="pkg/__init__.py") == {"f"}
    assert "assert 2 == 3" in outcome.stdout  # assertions are still rewritten


def test_links_are_what_they_point_to(project: Any) -> None:
    project.changed("src/real_mod.py", "def f(): return 1\n")
    project.changed("src/suite.py", "def test_own(): assert 1\n")
    project.changed("src/common.py", "import pytest\n@pytest.fixture\ndef v(): return 1\n")
    for link, target in {"mod": "real_mod", "test_suite": "suite", "conftest": "common"}.items():
        (project.path / f"{link}.py").symlink_to(f"src/{target}.py")
    project.write("test_a.py", "import mod\ndef test_m(): mod.f()\ndef test_v(v): pass\n")
    project.files |= {"mod.py"}  # it pointed elsewhere
    outcome = project.run(expect=(0,))
    assert {path for path, _ in outcome.process.loaded} == {
        *("src/real_mod.py", "mod.py", "src/suite.py", "src/common.py", "test_a.py"),
    }
    if NEW:
        assert outcome.ran("test_m", file="src/real_mod.py") == {"f"}
        assert outcome.ran("test_own", file="src/suite.py") == {"test_own"}
        assert outcome.ran("test_v", file="src/common.py") == {"v"}


def test_installed_copies_are_the_projects_own(project: Any, tmp_path: Path) -> None:
    source = "import os\ndef tax(): return open(os.path.join(os.path.dirname(__file__), 'r.txt'))\n"
    project.changed("src/shop/tax.py", source)
    project.changed("src/shop/r.txt", "1")
    project.changed("src/shop/gone.py", "def gone(): pass\n")
    site = tmp_path / "lib" / "site-packages"
    shutil.copytree(project.path / "src" / "shop", site / "shop")
    (project.path / "src/shop/gone.py").unlink()
    (site / "shop" / "_version.py").write_text("def version(): pass\n")
    (site / "other.py").write_text("def other(): pass\n")
    project.packages = {"shop": "src"}
    project.write(
        "test_a.py",
        """
        from shop import tax, gone, _version
        import other
        def test_a():
            tax.tax().close()
            gone.gone()
            _version.version()
            other.other()
        """,
    )
    path = f"{site}:{Path(__file__).parents[2]}:{Path(__file__).parent}"
    outcome = project.run(environment={"PYTHONPATH": path}, expect=(0,))
    assert {path for path, _ in outcome.process.loaded} == {
        *("src/shop/tax.py", "src/shop/gone.py", "test_a.py"),
    }
    copies = dict(outcome.process.installed.keys())
    assert copies["src/shop/tax.py"] == str(site / "shop" / "tax.py")
    assert outcome.trace("test_a").opened == {"src/shop/r.txt"}
    if NEW:
        assert outcome.ran("test_a", file="src/shop/tax.py") == {"tax"}
        assert outcome.ran("test_a", file="src/shop/gone.py") == {"gone"}


def test_packages_below_the_project_are_not_its_own(project: Any) -> None:
    project.changed("mod.py", MOD)
    project.write(".venv/lib/python3/site-packages/lib.py", "def f(): pass\n")
    project.write(
        "test_a.py",
        "import sys; sys.path.insert(0, '.venv/lib/python3/site-packages')\n"
        "import lib\ndef test_a(): lib.f()\n",
    )
    outcome = project.run(expect=(0,))
    assert {path for path, _ in outcome.process.loaded} == {"test_a.py"}


def test_a_template_that_became_code(project: Any) -> None:
    project.changed("page.txt", "def block(): pass\n")
    project.write(
        "test_a.py",
        """
        code = compile(open("page.txt").read(), "page.txt", "exec")
        def test_a():
            space = {}
            exec(code, space)
            space["block"]()
        """,
    )
    outcome = project.run(expect=(0,))
    assert ("page.txt", "computed") in outcome.process.loaded
    assert ("page.txt", "test_a.py") in outcome.process.read_at_import
    if NEW:
        assert outcome.ran("test_a", file="page.txt") == {"block"}


@pytest.mark.skipif(sys.platform != "linux", reason="takes a module of Linux")
def test_extension_modules(project: Any) -> None:
    folder = Path(sysconfig.get_path("stdlib"), "lib-dynload")
    (module,) = folder.glob("_heapq.*.so")
    project.path.joinpath("native").mkdir()
    shutil.copy(module, project.path / "native" / module.name)
    name = f"native/{module.name}"
    project.files = {name}
    project.write(
        "test_a.py",
        f"""
        import importlib.machinery, importlib.util
        def test_a():
            loader = importlib.machinery.ExtensionFileLoader("_heapq", {name!r})
            spec = importlib.util.spec_from_file_location("_heapq", {name!r}, loader=loader)
            loader.exec_module(importlib.util.module_from_spec(spec))
        def test_b(): pass
        """,
    )
    outcome = project.run(expect=(0,))
    assert outcome.trace("test_a").opened == {name}
    assert outcome.trace("test_b").opened == frozenset()
    assert (name, "computed") in outcome.process.loaded
