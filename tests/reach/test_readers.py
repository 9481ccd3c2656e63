"""Who is affected by another value of a name: by scope, by import, by computing."""

from __future__ import annotations

import textwrap

import pytest

from flakefighters.model import Link, Via
from flakefighters.reach.readers import Readers, readers
from tests.reach.projects import name, project

TAX = "src/shop/tax.py"
USE = "src/shop/use.py"


def affected(
    use: str, *names: str, tax: str = "RATE = 1\n", **others: str
) -> tuple[set[str], set[str]]:
    """Functions that are affected by names of TAX for sure, and those that may be."""
    texts = {TAX: tax, USE: textwrap.dedent(use)}
    texts |= {f"src/shop/{module}.py": text for module, text in others.items()}
    found = readers(TAX, map(name, names or ("RATE",)), project(texts))
    return named(found, Via.READ), named(found, Via.MAY_READ)


def named(found: Readers, via: Via) -> set[str]:
    """The names of the functions that are reached in one way."""
    return {link.unit.name for link in found.links if link.via is via}


@pytest.mark.parametrize(
    "use",
    [
        "from shop.tax import RATE\ndef f(): return RATE",
        "from shop.tax import RATE as R\ndef f(): return R",
        "from .tax import RATE\ndef f(): return RATE",
        "from shop.tax import *\ndef f(): return RATE",
        "import shop.tax\ndef f(): return shop.tax.RATE",
        "import shop.tax as t\ndef f(): return t.RATE",
        "from shop import tax as t\ndef f(): return t.RATE",
        "from . import tax\ndef f(): return tax.RATE",
        "def f():\n from shop.tax import RATE\n return RATE",
        "def f():\n from shop import tax\n return tax.RATE",
        "def f():\n import shop.tax as t\n return t.RATE",
        "from shop.tax import RATE\nNET = RATE * 2\ndef f(): return NET",
        "from shop.tax import RATE\ndef g(): return RATE\nNET = g()\ndef f(): return NET",
        "from shop.tax import RATE\nT = {}\nT['x'] = RATE\ndef f(): return T",
        "from shop.tax import RATE\nT = {}\nT.update(a=RATE)\ndef f(): return T",
        "from shop.tax import RATE\nclass A:\n x = RATE\ndef f(a): return a.x",
        "from shop.tax import RATE\nclass A:\n y = RATE\n x = {}\n x.update(y)\ndef f(a): a.x",
        "from shop.tax import RATE\ndef f(x=RATE): return x",
        "import pydantic\nfrom shop.tax import RATE\ndef f(x: RATE): return x",
        "def f(): return patch('shop.tax.RATE', 3)",
        "from shop import tax\nask(tax)\ndef f(thing): return thing.RATE",
        "import importlib\nM = importlib.import_module('shop.tax')\ndef f(): return M.RATE",
        "def f(): return RATE",  # by whom is it put there?
    ],
)
def test_it_is_read(use: str) -> None:
    assert "f" in affected(use)[0]


@pytest.mark.parametrize(
    "use",
    [
        "RATE = 2\ndef f(): return RATE",
        "from shop.net import RATE\ndef f(): return RATE",
        "import shop.net as net\ndef f(): return net.RATE",
        "def f(RATE): return RATE",
        "def f():\n RATE = 3\n return RATE",
        "def f(self): return self.RATE",
        "def f(cart): return cart.RATE",
        "class A:\n RATE = 3\n def f(self): return self.RATE",
        "from shop.tax import RATE\ndef f(x: RATE) -> RATE: 1",
        "from shop.tax import RATE\ndef f():\n x: RATE = 1",
        "def f():\n 'RATE'",
        "def f(): return {'RATE': 1}",
        "def f(): return globals()['x']",
        "def f(x): return eval('1 + 1')",
        "import sys\ndef f(x): return x in sys.modules",
    ],
)
def test_it_is_not_read(use: str) -> None:
    sure, maybe = affected(use, net="RATE = 1\n")
    assert "f" not in sure | maybe
    assert "A.f" not in sure | maybe


