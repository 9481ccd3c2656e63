"""Flaky failures: something changed, but nothing that the failing test touches."""

from __future__ import annotations

from functools import partial

from tests.scenarios.builder import BASE, Repository, Result, code, swap
from tests.scenarios.registry import changes, flaky

_change = partial(changes, topic="harmless_changes", flaky_test="test_net.py::test_net")
TAX = BASE["shop/tax.py"]

_change("readme", "Only a text for people changed.", {}, {"README.md": "a shop\n"})
_change(
    "another_module",
    "A module changed that the test does not import.",
    {},
    {
        "shop/tax.py": TAX.replace("net + tax(net)", "tax(net) + net"),
    },
)
_change(
    "a_module_level_line_elsewhere",
    "A module-level line changed in a module that the test does not import.",
    {},
    {
        "shop/tax.py": swap("RATE = 20\n", "RATE = 20\nREDUCED = 7\n"),
    },
)
_change(
    "a_new_unrelated_file",
    "A new module that nobody uses yet.",
    {},
    {
        "shop/refund.py": "def refund(net):\n    return -net\n",
    },
)
_change(
    "a_deleted_unrelated_file",
    "A module that nobody used is deleted.",
    {
        "shop/old.py": "def old():\n    return 1\n",
    },
    {
        "shop/old.py": None,
    },
)
_change(
    "a_renamed_unrelated_file",
    "A module that the test does not use is renamed.",
    {
        "shop/old.py": "def old():\n    return 1\n",
    },
    {
        "shop/old.py": None,
        "shop/older.py": "def old():\n    return 1\n",
    },
)
_change(
    "an_unused_data_file",
    "A data file changed that the test does not open.",
    {
        "shop/rates.json": '{"vat": 20}\n',
    },
    {
        "shop/rates.json": '{"vat": 20, "other": 7}\n',
    },
)
_change(
    "an_unused_binary_file",
    "A picture changed.",
    {
        "docs/logo.png": bytes(range(256)),
    },
    {
        "docs/logo.png": bytes(reversed(range(256))),
    },
)
_change(
    "ci_configuration",
    "Only the recipe of the CI changed.",
    {},
    {
        ".github/workflows/ci.yml": "on: push\n",
    },
)
_change(
    "a_setting_of_another_tool",
    "A setting of another tool changed in pyproject.toml.",
    {},
    {
        "pyproject.toml": BASE["pyproject.toml"] + "\n[tool.ruff]\nline-length = 100\n",
    },
)
_change(
    "in_a_fixture",
    "The failure is in a fixture, the commit touches something else.",
    {
        "tests/test_net.py": code("""
            import pytest
            from shop.net import fetch

            @pytest.fixture
            def page():
                return fetch()

            def test_net(page):
                assert page == 'ok'
            """),
    },
    {
        "shop/tax.py": TAX.replace("net + tax(net)", "tax(net) + net"),
    },
)
_change(
    "in_a_session_fixture",
    "A session fixture fails, and its error is repeated for the next test.",
    {
        "tests/conftest.py": code("""
            import pytest
            from shop.net import fetch

            @pytest.fixture(scope='session')
            def page():
                return fetch()
            """),
        "tests/test_a.py": "def test_first(page):\n    assert page\n",
        "tests/test_net.py": "def test_net(page):\n    assert page == 'ok'\n",
    },
    {
        "shop/tax.py": TAX.replace("net + tax(net)", "tax(net) + net"),
    },
)
_change(
    "in_teardown",
    "The failure is in what a fixture does after the test.",
    {
        "tests/test_net.py": code("""
            import pytest
            from shop.net import fetch

            @pytest.fixture
            def page():
                yield 'ok'
                fetch()

            def test_net(page):
                assert page == 'ok'
            """),
    },
    {
        "shop/tax.py": TAX.replace("net + tax(net)", "tax(net) + net"),
    },
)
_change(
    "in_a_thread",
    "The shaky code runs in a thread of the test.",
    {
        "tests/test_net.py": code("""
        import threading
        from shop.net import fetch

        def test_net():
            found = []
            thread = threading.Thread(target=lambda: found.append(safe()))
            thread.start()
            thread.join()
            assert found == ["ok"]

        def safe():
            try:
                return fetch()
            except ConnectionError as error:
                return str(error)
        """),
    },
    {
        "shop/tax.py": TAX.replace("net + tax(net)", "tax(net) + net"),
    },
)
_change(
    "in_a_coroutine",
    "The shaky code runs in a coroutine.",
    {
        "tests/test_net.py": code("""
            import asyncio
            from shop.net import fetch

            async def work():
                await asyncio.sleep(0)
                return fetch()

            def test_net():
                assert asyncio.run(work()) == 'ok'
            """),
    },
    {
        "shop/tax.py": TAX.replace("net + tax(net)", "tax(net) + net"),
    },
)
_change(
    "in_unittest",
    "The shaky test is a unittest.",
    {
        "tests/test_net.py": code("""
            import unittest
            from shop.net import fetch

            class TestNet(unittest.TestCase):
                def test_net(self):
                    self.assertEqual(fetch(), 'ok')
            """),
    },
    {
        "shop/tax.py": TAX.replace("net + tax(net)", "tax(net) + net"),
    },
    flaky_test="test_net.py::TestNet::test_net",
)
_change(
    "one_parameter_of_many",
    "One of several cases fails.",
    {
        "tests/test_net.py": code("""
            import pytest
            from shop.net import fetch

            @pytest.mark.parametrize('path', ['/a - b', '/c d'])
            def test_net(path):
                assert path == '/c d' or fetch() == 'ok'
            """),
    },
    {
        "shop/tax.py": TAX.replace("net + tax(net)", "tax(net) + net"),
    },
    flaky_test="test_net.py::test_net[/a - b]",
)
_change(
    "another_tests_import_is_broken_lazily",
    "A module that only other tests run raises at import now.",
    {},
    {
        "shop/text.py": "raise RuntimeError('unfinished')\n",
    },
)


