"""Genuine failures: functions, decorators, defaults and what is said only once."""

from __future__ import annotations

from functools import partial

from tests.scenarios.builder import BASE, code, swap
from tests.scenarios.registry import changes

_change = partial(changes, topic="edits_to_functions")
TAX = BASE["shop/tax.py"]

_change(
    "a_changed_line",
    "A line of the function differs.",
    {},
    {
        "shop/tax.py": TAX.replace("net * RATE", "net + RATE"),
    },
)
_change(
    "only_deletions",
    "The commit only deletes lines of the function.",
    {
        "shop/tax.py": code("""
            def tax(net):
                result = net
                result //= 5
                return result
            """),
    },
    {
        "shop/tax.py": swap("    result //= 5\n", ""),
    },
)
_change(
    "a_deleted_function",
    "The function that another one calls is gone.",
    {
        "tests/test_tax.py": code("""
            from shop.tax import gross

            def test_tax():
                assert gross(100) == 120
            """),
    },
    {
        "shop/tax.py": TAX[TAX.index("def gross") :],
    },
)
_change(
    "a_deleted_override",
    "A method is deleted, so that the base class's is called.",
    {
        "shop/tax.py": code("""
        class Base:
            def rate(self):
                return 7

        class Full(Base):
            name = "full"

            def rate(self):
                return 20

        def tax(net):
            return net * Full().rate() // 100
        """),
    },
    {
        "shop/tax.py": swap("    def rate(self):\n        return 20\n\n", ""),
    },
)
_change(
    "an_added_override",
    "A new method hides the base class's.",
    {
        "shop/base.py": "class Base:\n    def rate(self):\n        return 20\n",
        "shop/full.py": code("""
            from shop.base import Base

            class Full(Base):
                name = 'full'
            """),
        "shop/tax.py": code("""
            from shop.full import Full

            def tax(net):
                return net * Full().rate() // 100
            """),
    },
    {
        "shop/full.py": swap(
            "    name = 'full'\n", "    name = 'full'\n    def rate(self):\n        return 7\n"
        ),
    },
)
_change(
    "an_added_eq",
    "A new special method alters a comparison that nobody spells.",
    {
        "shop/money.py": code("""
            class Money:
                def __init__(self, n):
                    self.n = n
            """),
        "shop/tax.py": code("""
            from shop.money import Money

            SAME = Money(1)

            def tax(net):
                return 20 if SAME in [Money(1), SAME] and SAME != Money(1) else 0
            """),
    },
    {
        "shop/money.py": code("""
            class Money:
                def __init__(self, n):
                    self.n = n
                def __eq__(self, other):
                    return self.n == other.n
            """),
    },
)
_change(
    "a_default_argument",
    "Only a default differs.",
    {
        "shop/tax.py": "def tax(net, rate=20):\n    return net * rate // 100\n",
    },
    {
        "shop/tax.py": "def tax(net, rate=7):\n    return net * rate // 100\n",
    },
)
_change(
    "a_removed_default",
    "A parameter lost its default, the function is not even entered.",
    {
        "shop/tax.py": "def tax(net, rate=20):\n    return net * rate // 100\n",
    },
    {
        "shop/tax.py": "def tax(net, rate):\n    return net * rate // 100\n",
    },
)
_change(
    "a_removed_decorator",
    "A decorator is gone.",
    {
        "shop/tax.py": code("""
            def full(f):
                return lambda net: f(net) * 20 // 100

            @full
            def tax(net):
                return net
            """),
    },
    {
        "shop/tax.py": swap("@full\n", ""),
    },
)
_change(
    "a_decorators_argument",
    "A decorator gets another argument, and does not call the function.",
    {
        "shop/rules.py": code("""
        def percent(rate):
            def wrap(f):
                return lambda net: net * rate // 100
            return wrap
        """),
        "shop/tax.py": code("""
            from shop.rules import percent

            @percent(20)
            def tax(net):
                raise NotImplementedError
            """),
    },
    {
        "shop/tax.py": swap("@percent(20)", "@percent(7)"),
    },
)
_change(
    "a_redefinition",
    "A second definition of the same name wins.",
    {
        "shop/tax.py": "def tax(net):\n    return net // 5\n",
    },
    {
        "shop/tax.py": swap(
            "    return net // 5\n", "    return net // 5\n\ndef tax(net):\n    return net // 4\n"
        ),
    },
)
_change(
    "a_branch_of_a_definition",
    "One of two definitions in an if differs.",
    {
        "shop/tax.py": code("""
            import sys

            if sys.version_info >= (3, 0):
                def tax(net):
                    return net // 5
            else:
                def tax(net):
                    return 0
            """),
    },
    {
        "shop/tax.py": swap("return net // 5", "return net // 4"),
    },
)
_change(
    "a_nested_function",
    "Only a function within a function differs.",
    {
        "shop/tax.py": code("""
            def maker():
                def tax(net):
                    return net // 5
                return tax

            tax = maker()
            """),
    },
    {
        "shop/tax.py": swap("return net // 5", "return net // 4"),
    },
)
_change(
    "a_lambda",
    "Only a lambda differs.",
    {
        "shop/tax.py": "tax = lambda net: net // 5\n",
    },
    {
        "shop/tax.py": "tax = lambda net: net // 4\n",
    },
)
_change(
    "a_generator",
    "The body of a generator differs.",
    {
        "shop/tax.py": code("""
            def parts(net):
                yield net // 10
                yield net // 10

            def tax(net):
                return sum(parts(net))
            """),
    },
    {
        "shop/tax.py": code("""
            def parts(net):
                yield net // 10
                yield net // 5

            def tax(net):
                return sum(parts(net))
            """),
    },
)
_change(
    "became_a_generator",
    "A function became a generator, whose body nobody runs.",
    {
        "shop/tax.py": code("""
            LOG = []

            def note(net):
                LOG.append(net)

            def tax(net):
                note(net)
                return 20 * len(LOG)
            """),
    },
    {
        "shop/tax.py": swap("    LOG.append(net)\n", "    LOG.append(net)\n    yield\n"),
    },
)
_change(
    "asyncio_code",
    "The changed code runs in a coroutine.",
    {
        "shop/tax.py": code("""
            import asyncio

            async def work(net):
                await asyncio.sleep(0)
                return net // 5

            def tax(net):
                return asyncio.run(work(net))
            """),
    },
    {
        "shop/tax.py": swap("return net // 5", "return net // 4"),
    },
)
_change(
    "a_property_setter",
    "The setter of a property differs.",
    {
        "shop/tax.py": code("""
            class Bill:
                @property
                def net(self):
                    return self._net
                @net.setter
                def net(self, value):
                    self._net = value

            def tax(net):
                bill = Bill()
                bill.net = net
                return bill.net // 5
            """),
    },
    {
        "shop/tax.py": swap("self._net = value", "self._net = value + 5"),
    },
)
_change(
    "a_docstring_that_is_an_example",
    "A doctest's docstring differs.",
    {
        "pyproject.toml": code("""
            [tool.pytest.ini_options]
            pythonpath = ["."]
            addopts = "--doctest-modules"
            """),
        "shop/tax.py": code("""
            def tax(net):
                '''
                >>> tax(100)
                20
                '''
                return net // 5
            """),
    },
    {
        "shop/tax.py": swap("20", "25"),
    },
    nodeid="shop/tax.py::shop.tax.tax",
)
_change(
    "a_help_text",
    "The docstring is what the program prints.",
    {
        "shop/tax.py": code("""
            "Prints taxes."

            def tax(net):
                return 20 if __doc__ == "Prints taxes" + "." else 0
            """),
    },
    {
        "shop/tax.py": swap("Prints taxes.", "Prints all taxes."),
    },
)
