# ruff: noqa: E501 - the files of a story are easier to read in one line
"""Genuine failures that were called flaky when somebody looked for such: the fourth part."""

from __future__ import annotations

from tests.scenarios.adversarial import change
from tests.scenarios.builder import Swap

_IN_CLASS = "import pytest\nfrom shop.tax import tax\n\n\nclass TestTax:\n    def test_tax(self):\n        assert tax(100) == 20\n"

change(
    "a_class_uses_a_fixture",
    "A class of tests gets usefixtures, and the fixture is there already.",
    {
        "tests/conftest.py": "import pytest\nfrom shop import tax\n\n\n@pytest.fixture\ndef low(monkeypatch):\n    monkeypatch.setattr(tax, 'RATE', 7)\n",
        "tests/test_tax.py": _IN_CLASS,
    },
    {
        "tests/test_tax.py": Swap(
            old="class TestTax:", new='@pytest.mark.usefixtures("low")\nclass TestTax:'
        )
    },
    "test_tax.py::TestTax::test_tax",
)
change(
    "a_class_is_patched",
    "A class of tests is decorated with mock.patch.",
    {"tests/test_tax.py": "from unittest import mock\n" + _IN_CLASS},
    {
        "tests/test_tax.py": Swap(
            old="class TestTax:", new='@mock.patch("shop.tax.RATE", 7)\nclass TestTax:'
        )
    },
    "test_tax.py::TestTax::test_tax",
)
change(
    "a_class_is_no_test_case_any_more",
    "A class loses its base, and with it setUp is called by nobody.",
    {
        "tests/test_tax.py": "import unittest\nfrom shop import tax\n\n\nclass Base(unittest.TestCase):\n    def setUp(self):\n        self.net = 100\n\n\nclass TestTax(Base):\n    net = 0\n\n    def test_tax(self):\n        assert tax.tax(self.net) == 20\n",
    },
    {"tests/test_tax.py": Swap(old="class TestTax(Base):", new="class TestTax:")},
    "test_tax.py::TestTax::test_tax",
)
change(
    "a_base_class_is_patched",
    "The base of a class of tests gets a mark that its tests inherit.",
    {
        "tests/conftest.py": "import pytest\nfrom shop import tax\n\n\n@pytest.fixture\ndef low(monkeypatch):\n    monkeypatch.setattr(tax, 'RATE', 7)\n",
        "tests/base.py": "import pytest\n\n\nclass Base:\n    __test__ = False\n",
        "tests/test_tax.py": "from base import Base\nfrom shop.tax import tax\n\n\nclass TestTax(Base):\n    __test__ = True\n\n    def test_tax(self):\n        assert tax(100) == 20\n",
    },
    {"tests/base.py": Swap(old="class Base:", new='@pytest.mark.usefixtures("low")\nclass Base:')},
    "test_tax.py::TestTax::test_tax",
)
change(
    "a_level_of_logs_is_set",
    "The level of logs in pytest's settings decides what caplog sees.",
    {
        "pyproject.toml": '[tool.pytest.ini_options]\npythonpath = ["."]\nlog_level = "INFO"\n',
        "tests/test_tax.py": "import logging\n\n\ndef test_tax(caplog):\n    logging.getLogger('shop').info('tax')\n    assert 'tax' in caplog.text\n",
    },
    {"pyproject.toml": Swap(old="INFO", new="ERROR")},
)
change(
    "nothing_is_captured_any_more",
    "The project's own options turn capturing off, which code sees by sys.stdout.",
    {
        "tests/test_tax.py": "import sys\n\n\ndef test_tax():\n    assert sys.stdout is not sys.__stdout__\n",
    },
    {
        "pyproject.toml": Swap(
            old='pythonpath = ["."]\n', new='pythonpath = ["."]\naddopts = "-s"\n'
        )
    },
)
change(
    "a_thread_loses_its_run",
    "The method that threads run is renamed, and nobody names it.",
    {
        "shop/work.py": "import threading\n\n\nclass Work(threading.Thread):\n    rate = 7\n\n    def run(self):\n        self.rate = 20\n",
        "shop/tax.py": "from shop.work import Work\n\n\ndef tax(net):\n    work = Work()\n    work.start()\n    work.join()\n    return work.rate\n",
    },
    {"shop/work.py": Swap(old="def run(self)", new="def work(self)")},
)
change(
    "an_enumeration_loses_its_default",
    "The method that finds members for unknown values is gone.",
    {
        "shop/kinds.py": "from enum import Enum\n\n\nclass Kind(Enum):\n    FULL = 20\n\n    @classmethod\n    def _missing_(cls, value):\n        return cls.FULL\n",
        "shop/tax.py": "from shop.kinds import Kind\n\n\ndef tax(net):\n    return Kind(21).value\n",
    },
    {
        "shop/kinds.py": Swap(
            old="\n    @classmethod\n    def _missing_(cls, value):\n        return cls.FULL\n",
            new="",
        )
    },
)
change(
    "a_test_has_no_set_up_any_more",
    "asyncSetUp of a base is renamed.",
    {
        "tests/test_tax.py": "import unittest\n\n\nclass Base(unittest.IsolatedAsyncioTestCase):\n    rate = 7\n\n    async def asyncSetUp(self):\n        self.rate = 20\n\n\nclass TestTax(Base):\n    async def test_tax(self):\n        assert self.rate == 20\n",
    },
    {"tests/test_tax.py": Swap(old="asyncSetUp", new="async_set_up")},
    "test_tax.py::TestTax::test_tax",
)
for _name, _call, _read in (
    ("mimetypes", "mimetypes.add_type('text/x-tax', '.tax')", "mimetypes.guess_type('a.tax')[0]"),
    ("csv", "csv.field_size_limit(7)", "csv.field_size_limit() == 7"),
    ("gc", "gc.disable()", "not gc.isenabled()"),
):
    change(
        f"an_earlier_test_sets_up_{_name}",
        f"Changed code of an earlier test leaves {_name} in another state.",
        {
            "shop/a.py": f"import {_name}\n\n\ndef start():\n    return {_name}\n",
            "shop/tax.py": f"import {_name}\n\n\ndef tax(net):\n    return 7 if {_read} else 20\n",
            "tests/test_a.py": "from shop.a import start\n\n\ndef test_a():\n    start()\n",
        },
        {"shop/a.py": Swap(old="    return ", new=f"    {_call}\n    return ")},
    )
