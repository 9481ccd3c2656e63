"""What the rest of a project tells of one of its files."""

from __future__ import annotations

import ast

import pytest

from flakefighters.reach.project import Sources
from flakefighters.source.units import ANY, compare

QUIET = b"import os\nfrom shop.rates import RATE\nNET = RATE * 2\ndef f(): go()\nclass A:\n x = 1\n"
FILES = {
    "src/shop/__init__.py": b"",
    "src/shop/tax.py": QUIET,
    "src/shop/rates.py": b"RATE = 20\n",
    "src/shop/net.py": b"from shop import tax\nopen_socket()\n",
    "src/shop/far.py": b"from shop import net\n",
    "src/shop/one.py": b"from shop import two\n",
    "src/shop/two.py": b"from shop import one\n",
}


@pytest.mark.parametrize(
    ("statement", "quiet"),
    [
        ("import os", True),
        ("from shop.tax import f", True),
        ("from shop import tax", True),
        ("from . import tax", True),
        ("from .tax import NET", True),
        ("from shop import net", False),
        ("from .net import f", False),
        ("from shop import far", False),
        ("from shop import one", True),
        ("import numpy", False),
        ("from .gone import x", False),
    ],
)
def test_quiet_imports(statement: str, quiet: bool) -> None:
    sources = Sources(FILES, FILES.get)
    (node,) = ast.parse(statement).body
    assert isinstance(node, ast.Import | ast.ImportFrom)
    assert sources.around("src/shop/use.py").quiet_import(node, node.names[0]) is quiet


@pytest.mark.parametrize(
    ("classes", "plain"),
    [
        ("class A: 1\n", True),
        ("class B(Exception): 1\nclass A(B): 1\n", True),
        ("class A(Generic[T], dict): 1\n", True),
        ("class A(B): 1\n", False),
        ("class A(metaclass=M): 1\n", False),
        ("class A(make()): 1\n", False),
        ("class A: 1\nclass A(B): 1\n", False),
        ("class A:\n def __init_subclass__(cls): 1\n", False),
        ("class A: 1\ndef f(): return A.__subclasses__()\n", False),
        ("", False),
    ],
)
def test_plain_classes(classes: str, plain: bool) -> None:
    texts = {"a.py": classes.encode()}
    assert Sources(texts, texts.get).definitions().plain_class("A") is plain


@pytest.mark.parametrize("kind", ["def", "class"])
@pytest.mark.parametrize(
    ("test", "runs"),
    [
        ("def test_rate(): assert rate()\n", False),
        ("def test_docs(): doctest.testmod(rates)\n", True),
        ("def load_tests(loader, tests, ignore): tests.addTests(doctest.DocTestSuite(r))\n", True),
    ],
)
def test_examples_matter_to_who_runs_the_function_only_if_code_runs_them(
    test: str, runs: bool, kind: str
) -> None:
    old, new = (f'{kind} rate():\n    """\n    >>> {n}\n    """\n'.encode() for n in (1, 2))
    texts = {"shop/rates.py": new, "tests/test_rates.py": test.encode()}
    (change,) = compare(
        "shop/rates.py", old, new, Sources(texts, texts.get).around("shop/rates.py")
    )
    assert change.by_run is runs
    assert bool(change.names) is runs


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("from shop import rates\nprint(rates.__doc__)\n", True),
        ("from shop import rates as r\nprint(r.__doc__)\n", True),
        ("from shop.rates import rate\nprint(inspect.getdoc(rate))\n", True),
        ("from shop import rates\nprint(other.__doc__)\n", False),
        ("def wrap(f): return f.__doc__\n", False),
    ],
)
def test_docstrings_that_another_file_reads(text: str, read: bool) -> None:
    old, new = (f'"""{word}."""\n\n\ndef rate():\n    "{word}"\n'.encode() for word in "ab")
    texts = {"shop/rates.py": new, "shop/use.py": text.encode()}
    around = Sources(texts, texts.get).around("shop/rates.py")
    assert bool(compare("shop/rates.py", old, new, around)) is read


def test_the_project_tells_what_has_an_effect() -> None:
    sources = Sources(FILES, FILES.get)
    for name, effect in (("tax", False), ("net", True)):
        new = f"from shop import {name}\n".encode()
        (change,) = compare("src/shop/use.py", b"", new, sources.around("src/shop/use.py"))
        assert (ANY in change.names) is effect


def test_importers() -> None:
    texts = {
        "a.py": b"import importlib\nimportlib.import_module(x)\ndef f(n):\n  exec(n)\n",
        "b.py": b"class A:\n  def f(self, n):\n    def g(): return eval(n)\n    return g\n",
    }
    found = set(Sources(texts, texts.get).importers())
    assert found == {("a.py", "f"), ("b.py", "A.f.<locals>.g")}
