# ruff: noqa: E501 - the files of a story are easier to read in one line
"""The same: ways from a change to a test that do not run it."""

from __future__ import annotations

from tests.scenarios.adversarial import change, tax
from tests.scenarios.builder import code, swap

_RATE = "def rate(net):\n    return net // 5\n"
change(
    "a_handler_put_into_a_table",
    "A handler in a table of another module wants an argument more.",
    {
        "shop/table.py": "HANDLERS = {}\n",
        "shop/rates.py": "from shop.table import HANDLERS\n\n"
        + _RATE
        + '\nHANDLERS["de"] = rate\n',
        "shop/tax.py": 'from shop import rates\nfrom shop.table import HANDLERS\n\ndef tax(net):\n    return HANDLERS["de"](net)\n',
    },
    {"shop/rates.py": swap("rate(net):", "rate(net, country):")},
)
change(
    "a_handler_handed_to_a_call",
    "A handler is registered by a call at import, and wants an argument more.",
    {
        "shop/table.py": "HANDLERS = []\n\ndef register(one):\n    HANDLERS.append(one)\n",
        "shop/rates.py": "from shop.table import register\n\n" + _RATE + "\nregister(rate)\n",
        "shop/tax.py": "from shop import rates\nfrom shop.table import HANDLERS\n\ndef tax(net):\n    return HANDLERS[0](net)\n",
    },
    {"shop/rates.py": swap("rate(net):", "rate(net, country):")},
)
change(
    "an_object_keeps_a_function",
    "An object that is made at import keeps a function, which wants an argument more.",
    {
        "shop/tax.py": code("""
        def rate(net):
            return net // 5

        class Shop:
            def __init__(self):
                self.rule = rate

        SHOP = Shop()

        def tax(net):
            return SHOP.rule(net)
        """)
    },
    {"shop/tax.py": swap("rate(net):", "rate(net, country):")},
)
change(
    "single_dispatch_by_annotation",
    "A function is registered by a call, which reads its annotation; that differs.",
    {
        "shop/tax.py": code("""
        from functools import singledispatch

        @singledispatch
        def tax(net):
            return 7

        def _of_int(net: int):
            return net // 5

        tax.register(_of_int)
        """)
    },
    {"shop/tax.py": swap("net: int", "net: str")},
)
change(
    "raises_calls_it",
    "pytest.raises calls a function, which refuses the call now.",
    {
        "shop/rates.py": "def rate(net):\n    raise ValueError(net)\n",
        "tests/test_tax.py": "import pytest\n\nfrom shop.rates import rate\n\ndef test_tax():\n    pytest.raises(ValueError, rate, -5)\n",
    },
    {"shop/rates.py": swap("rate(net):", "rate(net, country):")},
)

# ---- 6. values kept at import ----------------------------------------------------------------
change(
    "an_object_that_registers_itself",
    "A changed constant goes into an object that enters itself in a table.",
    {
        "shop/settings.py": "RATE = 20\n",
        "shop/rules.py": code("""
        from shop.settings import RATE

        class Rule:
            all = []

            def __init__(self, rate):
                self.rate = rate
                self.all.append(self)

        vat = Rule(RATE)
        """),
        "shop/tax.py": tax("Rule.all[0].rate", "from shop.rules import Rule\n"),
    },
    {"shop/settings.py": "RATE = 7\n"},
)
change(
    "a_decorator_with_a_constant",
    "A decorator that registers is given a changed constant.",
    {
        "shop/settings.py": "RATE = 20\n",
        "shop/rules.py": code("""
        from shop.settings import RATE

        RULES = {}

        def rule(rate):
            def add(function):
                RULES[function.__name__] = rate
                return function
            return add

        @rule(RATE)
        def vat():
            pass
        """),
        "shop/tax.py": tax('RULES["vat"]', "from shop.rules import RULES\n"),
    },
    {"shop/settings.py": "RATE = 7\n"},
)
change(
    "a_class_keyword_with_a_constant",
    "A changed constant is handed to __init_subclass__, which keeps it.",
    {
        "shop/settings.py": "RATE = 20\n",
        "shop/rules.py": code("""
        from shop.settings import RATE

        RULES = {}

        class Rule:
            def __init_subclass__(cls, rate):
                RULES[cls.__name__] = rate

        class Vat(Rule, rate=RATE):
            pass
        """),
        "shop/tax.py": tax('RULES["Vat"]', "from shop.rules import RULES\n"),
    },
    {"shop/settings.py": "RATE = 7\n"},
)
change(
    "a_loop_that_registers",
    "A loop at module level hands constants to a function that keeps them.",
    {
        "shop/settings.py": "RATES = [20]\n",
        "shop/rules.py": "KEPT = []\n\ndef keep(rate):\n    KEPT.append(rate)\n",
        "shop/setup.py": "from shop.rules import keep\nfrom shop.settings import RATES\n\nfor one in RATES:\n    keep(one)\n",
        "shop/tax.py": tax("KEPT[0]", "from shop import setup\nfrom shop.rules import KEPT\n"),
    },
    {"shop/settings.py": "RATES = [7]\n"},
)

