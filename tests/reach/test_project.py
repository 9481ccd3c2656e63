"""What the rest of a project tells of one of its files."""

from __future__ import annotations

import pytest

from flakefighters.model import Name, Scope
from tests.reach.projects import project

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
    files = project({**FILES, "src/shop/use.py": statement.encode()})
    (unit,) = files.facts("src/shop/use.py").units
    effects = [files.holds(condition, "src/shop/use.py") for condition in unit.impure]
    assert (not any(effects)) is quiet


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
    files = project({"a.py": classes})
    assert files.holds(Name(Scope.IF_BASE, "A"), "a.py") is not plain


@pytest.mark.parametrize(
    ("text", "call", "builds"),
    [
        ("", "int", True),
        ("", "go", False),
        ("def int(x): 1\n", "int", False),
        ("class A(NamedTuple): x: int\n", "A", True),
        ("@dataclass\nclass A:\n x: int\n", "A", True),
        ("@dataclass\nclass A:\n x: int\n def __post_init__(self): go()\n", "A", False),
        ("@dataclass\nclass A:\n x: int = field(default_factory=go)\n", "A", False),
        ("A = namedtuple('A', 'x')\n", "A", True),
        ("from decimal import Decimal as D\n", "D", True),
        ("from lib import go as D\n", "D", False),
    ],
)
def test_calls_that_only_build_a_value(text: str, call: str, builds: bool) -> None:
    assert project({"a.py": text}).holds(Name(Scope.IF_CALL, call), "a.py") is not builds


@pytest.mark.parametrize(
    ("text", "decorator", "wraps"),
    [
        ("", "property", True),
        ("", "app.route()", False),
        ("def deco(f):\n def g(): f()\n return g\n", "deco", True),
        ("def deco(f):\n KNOWN.append(f)\n return f\n", "deco", False),
        ("def deco(n):\n def d(f):\n  def g(): f()\n  return g\n return d\n", "deco()", True),
        ("def deco(n):\n def d(f):\n  go(f)\n  return f\n return d\n", "deco()", False),
    ],
)
def test_decorators_that_only_wrap(text: str, decorator: str, wraps: bool) -> None:
    holds = project({"a.py": text}).holds(Name(Scope.IF_DECORATOR, decorator), "a.py")
    assert holds is not wraps


def test_imports_that_the_text_does_not_show() -> None:
    files = project(
        {
            "a.py": "import importlib\nimportlib.import_module(x)\ndef f(n):\n  exec(n)\n",
            "b.py": "class A:\n  def f(self, n):\n    def g(): return eval(n)\n    return g\n",
        }
    )
    assert files.facts("a.py").opaque == "computes the name of a module to import"
    assert set(files.facts("a.py").opaque_in) == {"f"}
    assert set(files.facts("b.py").opaque_in) == {"A.f.<locals>.g"}
