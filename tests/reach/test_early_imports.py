"""What may have run while modules were imported, by their text."""

from __future__ import annotations

import pytest

from flakefighters.reach.early_imports import may_have_run
from tests.source.test_units import source

CLASS = """
class Base:
    def __init__(self):
        self.rate = self.default()

    def default(self):
        return rate()

    def tax(self, net):
        return other()


class Shop(Base):
    def default(self):
        return 7


def rate(): 1
def other(): 2
"""


@pytest.mark.parametrize(
    ("text", "ran"),
    [
        ("", set()),
        ("shop = Shop", set()),
        ("def f(): Shop()", set()),
        ("if __name__ == '__main__': Shop()", set()),
        ("shop: Shop = None", set()),
        ("shop = Shop()", {"Base.__init__", "Base.default", "Shop.default", "rate"}),
        ("tax = Shop().tax", {"Base.__init__", "Base.default", "Shop.default", "rate"}),
        ("tax = shop.parts.tax", set()),
        ("shop = Base()", {"Base.__init__", "Base.default", "rate"}),
        ("try: rate()\nexcept E: other()", {"rate", "other"}),
        ("with a: rate()", {"rate"}),
        ("TABLE = {'a': rate}", {"rate"}),
        ("get = rate", set()),
        ("get = rate\nget()", {"rate"}),
        ("getattr(x, 'rate')()", {"rate"}),
        ("class A(x=rate()): pass", {"rate"}),
        ("class A:\n x = rate()", {"rate"}),
        ("def f(a=rate()): pass", {"rate"}),
        ("@rate\ndef f(): pass", {"rate", "f"}),
        ("@property\ndef f(): pass", set()),
        ("def pytest_addoption(parser): rate()", {"pytest_addoption", "rate"}),
        ("def f():\n def rate(): other()\nf()", {"f", "f.<locals>.rate", "other"}),
    ],
)
def test_functions(text: str, ran: set[str]) -> None:
    loaded = may_have_run({"m.py": source(CLASS + text + "\n")})
    assert loaded.units == {("m.py", name) for name in ran}
    assert not loaded.any


def test_other_files() -> None:
    files = {"a.py": source("from b import rate\nrate()\n"), "b.py": source("def rate(): 1\n")}
    assert may_have_run(files).units == {("b.py", "rate")}
    assert may_have_run(files).ran(("b.py", "rate"))
    assert not may_have_run(files).ran(("b.py", "rates"))
    assert not may_have_run({"b.py": files["b.py"]}).units


@pytest.mark.parametrize("text", ["globals()['f']()", "getattr(x, name)()"])
def test_names_that_are_computed(text: str) -> None:
    loaded = may_have_run({"m.py": source(text + "\n")})
    assert loaded.ran(("m.py", "f"))
    assert not loaded.ran(("n.py", "f"))


@pytest.mark.parametrize(
    ("text", "opened"),
    [("def f(): open('a')", False), ("x = open('a').read()", True), ("x = p.glob('*')", True)],
)
def test_data_files(text: str, opened: bool) -> None:
    assert may_have_run({"m.py": source(text + "\n")}).opened is opened