# ---- 7. ways to read -----------------------------------------------------------------------
change(
    "a_class_pattern",
    "A match statement reads a class attribute by a keyword of the pattern.",
    {
        "shop/cart.py": "class Cart:\n    rate = 20\n\ndef cart():\n    return Cart()\n",
        "shop/tax.py": code("""
        from shop.cart import Cart, cart

        def tax(net):
            match cart():
                case Cart(rate=20):
                    return net // 5
            return 0
        """),
    },
    {"shop/cart.py": swap("rate = 20", "rate = 7")},
)
change(
    "a_format_string",
    "A format string reads a class attribute.",
    {
        "shop/cart.py": "class Cart:\n    rate = 20\n\ndef cart():\n    return Cart()\n",
        "shop/tax.py": tax('int("{0.rate}".format(cart()))', "from shop.cart import cart\n"),
    },
    {"shop/cart.py": swap("rate = 20", "rate = 7")},
)
change(
    "an_object_called_like_its_module",
    "A global has the name of the module that its class comes from.",
    {
        "shop/cart.py": "class Cart:\n    rate = 20\n",
        "shop/tax.py": tax("cart.rate", "import shop.cart\n\ncart = shop.cart.Cart()\n"),
    },
    {"shop/cart.py": swap("rate = 20", "rate = 7")},
)
change(
    "a_module_as_a_parameter",
    "A function is given a module, and asks it for a name by getattr with a literal.",
    {
        "shop/settings.py": "RATE = 20\n",
        "shop/tax.py": 'def tax(net, conf):\n    return net * getattr(conf, "RATE", 20) // 100\n',
        "tests/test_tax.py": "from shop import settings\nfrom shop.tax import tax\n\ndef test_tax():\n    assert tax(100, settings) == 20\n",
    },
    {"shop/settings.py": "RATE = 7\n"},
)
change(
    "a_pickle_of_before",
    "A pickle names a class that is called otherwise now.",
    {
        "shop/cart.py": "class Cart:\n    rate = 20\n",
        "shop/tax.py": tax(
            "pickle.loads(KEPT).rate",
            'import pickle\n\nimport shop.cart\n\nKEPT = b"cshop.cart\\nCart\\n)R."\n',
        ),
    },
    {"shop/cart.py": swap("class Cart", "class Basket")},
)
change(
    "a_protocol_at_run_time",
    "A class gets a method, and so is an instance of a protocol.",
    {
        "shop/kinds.py": code("""
        from typing import Protocol, runtime_checkable

        @runtime_checkable
        class Reduced(Protocol):
            def reduce(self): ...
        """),
        "shop/cart.py": "class Cart:\n    def total(self):\n        return 1\n\n\ndef cart():\n    return Cart()\n",
        "shop/tax.py": tax(
            "(7 if isinstance(cart(), Reduced) else 20)",
            "from shop.cart import cart\nfrom shop.kinds import Reduced\n",
        ),
    },
    {
        "shop/cart.py": swap(
            "        return 1\n", "        return 1\n\n    def reduce(self):\n        return 2\n"
        )
    },
)
change(
    "members_by_inspect",
    "A new function in a module of which the functions are collected by inspect.getmembers.",
    {
        "shop/rules.py": "def vat():\n    return 20\n",
        "shop/tax.py": tax(
            "20 * len(inspect.getmembers(rules, inspect.isfunction))",
            "import inspect\n\nfrom shop import rules\n",
        ),
    },
    {"shop/rules.py": "def vat():\n    return 20\n\ndef duty():\n    return 7\n"},
)
change(
    "names_by_dir",
    "A new constant in a module of which the names are listed by dir().",
    {
        "shop/rules.py": "VAT = 20\n",
        "shop/tax.py": tax(
            "20 * sum(name.isupper() for name in dir(rules))", "from shop import rules\n"
        ),
    },
    {"shop/rules.py": "VAT = 20\nDUTY = 7\n"},
)
_STEPS = code("""
    class Pipeline:
        def step_add(self, net):
            return net + 40

        def step_half(self, net):
            return net // 7

    def tax(net):
        for name, step in vars(Pipeline).items():
            if name.startswith("step_"):
                net = step(None, net)
        return net
    """)
