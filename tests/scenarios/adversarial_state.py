# ruff: noqa: E501 - the files of a story are easier to read in one line
"""The same: what other tests leave behind."""

from __future__ import annotations

from collections.abc import Mapping

from tests.scenarios.adversarial import change, tax
from tests.scenarios.builder import Content, code, swap

_STATE = code("""
    RATE = 20

    def set_rate(rate):
        global RATE
        RATE = rate
    """)
change(
    "another_test_file_sets_up_at_import",
    "Another test's file calls a setter when it is imported.",
    {
        "shop/state.py": _STATE,
        "shop/tax.py": tax("state.RATE", "from shop import state\n"),
        "tests/test_a.py": "from shop import state\n\n\ndef test_a():\n    assert state\n",
    },
    {
        "tests/test_a.py": "from shop import state\n\nstate.set_rate(7)\n\n\ndef test_a():\n    assert state\n"
    },
)
change(
    "another_test_file_stubs_a_module",
    "Another test's file puts a stub into sys.modules when it is imported.",
    {
        "shop/rates.py": "RATE = 20\n",
        "shop/tax.py": "def tax(net):\n    from shop.rates import RATE\n    return net * RATE // 100\n",
        "tests/test_a.py": "def test_a():\n    pass\n",
    },
    {
        "tests/test_a.py": 'import sys\nimport types\n\nsys.modules["shop.rates"] = types.SimpleNamespace(RATE=7)\n\ndef test_a():\n    pass\n'
    },
)
change(
    "a_hook_beside_the_test",
    "A conftest.py of another folder reorders all tests.",
    {
        "tests/a/conftest.py": "",
        "tests/a/test_a.py": "from shop import state\n\ndef test_a():\n    state.set_rate(20)\n",
        "shop/state.py": _STATE.replace("RATE = 20", "RATE = 7", 1),
        "shop/tax.py": tax("state.RATE", "from shop import state\n"),
    },
    {"tests/a/conftest.py": "def pytest_collection_modifyitems(items):\n    items.reverse()\n"},
)


# ---- 10. left behind ------------------------------------------------------------------------
def _mess(
    name: str,
    story: str,
    reads: str,
    body: str,
    state: str = "",
    head: str = "",
    before: Mapping[str, Content] | None = None,
) -> None:
    change(
        name,
        story,
        {
            "shop/state.py": state or _STATE,
            "shop/tax.py": tax(reads, f"{head}from shop import state\n"),
            "tests/test_a.py": "from shop import state\n\n\ndef test_a():\n    assert state\n",
            **(before or {}),
        },
        {"tests/test_a.py": swap("    assert state\n", body)},
    )


