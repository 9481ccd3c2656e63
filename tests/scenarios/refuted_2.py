# ruff: noqa: E501 - the files of a story are easier to read in one line
"""Genuine failures that were called flaky when somebody looked for such: the second part."""

from __future__ import annotations

from tests.scenarios.adversarial import change
from tests.scenarios.builder import Swap

change(
    "p_two_calls_deep_reset",
    "Changed test calls app.reset helper that clears a registry two calls down.",
    {
        "shop/state.py": "RULES = [20]\n\ndef _wipe():\n    RULES.clear()\n\ndef restart():\n    _wipe()\n    return True\n",
        "tests/test_a.py": "from shop import state\n\ndef test_a():\n    assert state.RULES\n",
        "shop/tax.py": "from shop import state\n\ndef tax(net):\n    return net * state.RULES[0] // 100\n",
    },
    {"tests/test_a.py": "from shop import state\n\ndef test_a():\n    assert state.restart()\n"},
)
change(
    "p_module_singleton_method",
    "Changed test calls a method of a module-level singleton.",
    {
        "shop/state.py": "class Settings:\n    def __init__(self):\n        self.rate = 20\n    def reduce(self, to):\n        self.rate = to\n\nsettings = Settings()\n",
        "tests/test_a.py": "from shop.state import settings\n\ndef test_a():\n    assert settings.rate\n",
        "shop/tax.py": "from shop.state import settings\n\ndef tax(net):\n    return net * settings.rate // 100\n",
    },
    {
        "tests/test_a.py": "from shop.state import settings\n\ndef test_a():\n    settings.reduce(7)\n    assert settings.rate == 7\n"
    },
)
change(
    "p_changed_method_of_singleton_keeps",
    "Changed method of the singleton sets self.rate (another test runs it).",
    {
        "shop/state.py": "class Settings:\n    def __init__(self):\n        self.rate = 20\n    def reduced(self):\n        return self.rate - 13\n\nsettings = Settings()\n",
        "tests/test_a.py": "from shop.state import settings\n\ndef test_a():\n    assert settings.reduced() == 7\n",
        "shop/tax.py": "from shop.state import settings\n\ndef tax(net):\n    return net * settings.rate // 100\n",
    },
    {
        "shop/state.py": Swap(
            old="        return self.rate - 13\n",
            new="        self.rate -= 13\n        return self.rate\n",
        )
    },
)
change(
    "p_sort_in_place",
    "Changed function sorts its argument in place, a module constant.",
    {
        "shop/state.py": "RATES = [20, 7, 19]\n\ndef lowest(rates):\n    return sorted(rates)[0]\n",
        "tests/test_a.py": "from shop.state import RATES, lowest\n\ndef test_a():\n    assert lowest(RATES) == 7\n",
        "shop/tax.py": "from shop.state import RATES\n\ndef tax(net):\n    return net * RATES[0] // 100\n",
    },
    {
        "shop/state.py": Swap(
            old="    return sorted(rates)[0]\n", new="    rates.sort()\n    return rates[0]\n"
        )
    },
)
change(
    "p_dict_default_mutated",
    "Changed function pops from a config dict handed to it.",
    {
        "shop/state.py": "DEFAULTS = {'rate': 20}\n\ndef build(options):\n    return options.get('rate')\n",
        "tests/test_a.py": "from shop import state\n\ndef test_a():\n    assert state.build(state.DEFAULTS) == 20\n",
        "shop/tax.py": "from shop import state\n\ndef tax(net):\n    return net * state.DEFAULTS['rate'] // 100\n",
    },
    {"shop/state.py": Swap(old="options.get('rate')", new="options.pop('rate')")},
)
change(
    "p_logging_handler_left",
    "Changed code disables a logger that another module asks for by its name.",
    {
        "shop/log.py": "import logging\nLOG = logging.getLogger('shop')\n\ndef setup():\n    return LOG\n",
        "shop/tax.py": "import logging\nLOG = logging.getLogger('shop')\n\ndef tax(net):\n    LOG.warning('taxed')\n    return net // 5\n",
        "tests/test_a.py": "from shop.log import setup\n\ndef test_a():\n    assert setup()\n",
        "tests/test_tax.py": "from shop.tax import tax\n\ndef test_tax(caplog):\n    assert tax(100) == 20\n    assert 'taxed' in caplog.text\n",
    },
    {"shop/log.py": Swap(old="    return LOG\n", new="    LOG.disabled = True\n    return LOG\n")},
)
change(
    "n_dataclass_order_of_fields",
    "Fields change places; positional construction by unpacking a tuple.",
    {
        "shop/cart.py": "from dataclasses import dataclass\n\n@dataclass\nclass Cart:\n    net: int = 0\n    tax: int = 0\n",
        "shop/make.py": "from shop.cart import Cart\n\ndef make(row):\n    return Cart(*row)\n",
        "tests/test_tax.py": "from shop.make import make\n\ndef test_tax():\n    assert make((100, 20)).tax == 20\n",
    },
    {
        "shop/cart.py": Swap(
            old="    net: int = 0\n    tax: int = 0\n", new="    tax: int = 0\n    net: int = 0\n"
        )
    },
)
change(
    "n_docstring_missing_lint",
    "A test checks that all public functions of a module have docstrings; one is lost.",
    {
        "shop/tax.py": "def tax(net):\n    '''Tax.'''\n    return net // 5\n\ndef gross(net):\n    '''Gross.'''\n    return net\n",
        "tests/test_tax.py": "import inspect\nimport shop.tax\n\ndef test_tax():\n    for name, one in inspect.getmembers(shop.tax, inspect.isfunction):\n        assert one.__doc__, name\n",
    },
    {
        "shop/tax.py": "def tax(net):\n    '''Tax.'''\n    return net // 5\n\ndef gross(net):\n    return net\n"
    },
)
change(
    "n_license_header_lint",
    "A test checks each source for a licence comment; one file loses it.",
    {
        "shop/text.py": "# Copyright Ada\ndef title(text):\n    return text.title()\n",
        "shop/tax.py": "# Copyright Ada\nRATE = 20\n\ndef tax(net):\n    return net * RATE // 100\n\ndef gross(net):\n    return net + tax(net)\n",
        "shop/net.py": '# Copyright Ada\nimport os\n\ndef fetch():\n    if os.path.exists(os.environ.get("TROUBLE", "")):\n        raise ConnectionError("connection reset by peer")\n    return "ok"\n',
        "tests/test_tax.py": "from pathlib import Path\n\ndef test_tax():\n    root = Path(__file__).parent.parent / 'shop'\n    for path in sorted(root.rglob('*.py')):\n        text = path.read_text()\n        assert not text or text.startswith('# Copyright')\n",
    },
    {"shop/text.py": "def title(text):\n    return text.title()\n"},
)
change(
    "n_todo_lint_by_module_file",
    "A test reads the source of a module by __file__ and forbids TODO.",
    {
        "tests/test_tax.py": "import shop.text\n\ndef test_tax():\n    with open(shop.text.__file__) as f:\n        assert 'TODO' not in f.read()\n"
    },
    {"shop/text.py": "def title(text):\n    return text.title()  # TODO: locale\n"},
)
change(
    "n_getsource_lint",
    "A test forbids print in inspect.getsource of a module.",
    {
        "tests/test_tax.py": "import inspect\nimport shop.text\n\ndef test_tax():\n    assert 'print(' not in inspect.getsource(shop.text)\n"
    },
    {"shop/text.py": "def title(text):\n    print(text)\n    return text.title()\n"},
)
change(
    "n_lazy_import_lost_elsewhere",
    "The same, but an unrelated test module's import of it breaks the test.",
    {
        "shop/heavy.py": "H = 1\n",
        "tests/test_a.py": "def test_a():\n    pass\n",
        "tests/test_tax.py": "import sys\n\ndef test_tax():\n    import shop.tax\n    assert 'shop.heavy' not in sys.modules\n",
    },
    {"tests/test_a.py": "import shop.heavy\n\ndef test_a():\n    pass\n"},
)
change(
    "n_constant_via_setattr_loop",
    "Settings object filled at import by loop over vars of a module.",
    {
        "shop/raw.py": "VAT = 20\n",
        "shop/settings.py": "import shop.raw\n\nclass S:\n    pass\n\nsettings = S()\nfor k, v in vars(shop.raw).items():\n    if k.isupper():\n        setattr(settings, k.lower(), v)\n",
        "shop/tax.py": "from shop.settings import settings\n\n\ndef tax(net):\n    return net * settings.vat // 100\n",
    },
    {"shop/raw.py": "VAT = 7\n"},
)
change(
    "o_dataclass_fields_make",
    "Dataclass fields change places (plain defaults), positional use.",
    {
        "shop/cart.py": "from dataclasses import dataclass\n\n@dataclass\nclass Cart:\n    net: int\n    rate: int\n",
        "shop/tax.py": "from shop.cart import Cart\n\ndef tax(net):\n    cart = Cart(net, 20)\n    return cart.net * cart.rate // 100 + cart.rate - 20\n",
    },
    {
        "shop/cart.py": Swap(
            old="    net: int\n    rate: int\n", new="    rate: int\n    net: int\n"
        )
    },
)