@pytest.mark.parametrize(
    "use",
    [
        "import importlib\ndef f(x): return importlib.import_module(x).RATE",
        "import sys\ndef f(x): return sys.modules[x]",
        "from shop import tax\ndef f(x): return eval(x)",
        "def f(): exec('from shop.tax import RATE; print(RATE)')",
        "from shop.tax import RATE\ndef g(x: RATE): 1\ndef f(): return get_type_hints(g)",
        "def f(x): exec(open(x).read())",
        "from shop import tax\nask(tax)\ndef f(x, y): return getattr(x, y)",
        "from shop import tax\nask(tax)\ndef f(x, y): return getattr(x, f'RA{y}')",
    ],
)
def test_it_may_be_read(use: str) -> None:
    assert "f" in affected(use)[1]


@pytest.mark.parametrize(
    ("use", "maybe"),
    [
        ("def f(x, y): return getattr(x, y)", True),
        ("def f(x, y): return getattr(x, f'total_{y}')", True),
        ("def f(x, y): return getattr(x, y, None)", True),
        ("def f(x, y): return hasattr(x, y)", True),
        ("def f(x, y): return map(getattr, x, y)", True),
        ("def f(x, y): return operator.attrgetter(y)(x)", True),
        ("def f(x, y): return patch.object(x, y)", True),
        ("def f(x, y): return mock.patch(f'{x}.{y}')", True),
        ("def f(monkeypatch, x, y): monkeypatch.setattr(x, y, 1)", True),
        ("def f(client, y): client.patch(f'/a/{y}')", False),
        ("def f(x, y): setattr(x, 'rate', y)", False),
        ("def f(x, y): return getattr(x, 'rate', y)", False),
        ("def f(x, y): return getattr(x, 'total_' + y)", True),
        ("def f(x, y): return getattr(x, 'total_%s' % y)", True),
        ("def f(x, y):\n name = 'Total_{}'.format(y)\n return getattr(x, name.lower())", True),
        ("def f(x, y): return getattr(x, f'visit_{y}')", False),
        ("def f(x, y): return getattr(x, 'visit_' + y)", False),
        ("def f(x, y):\n name = 'visit_{}'.format(y)\n return getattr(x, name.lower())", False),
        ("def f(x, y):\n y = 'visit_' + y\n return getattr(x, y)", True),  # assigned twice
    ],
)
def test_how_a_computed_name_begins(use: str, maybe: bool) -> None:
    assert ("f" in affected(use, ".total_net")[1]) is maybe


def test_attributes_are_of_any_object_but_a_module() -> None:
    use = "import json\ndef f(x): return x.total\ndef g(): return json.total\ndef h(): return total"
    assert affected(use, ".total")[0] == {"f"}


def test_fixtures_are_asked_for_by_parameters() -> None:
    use = """
        def test_a(shop): 1
        def test_b(cart): shop
        @usefixtures("shop")
        def test_c(): 1
        def helper(shop): 1
        """
    sure, _ = affected(use, "@shop", tax="")
    assert sure == {"test_a", "test_c"}


def test_names_that_count_anywhere() -> None:
    use = "import net\ndef f(): return net.RATE\ndef g(): return RATE\nRATE = 1"
    assert affected(use, "?RATE", tax="")[0] == {"f", "g"}


def test_a_call_that_may_do_anything_with_a_value() -> None:
    def known(use: str) -> bool:
        found = readers(TAX, [name("RATE")], project({TAX: "RATE = 1\n", USE: use}))
        return not named(found, Via.HANDED)

    assert known("from shop.tax import RATE\nT = {}\nT.update(a=RATE)\n")
    assert known("from shop.tax import RATE\nNET = int(RATE)\n")
    assert not known("from shop.tax import RATE\nNET = build(RATE)\n")
    assert not known("from shop.tax import RATE\nfor one in RATE: keep(one)\n")
    assert not known("from shop.tax import RATE\nconfigure(RATE)\n")
    assert not known("import lib\nfrom shop.tax import RATE\nlib.configure(RATE)\n")


def test_a_package_that_is_installed_under_another_name() -> None:
    def read(use: str) -> frozenset[Link]:
        texts = {"lib/__init__.py": "RATE = 1\n", "tests/test_a.py": use}
        return readers("lib/__init__.py", [name("RATE")], project(texts)).links

    (link,) = read("from shop import RATE\ndef f(): RATE\n")
    assert (link.via, link.unit.path, link.unit.name) == (Via.READ, "tests/test_a.py", "f")
    assert not read("from math import RATE\ndef f(): RATE\n")
