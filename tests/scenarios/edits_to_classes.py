"""Genuine failures: a class was edited, and others inherit from it."""

from __future__ import annotations

from functools import partial

from tests.scenarios.builder import code, swap
from tests.scenarios.registry import changes

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
