"""Genuine failures: what changed is read by a name that no text shows."""

from __future__ import annotations

from functools import partial

from tests.scenarios.builder import BASE, code, swap
from tests.scenarios.registry import changes

_change = partial(changes, topic="computed_names", or_undecided=True)
_SETTINGS = {
    "shop/settings.py": "RATE = 20\n",
    "shop/conf.py": code("""
        from shop import settings

        def setting(name):
            return getattr(settings, name.upper())
        """),
    "shop/tax.py": code("""
        from shop.conf import setting

        def tax(net):
            return net * setting("rate") // 100
        """),
}
_OTHER_RATE = {"shop/settings.py": swap("20", "25")}

_change(
    "a_setting_by_a_computed_name",
    "A function makes the name of a setting that differs.",
    _SETTINGS,
    _OTHER_RATE,
)
_change(
    "a_setting_asked_for_at_import",
    "A setting that differs was asked for by a computed name at import.",
    {
        **_SETTINGS,
        "shop/tax.py": code("""
            from shop.conf import setting

            PART = setting("rate")

            def tax(net):
                return net * PART // 100
            """),
    },
    _OTHER_RATE,
)
_change(
    "a_setting_computed_at_import",
    "A statement at import makes the name of a setting that differs.",
    {
        **_SETTINGS,
        "shop/tax.py": code("""
            from shop import settings

            PART = getattr(settings, "ra".upper() + "TE")

            def tax(net):
                return net * PART // 100
            """),
    },
    _OTHER_RATE,
)
_change(
    "a_dictionary_of_a_module",
    "The names of a module are copied, and one of them differs.",
    {
        **_SETTINGS,
        "shop/conf.py": code("""
            from shop import settings

            KNOWN = {name.lower(): value for name, value in vars(settings).items()}

            def setting(name):
                return KNOWN[name]
            """),
    },
    _OTHER_RATE,
)
_change(
    "a_text_that_is_run",
    "A text that is run reads a constant that differs.",
    {
        "tests/test_tax.py": code("""
            def test_tax():
                found = {}
                exec("from shop.tax import RATE as rate", found)
                assert found["rate"] == 20
            """),
    },
    {
        "shop/tax.py": swap("RATE = 20", "RATE = 25"),
    },
)
_change(
    "a_constant_in_a_text",
    "An example in a text prints a constant that differs.",
    {
        "pyproject.toml": BASE["pyproject.toml"] + 'addopts = "--doctest-glob=*.rst"\n',
        "README.rst": ">>> from shop.tax import RATE\n>>> RATE\n20\n",
    },
    {
        "shop/tax.py": swap("RATE = 20", "RATE = 25"),
    },
    nodeid="README.rst::README.rst",
)
_change(
    "a_class_attribute_by_a_computed_name",
    "An object is asked for an attribute by a computed name, which its class has.",
    {
        "shop/conf.py": "class Conf:\n    rate = 20\n\ndef conf():\n    return Conf()\n",
        "shop/tax.py": code("""
            from shop.conf import conf

            CONF = conf()

            def tax(net):
                return net * getattr(CONF, "ra" + "te") // 100
            """),
    },
    {
        "shop/conf.py": swap("20", "25"),
    },
)
_change(
    "a_constant_in_an_example",
    "An example in the module's docstring prints a constant that differs.",
    {
        "pyproject.toml": BASE["pyproject.toml"] + 'addopts = "--doctest-modules"\n',
        "shop/tax.py": code("""
            '''
            >>> RATE
            20
            '''
            RATE = 20

            def tax(net):
                return net // 5
            """),
    },
    {
        "shop/tax.py": swap("RATE = 20", "RATE = 25"),
    },
    nodeid="shop/tax.py::shop.tax",
)
_change(
    "a_name_that_is_bound_to_a_constant",
    "An example prints a name that is bound to a constant, which differs.",
    {
        "pyproject.toml": BASE["pyproject.toml"] + 'addopts = "--doctest-glob=*.rst"\n',
        "shop/tax.py": "from shop.rates import RATE\n\nVAT = RATE\n\ndef tax(_):\n    return 20\n",
        "shop/rates.py": "RATE = 20\n",
        "README.rst": ">>> import shop.tax\n>>> shop.tax.VAT\n20\n",
    },
    {
        "shop/rates.py": swap("RATE = 20", "RATE = 25"),
    },
    nodeid="README.rst::README.rst",
)
_change(
    "a_module_that_an_example_imports",
    "An example imports a module, which prints something when it is imported.",
    {
        "pyproject.toml": BASE["pyproject.toml"] + 'addopts = "--doctest-glob=*.rst"\n',
        "shop/rates.py": "print(20)\n",
        "README.rst": ">>> import shop.rates\n20\n",
    },
    {
        "shop/rates.py": swap("20", "25"),
    },
    nodeid="README.rst::README.rst",
    or_undecided=True,
)
_change(
    "an_example_that_has_nothing_to_do_with_it",
    "Constants differ, one of them in the example's module, which does not name them.",
    {
        "pyproject.toml": BASE["pyproject.toml"] + 'addopts = "--doctest-modules"\n',
        "shop/text.py": "LIMIT = 3\n",
        "shop/net.py": BASE["shop/net.py"].replace(
            "def fetch():\n",
            "TIMES = 1\n\ndef fetch():\n    '''\n    >>> fetch()\n    'ok'\n    '''\n",
        ),
    },
    {
        "shop/text.py": swap("LIMIT = 3", "LIMIT = 4"),
        "shop/net.py": swap("TIMES = 1", "TIMES = 2"),
    },
    flaky_test="shop/net.py::shop.net.fetch",
)
_change(
    "a_module_in_a_table",
    "A module that is kept in a table is asked for a constant by a computed name.",
    {
        **_SETTINGS,
        "shop/conf.py": code("""
            import shop.settings

            SOURCES = {"main": shop.settings}

            class Conf:
                def ask(self, source, name):
                    return getattr(source, name.upper())

            CONF = Conf()

            def setting(name):
                return CONF.ask(SOURCES["main"], name)
            """),
    },
    _OTHER_RATE,
)
_change(
    "the_dictionary_of_a_module",
    "The dictionary of a module is asked for a setting that differs.",
    {
        **_SETTINGS,
        "shop/conf.py": code("""
            import shop.settings

            def setting(name):
                return shop.settings.__dict__[name.upper()]
            """),
    },
    _OTHER_RATE,
)
_change(
    "a_module_that_another_test_imported_first",
    "A module fills a table when it is imported; the test's code asks for it by a computed name.",
    {
        "shop/table.py": "RATES = {}\n\ndef add(name, rate):\n    RATES[name] = rate\n",
        "shop/plug.py": 'from shop.table import add\n\nadd("rate", 20)\n',
        "shop/tax.py": code("""
            from importlib import import_module

            from shop import table

            def tax(net):
                import_module(".".join(["shop", "plug"]))
                return net * table.RATES["rate"] // 100
            """),
        "tests/test_a.py": "import shop.plug\n\ndef test_a():\n    assert shop.plug\n",
    },
    {"shop/plug.py": swap("20", "7")},
    or_undecided=True,
)
