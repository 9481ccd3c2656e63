"""Which modules are handed around as objects."""

from __future__ import annotations

import pytest

from tests.reach.projects import project

TAX = "src/shop/tax.py"


@pytest.mark.parametrize(
    ("source", "escaped"),
    [
        ("import shop.tax\nshop.tax.rate()", False),
        ("from shop import tax\nprint(tax.RATE)", False),
        ("from shop.tax import tax\ntax(1)\nprint(tax)", False),
        ("from shop import tax\nsetattr(tax, 'RATE', 1)\nmock.patch.object(tax, 'RATE')", False),
        ("from shop import tax\nimportlib.reload(tax)", False),
        ("tax = 1\nprint(tax)", False),
        ("class A:\n    def f(self): return getattr(self.tax, name)", False),
        ("from shop import tax\ngetattr(tax, name)", True),
        ("from . import tax as t\nx = [t]", True),
        ("from shop import tax\nvars(tax)", True),
        ("import shop.tax\nshop.tax.__dict__[name]", True),
        ("import shop.tax\nask(shop.tax)", True),
        ("import shop\nask(shop.tax)", True),
        ("import shop.tax as t\nask(t)", True),
        ("def f():\n    from shop import tax\n    return tax", True),
        ("from shop import *\nask(tax)", True),
        ("from shop import tax\nMODULE = tax\nx = 1", True),
        ("from shop import tax\nfound = tax if x else y", True),
        ("from shop import tax\nask(a == tax and b)", True),
        ("from shop import (\n    other,\n    tax as t,\n)\nask(t)", True),
        ("from shop import (\n    other,\n    tax,\n)\nask(tax)", True),
        ("import shop\nMODULE = shop.tax\nx = 1", True),
        ("import shop\nask(shop.tax or None)", True),
        ("from shop import tax\nask(tax=1)\nask(tax.RATE)", False),
    ],
)
def test_a_module_escapes(source: str, escaped: bool) -> None:
    files = project({TAX: "RATE = 1\n", "src/shop/use.py": source})
    assert files.escaped([TAX]) is escaped


def test_a_module_that_asks_for_itself() -> None:
    text = "import sys\nHERE = sys.modules[__name__]\n"
    files = project({TAX: text, "src/shop/net.py": ""})
    assert files.escaped([TAX])
    assert not files.escaped(["src/shop/net.py"])