@flaky()
def many_harmless_commits(repo: Repository) -> Result:
    """Three commits that have nothing to do with the test came between pass and failure."""
    repo.start()
    repo.commit({"README.md": "a shop\n"})
    repo.commit({"shop/text.py": "def title(text):\n    return text.upper()\n"})
    repo.commit({"shop/rates.json": "{}\n"})
    return repo.run(trouble=True)


@flaky()
def beside_a_genuine_failure(repo: Repository) -> Result:
    """In the same run another test fails because of the commit."""
    repo.start()
    repo.edit("shop/tax.py", "net * RATE", "net + RATE")
    repo.commit()
    return repo.run(trouble=True)


_change(
    "a_decorator_that_others_use",
    "A decorator changed, and ran while another test's module was imported.",
    {
        "shop/net.py": BASE["shop/net.py"]
        + code("""

            def priced(function):
                function.price = 7
                return function
            """),
        "tests/test_tax.py": code("""
            from shop.net import priced
            from shop.tax import tax

            @priced
            def total(net):
                return net + tax(net)

            def test_tax():
                assert total(100) == 120
            """),
    },
    {
        "shop/net.py": swap("function.price = 7", "function.price = 3 + 4"),
    },
)
_change(
    "an_import_in_another_test",
    "Another file with tests imports what this one imports as well.",
    {
        "tests/test_net.py": code("""
            import pytest
            from shop.net import fetch

            def test_net():
                assert fetch() == pytest.approx("ok")
            """),
    },
    {
        "tests/test_tax.py": "import pytest\n" + BASE["tests/test_tax.py"],
    },
)
_change(
    "a_constant_of_the_same_name",
    "A constant changed that has the name of another one, which the test uses.",
    {
        "shop/net.py": "RATE = 7\n"
        + BASE["shop/net.py"]
        + "\n\ndef limit():\n    return RATE * 3\n",
        "tests/test_net.py": code("""
            from shop.net import fetch, limit

            def test_net():
                assert limit() == 21
                assert fetch() == "ok"
            """),
    },
    {
        "shop/tax.py": swap("RATE = 20\n", "RATE = 40 // 2\n"),
    },
)
