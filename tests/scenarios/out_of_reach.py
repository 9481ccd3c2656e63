"""Flaky failures: something changed that has a name in common with the test's code, and no more."""

from __future__ import annotations

from functools import partial

from tests.scenarios.builder import BASE, code, swap
from tests.scenarios.registry import changes

_change = partial(changes, topic="out_of_reach", flaky_test="test_net.py::test_net")
NET = BASE["shop/net.py"]

_change(
    "a_constant_that_only_sounds_alike",
    "A constant changed in a module; the test's code has its own of that name.",
    {
        "shop/net.py": "LIMIT = 3\n"
        + NET.replace('return "ok"', 'return "ok" if LIMIT == 3 else "no"'),
        "shop/text.py": "LIMIT = 9\n",
        "tests/test_net.py": "from shop import text\n" + BASE["tests/test_net.py"],
    },
    {"shop/text.py": "LIMIT = 10\n"},
)
_change(
    "a_function_called_like_an_attribute",
    "A function of a module got a parameter; the test's code uses a method of that name.",
    {
        "shop/net.py": NET.replace('return "ok"', 'return {"a": "ok"}.get("a")'),
        "shop/text.py": "def get(text):\n    return text\n",
        "tests/test_net.py": "from shop import text\n" + BASE["tests/test_net.py"],
    },
    {"shop/text.py": "def get(text, default=None):\n    return text or default\n"},
)
_change(
    "a_new_method_of_a_common_name",
    "A class that the test does not use got a method of a common name.",
    {
        "shop/net.py": NET.replace('return "ok"', 'return {"a": "ok"}.get("a")')
        + "\n\nclass Cache:\n    def size(self):\n        return 0\n",
    },
    {
        "shop/net.py": swap(
            "return 0\n", "return 0\n\n    def get(self, key):\n        return key\n"
        )
    },
)
_change(
    "parameters_of_a_parametrised_test",
    "Another test has other parameters, of the names of what the test's code uses.",
    {
        "shop/net.py": NET.replace("def fetch():", "def fetch(status=200, value='ok'):").replace(
            'return "ok"', "return value if status else None"
        ),
        "tests/test_net.py": BASE["tests/test_net.py"]
        + code("""

            import pytest

            @pytest.mark.parametrize(("status", "value"), [(1, 2)])
            def test_other(status, value):
                assert status < value
            """),
    },
    {"tests/test_net.py": swap("[(1, 2)]", "[(1, 2), (2, 3)]")},
)
_change(
    "a_computed_import_elsewhere",
    "The project imports modules by computed names, where the test does not come.",
    {
        "shop/net.py": NET
        + code("""

            import importlib

            def plugin(name):
                return importlib.import_module(name)
            """),
        "shop/text.py": "register = print\nregister('text')\n",
        "tests/test_before.py": "from shop import text\n\ndef test_it():\n    assert text\n",
    },
    {"shop/text.py": "register = print\nregister('texts')\n"},
)
_change(
    "an_import_that_ran_the_change",
    "The import of another test's file runs the changed function.",
    {
        "shop/net.py": NET + "\n\ndef rate():\n    return 20\n",
        "tests/test_before.py": code("""
            from shop.net import rate

            RATE = rate()

            def test_it():
                assert RATE
            """),
    },
    {"shop/net.py": swap("return 20", "return 21")},
)
_change(
    "an_import_more",
    "The test's module imports one name more of a module that it imports anyway.",
    {
        "shop/text.py": "import builtins\nbuiltins.print()\nA = 1\nB = 2\n",
        "shop/net.py": "from shop.text import A\n" + NET,
    },
    {"shop/net.py": swap("import A\n", "import A, B\n")},
)
_change(
    "another_annotation",
    "A function that the test runs has other annotations.",
    {"shop/net.py": NET.replace("def fetch():", "def fetch(times: int = 1):")},
    {"shop/net.py": swap("times: int", "times: 'int | None'")},
)
_change(
    "a_file_that_nobody_imports",
    "A script changed that alters a constant of the test's module when it runs.",
    {
        "shop/net.py": "LIMIT = 3\n"
        + NET.replace('return "ok"', 'return "ok" if LIMIT == 3 else "no"'),
        "scripts/measure.py": "from shop import net\n\nnet.LIMIT = 100\n",
    },
    {"scripts/measure.py": "from shop import net\n\nnet.LIMIT = 1000\n"},
)
_change(
    "a_file_that_another_test_reads",
    "A data file changed that another test reads by itself.",
    {
        "VERSION": "1.0\n",
        "tests/test_before.py": code("""
            from pathlib import Path

            def test_version():
                assert Path("VERSION").read_text()
            """),
        "tests/test_net.py": BASE["tests/test_net.py"],
    },
    {"VERSION": "1.1\n"},
)
_change(
    "a_class_with_one_changed_method",
    "A class whose only method changed is made when the module is imported.",
    {"shop/net.py": NET + "\n\nclass Cache:\n    def size(self):\n        return 0\n"},
    {"shop/net.py": swap("return 0", "return 1")},
)
_change(
    "a_traceback_that_is_logged",
    "The code logs its failure, which reads the lines of its file; another function of it differs.",
    {
        "shop/net.py": NET
        + code("""
            import logging

            def logged():
                try:
                    return fetch()
                except ConnectionError:
                    logging.exception("no connection")
                    raise

            def other():
                return 1
            """),
        "tests/test_net.py": BASE["tests/test_net.py"].replace("fetch", "logged"),
    },
    {"shop/net.py": swap("return 1\n", "return 2\n")},
)
_LOADER = NET + code("""
    from importlib import import_module

    PLUGINS = {"text": "shop.text.title"}

    def load(name):
        module, function = PLUGINS[name].rsplit(".", 1)
        return getattr(import_module(module), function)
    """)
