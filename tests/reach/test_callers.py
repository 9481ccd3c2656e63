"""Whom a function with other parameters refuses, and who may look at them."""

from __future__ import annotations

import pytest

from flakefighters.model import Via
from flakefighters.reach.calls import callers
from tests.reach.projects import project

TAX = "src/shop/tax.py"
USE = "src/shop/use.py"


def asked(tax: str, name: str, use: str) -> str:
    """What running ``f`` of some code is to a function: "refused", "unclear" or "nothing"."""
    found = callers(TAX, name, project({TAX: tax, USE: use}))
    assert found is not None
    ways = {link.via for link in found.links if link.unit.name.rpartition(".")[2] in ("f", "KINDS")}
    if not ways:
        return "nothing"
    return "refused" if Via.READ in ways else "unclear"


@pytest.mark.parametrize(
    ("parameters", "call", "expected"),
    [
        ("a", "tax(1)", "nothing"),
        ("a", "tax(a=1)", "nothing"),
        ("a", "tax()", "refused"),
        ("a", "tax(1, 2)", "refused"),
        ("a", "tax(1, a=2)", "refused"),
        ("a", "tax(b=1)", "refused"),
        ("a, b=1", "tax(1)", "nothing"),
        ("a, b=1", "tax(1, 2)", "nothing"),
        ("*args", "tax(1, 2, 3)", "nothing"),
        ("**kwargs", "tax(x=1)", "nothing"),
        ("a, *, b", "tax(1)", "refused"),
        ("a, *, b", "tax(1, b=2)", "nothing"),
        ("a, *, b=1", "tax(1)", "nothing"),
        ("a, /", "tax(a=1)", "refused"),
        ("a, /, **kwargs", "tax(1, a=2)", "nothing"),
        ("a", "tax(*x)", "unclear"),
        ("a", "tax(**x)", "unclear"),
        ("a", "map(tax, x)", "unclear"),
        ("a", "[tax]", "unclear"),
        ("a", "tax.cache", "nothing"),
        ("a", "callable(tax)", "nothing"),
        ("a", "inspect.signature(tax)", "unclear"),
        ("a", "getattr(x, 'tax')(1, 2)", "unclear"),
        ("a", "other()", "nothing"),
    ],
)
def test_functions(parameters: str, call: str, expected: str) -> None:
    use = f"from shop.tax import tax\ndef f(x): return {call}\n"
    assert asked(f"def tax({parameters}): 1\n", "tax", use) == expected


METHODS = """
    class Shop:
        def total(self, net): 1
        @staticmethod
        def rate(net): 1
        @classmethod
        def make(cls, net): 1
        @property
        def size(self): 1
    """


@pytest.mark.parametrize(
    ("name", "call", "expected"),
    [
        ("total", "x.total(1)", "nothing"),
        ("total", "x.total()", "refused"),
        ("total", "x.total(1, 2)", "refused"),
        ("total", "x.get(1, 2)", "nothing"),
        ("total", "self.total(1, 2)", "refused"),
        ("total", "Shop.total(x, 1)", "unclear"),  # or a class method
        ("total", "x.total", "unclear"),
        ("total", "super().total(1, 2)", "refused"),
        ("total", "json.total()", "nothing"),
        ("rate", "x.rate(1)", "nothing"),
        ("rate", "x.rate(1, 2)", "refused"),
        ("make", "Shop.make(1, 2, 3)", "refused"),
        ("size", "x.size", "nothing"),
        ("size", "x.size(1)", "nothing"),
        ("total", "getattr(x, name)(1)", "unclear"),
        ("total", "getattr(x, f'visit_{name}')(1)", "nothing"),
        ("total", "getattr(x, 'total')()", "unclear"),
    ],
)
def test_methods(name: str, call: str, expected: str) -> None:
    use = f"import json\nfrom shop.tax import Shop\ndef f(x): return {call}\n"
    assert asked(METHODS, f"Shop.{name}", use) == expected


MADE = """
    class Shop:
        def __init__(self, net): 1
    """


@pytest.mark.parametrize(
    ("use", "expected"),
    [
        ("def f(): Shop(1)", "nothing"),
        ("def f(): Shop()", "refused"),
        ("def f(x): isinstance(x, Shop)", "nothing"),
        ("def f(x): isinstance(x, (int, Shop))", "nothing"),
        ("def f(): Shop.total", "nothing"),
        ("def f():\n try: 1\n except Shop: 1", "nothing"),
        ("def f(): build(Shop)", "unclear"),
        ("class New(Shop): 1\ndef f(): New()", "refused"),
        ("class New(Shop): 1\ndef f(): New(1)", "nothing"),
        ("class New(Shop):\n def __init__(self): 1\ndef f(): New()", "nothing"),
        ("class New(Shop):\n def f(self): super().__init__()", "refused"),
        ("class New(Shop):\n def f(self): super().__init__(1)", "nothing"),
        ("class New(Shop):\n def f(self): Shop.__init__(self)", "refused"),
        ("class New(Shop):\n def f(self): Shop.__init__(self, 1)", "nothing"),
        ("class Mixin:\n def f(self): super().__init__()\nclass New(Mixin, Shop): 1", "refused"),
        ("class Other:\n def f(self): super().__init__()", "nothing"),
        ("Cart = Shop\ndef f(): Cart()", "refused"),
        ("KINDS = [Shop]\ndef f(): KINDS[0]()", "unclear"),
        ("def f(x, y): getattr(x, y)", "nothing"),
    ],
)
def test_constructors(use: str, expected: str) -> None:
    assert asked(MADE, "Shop.__init__", f"from shop.tax import Shop\n{use}\n") == expected


def test_what_cannot_be_found() -> None:
    files = project({TAX: "def a(): 1\nclass A:\n def x(s): 1\n def x(s): 2\n"})
    assert callers(TAX, "b", files) is None
    assert callers(TAX, "A", files) is None
    assert callers(TAX, "A.x", files) is None
