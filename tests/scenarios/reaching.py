"""Genuine failures: the change reaches the test without any of its lines being run."""

from __future__ import annotations

from functools import partial

from tests.scenarios.builder import code, swap
from tests.scenarios.registry import changes

_change = partial(changes, topic="reaching")
_CART = code("""
    class Cart:
        def total(self, net):
            return net // 5
    """)

_change(
    "a_call_is_refused",
    "A function wants one argument more than its caller gives, who takes it for a bad price.",
    {
        "shop/rates.py": "def rate(net):\n    return net // 5\n",
        "shop/tax.py": code("""
            from shop.rates import rate

            def tax(net):
                try:
                    return rate(net)
                except TypeError:
                    return 0
            """),
    },
    {"shop/rates.py": swap("rate(net):", "rate(net, country):")},
)
_change(
    "a_call_by_a_computed_name_is_refused",
    "A method that is called by a computed name wants one argument more.",
    {
        "shop/cart.py": _CART,
        "shop/tax.py": code("""
            from shop.cart import Cart

            def tax(net, kind="total"):
                try:
                    return getattr(Cart(), kind)(net)
                except TypeError:
                    return 0
            """),
    },
    {"shop/cart.py": swap("self, net)", "self, net, country)")},
    or_undecided=True,
)
_change(
    "a_call_in_a_table_is_refused",
    "A function that is called from a table wants one argument more.",
    {
        "shop/rates.py": "def rate(net):\n    return net // 5\n\nRATES = {'de': rate}\n",
        "shop/tax.py": code("""
            from shop.rates import RATES

            def tax(net):
                try:
                    return RATES["de"](net)
                except TypeError:
                    return 0
            """),
    },
    {"shop/rates.py": swap("rate(net):", "rate(net, country):")},
    or_undecided=True,
)
_change(
    "a_mixin_hands_on_too_little",
    "A constructor wants another argument than a mixin's super() hands it.",
    {
        "shop/bill.py": "class Bill:\n    def __init__(self, net):\n        self.net = net\n",
        "shop/tax.py": code("""
            from shop.bill import Bill

            class Mixin:
                def __init__(self, net):
                    super().__init__(net)

            class Taxed(Mixin, Bill):
                pass

            def tax(net):
                return Taxed(net).net // 5
            """),
    },
    {"shop/bill.py": swap("net):", "net, currency):")},
)
_change(
    "parameters_are_looked_at",
    "Code looks at the parameters of a function that it does not call.",
    {
        "shop/rates.py": "def rate(net):\n    return net // 5\n",
        "shop/tax.py": code("""
            import inspect
            from shop.rates import rate

            def tax(net):
                return net // 5 if len(inspect.signature(rate).parameters) == 1 else 0
            """),
    },
    {"shop/rates.py": swap("rate(net):", "rate(net, country=None):")},
    or_undecided=True,
)
_change(
    "a_table_is_filled_with_a_constant",
    "A class has a table that a statement of its body fills from another one.",
    {
        "shop/tax.py": code("""
            class Shop:
                _more = {"vat": 20}
                rates = {}
                rates.update(_more)

            def tax(net):
                return net * Shop().rates["vat"] // 100
            """),
    },
    {"shop/tax.py": swap('"vat": 20', '"vat": 7')},
)
_change(
    "a_class_that_a_package_takes_over_unnamed",
    "The package has all names of a module by a star; a class has other slots.",
    {
        "shop/__init__.py": "from shop.cart import *\n",
        "shop/cart.py": code("""
            class Cart:
                __slots__ = ("rate",)

                def __init__(self):
                    self.rate = 20
            """),
        "shop/tax.py": code("""
            import shop as s

            def tax(net):
                try:
                    return net * s.Cart().rate // 100
                except AttributeError:
                    return 0
            """),
    },
    {"shop/cart.py": swap('("rate",)', '("rates",)')},
)
_change(
    "a_constant_is_handed_on_at_import",
    "A changed constant is handed to a function that keeps it, when a module is imported.",
    {
        "shop/rates.py": code("""
            KEPT = []

            def keep(rate):
                KEPT.append(rate)
            """),
        "shop/settings.py": "RATE = 20\n",
        "shop/tax.py": code("""
            from shop.rates import KEPT, keep
            from shop.settings import RATE

            keep(RATE)

            def tax(net):
                return net * KEPT[0] // 100
            """),
    },
    {"shop/settings.py": "RATE = 7\n"},
    or_undecided=True,
)
_change(
    "a_constant_in_text_that_runs",
    "A text is run as code, which reads the changed constant.",
    {
        "shop/settings.py": "RATE = 20\n",
        "shop/tax.py": code("""
            def tax(net):
                found = {}
                exec("from shop.settings import RATE", found)
                return net * found["RATE"] // 100
            """),
    },
    {"shop/settings.py": "RATE = 7\n"},
    or_undecided=True,
)
_change(
    "a_script_that_is_read_and_run",
    "The changed file is no module: its text is read and run as code.",
    {
        "shop/rates.py": "RATE = 20\n",
        "shop/tax.py": code("""
            from pathlib import Path

            def tax(net):
                found = {}
                exec(Path(__file__).with_name("rates.py").read_text(), found)
                return net * found["RATE"] // 100
            """),
    },
    {"shop/rates.py": "RATE = 7\n"},
    or_undecided=True,
)
_change(
    "a_module_by_a_computed_name",
    "The test imports the changed module by a computed name; another test's file has it already.",
    {
        "shop/rates.py": "RATE = 20\n",
        "shop/plugins.py": code("""
            import importlib

            def load(name):
                return importlib.import_module(f"shop.{name}")
            """),
        "shop/tax.py": code("""
            from shop.plugins import load

            def tax(net, name="rates"):
                return net * load(name).RATE // 100
            """),
        "tests/test_before.py": "from shop import rates\n\ndef test_it():\n    assert rates\n",
    },
    {"shop/rates.py": "RATE = 7\n"},
    or_undecided=True,
)
_change(
    "a_class_that_runs_a_change_at_import",
    "The test's module makes a class with a changed function when it is imported.",
    {
        "shop/rates.py": "def rate():\n    return 20\n",
        "shop/tax.py": code("""
            from shop.rates import rate

            class Shop:
                vat = rate()

            def tax(net):
                return net * Shop.vat // 100
            """),
    },
    {"shop/rates.py": swap("return 20", "return 7")},
)
_change(
    "a_fixture_has_another_name",
    "A fixture that the test asks for has another name now.",
    {
        "tests/conftest.py": code("""
            import pytest

            @pytest.fixture
            def rate():
                return 20
            """),
        "tests/test_tax.py": code("""
            def test_tax(rate):
                assert rate == 20
            """),
    },
    {"tests/conftest.py": swap("def rate", "def vat")},
)
_change(
    "a_fixture_loses_its_decorator",
    "A fixture that another one asks for is none any more.",
    {
        "tests/conftest.py": code("""
            import pytest

            @pytest.fixture
            def vat():
                return 20

            @pytest.fixture
            def rate(vat):
                return vat
            """),
        "tests/test_tax.py": code("""
            def test_tax(rate):
                assert rate == 20
            """),
    },
    {"tests/conftest.py": swap("@pytest.fixture\ndef vat", "def vat")},
)
_change(
    "a_test_asks_for_a_fixture_that_is_not_there",
    "The test has one more parameter, which no fixture is for.",
    {},
    {"tests/test_tax.py": swap("def test_tax():", "def test_tax(rate):")},
)
