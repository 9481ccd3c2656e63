"""Genuine failures: constants, classes, imports and what runs at import."""

from __future__ import annotations

from functools import partial

from tests.scenarios.builder import BASE, code, swap
from tests.scenarios.registry import changes

_change = partial(changes, topic="edits_to_modules")
TAX = BASE["shop/tax.py"]

_change(
    "a_deleted_module_statement",
    "The commit deletes a statement of the module.",
    {
        "shop/tax.py": code("""
            RATES = {}
            RATES['de'] = 20

            def tax(net):
                return net * RATES.get('de', 0) // 100
            """),
    },
    {
        "shop/tax.py": swap("RATES['de'] = 20\n", ""),
    },
)
_change(
    "a_constant",
    "Only a constant of the module differs.",
    {},
    {
        "shop/tax.py": swap("RATE = 20", "RATE = 7"),
    },
)
_change(
    "a_constant_of_another_module",
    "A constant differs that the function's module imports.",
    {
        "shop/rates.py": "RATE = 20\n",
        "shop/tax.py": code("""
            from shop.rates import RATE as FULL

            def tax(net):
                return net * FULL // 100
            """),
    },
    {
        "shop/rates.py": "RATE = 7\n",
    },
)
_change(
    "a_derived_constant",
    "A constant differs from which another one is computed at import.",
    {
        "shop/rates.py": "BASE = 10\n",
        "shop/tax.py": code("""
            from shop import rates

            RATE = rates.BASE * 2

            def tax(net):
                return net * RATE // 100
            """),
    },
    {
        "shop/rates.py": "BASE = 11\n",
    },
)
_change(
    "a_class_attribute",
    "An attribute of a class body differs.",
    {
        "shop/tax.py": code("""
            class Full:
                rate = 20

            def tax(net):
                return net * Full.rate // 100
            """),
    },
    {
        "shop/tax.py": swap("rate = 20", "rate = 7"),
    },
)
_change(
    "a_dataclass_default",
    "A dataclass's field has another default.",
    {
        "shop/tax.py": code("""
            from dataclasses import dataclass

            @dataclass
            class Full:
                rate: int = 20

            def tax(net):
                return net * Full().rate // 100
            """),
    },
    {
        "shop/tax.py": swap("rate: int = 20", "rate: int = 7"),
    },
)
_change(
    "a_dataclass_annotation",
    "An annotation makes a field of a dataclass disappear.",
    {
        "shop/tax.py": code("""
            from __future__ import annotations
            from dataclasses import dataclass
            from typing import ClassVar

            @dataclass
            class Full:
                rate: int = 20

            def tax(net):
                return net * Full(20).rate // 100
            """),
    },
    {
        "shop/tax.py": swap("rate: int = 20", "rate: ClassVar[int] = 20"),
    },
)
_change(
    "the_order_of_enum_members",
    "Members of an enumeration change places.",
    {
        "shop/tax.py": code("""
            from enum import Enum, auto

            class Kind(Enum):
                FULL = auto()
                REDUCED = auto()

            def tax(net):
                return {1: 20, 2: 7}[Kind.FULL.value]
            """),
    },
    {
        "shop/tax.py": swap(
            "    FULL = auto()\n    REDUCED = auto()\n", "    REDUCED = auto()\n    FULL = auto()\n"
        ),
    },
)
_change(
    "a_base_class",
    "A class has another base, nothing else differs.",
    {
        "shop/bases.py": code("""
            class Full:
                def rate(self):
                    return 20

            class Reduced:
                def rate(self):
                    return 7
            """),
        "shop/tax.py": code("""
            from shop.bases import Full, Reduced

            class Goods(Full):
                pass

            def tax(net):
                return net * Goods().rate() // 100
            """),
    },
    {
        "shop/tax.py": swap("class Goods(Full):", "class Goods(Reduced):"),
    },
)
_change(
    "an_init_export",
    "The package exports another function under the old name.",
    {
        "shop/__init__.py": "from shop.tax import tax as tax_of\n",
        "shop/tax.py": TAX + "\ndef reduced(net):\n    return net * 7 // 100\n",
        "tests/test_tax.py": code("""
            import shop

            def test_tax():
                assert shop.tax_of(100) == 20
            """),
    },
    {
        "shop/__init__.py": "from shop.tax import reduced as tax_of\n",
    },
)
_change(
    "a_star_export",
    "A name disappears from __all__, and a star import loses it.",
    {
        "shop/rates.py": "__all__ = ['RATE']\nRATE = 20\n",
        "shop/tax.py": code("""
            from shop.rates import *

            def tax(net):
                return net * RATE // 100
            """),
    },
    {
        "shop/rates.py": "__all__ = []\nRATE = 20\n",
    },
)
_change(
    "lazily_imported",
    "The changed module is imported inside a function.",
    {
        "tests/test_tax.py": code("""
            def test_tax():
                from shop.tax import tax
                assert tax(100) == 20
            """),
    },
    {
        "shop/tax.py": TAX.replace("net * RATE", "net + RATE"),
    },
)
_change(
    "imported_by_a_computed_name",
    "The changed module is imported by a computed name.",
    {
        "tests/test_tax.py": code("""
            import importlib

            def test_tax():
                part = 'tax'
                assert importlib.import_module('shop.' + part).tax(100) == 20
            """),
    },
    {
        "shop/tax.py": TAX.replace("net * RATE", "net + RATE"),
    },
    or_undecided=True,
)
_change(
    "a_registered_function",
    "A function of a registry is deleted that the test never names.",
    {
        "shop/registry.py": code("""
            RULES = []

            def rule(f):
                RULES.append(f)
                return f
            """),
        "shop/rules.py": code("""
            from shop.registry import rule

            @rule
            def full():
                return 13

            @rule
            def local():
                return 7
            """),
        "shop/tax.py": code("""
            import shop.rules
            from shop.registry import RULES

            def tax(net):
                return net * sum(r() for r in RULES) // 100
            """),
    },
    {
        "shop/rules.py": swap("\n@rule\ndef local():\n    return 7\n", ""),
    },
    or_undecided=True,
)
_change(
    "a_registered_subclass",
    "A new subclass is found by its base.",
    {
        "shop/rules.py": code("""
            class Rule:
                rate = 0

            class Full(Rule):
                rate = 20
            """),
        "shop/tax.py": code("""
            from shop.rules import Rule

            def tax(net):
                return sum(r.rate for r in Rule.__subclasses__())
            """),
    },
    {
        "shop/rules.py": swap(
            "    rate = 20\n", "    rate = 20\n\nclass Local(Rule):\n    rate = 7\n"
        ),
    },
    or_undecided=True,
)
_change(
    "a_result_kept_by_an_earlier_test",
    "An earlier test ran the changed function, and its result was kept.",
    {
        "shop/tax.py": code("""
            import functools

            @functools.cache
            def rate():
                return 20

            def tax(net):
                return net * rate() // 100
            """),
        "tests/test_a.py": code("""
            from shop.tax import rate

            def test_first():
                assert rate()
            """),
    },
    {
        "shop/tax.py": swap("return 20", "return 7"),
    },
    or_undecided=True,
)
_change(
    "an_effect_at_import",
    "A statement alters another module when it is imported.",
    {
        "shop/rates.py": "RATE = 20\n",
        "shop/setup.py": "from shop import rates\n",
        "shop/tax.py": code("""
            from shop import rates, setup

            def tax(net):
                return net * rates.RATE // 100
            """),
    },
    {
        "shop/setup.py": "from shop import rates\n\nrates.RATE = 7\n",
    },
)
_change(
    "an_effect_of_an_unrelated_test_file",
    "Importing another test's file alters a module for all.",
    {
        "shop/rates.py": "RATE = 20\n",
        "shop/tax.py": code("""
            from shop import rates

            def tax(net):
                return net * rates.RATE // 100
            """),
        "tests/test_a.py": code("""
            from shop import rates

            def test_a():
                assert rates
            """),
    },
    {
        "tests/test_a.py": code("""
            from shop import rates

            rates.RATE = 7

            def test_a():
                assert rates
            """),
    },
    or_undecided=True,
)
_change(
    "a_moved_statement_with_effect",
    "Two statements with effects change places.",
    {
        "shop/tax.py": code("""
            RATES = []
            RATES.append(20)
            RATES.append(7)

            def tax(net):
                return net * RATES[0] // 100
            """),
    },
    {
        "shop/tax.py": swap(
            "RATES.append(20)\nRATES.append(7)\n", "RATES.append(7)\nRATES.append(20)\n"
        ),
    },
)
_change(
    "a_syntax_error_in_a_lazy_module",
    "The changed module cannot be parsed any more.",
    {
        "tests/test_tax.py": code("""
            def test_tax():
                from shop.tax import tax
                assert tax(100) == 20
            """),
    },
    {
        "shop/tax.py": "def tax(net)\n    return net // 5\n",
    },
)
_change(
    "an_import_that_fails",
    "A lazily imported module imports one that does not exist.",
    {
        "tests/test_tax.py": code("""
            def test_tax():
                from shop.tax import tax
                assert tax(100) == 20
            """),
    },
    {
        "shop/tax.py": "import shop.nowhere\n" + TAX,
    },
)