change(
    "a_new_abstract_method",
    "A base gets an abstract method that a subclass elsewhere does not have.",
    {
        "shop/base.py": "from abc import ABC, abstractmethod\n\n\nclass Base(ABC):\n    pass\n",
        "shop/tax.py": "from shop.base import Base\n\n\nclass Tax(Base):\n    rate = 20\n\n\ndef tax(net):\n    return Tax().rate\n",
    },
    {
        "shop/base.py": Swap(
            old="    pass\n", new="    @abstractmethod\n    def label(self):\n        ...\n"
        )
    },
)
change(
    "annotations_are_text_now",
    "Annotations are not evaluated any more, and a registry elsewhere reads them.",
    {
        "shop/row.py": "class Row:\n    rate: int = 20\n",
        "shop/cast.py": "def cast(row):\n    return {name: kind for name, kind in row.__annotations__.items()}\n",
        "tests/test_tax.py": "from shop.cast import cast\nfrom shop.row import Row\n\n\ndef test_tax():\n    assert cast(Row) == {'rate': int}\n",
    },
    {"shop/row.py": "from __future__ import annotations\n\n\nclass Row:\n    rate: int = 20\n"},
)
change(
    "annotations_are_text_in_the_tests_own_file",
    "The test's own file postpones annotations, and looks at them.",
    {
        "tests/test_tax.py": "def rate(net: int) -> int:\n    return 20\n\n\ndef test_tax():\n    assert rate.__annotations__['net'] is int\n",
    },
    {
        "tests/test_tax.py": Swap(
            old="def rate", new="from __future__ import annotations\n\n\ndef rate"
        )
    },
)
change(
    "what_unittest_reads_of_a_class",
    "A class of tests sets longMessage, which unittest alone reads.",
    {
        "tests/test_tax.py": "import unittest\n\n\nclass TestTax(unittest.TestCase):\n    longMessage = False\n\n    def test_tax(self):\n        with self.assertRaises(AssertionError) as caught:\n            self.assertEqual(20, 7, 'tax')\n        self.assertEqual(str(caught.exception), 'tax')\n",
    },
    {"tests/test_tax.py": Swap(old="longMessage = False", new="longMessage = True")},
    "test_tax.py::TestTax::test_tax",
)
change(
    "the_mask_of_the_process_by_another_name",
    "Changed code of an earlier test sets the mask of new files by an imported name.",
    {
        "shop/a.py": "from os import umask\n\n\ndef start():\n    return umask\n",
        "shop/tax.py": "import os\n\n\ndef tax(net):\n    old = os.umask(0)\n    os.umask(old)\n    return 7 if old == 0o77 else 20\n",
        "tests/test_a.py": "from shop.a import start\n\n\ndef test_a():\n    start()\n",
    },
    {"shop/a.py": Swap(old="    return ", new="    umask(0o77)\n    return ")},
)
_MADE = "class Options:\n    def __init__(self):\n        self.rate = self.default()\n\n    @staticmethod\n    def default():\n        return 20\n\n    def tax(self, net):\n        return net * self.rate // 100\n\n\ntax = Options().tax\n"
change(
    "made_before_anybody_watched",
    "A category of warnings has the project's code imported before plugins are loaded.",
    {
        "pyproject.toml": '[tool.pytest.ini_options]\npythonpath = ["."]\nfilterwarnings = ["ignore::shop.odd.Odd"]\n',
        "shop/__init__.py": "from shop.options import tax\n",
        "shop/odd.py": "class Odd(UserWarning):\n    pass\n",
        "shop/options.py": _MADE,
        "tests/test_tax.py": "from shop.options import tax\n\n\ndef test_tax():\n    assert tax(100) == 20\n",
    },
    {"shop/options.py": Swap(old="return 20", new="return 7")},
)
change(
    "made_by_a_plugin_of_the_project",
    "A plugin of the project's own, named on the command line, makes a table when it is loaded.",
    {
        "pyproject.toml": '[tool.pytest.ini_options]\npythonpath = ["."]\naddopts = "-p shop.plugin"\n',
        "shop/plugin.py": "import json\nimport pathlib\n\nfrom shop.options import tax\n\nRATES = {}\nfor file in sorted(pathlib.Path(__file__).parent.glob('*.json')):\n    RATES[file.stem] = json.loads(file.read_text())\n",
        "shop/vat.json": "20",
        "shop/options.py": _MADE,
        "tests/test_tax.py": "from shop.plugin import RATES, tax\n\n\ndef test_tax():\n    assert tax(100) == RATES['vat']\n",
    },
    {"shop/vat.json": "7"},
)
change(
    "a_new_function_that_a_computed_name_may_miss",
    "A module that is loaded by its name got the hook that the loader asks for if there is one.",
    {
        "shop/text.py": "RATE = 20\n",
        "shop/tax.py": "from importlib import import_module\n\nHOOKS = ('set' + '_up',)\n\n\ndef tax(net):\n    module = import_module('shop.text')\n    for name in HOOKS:\n        getattr(module, name, print)()\n    return module.RATE\n",
    },
    {"shop/text.py": "RATE = 20\n\n\ndef set_up():\n    global RATE\n    RATE = 7\n"},
)
change(
    "whether_there_is_an_attribute",
    "A method is gone, of which code asks by a computed name whether it is there.",
    {
        "shop/rules.py": "class Rules:\n    def on_vat(self):\n        return 1\n",
        "shop/tax.py": "from shop.rules import Rules\n\n\ndef tax(net, kind='vat'):\n    return 20 if hasattr(Rules(), f'on_{kind}') else 7\n",
    },
    {"shop/rules.py": "class Rules:\n    pass\n"},
)
_ORDERS = "def create():\n    return 20\n"
_WIDE = 'import pytest\n\n\n@pytest.fixture(scope="session")\ndef state():\n    return {}\n'
for _name, _write, _read in (
    ("a_session_fixture", "state['order'] = create()", "state['order'] == 20"),
    ("the_environment", "os.environ['ORDER'] = str(create())", "os.environ['ORDER'] == '20'"),
    ("the_module_of_pytest", "pytest.order = create()", "pytest.order == 20"),
):
    change(
        f"what_a_test_leaves_for_the_next_in_{_name}",
        "A test puts what changed code gives where the next one finds it.",
        {
            "shop/orders.py": _ORDERS,
            "tests/conftest.py": _WIDE,
            "tests/test_a.py": f"import os\nimport pytest\nfrom shop.orders import create\n\n\ndef test_a(state):\n    {_write}\n",
            "tests/test_tax.py": f"import os\nimport pytest\n\n\ndef test_tax(state):\n    assert {_read}\n",
        },
        {"shop/orders.py": Swap(old="20", new="7")},
    )
