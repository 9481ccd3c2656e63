"""Flaky failures: the code that the test runs was edited, and does the same."""

from __future__ import annotations

from functools import partial

from tests.scenarios.builder import BASE, code, swap
from tests.scenarios.registry import changes

_change = partial(changes, topic="harmless_edits", flaky_test="test_net.py::test_net")
NET = BASE["shop/net.py"]
#: A module with more than the test needs.
WIDE = NET + code("""

    LIMIT = 3

    def unused():
        return LIMIT

    class Client:
        retries = 2

        def get(self):
            return self.retries
    """)

_change(
    "comments",
    "The code that the test runs got a comment.",
    {},
    {
        "shop/net.py": NET.replace("    if os", "    # sometimes the peer is gone\n    if os"),
    },
)
_change(
    "a_docstring",
    "The code that the test runs got a docstring.",
    {},
    {
        "shop/net.py": swap("def fetch():\n", 'def fetch():\n    """Fetch it."""\n'),
    },
)
_change(
    "a_module_docstring",
    "The module that the test runs got a docstring.",
    {},
    {
        "shop/net.py": '"""The net."""\n\n' + NET,
    },
)
_change(
    "reformatted",
    "The code that the test runs was reformatted.",
    {},
    {
        "shop/net.py": NET.replace(
            'raise ConnectionError("connection reset by peer")',
            "raise ConnectionError(\n            'connection reset by peer'\n        )",
        ),
    },
)
_change(
    "moved_down",
    "The code that the test runs moved below another function.",
    {
        "shop/net.py": NET + "\n\ndef unused():\n    return 1\n",
    },
    {
        "shop/net.py": NET.replace("import os\n", "import os\n\n\ndef unused():\n    return 1\n"),
    },
)
_change(
    "imports_sorted",
    "The imports of the module were sorted.",
    {
        "shop/net.py": "import sys\n" + NET,
    },
    {
        "shop/net.py": NET.replace("import os\n", "import os\nimport sys\n"),
    },
)
_change(
    "line_ends",
    "The file has other line ends.",
    {},
    {
        "shop/net.py": NET.replace("\n", "\r\n").encode(),
    },
)
_change(
    "local_annotations",
    "The code that the test runs got annotations of its variables.",
    {
        "shop/net.py": NET.replace('return "ok"', 'result = "ok"\n    return result'),
    },
    {
        "shop/net.py": swap('result = "ok"', 'result: str = "ok"'),
    },
)
_change(
    "postponed_annotations",
    "The code that the test runs got annotations that are not evaluated.",
    {
        "shop/net.py": "from __future__ import annotations\n" + NET,
    },
    {
        "shop/net.py": swap("def fetch():", "def fetch() -> str:"),
    },
)
_change(
    "comments_in_the_test",
    "The test's own file got a comment.",
    {},
    {
        "tests/test_net.py": "# about the net\n" + BASE["tests/test_net.py"],
    },
)
_change(
    "another_function_of_the_module",
    "Another function of the imported module changed.",
    {
        "shop/net.py": WIDE,
    },
    {
        "shop/net.py": swap("return LIMIT", "return LIMIT + 1"),
    },
)
_change(
    "an_added_function_of_the_module",
    "The imported module got another function.",
    {},
    {
        "shop/net.py": NET + "\n\ndef more():\n    return 1\n",
    },
)
_change(
    "a_deleted_function_of_the_module",
    "The imported module lost a function that nobody called.",
    {
        "shop/net.py": WIDE,
    },
    {
        "shop/net.py": swap("def unused():\n    return LIMIT\n", ""),
    },
)
_change(
    "another_constant_of_the_module",
    "A constant changed that the test's code does not read.",
    {
        "shop/net.py": WIDE,
    },
    {
        "shop/net.py": swap("LIMIT = 3", "LIMIT = 4"),
    },
)
_change(
    "a_way_to_show_it",
    "The class that the test uses can be shown now, which the test does not do.",
    {
        "shop/net.py": WIDE,
        "tests/test_net.py": code("""
        from shop.net import Client, fetch

        def test_net():
            assert Client().get() == 2
            assert fetch() == "ok"
        """),
    },
    {"shop/net.py": WIDE + "    def __repr__(self):\n        return 'Client'\n"},
)
_change(
    "another_method",
    "A method changed that the test does not call.",
    {
        "shop/net.py": WIDE + "    def put(self):\n        return 1\n",
        "tests/test_net.py": code("""
        from shop.net import Client, fetch

        def test_net():
            assert Client().get() == 2
            assert fetch() == "ok"
        """),
    },
    {
        "shop/net.py": swap("return 1", "return 2"),
    },
)
_change(
    "another_test_of_the_file",
    "Another test in the same file changed.",
    {
        "tests/test_net.py": BASE["tests/test_net.py"] + "\ndef test_more():\n    assert 1\n",
    },
    {
        "tests/test_net.py": swap("assert 1", "assert 2"),
    },
)
_change(
    "an_added_test",
    "The file got another test.",
    {},
    {
        "tests/test_net.py": BASE["tests/test_net.py"] + "\ndef test_more():\n    assert 1\n",
    },
)
_change(
    "an_unused_fixture_changed",
    "A fixture in conftest.py changed that the test does not use.",
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
        "tests/conftest.py": swap("return 100", "return 50 + 50"),
    },
)
_change(
    "type_checking_imports",
    "The module got imports for type checkers only.",
    {
        "shop/net.py": "from typing import TYPE_CHECKING\n" + NET,
    },
    {
        "shop/net.py": "from typing import TYPE_CHECKING\n"
        + NET.replace(
            "import os\n", "import os\n\nif TYPE_CHECKING:\n    from shop.tax import tax\n"
        ),
    },
)
_change(
    "another_constructor",
    "The constructor of a class that the test does not use takes one argument more.",
    {
        "shop/net.py": NET
        + code("""

            class Base:
                def __init__(self, limit):
                    self.limit = limit

            class Client(Base):
                def __init__(self, limit):
                    super().__init__(limit)

            class Server(Base):
                def __init__(self, limit):
                    Base.__init__(self, limit)
            """),
        "tests/test_net.py": code("""
            from shop.net import Client, fetch

            def test_net():
                assert Client(3).limit == 3
                assert fetch() == "ok"
            """),
    },
    {
        "shop/net.py": swap(
            "def __init__(self, limit):\n        Base",
            "def __init__(self, limit, port=0):\n        Base",
        ),
    },
)
_change(
    "a_constant_beside_a_wrapper",
    "The test uses a class that hands attributes on; another constant changed.",
    {
        "shop/net.py": 'VERSION = "1"\n'
        + NET
        + code("""

            class Wrapper:
                def __init__(self, thing):
                    self._thing = thing

                def __getattr__(self, name):
                    return getattr(self._thing, name)
            """),
        "tests/test_net.py": code("""
            from shop.net import Wrapper, fetch

            def test_net():
                assert Wrapper("ok").upper() == "OK"
                assert fetch() == "ok"
            """),
    },
    {
        "shop/net.py": swap('VERSION = "1"', 'VERSION = "2"'),
    },
)
_change(
    "another_export",
    "The module exports one function more, and nobody imports all that it exports.",
    {
        "shop/net.py": '__all__ = ["fetch"]\n' + NET,
    },
    {
        "shop/net.py": swap('["fetch"]', '["fetch", "title"]'),
    },
)
