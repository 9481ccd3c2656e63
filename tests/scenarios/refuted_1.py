# ruff: noqa: E501 - the files of a story are easier to read in one line
"""Genuine failures that were called flaky when somebody looked for such: the first part."""

from __future__ import annotations

from tests.scenarios.adversarial import change
from tests.scenarios.builder import Swap

change(
    "k_class_level_dict_via_self",
    "Class-level dict cache filled through self.",
    {
        "shop/load.py": "def load():\n    return 20\n",
        "shop/state.py": 'from shop.load import load\nclass Rates:\n    _cache = {}\n    def get(self, key):\n        if key not in self._cache:\n            self._cache[key] = load()\n        return self._cache[key]\ndef rate():\n    return Rates().get("de")\n',
        "tests/test_a.py": "from shop import state\n\ndef test_a():\n    assert state.rate()\n",
        "shop/tax.py": "from shop import state\n\ndef tax(net):\n    return net * state.rate() // 100\n",
    },
    {"shop/load.py": "def load():\n    return 7\n"},
)
change(
    "k_mutable_default_cache",
    "Mutable default argument as cache.",
    {
        "shop/load.py": "def load():\n    return 20\n",
        "shop/state.py": 'from shop.load import load\ndef rate(_cache={}):\n    if "de" not in _cache:\n        _cache["de"] = load()\n    return _cache["de"]\n',
        "tests/test_a.py": "from shop import state\n\ndef test_a():\n    assert state.rate()\n",
        "shop/tax.py": "from shop import state\n\ndef tax(net):\n    return net * state.rate() // 100\n",
    },
    {"shop/load.py": "def load():\n    return 7\n"},
)
change(
    "k_function_attribute",
    "Cache in an attribute of the function.",
    {
        "shop/load.py": "def load():\n    return 20\n",
        "shop/state.py": 'from shop.load import load\ndef rate():\n    if not hasattr(rate, "value"):\n        rate.value = load()\n    return rate.value\n',
        "tests/test_a.py": "from shop import state\n\ndef test_a():\n    assert state.rate()\n",
        "shop/tax.py": "from shop import state\n\ndef tax(net):\n    return net * state.rate() // 100\n",
    },
    {"shop/load.py": "def load():\n    return 7\n"},
)
change(
    "k_own_once_decorator",
    "Own decorator @once with closure.",
    {
        "shop/load.py": "def load():\n    return 20\n",
        "shop/state.py": "from shop.load import load\nimport functools\ndef once(f):\n    results = []\n    @functools.wraps(f)\n    def inner():\n        if not results:\n            results.append(f())\n        return results[0]\n    return inner\n@once\ndef rate():\n    return load()\n",
        "tests/test_a.py": "from shop import state\n\ndef test_a():\n    assert state.rate()\n",
        "shop/tax.py": "from shop import state\n\ndef tax(net):\n    return net * state.rate() // 100\n",
    },
    {"shop/load.py": "def load():\n    return 7\n"},
)
change(
    "k_thread_local",
    "Threading.local attribute.",
    {
        "shop/load.py": "def load():\n    return 20\n",
        "shop/state.py": 'from shop.load import load\nimport threading\n_local = threading.local()\ndef rate():\n    if not hasattr(_local, "rate"):\n        _local.rate = load()\n    return _local.rate\n',
        "tests/test_a.py": "from shop import state\n\ndef test_a():\n    assert state.rate()\n",
        "shop/tax.py": "from shop import state\n\ndef tax(net):\n    return net * state.rate() // 100\n",
    },
    {"shop/load.py": "def load():\n    return 7\n"},
)
change(
    "k_contextvar",
    "ContextVar set once.",
    {
        "shop/load.py": "def load():\n    return 20\n",
        "shop/state.py": 'from shop.load import load\nfrom contextvars import ContextVar\n_rate = ContextVar("rate", default=None)\ndef rate():\n    found = _rate.get()\n    if found is None:\n        found = load()\n        _rate.set(found)\n    return found\n',
        "tests/test_a.py": "from shop import state\n\ndef test_a():\n    assert state.rate()\n",
        "shop/tax.py": "from shop import state\n\ndef tax(net):\n    return net * state.rate() // 100\n",
    },
    {"shop/load.py": "def load():\n    return 7\n"},
)
change(
    "k_cached_method_of_borg",
    "Shared __dict__ (Borg).",
    {
        "shop/load.py": "def load():\n    return 20\n",
        "shop/state.py": 'from shop.load import load\nclass Borg:\n    _state = {}\n    def __init__(self):\n        self.__dict__ = self._state\n    def get(self):\n        if "rate" not in self.__dict__:\n            self.rate = load()\n        return self.rate\ndef rate():\n    return Borg().get()\n',
        "tests/test_a.py": "from shop import state\n\ndef test_a():\n    assert state.rate()\n",
        "shop/tax.py": "from shop import state\n\ndef tax(net):\n    return net * state.rate() // 100\n",
    },
    {"shop/load.py": "def load():\n    return 7\n"},
)
change(
    "k_enum_member_attr",
    "Value stored on an enum member.",
    {
        "shop/load.py": "def load():\n    return 20\n",
        "shop/state.py": 'from shop.load import load\nimport enum\nclass Country(enum.Enum):\n    DE = "de"\n    @property\n    def vat(self):\n        if not hasattr(self, "_vat"):\n            self._vat = load()\n        return self._vat\ndef rate():\n    return Country.DE.vat\n',
        "tests/test_a.py": "from shop import state\n\ndef test_a():\n    assert state.rate()\n",
        "shop/tax.py": "from shop import state\n\ndef tax(net):\n    return net * state.rate() // 100\n",
    },
    {"shop/load.py": "def load():\n    return 7\n"},
)
change(
    "p_module_fixture_object_used_up",
    "Changed test withdraws from a module-scoped account.",
    {
        "shop/state.py": "class Account:\n    def __init__(self):\n        self.balance = 100\n    def withdraw(self, amount):\n        self.balance -= amount\n        return self.balance\n",
        "tests/test_tax.py": 'import pytest\nfrom shop.state import Account\n@pytest.fixture(scope="module")\ndef account():\n    return Account()\ndef test_a(account):\n    assert account.balance == 100\ndef test_tax(account):\n    assert account.balance == 100\n',
    },
    {
        "tests/test_tax.py": Swap(
            old="test_a(account):\n    assert account.balance == 100",
            new="test_a(account):\n    assert account.withdraw(10) == 90",
        )
    },
)
change(
    "p_session_fixture_object_method",
    "Changed test checks out a session cart in another file.",
    {
        "shop/state.py": "class Cart:\n    def __init__(self):\n        self.items = [20]\n    def checkout(self):\n        items, self.items = self.items, []\n        return items\n",
        "tests/conftest.py": 'import pytest\nfrom shop.state import Cart\n\n@pytest.fixture(scope="session")\ndef cart():\n    return Cart()\n',
        "tests/test_a.py": "def test_a(cart):\n    assert cart.items\n",
        "tests/test_tax.py": "def test_tax(cart):\n    assert cart.items == [20]\n",
    },
    {"tests/test_a.py": "def test_a(cart):\n    assert cart.checkout()\n"},
)
change(
    "p_session_db_deleted",
    "Changed test deletes rows of a session sqlite db.",
    {
        "tests/conftest.py": 'import sqlite3\nimport pytest\n@pytest.fixture(scope="session")\ndef db():\n    conn = sqlite3.connect(":memory:")\n    conn.execute("create table rates (rate int)")\n    conn.execute("insert into rates values (20)")\n    return conn\n',
        "tests/test_a.py": "def test_a(db):\n    assert db.execute('select * from rates').fetchall()\n",
        "tests/test_tax.py": "def test_tax(db):\n    assert db.execute('select rate from rates').fetchone() == (20,)\n",
    },
    {
        "tests/test_a.py": "def test_a(db):\n    db.execute('delete from rates')\n    assert not db.execute('select * from rates').fetchall()\n"
    },
)
change(
    "p_session_db_closed",
    "Changed test closes the session db.",
    {
        "tests/conftest.py": 'import sqlite3\nimport pytest\n@pytest.fixture(scope="session")\ndef db():\n    conn = sqlite3.connect(":memory:")\n    conn.execute("create table rates (rate int)")\n    conn.execute("insert into rates values (20)")\n    return conn\n',
        "tests/test_a.py": "def test_a(db):\n    assert db.execute('select * from rates').fetchall()\n",
        "tests/test_tax.py": "def test_tax(db):\n    assert db.execute('select rate from rates').fetchone() == (20,)\n",
    },
    {
        "tests/test_a.py": "def test_a(db):\n    assert db.execute('select * from rates').fetchall()\n    db.close()\n"
    },
)
change(
    "p_changed_code_inserts_twice",
    "Changed repository code leaves a row behind in the module's db.",
    {
        "shop/db.py": 'import sqlite3\nconn = sqlite3.connect(":memory:")\nconn.execute("create table orders (net int)")\ndef save(net):\n    conn.execute("insert into orders values (?)", (net,))\n    return net\ndef undo(net):\n    conn.execute("delete from orders where net = ?", (net,))\ndef count():\n    return conn.execute("select count(*) from orders").fetchone()[0]\n',
        "tests/test_a.py": "from shop import db\n\ndef test_a():\n    assert db.save(5) == 5\n    db.undo(5)\n",
        "tests/test_tax.py": "from shop import db\n\ndef test_tax():\n    assert db.count() == 0\n",
    },
    {
        "shop/db.py": Swap(
            old="    return net\n",
            new='    conn.execute("insert into orders values (?)", (net + 1,))\n    return net\n',
        )
    },
)
change(
    "p_session_tmp_dir_file_removed",
    "Changed test removes a file of a session folder.",
    {
        "tests/conftest.py": 'import pytest\n@pytest.fixture(scope="session")\ndef shared(tmp_path_factory):\n    folder = tmp_path_factory.mktemp("shared")\n    (folder / "rate.txt").write_text("20")\n    return folder\n',
        "tests/test_a.py": "def test_a(shared):\n    assert (shared / 'rate.txt').exists()\n",
        "tests/test_tax.py": "def test_tax(shared):\n    assert (shared / 'rate.txt').read_text() == '20'\n",
    },
    {
        "tests/test_a.py": "def test_a(shared):\n    (shared / 'rate.txt').unlink()\n    assert not (shared / 'rate.txt').exists()\n"
    },
)
