"""Genuine failures: a class or a decorator was edited, and others are made with it."""

from __future__ import annotations

from functools import partial

from tests.scenarios.builder import Repository, Result, code, swap
from tests.scenarios.registry import changes, genuine

_change = partial(changes, topic="edits_to_classes")
_BILLS = code("""
    class Bill:
        def __init__(self, net):
            self.net = net
    """)
_change(
    "a_parent_asks_for_more",
    "The constructor of a parent wants another argument than super() hands it.",
    {
        "shop/bill.py": _BILLS,
        "shop/tax.py": code("""
            from shop.bill import Bill

            class Taxed(Bill):
                def __init__(self, net):
                    super().__init__(net)

            def tax(net):
                return Taxed(net).net // 5
            """),
    },
    {
        "shop/bill.py": swap("net):", "net, currency):"),
    },
)
_change(
    "a_parent_called_by_name_asks_for_more",
    "The constructor of a parent, under another name, wants another argument.",
    {
        "shop/bill.py": _BILLS,
        "shop/tax.py": code("""
            from shop.bill import Bill as Base

            class Taxed(Base):
                def __init__(self, net):
                    Base.__init__(self, net)

            def tax(net):
                return Taxed(net).net // 5
            """),
    },
    {
        "shop/bill.py": swap("net):", "net, currency):"),
    },
)
_change(
    "a_sister_asks_for_more",
    "super() leads to a class beside the parent, whose constructor wants another argument.",
    {
        "shop/bill.py": _BILLS,
        "shop/tax.py": code("""
            from shop.bill import Bill

            class Logged:
                def __init__(self, net):
                    super().__init__(net)

            class Taxed(Logged, Bill):
                pass

            def tax(net):
                return Taxed(net).net // 5
            """),
    },
    {
        "shop/bill.py": swap("net):", "net, currency):"),
    },
)
_RULES = {
    "shop/rules.py": code("""
        RULES = {}

        def rule(function):
            RULES[function.__name__] = function(100)
            return function
        """),
    "shop/tax.py": code("""
        from shop.rules import rule

        @rule
        def tax(net):
            return net // 5
        """),
    "tests/test_tax.py": code("""
        import shop.tax
        from shop.rules import RULES

        def test_tax():
            assert RULES["tax"] == 20
        """),
}
_change(
    "a_decorator_that_ran_for_an_earlier_module",
    "A decorator changed, and ran when an earlier test's module imported the code.",
    {
        **_RULES,
        "tests/test_before.py": "import shop.tax\n\ndef test_it():\n    assert shop.tax\n",
    },
    {
        "shop/rules.py": swap("function(100)", "function(50)"),
    },
)
_change(
    "a_decorator_known_before",
    "A decorator changed; an earlier module imported it, the test's own import ran it.",
    {
        **_RULES,
        "tests/test_before.py": "import shop.rules\n\ndef test_it():\n    assert shop.rules\n",
    },
    {
        "shop/rules.py": swap("function(100)", "function(50)"),
    },
)


@genuine()
def settings_loaded_by_a_library(repo: Repository) -> Result:
    """A constant differs in a module that a library loads, by a name that is in no file.

    Another test's file imports the module as well.
    """
    repo.site(
        "settled",
        "1.0",
        {
            "settled.py": code("""
                import importlib, os

                settings = importlib.import_module(os.environ["SETTLED"])
                """)
        },
    )
    repo.env["SETTLED"] = "shop.settings"
    repo.start(
        {
            "shop/settings.py": "RATE = 20\n",
            "shop/tax.py": code("""
                import settled

                def tax(net):
                    return net * settled.settings.RATE // 100
                """),
            "tests/conftest.py": "import settled\n",
            "tests/test_before.py": "from shop import settings\n\ndef test_it():\n    settings\n",
        }
    )
    repo.save({"shop/settings.py": "RATE = 25\n"})
    return repo.run()