_APP = "class Item:\n    price = 20\n\n\nclass App:\n    def __init__(self):\n        self.rate = 20\n        self.items = [Item()]\n        self._settings = {'rate': 20}\n\n    def settings(self):\n        return self._settings\n\n\napp = App()\n\n\ndef get_app():\n    return app\n"
for _name, _fixture, _write, _read in (
    ("a_fixture_that_hands_on", "app", "client.rate = 7", "client.rate"),
    (
        "what_a_method_gives",
        "app",
        "s = client.settings(); s['rate'] = 7",
        "client.settings()['rate']",
    ),
    ("what_a_loop_gives", "app", "for x in client.items: x.price = 7", "client.items[0].price"),
    (
        "what_everybody_gets",
        "app",
        "from shop.app import get_app; a = get_app(); a.rate = 7",
        "client.rate",
    ),
):
    change(
        f"a_test_alters_{_name}",
        "A changed test alters what later ones get, too.",
        {
            "shop/app.py": _APP,
            "tests/conftest.py": f"import pytest\nfrom shop.app import app\n\n\n@pytest.fixture\ndef client():\n    return {_fixture}\n",
            "tests/test_a.py": "def test_a(client):\n    assert client\n",
            "tests/test_tax.py": f"def test_tax(client):\n    assert {_read} == 20\n",
        },
        {"tests/test_a.py": Swap(old="    assert client\n", new=f"    {_write}\n")},
    )
