# ruff: noqa: E501 - the files of a story are easier to read in one line
"""Genuine failures that were called flaky when somebody looked for such: the third part."""

from __future__ import annotations

from tests.scenarios.adversarial import change
from tests.scenarios.builder import Swap

change(
    "o_typing_namedtuple",
    "Typing.NamedTuple fields change places, unpacked elsewhere.",
    {
        "shop/row.py": "from typing import NamedTuple\n\nclass Row(NamedTuple):\n    net: int = 100\n    rate: int = 20\n",
        "shop/tax.py": "from shop.row import Row\n\ndef tax(n):\n    net, rate = Row()\n    return net * rate // 100 + rate - 20\n",
    },
    {
        "shop/row.py": Swap(
            old="    net: int = 100\n    rate: int = 20\n",
            new="    rate: int = 20\n    net: int = 100\n",
        )
    },
)
change(
    "o_enum_constants",
    "Enum members with constants change places; first of list(Kind) is default.",
    {
        "shop/kinds.py": "from enum import Enum\n\nclass Kind(Enum):\n    FULL = 20\n    LOW = 7\n",
        "shop/tax.py": "from shop.kinds import Kind\n\ndef tax(n):\n    return list(Kind)[0].value\n",
    },
    {"shop/kinds.py": Swap(old="    FULL = 20\n    LOW = 7\n", new="    LOW = 7\n    FULL = 20\n")},
)
change(
    "o_enum_alias",
    "Two enum names of one value change places: the other becomes the canonical name.",
    {
        "shop/kinds.py": "from enum import Enum\n\nclass Kind(Enum):\n    FULL = 20\n    STANDARD = 20\n",
        "shop/tax.py": "from shop.kinds import Kind\n\ndef tax(n):\n    return {'FULL': 20}.get(Kind(20).name, 7)\n",
    },
    {
        "shop/kinds.py": Swap(
            old="    FULL = 20\n    STANDARD = 20\n", new="    STANDARD = 20\n    FULL = 20\n"
        )
    },
)
change(
    "o_functions_of_module_in_order",
    "Functions of a module change places; vars(module) order makes a pipeline.",
    {
        "shop/steps.py": "def step_add(n):\n    return n + 40\n\n\ndef step_half(n):\n    return n // 7\n",
        "shop/tax.py": "from shop import steps\n\ndef tax(n):\n    for name, f in list(vars(steps).items()):\n        if name.startswith('step_'):\n            n = f(n)\n    return n\n",
    },
    {
        "shop/steps.py": "def step_half(n):\n    return n // 7\n\n\ndef step_add(n):\n    return n + 40\n"
    },
)
change(
    "y_getfixturevalue_computed",
    "Fixture renamed that a test asks for by getfixturevalue(f'...').",
    {
        "tests/conftest.py": "import pytest\n\n@pytest.fixture\ndef vat_rate():\n    return 20\n",
        "tests/test_tax.py": "def test_tax(request):\n    kind = 'vat'\n    assert request.getfixturevalue(f'{kind}_rate') == 20\n",
    },
    {
        "tests/conftest.py": "import pytest\n\n@pytest.fixture\ndef value_added_rate():\n    return 20\n"
    },
)
change(
    "w_migrations_pkgutil",
    "A new module in migrations discovered by pkgutil.iter_modules (names only).",
    {
        "shop/migrations/__init__.py": "",
        "shop/migrations/m1.py": "",
        "shop/tax.py": "import pkgutil\nimport shop.migrations\n\ndef tax(n):\n    return 20 * len(list(pkgutil.iter_modules(shop.migrations.__path__)))\n",
    },
    {"shop/migrations/m2.py": ""},
)
change(
    "e_patcher_on_self",
    "Changed setUp of another TestCase starts self.patcher, never stopped.",
    {
        "shop/state.py": "RATE = 20\n",
        "shop/tax.py": "from shop import state\n\n\ndef tax(net):\n    return net * state.RATE // 100\n",
        "tests/test_a.py": "import unittest\nfrom unittest import mock\n\nclass TestA(unittest.TestCase):\n    def setUp(self):\n        self.x = 1\n    def test_a(self):\n        self.assertTrue(self.x)\n",
    },
    {
        "tests/test_a.py": Swap(
            old="        self.x = 1\n",
            new="        self.x = 1\n        self.patcher = mock.patch('shop.state.RATE', 7)\n        self.patcher.start()\n",
        )
    },
)
change(
    "e_addcleanup_lost",
    "AddCleanup(self.patcher.stop) is lost.",
    {
        "shop/state.py": "RATE = 20\n",
        "shop/tax.py": "from shop import state\n\n\ndef tax(net):\n    return net * state.RATE // 100\n",
        "tests/test_a.py": "import unittest\nfrom unittest import mock\n\nclass TestA(unittest.TestCase):\n    def setUp(self):\n        self.patcher = mock.patch('shop.state.RATE', 7)\n        self.patcher.start()\n        self.addCleanup(self.patcher.stop)\n    def test_a(self):\n        self.assertTrue(1)\n",
    },
    {"tests/test_a.py": Swap(old="        self.addCleanup(self.patcher.stop)\n", new="")},
)
change(
    "e_teardown_stop_lost",
    "TearDown with self.patcher.stop() is deleted.",
    {
        "shop/state.py": "RATE = 20\n",
        "shop/tax.py": "from shop import state\n\n\ndef tax(net):\n    return net * state.RATE // 100\n",
        "tests/test_a.py": "import unittest\nfrom unittest import mock\n\nclass TestA(unittest.TestCase):\n    def setUp(self):\n        self.patcher = mock.patch('shop.state.RATE', 7)\n        self.patcher.start()\n    def tearDown(self):\n        self.patcher.stop()\n    def test_a(self):\n        self.assertTrue(1)\n",
    },
    {"tests/test_a.py": Swap(old="    def tearDown(self):\n        self.patcher.stop()\n", new="")},
)
change(
    "e_doc_in_command_registry",
    "Help lines made of f.__doc__ from a table in another module; docstring edited.",
    {
        "shop/cmds.py": "def tax():\n    '''20'''\n\nCOMMANDS = {'tax': tax}\n",
        "shop/help.py": "def help_of(commands):\n    return [f.__doc__ for f in commands.values()]\n",
        "tests/test_tax.py": "from shop.cmds import COMMANDS\nfrom shop.help import help_of\n\ndef test_tax():\n    assert help_of(COMMANDS) == ['20']\n",
    },
    {"shop/cmds.py": Swap(old="'''20'''", new="'''7'''")},
)
change(
    "e_cmd_module_help",
    "Cmd.Cmd shell: docstring of do_x is the help.",
    {
        "shop/shell.py": "import cmd\n\nclass Shell(cmd.Cmd):\n    def do_tax(self, arg):\n        '''Twenty.'''\n",
        "tests/test_tax.py": "import io\nfrom shop.shell import Shell\n\ndef test_tax():\n    out = io.StringIO()\n    Shell(stdout=out).onecmd('help tax')\n    assert 'Twenty' in out.getvalue()\n",
    },
    {"shop/shell.py": Swap(old="Twenty.", new="Seven.")},
)
change(
    "e_iter_modules_lazy",
    "Names of modules by pkgutil.iter_modules in a function (new one breaks a list).",
    {
        "shop/plugins/__init__.py": "",
        "shop/plugins/vat.py": "",
        "shop/tax.py": "import pkgutil\nfrom shop import plugins\n\ndef names():\n    return [m.name for m in pkgutil.iter_modules(plugins.__path__)]\n\ndef tax(n):\n    return 20 if names() == ['vat'] else 7\n",
    },
    {"shop/plugins/duty.py": ""},
)
