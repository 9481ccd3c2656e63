"""Names that come, go or mean the same: who is affected, and who is not."""

from __future__ import annotations

from functools import partial

from tests.scenarios.builder import BASE, code, swap
from tests.scenarios.registry import changes

_change = partial(changes, topic="new_names")
_harmless = partial(changes, topic="new_names", flaky_test="test_net.py::test_net")
NET = BASE["shop/net.py"]

_change(
    "a_name_that_was_pythons",
    "A new constant has the name of a built-in function that the test's code calls.",
    {"shop/tax.py": "def tax(net):\n    return int(net) // 5\n"},
    {"shop/tax.py": "int = lambda value: 35\n\ndef tax(net):\n    return int(net) // 5\n"},
)
_change(
    "a_name_that_was_missing",
    "The code does without a constant if it is not there; now it is.",
    {
        "shop/tax.py": code("""
            def tax(net):
                try:
                    return net * RATE // 100
                except NameError:
                    return 20
            """)
    },
    {"shop/tax.py": swap("def tax(net)", "RATE = 7\n\ndef tax(net)")},
)
_change(
    "an_import_that_failed",
    "Another module does without a constant if it cannot be imported; now it can.",
    {
        "shop/rates.py": "OTHER = 1\n",
        "shop/tax.py": code("""
            try:
                from shop.rates import RATE
            except ImportError:
                RATE = 20

            def tax(net):
                return net * RATE // 100
            """),
    },
    {"shop/rates.py": "OTHER = 1\nRATE = 7\n"},
)
_change(
    "a_module_that_was_missing",
    "Another module does without one that cannot be imported; now it can.",
    {
        "shop/tax.py": code("""
            try:
                from shop import rates
            except ImportError:
                rates = None

            def tax(net):
                return net * (20 if rates is None else rates.RATE) // 100
            """)
    },
    {"shop/rates.py": "RATE = 7\n"},
)
_change(
    "a_module_answers_for_a_name",
    "A module gets a __getattr__, which answers where the code fell back on a default.",
    {
        "shop/rates.py": "OTHER = 1\n",
        "shop/tax.py": code("""
            from shop import rates

            def tax(net):
                return net * getattr(rates, "RATE", 20) // 100
            """),
    },
    {"shop/rates.py": "OTHER = 1\n\ndef __getattr__(name):\n    return 7\n"},
)
_change(
    "a_module_answers_no_more",
    "The __getattr__ of a module is gone.",
    {
        "shop/rates.py": "OTHER = 1\n\ndef __getattr__(name):\n    return 20\n",
        "shop/tax.py": code("""
            from shop import rates

            def tax(net):
                return net * getattr(rates, "RATE", 7) // 100
            """),
    },
    {"shop/rates.py": "OTHER = 1\n"},
    or_undecided=True,
)
_change(
    "a_module_answers_for_one_name_no_more",
    "The __getattr__ of a module is gone, which had an answer for one name.",
    {
        "shop/rates.py": code("""
            OTHER = 1

            def __getattr__(name):
                if name == "RATE":
                    return 20
                raise AttributeError(name)
            """),
        "shop/tax.py": code("""
            from shop import rates

            def tax(net):
                return net * getattr(rates, "RATE", 7) // 100
            """),
    },
    {"shop/rates.py": "OTHER = 1\n"},
)
_change(
    "the_version",
    "A test compares the version, which differs.",
    {
        "shop/__init__.py": '__version__ = "1.0"\n',
        "tests/test_tax.py": code("""
            import shop
            import pytest

            @pytest.mark.parametrize("name", ["__version__"])
            def test_tax(name):
                assert getattr(shop, name) == "1.0"
            """),
    },
    {"shop/__init__.py": '__version__ = "1.1"\n'},
    nodeid="test_tax.py::test_tax[__version__]",
)
_change(
    "a_record_that_registers_itself",
    "A new object of a dataclass puts itself in front of the others.",
    {
        "shop/rates.py": code("""
            from dataclasses import dataclass

            RULES = []

            @dataclass
            class Rule:
                rate: int

                def __post_init__(self):
                    RULES.insert(0, self)

            first = Rule(20)
            """),
        "shop/tax.py": code("""
            from shop.rates import RULES

            def tax(net):
                return net * RULES[0].rate // 100
            """),
    },
    {"shop/rates.py": swap("first = Rule(20)\n", "first = Rule(20)\nsecond = Rule(7)\n")},
    or_undecided=True,
)
_change(
    "a_table_gets_another_entry",
    "A statement puts another value into a table of its module.",
    {
        "shop/rates.py": 'RATES = {"de": 19}\nRATES["fr"] = 20\n',
        "shop/tax.py": code("""
            from shop.rates import RATES

            def tax(net):
                return net * RATES["fr"] // 100
            """),
    },
    {"shop/rates.py": 'RATES = {"de": 19}\nRATES["fr"] = 7\n'},
)
_change(
    "a_table_of_another_module_gets_another_entry",
    "A statement puts another value into a table that it has from another module.",
    {
        "shop/state.py": "RATES = {}\n",
        "shop/rates.py": 'from shop import state\nRATES = state.RATES\nRATES["fr"] = 20\n',
        "shop/tax.py": code("""
            from shop import rates, state

            def tax(net):
                return net * state.RATES["fr"] // 100
            """),
    },
    {"shop/rates.py": 'from shop import state\nRATES = state.RATES\nRATES["fr"] = 7\n'},
    or_undecided=True,
)
_change(
    "an_annotation_that_code_acts_by",
    "A decorator of the project reads an annotation, whose type means another one now.",
    {
        "shop/kinds.py": code("""
            import inspect

            def convert(function):
                kind = inspect.signature(function).parameters["net"].annotation
                return lambda net: function(kind(net))
            """),
        "shop/tax.py": code("""
            from math import floor as Amount

            from shop.kinds import convert

            @convert
            def tax(net: Amount):
                return net // 5

            def other():
                return 1
            """),
        "tests/test_tax.py": code("""
            from shop.tax import tax

            def test_tax():
                assert tax(104.5) == 20
            """),
    },
    {"shop/tax.py": swap("from math import floor", "from math import ceil")},
)
_change(
    "an_annotation_that_the_test_looks_at",
    "The test compares the annotations of a function, and another type has that name now.",
    {
        "shop/tax.py": code("""
            from decimal import Decimal as Amount

            def tax(net: Amount):
                return 20
            """),
        "tests/test_tax.py": code("""
            import inspect

            from shop.tax import tax

            def test_tax():
                assert "Decimal" in str(inspect.signature(tax))
            """),
    },
    {"shop/tax.py": swap("decimal import Decimal", "fractions import Fraction")},
    or_undecided=True,
)
_change(
    "a_decorator_that_registers",
    "A new function has a decorator of the project, which puts it into a table.",
    {
        "shop/rates.py": code("""
            RULES = []

            def rule(function):
                RULES.insert(0, function)
                def run():
                    return function()
                return run

            @rule
            def first():
                return 20
            """),
        "shop/tax.py": code("""
            from shop.rates import RULES

            def tax(net):
                return net * RULES[-1]() // 100
            """),
    },
    {"shop/rates.py": swap("@rule\ndef", "@rule\ndef second():\n    return 7\n\n@rule\ndef")},
    or_undecided=True,
)
_harmless(
    "a_decorator_that_only_wraps",
    "Another test of the file is new, and has a decorator of the project.",
    {
        "tests/test_net.py": code("""
            import functools

            from shop.net import fetch

            def twice(times):
                def wrap(function):
                    @functools.wraps(function)
                    def run():
                        for _ in range(times):
                            function()
                    return run
                return wrap

            def test_net():
                assert fetch() == "ok"
            """),
    },
    {
        "tests/test_net.py": swap(
            "def test_net", "@twice(2)\ndef test_more():\n    pass\n\ndef test_net"
        )
    },
)
_harmless(
    "a_module_that_nobody_asked_for",
    "A new module takes in functions of another one that the failing test imports.",
    {"shop/net.py": NET + "\n\ndef other():\n    return 1\n"},
    {
        "shop/net.py": NET + "\nfrom shop.more import other\n",
        "shop/more.py": "from shop import text\n\nLIMIT = 3\n\ndef other():\n    return text\n",
        "tests/test_more.py": "from shop.more import LIMIT\n\ndef test_more():\n    assert LIMIT\n",
    },
)
_harmless(
    "a_module_that_answers_no_more",
    "A module's __getattr__ is gone, which had an answer for a name that nobody asks for.",
    {
        "shop/net.py": NET
        + "\n\ndef __getattr__(name):\n    if name == 'OLD':\n        return 1\n"
        + "    raise AttributeError(name)\n"
    },
    {"shop/net.py": NET},
)
_harmless(
    "a_name_from_where_typing_has_it",
    "An abstract class is imported from where it is defined.",
    {
        "shop/net.py": "from typing import Callable\n"
        + NET.replace('return "ok"', 'return "ok" if isinstance(fetch, Callable) else ""')
    },
    {"shop/net.py": swap("from typing import", "from collections.abc import")},
)
_harmless(
    "a_name_that_nobody_asked_for",
    "A constant and a dataclass come into the module of the failing test.",
    {"shop/net.py": NET},
    {
        "shop/net.py": NET
        + "\nfrom dataclasses import dataclass\n\n@dataclass\nclass Rule:\n    rate: int\n\n"
        + "RULE = Rule(7)\n"
    },
)
_harmless(
    "a_variable_of_type_checkers",
    "A type variable of the module has another bound.",
    {
        "shop/net.py": 'from typing import TypeVar\n\nT = TypeVar("T", bound=int)\n'
        + NET.replace("def fetch():", "def fetch(times: T = 1):")
    },
    {"shop/net.py": swap("bound=int", "bound=str")},
)
_harmless(
    "the_version_of_the_package",
    "The version differs, and a function of the module asks for attributes by computed names.",
    {
        "shop/__init__.py": '__version__ = "1.0"\n',
        "shop/net.py": NET.replace(
            'return "ok"', 'return getattr(os, "".join(["se", "p"])) and "ok"'
        ),
        "shop/text.py": "import shop\n\nALL = [shop]\n" + BASE["shop/text.py"],
    },
    {"shop/__init__.py": '__version__ = "1.1"\n'},
)
_harmless(
    "the_version_as_a_tuple",
    "The same of a tuple of which the version is made, in a module of its own.",
    {
        "shop/__init__.py": "from shop._version import __version__, version_info\n",
        "shop/_version.py": "version_info = (1, 0)\n"
        '__version__ = ".".join(map(str, version_info))\n',
        "shop/net.py": NET.replace(
            'return "ok"',
            'return max(getattr(os, one) and "ok" for one in vars(os) if one[:2] == "__")',
        ),
        "shop/text.py": "import shop\nfrom shop import _version\n\nALL = [shop, _version]\n"
        + BASE["shop/text.py"],
    },
    {"shop/_version.py": swap("(1, 0)", "(1, 1)")},
)
_harmless(
    "an_annotation_that_another_test_looks_at",
    "Another test looks at annotations; a name differs that only annotations have.",
    {
        "shop/net.py": "from decimal import Decimal as Amount\n"
        + NET.replace("def fetch():", "def fetch(times: Amount = 1):"),
        "tests/test_before.py": code("""
            import inspect

            from shop.net import fetch

            def test_before():
                assert inspect.signature(fetch)
            """),
    },
    {"shop/net.py": swap("decimal import Decimal", "fractions import Fraction")},
)
