"""Failures of tests that touch no change, after another test that the change made leave a mess."""

from __future__ import annotations

from functools import partial

from tests.scenarios.builder import BASE, code, swap
from tests.scenarios.registry import changes

_change = partial(changes, topic="left_behind")

#: Tests run in this order: tests/test_a.py is the one that leaves something behind.
_STATE = {
    "shop/state.py": code("""
        RULES = [20]
        RATE = 20

        class Shop:
            rate = 20

        def set_rate(rate):
            global RATE
            RATE = rate

        def rate():
            return RATE
        """),
    "tests/test_a.py": code("""
        from shop import state

        def test_a():
            assert state.rate() == 20
        """),
}


def _tax(reads: str) -> str:
    """The function under test, of which the rate is what it ``reads``."""
    return f"from shop import state\n\n\ndef tax(net):\n    return net * {reads} // 100\n"


def _mess(name: str, story: str, reads: str, line: str, **before: str) -> None:
    """``test_a`` does one more thing; what ``tax`` ``reads`` is another value then."""
    _change(
        name,
        story,
        {**_STATE, "shop/tax.py": _tax(reads), **before},
        {"tests/test_a.py": swap("    assert state.rate() == 20\n", line)},
        or_undecided=True,
    )


_mess(
    "a_list_of_the_package_is_altered",
    "A changed test puts a rule in front of the others and leaves it there.",
    "state.RULES[0]",
    "    state.RULES.insert(0, 7)\n",
)
_mess(
    "an_imported_list_is_altered",
    "The same of a list that it has by its own name, and under another variable.",
    "state.RULES[0]",
    "    from shop.state import RULES as found\n    rules = found\n    rules[0] = 7\n",
)
_mess(
    "a_class_is_altered",
    "A changed test sets an attribute of a class.",
    "state.Shop().rate",
    "    state.Shop.rate = 7\n",
)
_mess(
    "a_setter_is_called",
    "A changed test calls a function of the package, which did not change, that sets a global.",
    "state.rate()",
    "    state.set_rate(7)\n",
)
_mess(
    "an_attribute_is_set_by_name",
    "A changed test sets a global by its name, without a fixture that puts it back.",
    "state.RATE",
    "    setattr(state, 'RATE', 7)\n",
)
_mess(
    "a_patch_is_not_stopped",
    "A changed test starts a patch and never stops it.",
    "state.RATE",
    "    from unittest import mock\n    mock.patch('shop.state.RATE', 7).start()\n",
)
_mess(
    "a_variable_of_the_environment_is_set",
    "A changed test sets a variable of the environment, which the package reads.",
    "int(state.os.environ.get('SHOP_RATE', 20))",
    "    import os\n    os.environ['SHOP_RATE'] = '7'\n",
    **{"shop/state.py": "import os\n" + _STATE["shop/state.py"]},
)
_mess(
    "another_folder",
    "A changed test goes to another folder and stays there.",
    "(20 if state.os.path.exists('pyproject.toml') else 7)",
    "    import os\n    os.chdir('tests')\n",
    **{"shop/state.py": "import os\n" + _STATE["shop/state.py"]},
)
_change(
    "a_new_test_leaves_something",
    "The commit brings a file with a test that sets a global.",
    {
        **_STATE,
        "shop/tax.py": _tax("state.RATE"),
    },
    {"tests/test_b.py": "from shop import state\n\n\ndef test_b():\n    state.RATE = 7\n"},
    or_undecided=True,
)
_change(
    "it_is_not_put_back_any_more",
    "A fixture that another test uses does not put a global back after it.",
    {
        **_STATE,
        "shop/tax.py": _tax("state.RATE"),
        "tests/test_a.py": code("""
            import pytest

            from shop import state

            @pytest.fixture
            def cheap():
                state.RATE = 7
                yield
                state.RATE = 20

            def test_a(cheap):
                assert state.rate() == 7
            """),
    },
    {"tests/test_a.py": swap("    yield\n    state.RATE = 20\n", "    yield\n")},
    or_undecided=True,
)
_change(
    "what_put_it_back_is_gone",
    "The function is gone that put a global back after each test of the module.",
    {
        **_STATE,
        "shop/tax.py": _tax("state.RATE"),
        "tests/test_a.py": code("""
            from shop import state

            def teardown_function():
                state.RATE = 20

            def test_a():
                state.RATE = 7
            """),
    },
    {"tests/test_a.py": swap("def teardown_function():\n    state.RATE = 20\n\n", "")},
    or_undecided=True,
)
_change(
    "a_wide_fixture_is_altered",
    "A changed test alters what a fixture of the session gives to others as well.",
    {
        "tests/conftest.py": code("""
            import pytest

            @pytest.fixture(scope="session")
            def rates():
                return {"de": 20}
            """),
        "tests/test_a.py": "def test_a(rates):\n    assert rates['de'] == 20\n",
        "tests/test_tax.py": code("""
            from shop.tax import tax

            def test_tax(rates):
                assert tax(100) == rates["de"]
            """),
    },
    {"tests/test_a.py": "def test_a(rates):\n    rates['de'] = 7\n"},
    or_undecided=True,
)
_change(
    "changed_code_leaves_something",
    "A changed function, which another test runs, keeps something in a global.",
    {
        "shop/state.py": "RULES = [20]\n\n\ndef add(rule):\n    return [*RULES, rule]\n",
        "shop/tax.py": _tax("state.RULES[-1]"),
        "tests/test_a.py": code("""
            from shop.state import add

            def test_a():
                assert add(7)[-1] == 7
            """),
    },
    {"shop/state.py": swap("return [*RULES, rule]", "RULES.append(rule)\n    return RULES")},
    or_undecided=True,
)
_change(
    "a_mess_that_nobody_reads",
    "A changed test leaves a global altered that the failing one does not read.",
    _STATE,
    {"tests/test_a.py": swap("    assert state.rate() == 20\n", "    state.RATE = 7\n")},
    flaky_test="test_net.py::test_net",
)
_change(
    "a_mess_of_its_own",
    "A changed test alters what it has made, and what is put back for it.",
    {
        **_STATE,
        "shop/net.py": "RATE = 1\n"
        + BASE["shop/net.py"].replace("fetch():\n", "fetch():\n    assert RATE\n"),
    },
    {
        "tests/test_a.py": code("""
            from shop import net, state

            def test_a(monkeypatch):
                monkeypatch.setattr(net, "RATE", 7)
                mine = {"RATE": 1}
                mine["RATE"] = 2
                shop = state.Shop()
                shop.RATE = 7
                assert mine
            """)
    },
    flaky_test="test_net.py::test_net",
)