_ADD = "    def step_add(self, net):\n        return net + 40\n\n"
_HALF = "    def step_half(self, net):\n        return net // 7\n\n"
change(
    "steps_in_their_order",
    "Methods change places, which are run in the order of their definition.",
    {"shop/tax.py": _STEPS},
    {"shop/tax.py": _STEPS.replace(_ADD, "").replace(_HALF, _HALF + _ADD)},
)
change(
    "a_doc_of_another_file",
    "Help is made of the docstring of another module.",
    {
        "shop/rates.py": '"""Twenty."""\n\nRATE = 20\n',
        "shop/tax.py": tax("(20 if rates.__doc__ == 'Twenty.' else 7)", "from shop import rates\n"),
    },
    {"shop/rates.py": '"""Seven."""\n\nRATE = 20\n'},
)
change(
    "an_abstract_class_of_typing",
    "A table's key is imported from typing instead of collections.abc.",
    {
        "shop/rates.py": "from collections.abc import Sequence\n\nRATES = {Sequence: 20}\n",
        "shop/tax.py": tax(
            "RATES.get(collections.abc.Sequence, 7)",
            "import collections.abc\n\nfrom shop.rates import RATES\n",
        ),
    },
    {"shop/rates.py": swap("from collections.abc", "from typing")},
)
change(
    "metadata_by_a_computed_name",
    "A test asks for the version by a computed name.",
    {
        "shop/__init__.py": '__version__ = "1.0"\n',
        "tests/test_tax.py": 'import shop\n\ndef test_tax():\n    for name, value in {"version": "1.0"}.items():\n        assert getattr(shop, f"__{name}__") == value\n',
    },
    {"shop/__init__.py": '__version__ = "1.1"\n'},
)
change(
    "run_as_main",
    "A test runs a module as __main__, of which the guarded part changed.",
    {
        "shop/cli.py": 'RATE = 20\n\nif __name__ == "__main__":\n    RESULT = RATE\n',
        "tests/test_tax.py": 'import runpy\n\ndef test_tax():\n    assert runpy.run_module("shop.cli", run_name="__main__")["RESULT"] == 20\n',
    },
    {"shop/cli.py": swap("RESULT = RATE", "RESULT = RATE + 1")},
)

# ---- 8. new files ----------------------------------------------------------------------------
change(
    "a_package_of_tests",
    "The folder of tests becomes a package, and its helpers cannot be imported any more.",
    {
        "tests/helpers.py": "RATE = 20\n",
        "tests/test_tax.py": "def test_tax():\n    from helpers import RATE\n    assert RATE == 20\n",
    },
    {"tests/__init__.py": ""},
)
change(
    "a_module_that_is_only_looked_for",
    "A new module can be imported, of which nothing is read.",
    {
        "shop/tax.py": code("""
        try:
            from shop import fast
        except ImportError:
            fast = None

        def tax(net):
            return net * (20 if fast is None else 7) // 100
        """)
    },
    {"shop/fast.py": "LIMIT = 3\n"},
)
change(
    "a_module_found_by_its_spec",
    "A new module is found by find_spec.",
    {
        "shop/tax.py": tax(
            '(7 if find_spec("shop.fast") else 20)', "from importlib.util import find_spec\n"
        )
    },
    {"shop/fast.py": "LIMIT = 3\n"},
)
change(
    "a_module_in_front_of_pythons",
    "A new helper of the tests stands in front of a module of Python's.",
    {
        "shop/tax.py": "def tax(net):\n    import colorsys\n    return 20 if colorsys.rgb_to_hls else 7\n"
    },
    {"tests/colorsys.py": "RED = 1\n"},
)

# ---- 9. others' imports and hooks -----------------------------------------------------------