_change(
    "a_new_function_where_names_are_computed",
    "A module that is loaded by its name got a helper, for which nobody could have asked before.",
    {
        "shop/net.py": _LOADER.replace('return "ok"', 'return load("text")("ok").lower()'),
        "shop/text.py": "def title(text):\n    return text.title()\n",
    },
    {"shop/text.py": swap("def title", "def short(text):\n    return text[:1]\n\n\ndef title")},
)
_change(
    "a_version_that_others_name",
    "The version changed, which the documentation's settings and other tests have names for.",
    {
        "shop/__init__.py": '__version__ = "1.0"\n',
        "shop/net.py": _LOADER.replace('return "ok"', 'return load("text")("ok").lower()'),
        "docs/conf.py": "import shop\n\nrelease = version = shop.__version__\n",
        "tests/test_cli.py": code("""
            import shop

            class TestCli:
                EXPECTED = "shop " + shop.__version__

                def test_cli(self):
                    assert self.EXPECTED.startswith("shop")
            """),
    },
    {"shop/__init__.py": '__version__ = "1.1"\n'},
)
_change(
    "a_set_up_of_other_tests",
    "Another class of the test's file got a method that prepares its tests.",
    {
        "tests/test_net.py": BASE["tests/test_net.py"]
        + code("""

            class TestOther:
                def test_other(self):
                    assert 1
            """),
    },
    {
        "tests/test_net.py": swap(
            "class TestOther:\n",
            "class TestOther:\n    def setup_method(self):\n        self.x = 1\n\n",
        )
    },
)
_change(
    "a_session_fixture_more",
    "A new fixture for the whole session, which nobody asks for, beside one that the test has.",
    {
        "tests/conftest.py": code("""
            import pytest

            @pytest.fixture(scope="session")
            def server():
                yield "server"
            """),
        "tests/test_net.py": BASE["tests/test_net.py"].replace("test_net()", "test_net(server)"),
    },
    {
        "tests/conftest.py": swap(
            '@pytest.fixture(scope="session")\ndef server',
            '@pytest.fixture(scope="session")\ndef database():\n    return {}\n\n\n'
            '@pytest.fixture(scope="session")\ndef server',
        )
    },
)