_mess(
    "a_patcher_in_a_variable",
    "A patch is started by its variable and never stopped.",
    "state.RATE",
    '    from unittest import mock\n    patcher = mock.patch("shop.state.RATE", 7)\n    patcher.start()\n',
)
_mess(
    "a_monkeypatch_of_its_own",
    "A MonkeyPatch is never undone.",
    "state.RATE",
    '    import pytest\n    patch = pytest.MonkeyPatch()\n    patch.setattr(state, "RATE", 7)\n',
)
_mess(
    "logging_is_disabled",
    "Logging is disabled and stays so.",
    "(20 if state.LOG.isEnabledFor(50) else 7)",
    "    import logging\n    logging.disable(logging.CRITICAL)\n",
    state='import logging\n\nLOG = logging.getLogger("shop")\n',
)
_mess(
    "a_logger_has_another_level",
    "A logger is given another level and keeps it.",
    "(20 if state.LOG.isEnabledFor(30) else 7)",
    '    import logging\n    logging.getLogger("shop").setLevel(logging.ERROR)\n',
    state='import logging\n\nLOG = logging.getLogger("shop")\n',
)
_mess(
    "another_precision",
    "The precision of decimals is set by getcontext().",
    "(20 if decimal.Decimal(1) / 3 > decimal.Decimal('0.31') else 7)",
    "    import decimal\n    decimal.getcontext().prec = 1\n",
    head="import decimal\n",
)
_mess(
    "a_module_is_reloaded",
    "A module is reloaded, whose classes are others then.",
    "(20 if isinstance(state.Shop(), Shop) else 7)",
    "    import importlib\n    importlib.reload(state)\n",
    state="class Shop:\n    pass\n",
    head="from shop.state import Shop\n",
)
_mess(
    "a_counter_goes_on",
    "One more object is made, whose class counts them.",
    "(20 if state.Order().number == 1 else 7)",
    "    assert state.Order()\n",
    state="class Order:\n    made = 0\n\n    def __init__(self):\n        Order.made += 1\n        self.number = Order.made\n",
)
_mess(
    "an_iterator_goes_on",
    "A test takes a number from an iterator of the module.",
    "next(state.NUMBERS)",
    "    assert next(state.NUMBERS)\n",
    state="import itertools\n\nNUMBERS = itertools.count(20)\n",
)
_mess(
    "a_variable_that_python_reads",
    "A variable of the environment is set, which expandvars reads.",
    'int(os.path.expandvars("$SHOP_RATE").replace("$SHOP_RATE", "20"))',
    '    import os\n    os.environ["SHOP_RATE"] = "7"\n',
    head="import os\n",
)
_mess(
    "a_file_is_left_behind",
    "A changed test writes a file that other code reads if it is there.",
    "(int(FILE.read_text()) if FILE.exists() else 20)",
    '    from pathlib import Path\n    Path("rate.tmp").write_text("7")\n',
    head='from pathlib import Path\n\nFILE = Path("rate.tmp")\n',
)
change(
    "a_content_of_the_class",
    "A changed method alters a list of its class; another test ran it.",
    {
        "shop/state.py": "class Cart:\n    items = []\n\n    def add(self, item):\n        self.items = [*self.items, item]\n",
        "tests/test_a.py": "from shop.state import Cart\n\n\ndef test_a():\n    Cart().add(7)\n",
        "shop/tax.py": tax("(20 if not Cart().items else 7)", "from shop.state import Cart\n"),
    },
    {"shop/state.py": swap("self.items = [*self.items, item]", "self.items.append(item)")},
)
change(
    "an_attribute_of_the_type",
    "A changed method sets an attribute of type(self); another test ran it.",
    {
        "shop/state.py": "class Cart:\n    rate = 20\n\n    def reduce(self):\n        self.rate = 7\n",
        "tests/test_a.py": "from shop.state import Cart\n\n\ndef test_a():\n    Cart().reduce()\n",
        "shop/tax.py": tax("Cart().rate", "from shop.state import Cart\n"),
    },
    {"shop/state.py": swap("self.rate = 7", "type(self).rate = 7")},
)
change(
    "a_cached_function_of_a_changed_one",
    "A cached function gives what a changed one gave in another test.",
    {
        "shop/state.py": "import functools\n\ndef base():\n    return 20\n\n@functools.lru_cache\ndef rate():\n    return base()\n",
        "tests/test_a.py": "from shop.state import rate\n\n\ndef test_a():\n    assert rate()\n",
        "shop/tax.py": tax("rate()", "from shop.state import rate\n"),
    },
    {"shop/state.py": swap("return 20", "return 7")},
)
change(
    "a_file_of_tests_is_gone",
    "The test is deleted that had set up what this one needs.",
    {
        "shop/state.py": _STATE.replace("RATE = 20", "RATE = 7", 1),
        "shop/tax.py": tax("state.RATE", "from shop import state\n"),
        "tests/test_a.py": "from shop import state\n\n\ndef test_a():\n    state.RATE = 20\n",
    },
    {"tests/test_a.py": None},
)
change(
    "a_test_is_gone",
    "The test is deleted from a file that had set up what this one needs.",
    {
        "shop/state.py": _STATE.replace("RATE = 20", "RATE = 7", 1),
        "shop/tax.py": tax("state.RATE", "from shop import state\n"),
        "tests/test_a.py": "from shop import state\n\n\ndef test_a():\n    state.RATE = 20\n\n\ndef test_b():\n    pass\n",
    },
    {"tests/test_a.py": "from shop import state\n\n\ndef test_b():\n    pass\n"},
)
change(
    "a_file_of_tests_has_another_name",
    "The file of the test that set up what this one needs is run later now.",
    {
        "shop/state.py": _STATE.replace("RATE = 20", "RATE = 7", 1),
        "shop/tax.py": tax("state.RATE", "from shop import state\n"),
        "tests/test_a.py": "from shop import state\n\n\ndef test_a():\n    state.RATE = 20\n",
    },
    {
        "tests/test_a.py": None,
        "tests/test_z.py": "from shop import state\n\n\ndef test_a():\n    state.RATE = 20\n",
    },
)
