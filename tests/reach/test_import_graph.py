"""Which files a test can run."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from flakefighters.model import Reach
from flakefighters.reach.import_graph import ImportGraph
from flakefighters.source.facts import FileFacts
from flakefighters.source.file_facts import facts_of

TEST = "tests/test_a.py"


def graph(base: Path, files: Mapping[str, str | bytes], **options: object) -> ImportGraph:
    for name, text in files.items():
        path = base / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode() if isinstance(text, str) else text)
    return ImportGraph(base, files, **options)  # type: ignore[arg-type]


def reach(
    base: Path, files: Mapping[str, str | bytes], test: str = TEST, **options: object
) -> Reach:
    return graph(base, files, **options).reach(test)


#: name: the test's source, other files, what is reached besides the test
CASES: dict[str, tuple[str, dict[str, str], set[str]]] = {
    "nothing": ("import json, os.path\n", {"shop.py": ""}, set()),
    "module": ("import shop\n", {"shop.py": "", "other.py": ""}, {"shop.py"}),
    "package and its parents": (
        "import shop.tax.vat\n",
        {
            "shop/__init__.py": "",
            "shop/tax/__init__.py": "",
            "shop/tax/vat.py": "",
            "shop/b.py": "",
        },
        {"shop/__init__.py", "shop/tax/__init__.py", "shop/tax/vat.py"},
    ),
    "name that is a module": (
        "from shop import tax\n",
        {"shop/__init__.py": "", "shop/tax.py": "", "shop/b.py": ""},
        {"shop/__init__.py", "shop/tax.py"},
    ),
    "name that is exported": (
        "from shop import vat\n",
        {
            "shop/__init__.py": "from .tax import vat\n",
            "shop/tax.py": "from . import b\n",
            "shop/b.py": "",
        },
        {"shop/__init__.py", "shop/tax.py", "shop/b.py"},
    ),
    "parents by relative imports": (
        "import shop.x.y.z\n",
        {
            "shop/__init__.py": "",
            "shop/x/__init__.py": "",
            "shop/x/y/__init__.py": "",
            "shop/x/y/z.py": "from ...up import q\nfrom .. import side\n",
            "shop/up.py": "",
            "shop/x/side.py": "",
        },
        {
            "shop/__init__.py",
            "shop/x/__init__.py",
            "shop/x/y/__init__.py",
            "shop/x/y/z.py",
            "shop/up.py",
            "shop/x/side.py",
        },
    ),
    "source folder": ("import shop\n", {"src/shop/__init__.py": ""}, {"src/shop/__init__.py"}),
    "namespace package": (
        "import acme.shop.tax\nfrom acme.other import thing\n",
        {"src/acme/shop/tax.py": "", "src/acme/other/thing.py": ""},
        {"src/acme/shop/tax.py", "src/acme/other/thing.py"},
    ),
    "namespace packages in a monorepo": (
        "import acme.shop.tax\nfrom acme import other\n",
        {
            "libs/one/acme/shop/__init__.py": "",
            "libs/one/acme/shop/tax.py": "",
            "libs/two/acme/other.py": "",
            "libs/two/acme/more.py": "",
        },
        {"libs/one/acme/shop/__init__.py", "libs/one/acme/shop/tax.py", "libs/two/acme/other.py"},
    ),
    "a folder of the same name": (
        "import lib\n",
        {"lib/tool.py": "", "libs/one/src/lib/__init__.py": ""},
        {"libs/one/src/lib/__init__.py"},
    ),
    "inside a function, a class, try, match, with": (
        (
            "def f():\n import a\nclass C:\n  import b\n"
            "try:\n import c\nexcept ImportError:\n import d\n"
            "else:\n import e\nfinally:\n import g\n"
            "match 1:\n case 1:\n  import h\nasync def k():\n async with x:\n  import i\n"
        ),
        {f"{name}.py": "" for name in "abcdeghi"},
        {f"{name}.py" for name in "abcdeghi"},
    ),
    "not for type checkers": (
        (
            "import typing\nfrom typing import TYPE_CHECKING\n"
            "if TYPE_CHECKING:\n import a\nelse:\n import b\nif typing.TYPE_CHECKING:\n import a\n"
            "if not TYPE_CHECKING:\n import c\n"
        ),
        {"a.py": "", "b.py": "", "c.py": ""},
        {"b.py", "c.py"},
    ),
    "literal names": (
        (
            "import importlib, pytest\nfrom importlib import import_module\n"
            "importlib.import_module('a')\nimport_module(name='pkg.b')\n"
            "import_module('.c', 'pkg')\nimport_module('..d', package='pkg.sub')\n"
            "__import__('e')\npytest.importorskip('f')\n"
        ),
        {"a.py": "", "e.py": "", "f.py": "", **{f"pkg/{n}.py": "" for n in ("__init__", *"bcdx")}},
        {"a.py", "e.py", "f.py", *(f"pkg/{n}.py" for n in ("__init__", *"bcd"))},
    ),
    "patched by name": (
        (
            "def test(monkeypatch, mocker):\n mocker.patch('pkg.a.f')\n"
            " monkeypatch.setattr(\"pkg.b.X.y\", 1)\n x = 'pkg.c.json'\n"
        ),
        {f"pkg/{n}.py": "" for n in ("__init__", *"abc")},
        {f"pkg/{n}.py" for n in ("__init__", *"ab")},
    ),
    "plugins of a test module": (
        "pytest_plugins = ['a', 'tests.b']\n",
        {"a.py": "", "tests/b.py": "import c\n", "c.py": ""},
        {"a.py", "tests/b.py", "c.py"},
    ),
    "conftest files above": (
        "",
        {
            "conftest.py": "import a\n",
            "tests/conftest.py": "pytest_plugins = 'b'\n",
            "tests/sub/conftest.py": "",
            "a.py": "",
            "b.py": "",
        },
        {"conftest.py", "tests/conftest.py", "a.py", "b.py"},
    ),
    "helper beside the test": ("import helper\n", {"tests/helper.py": ""}, {"tests/helper.py"}),
    "tests as a package": (
        "from .helper import x\nfrom tests import other\n",
        {"tests/__init__.py": "", "tests/helper.py": "", "tests/other.py": ""},
        {"tests/__init__.py", "tests/helper.py", "tests/other.py"},
    ),
    "a test's own package": (
        "",
        {"tests/__init__.py": "import a\n", "a.py": ""},
        {"tests/__init__.py", "a.py"},
    ),
    "a library's own neighbours": (
        "import lib\n",
        {"libs/one/lib.py": "import util\n", "libs/one/util.py": "", "libs/two/util.py": ""},
        {"libs/one/lib.py", "libs/one/util.py"},
    ),
    "star with a list": (
        "from pkg import *\n",
        {
            "pkg/__init__.py": "__all__ = ['a']\n__all__ += ['b']\n",
            **{f"pkg/{n}.py": "" for n in "abc"},
        },
        {"pkg/__init__.py", "pkg/a.py", "pkg/b.py"},
    ),
    "a cycle": (
        "import a\n",
        {"a.py": "import b\n", "b.py": "import a\n"},
        {"a.py", "b.py"},
    ),
    "a library in a monorepo": (
        "import lib\n",
        {
            "libs/one/src/lib/__init__.py": "import lib.x\n",
            "libs/one/src/lib/x.py": "",
            "libs/two/x.py": "",
        },
        {"libs/one/src/lib/__init__.py", "libs/one/src/lib/x.py"},
    ),
    "compiled": (
        "import shop.fast, shop.slow\n",
        {
            "shop/__init__.py": "",
            "shop/fast.cpython-311-x86_64-linux-gnu.so": "",
            "shop/slow.pyx": "",
        },
        {"shop/__init__.py", "shop/fast.cpython-311-x86_64-linux-gnu.so", "shop/slow.pyx"},
    ),
    "the standard library is not a file elsewhere": (
        "import types, email\n",
        {"vendored/types.py": "", "vendored/email/__init__.py": ""},
        set(),
    ),
    "a bad escape warns nobody": ("import a\nx = '\\d'\n", {"a.py": ""}, {"a.py"}),
}


@pytest.mark.parametrize("case", CASES)
def test_reached(tmp_path: Path, case: str) -> None:
    source, others, expected = CASES[case]
    found = reach(tmp_path, {TEST: source, **others})
    assert set(found.files) == expected | {TEST}
    assert found.unknown is None


def test_how_it_is_reached(tmp_path: Path) -> None:
    files = {
        TEST: "import shop.tax\n",
        "conftest.py": "",
        "shop/__init__.py": "",
        "shop/tax.py": "x = 'shop.rates'\n",
        "shop/rates.py": "",
        "plug.py": "",
    }
    assert reach(tmp_path, files, plugins=["plug"]).files == {
        TEST: "the test's own file",
        "conftest.py": "a conftest.py above the test",
        "plug.py": "loaded as a plugin",
        "shop/__init__.py": f"imported by {TEST}",
        "shop/tax.py": f"imported by {TEST}",
        "shop/rates.py": "named in shop/tax.py",
    }


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("import importlib\nimportlib.import_module(name)\n", "computes the name of a module"),
        ("import importlib\nimportlib.import_module(f'a.{x}')\n", "computes the name of a module"),
        ("__import__(x)\n__import__('')\n", "computes the name of a module"),
        ("eval('1')\n", "calls eval()"),
        ("def f():\n exec(code)\n", "calls exec()"),
        ("import runpy\nrunpy.run_path('x')\n", "runs a file by its path"),
        (
            "import importlib.util as u\nu.spec_from_file_location('x', p)\n",
            "imports a file by its",
        ),
        ("from pkgutil import walk_packages\nlist(walk_packages(p))\n", "imports what it finds"),
        ("from importlib.metadata import entry_points\nentry_points(group='x')\n", "loads entry"),
        ("pytest_plugins = names()\n", "computes pytest_plugins"),
        ("from pkg import *\n", "imports * from pkg/__init__.py, which computes __all__"),
        ("def f(:\n", "could not be parsed"),
        (b"x = '\xe9'\n", "could not be parsed"),
        (b"x = 1\0\n", "could not be parsed"),
        ("(" * 5000 + ")" * 5000, "could not be parsed"),
        ("x = " + "-" * 100_000 + "1", "could not be parsed"),
    ],
)
def test_what_cannot_be_known(tmp_path: Path, source: str | bytes, why: str) -> None:
    files = {TEST: "import middle\n", "middle.py": source, "pkg/__init__.py": "__all__ = f()\n"}
    found = reach(tmp_path, files)
    assert found.unknown is not None
    assert found.unknown.startswith(f"middle.py {why}")
    assert "middle.py" in found.files


@pytest.mark.parametrize(
    "source",
    [
        "model.eval()\n",
        "# eval(x)\n",
        "x = 'exec(y)'\n",
        "cursor.exec('x')\n",
        "def f(eval): pass\n",
    ],
)
def test_what_only_looks_unknown(tmp_path: Path, source: str) -> None:
    assert reach(tmp_path, {TEST: source}).unknown is None


def test_several_unknowns_are_counted(tmp_path: Path) -> None:
    found = reach(tmp_path, {TEST: "import a, b\neval(x)", "a.py": "eval(x)", "b.py": ""})
    assert found.unknown == f"{TEST} calls eval(), and 1 more"


def test_other_encodings_are_read(tmp_path: Path) -> None:
    source = "# -*- coding: latin-1 -*-\nimport a\nx = 'é'\n".encode("latin-1")
    found = reach(tmp_path, {TEST: source, "a.py": b"\xef\xbb\xbfimport b\r\n", "b.py": ""})
    assert set(found.files) == {TEST, "a.py", "b.py"}
    assert found.unknown is None


def test_modules_that_are_gone(tmp_path: Path) -> None:
    """Deleting an imported file is seen, and so is one that hides another."""
    files = {TEST: "import shop.tax\n", "shop/__init__.py": ""}
    old = [TEST, "shop/__init__.py", "shop/tax.py", "tests/conftest.py", "shop.py"]
    found = reach(tmp_path, files, old_files=old)
    assert set(found.files) == set(old)
    assert found.unknown is None
    found = reach(tmp_path, {**files, "tests/shop.py": "import b\n", "b.py": ""})
    assert {"tests/shop.py", "b.py"} <= set(found.files)


def test_roots_and_cut(tmp_path: Path) -> None:
    files = {
        "conftest.py": "",
        "svc/conftest.py": "",
        "svc/tests/test_a.py": "import json5\nimport tool\n",
        "svc/lib/json5.py": "",
        "svc/src/tool.py": "",
        "deep/er/tool.py": "",
    }
    found = reach(tmp_path, files, "svc/tests/test_a.py", cut="svc", roots=["svc/lib", "."])
    assert set(found.files) == set(files) - {"conftest.py", "deep/er/tool.py"}


def test_a_submodule_is_reached_through_its_files(tmp_path: Path) -> None:
    (tmp_path / "vendor/lib/lib").mkdir(parents=True)
    (tmp_path / "vendor/lib/lib/__init__.py").write_text("from lib import x\n")
    (tmp_path / "vendor/lib/lib/x.py").write_text("import shop\n")
    (tmp_path / ".gitmodules").write_text('[submodule "x"]\n\tpath = vendor/lib\n\turl = ../x\n')
    (tmp_path / "shop.py").write_text("")
    (tmp_path / "tests").mkdir()
    (tmp_path / TEST).write_text("import lib\n")
    found = ImportGraph(tmp_path, [TEST, ".gitmodules", "vendor/lib", "shop.py"]).reach(TEST)
    assert {"vendor/lib", "vendor/lib/lib/x.py", "shop.py"} <= set(found.files)


def test_a_test_that_is_no_module(tmp_path: Path) -> None:
    found = reach(tmp_path, {"docs/x.md": "", "conftest.py": ""}, "docs/x.md")
    assert set(found.files) == {"docs/x.md", "conftest.py"}
    assert found.unknown == "docs/x.md is not a Python file"


def test_files_are_read_once_and_late(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = {TEST: "import a\n", "tests/test_b.py": "import a\n", "a.py": "", "broken.py": "("}
    made = graph(tmp_path, files)
    asked: list[bytes] = []

    def counted(source: bytes) -> FileFacts | None:
        asked.append(source)
        return facts_of(source)

    monkeypatch.setattr("flakefighters.reach.project.facts_of", counted)
    made.reach(TEST)
    made.reach("tests/test_b.py")
    made.reach(TEST)
    assert len(asked) == 3


def test_time_is_bounded(tmp_path: Path) -> None:
    files = {TEST: "import m0\n"} | {f"m{n}.py": f"import m{n + 1}\n" for n in range(300)}
    whole = reach(tmp_path, files)
    assert len(whole.files) == 301
    cut = reach(tmp_path, files, seconds=0.0)
    assert cut.unknown == "following the imports took too long"
    assert TEST in cut.files


def test_a_thousand_files_take_seconds(tmp_path: Path) -> None:
    body = "".join(f"def f{n}(x):\n    return [x, {n}, 'text {n}']\n\n" for n in range(20))
    files = {TEST: "import pkg.m0\n", "pkg/__init__.py": ""}
    files |= {f"pkg/m{n}.py": f"from pkg import m{n + 1}, m{n + 2}\n{body}" for n in range(1000)}
    began = time.process_time()
    assert len(reach(tmp_path, files, seconds=60).files) == 1002
    assert time.process_time() - began < 30
