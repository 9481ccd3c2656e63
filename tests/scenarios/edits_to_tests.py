"""Genuine failures: tests, parameters, fixtures and conftest files."""

from __future__ import annotations

from functools import partial

from tests.scenarios.builder import BASE, code, swap
from tests.scenarios.registry import changes

_change = partial(changes, topic="edits_to_tests")
TAX = BASE["shop/tax.py"]

_change(
    "a_parametrise_list",
    "Only the list of parameters differs.",
    {
        "tests/test_tax.py": code("""
            import pytest
            from shop.tax import tax

            @pytest.mark.parametrize('net, expected', [(100, 20)], ids=['hundred'])
            def test_tax(net, expected):
                assert tax(net) == expected
            """),
    },
    {
        "tests/test_tax.py": code("""
            import pytest
            from shop.tax import tax

            @pytest.mark.parametrize('net, expected', [(100, 21)], ids=['hundred'])
            def test_tax(net, expected):
                assert tax(net) == expected
            """),
    },
    nodeid="test_tax.py::test_tax[hundred]",
)
_change(
    "an_imported_parametrise_list",
    "The list of parameters stands in another file.",
    {
        "tests/cases.py": "CASES = [(100, 20)]\n",
        "pyproject.toml": code("""
            [tool.pytest.ini_options]
            pythonpath = [".", "tests"]
            """),
        "tests/test_tax.py": code("""
            import pytest
            from cases import CASES
            from shop.tax import tax

            @pytest.mark.parametrize('case', CASES, ids=['hundred'])
            def test_tax(case):
                assert tax(case[0]) == case[1]
            """),
    },
    {
        "tests/cases.py": "CASES = [(100, 21)]\n",
    },
    nodeid="test_tax.py::test_tax[hundred]",
)
_change(
    "a_fixture",
    "The fixture of the test's own file differs.",
    {
        "tests/test_tax.py": code("""
            import pytest
            from shop.tax import tax

            @pytest.fixture
            def net():
                return 100

            def test_tax(net):
                assert tax(net) == 20
            """),
    },
    {
        "tests/test_tax.py": swap("return 100", "return 90"),
    },
)
_change(
    "a_conftest_fixture",
    "A fixture in conftest.py differs.",
    {
        "tests/conftest.py": code("""
            import pytest

            @pytest.fixture
            def net():
                return 100
            """),
        "tests/test_tax.py": code("""
            from shop.tax import tax

            def test_tax(net):
                assert tax(net) == 20
            """),
    },
    {
        "tests/conftest.py": swap("return 100", "return 90"),
    },
)
_change(
    "a_new_conftest",
    "A new conftest.py brings a fixture that is used unasked.",
    {
        "shop/tax.py": code("""
            class Rate:
                value = 20

            def tax(net):
                return net * Rate.value // 100
            """),
    },
    {
        "tests/conftest.py": code("""
            import pytest
            from shop.tax import Rate

            @pytest.fixture(autouse=True)
            def low(monkeypatch):
                monkeypatch.setattr(Rate, 'value', 7)
            """),
    },
)
_change(
    "a_root_conftest",
    "A conftest.py above the tests differs.",
    {
        "conftest.py": code("""
            import pytest

            @pytest.fixture
            def net():
                return 100
            """),
        "tests/test_tax.py": code("""
            from shop.tax import tax

            def test_tax(net):
                assert tax(net) == 20
            """),
    },
    {
        "conftest.py": swap("return 100", "return 90"),
    },
)
_change(
    "a_conftest_hook",
    "A hook in conftest.py alters every test.",
    {
        "tests/conftest.py": "",
        "shop/tax.py": code("""
            class Rate:
                value = 20

            def tax(net):
                return net * Rate.value // 100
            """),
    },
    {
        "tests/conftest.py": code("""
            from shop.tax import Rate

            def pytest_runtest_setup(item):
                Rate.value = 7
            """),
    },
)
_change(
    "code_called_by_a_fixture",
    "The changed code runs in a fixture, the test sees its result.",
    {
        "tests/test_tax.py": code("""
            import pytest
            from shop.tax import tax

            @pytest.fixture
            def due():
                return tax(100)

            def test_tax(due):
                assert due == 20
            """),
    },
    {
        "shop/tax.py": TAX.replace("net * RATE", "net + RATE"),
    },
)
_change(
    "a_session_fixture_set_up_by_another_test",
    "The changed session fixture was set up by an earlier test.",
    {
        "tests/conftest.py": code("""
            import pytest

            @pytest.fixture(scope='session')
            def shop():
                return {'net': 100, 'name': 'x'}
            """),
        "tests/test_a.py": code("""
            def test_first(shop):
                assert shop['name'] == 'x'
            """),
        "tests/test_tax.py": code("""
            from shop.tax import tax

            def test_tax(shop):
                assert tax(shop['net']) == 20
            """),
    },
    {
        "tests/conftest.py": swap(
            "return {'net': 100, 'name': 'x'}", "return {'net': 90, 'name': 'x'}"
        ),
    },
)
_change(
    "code_run_by_a_session_fixture",
    "Changed code ran in a session fixture that an earlier test set up.",
    {
        "tests/conftest.py": code("""
            import pytest
            from shop.tax import tax

            @pytest.fixture(scope='session')
            def due():
                return tax(100)
            """),
        "tests/test_a.py": "def test_first(due):\n    assert due\n",
        "tests/test_tax.py": "def test_tax(due):\n    assert due == 20\n",
    },
    {
        "shop/tax.py": TAX.replace("net * RATE", "net + RATE"),
    },
)
_change(
    "a_session_fixture_fails",
    "A session fixture fails because of the change; the second test gets the cached error.",
    {
        "tests/conftest.py": code("""
            import pytest
            from shop.tax import tax

            @pytest.fixture(scope='session')
            def due():
                assert tax(100) == 20
                return 20
            """),
        "tests/test_a.py": "def test_first(due):\n    assert due\n",
        "tests/test_tax.py": "def test_tax(due):\n    assert due == 20\n",
    },
    {
        "shop/tax.py": TAX.replace("net * RATE", "net + RATE"),
    },
)
_change(
    "an_error_in_teardown",
    "The change breaks what a fixture does after the test.",
    {
        "tests/test_tax.py": code("""
            import pytest
            from shop.tax import tax

            @pytest.fixture
            def due():
                yield 20
                assert tax(100) == 20

            def test_tax(due):
                assert due == 20
            """),
    },
    {
        "shop/tax.py": TAX.replace("net * RATE", "net + RATE"),
    },
)
_change(
    "pollution_by_an_unrelated_test",
    "Another test, changed, leaves a global altered for the tests that follow.",
    {
        "shop/rates.py": "RATE = 20\n",
        "shop/tax.py": code("""
            from shop import rates

            def tax(net):
                return net * rates.RATE // 100
            """),
        "tests/test_a.py": code("""
            from shop import rates

            def test_a():
                assert rates.RATE == 20
            """),
    },
    {
        "tests/test_a.py": swap(
            "    assert rates.RATE == 20\n", "    rates.RATE = 7\n    assert rates.RATE == 7\n"
        ),
    },
    or_undecided=True,
)
_change(
    "the_tests_own_body",
    "The test expects something else now.",
    {},
    {
        "tests/test_tax.py": BASE["tests/test_tax.py"].replace("== 20", "== 21"),
    },
)
_change(
    "a_new_failing_test",
    "The failing test came with the commit.",
    {},
    {
        "tests/test_tax.py": BASE["tests/test_tax.py"]
        + "\ndef test_new():\n    assert tax(100) == 21\n",
    },
    nodeid="test_tax.py::test_new",
)
_change(
    "a_renamed_test",
    "The failing test got its name in the commit.",
    {},
    {
        "tests/test_tax.py": BASE["tests/test_tax.py"]
        .replace("test_tax", "test_vat")
        .replace("20", "21"),
    },
    nodeid="test_tax.py::test_vat",
)
_change(
    "a_helper_of_the_tests",
    "A module of helpers beside the tests differs.",
    {
        "tests/helpers.py": "def net():\n    return 100\n",
        "tests/test_tax.py": code("""
            from helpers import net
            from shop.tax import tax

            def test_tax():
                assert tax(net()) == 20
            """),
    },
    {
        "tests/helpers.py": "def net():\n    return 90\n",
    },
)
_change(
    "a_unittest_setup",
    "setUp of a unittest class differs.",
    {
        "tests/test_tax.py": code("""
            import unittest
            from shop.tax import tax

            class TestTax(unittest.TestCase):
                def setUp(self):
                    self.net = 100
                def test_tax(self):
                    self.assertEqual(tax(self.net), 20)
            """),
    },
    {
        "tests/test_tax.py": swap("self.net = 100", "self.net = 90"),
    },
    nodeid="test_tax.py::TestTax::test_tax",
)