change(
    "a_thread_runs_on",
    "Changed code of an earlier test leaves a thread running.",
    {
        "shop/a.py": "import threading\nimport time\n\n\ndef start():\n    return threading, time\n",
        "tests/test_a.py": "from shop.a import start\n\n\ndef test_a():\n    start()\n",
        "tests/test_tax.py": "import threading\n\n\ndef test_tax():\n    assert threading.active_count() == 1\n",
    },
    {
        "shop/a.py": Swap(
            old="    return ",
            new="    threading.Thread(target=time.sleep, args=(20,), daemon=True).start()\n    return ",
        )
    },
)
for _name, _lookup in (
    ("with_a_default", "getattr(rates, kind.upper(), None)"),
    ("by_a_path", "pkgutil.resolve_name('shop.rates:' + kind.upper())"),
    ("by_an_operator", "operator.attrgetter(kind.upper())(rates)"),
    ("handed_on", "functools.reduce(getattr, [kind.upper()], rates)"),
):
    change(
        f"a_name_is_computed_{_name}",
        "A constant is asked for by a name that no text has.",
        {
            "shop/rates.py": "VAT = 20\n",
            "shop/tax.py": f"import functools\nimport operator\nimport pkgutil\n\nfrom shop import rates\n\n\ndef tax(net, kind='vat'):\n    return {_lookup}\n",
        },
        {"shop/rates.py": "VAT = 7\n"},
    )
change(
    "a_command_is_found_by_a_computed_name",
    "A method is renamed that another one finds by a computed name, or goes on without.",
    {
        "shop/shell.py": "class Shell:\n    def run(self, name):\n        command = getattr(self, f'do_{name}', None)\n        return command() if command else 7\n\n    def do_tax(self):\n        return 20\n",
        "shop/tax.py": "from shop.shell import Shell\n\n\ndef tax(net):\n    return Shell().run('tax')\n",
    },
    {"shop/shell.py": Swap(old="do_tax", new="do_taxes")},
)
change(
    "what_is_patched_by_a_computed_name",
    "A method is renamed that the test patches by a path with its module's name.",
    {
        "shop/rates.py": "class Rates:\n    def vat(self):\n        return 20\n",
        "tests/test_tax.py": "from unittest import mock\n\nfrom shop import rates\n\n\ndef test_tax():\n    with mock.patch(f'{rates.__name__}.Rates.vat', return_value=7):\n        pass\n",
    },
    {"shop/rates.py": Swap(old="def vat", new="def get_vat")},
)
change(
    "what_is_patched_by_keywords",
    "A method is renamed that the test patches by a keyword.",
    {
        "shop/rates.py": "class Rates:\n    def vat(self):\n        return 20\n",
        "tests/test_tax.py": "from unittest import mock\n\nfrom shop.rates import Rates\n\n\ndef test_tax():\n    with mock.patch.multiple(Rates, vat=7):\n        pass\n",
    },
    {"shop/rates.py": Swap(old="def vat", new="def get_vat")},
)
change(
    "a_copy_is_dropped",
    "A function gives the table itself, no copy, and an earlier test alters what it gets.",
    {
        "shop/conf.py": "BASE = {'rate': 20}\n\n\ndef load():\n    return dict(BASE)\n",
        "tests/test_a.py": "from shop.conf import load\n\n\ndef test_a():\n    load()['rate'] = 7\n",
        "tests/test_tax.py": "from shop import conf\n\n\ndef test_tax():\n    assert conf.BASE['rate'] == 20\n",
    },
    {"shop/conf.py": Swap(old="dict(BASE)", new="BASE")},
)
change(
    "a_fixture_gives_no_copy",
    "A fixture gives the table itself, no copy, and an earlier test alters what it gets.",
    {
        "tests/conftest.py": "import pytest\n\nBASE = {'rate': 20}\n\n\n@pytest.fixture\ndef base():\n    return dict(BASE)\n",
        "tests/test_a.py": "def test_a(base):\n    base['rate'] = 7\n",
        "tests/test_tax.py": "def test_tax(base):\n    assert base['rate'] == 20\n",
    },
    {"tests/conftest.py": Swap(old="dict(BASE)", new="BASE")},
)
change(
    "a_child_at_import",
    "A script changed that a module runs as a child process when it is imported.",
    {
        "tools/rate.py": "print(20)\n",
        "shop/tax.py": "import subprocess\nimport sys\n\nRATE = int(subprocess.check_output([sys.executable, 'tools/rate.py']))\n\n\ndef tax(net):\n    return RATE\n",
    },
    {"tools/rate.py": "print(7)\n"},
)
