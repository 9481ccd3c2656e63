"""Failures by a value that changed code gave an earlier test, and that was kept since."""

from __future__ import annotations

from functools import partial

from tests.scenarios.builder import BASE, code, swap
from tests.scenarios.registry import changes

_change = partial(changes, topic="kept_values")

_LOAD = "def load():\n    return 20\n"
#: tests/test_a.py runs first, so that it is the one that makes the value.
_FIRST = "from shop import state\n\n\ndef test_a():\n    assert state.rate()\n"
_TAX = "from shop.state import rate\n\n\ndef tax(net):\n    return net * rate() // 100\n"


def _kept(name: str, story: str, state: str, tax: str = _TAX) -> None:
    _change(
        name,
        story,
        {
            "shop/load.py": _LOAD,
            "shop/state.py": f"from shop.load import load\n\n{code(state)}",
            "shop/tax.py": tax,
            "tests/test_a.py": _FIRST,
        },
        {"shop/load.py": swap("return 20", "return 7")},
        or_undecided=True,
    )


_kept(
    "a_cache_with_options",
    "A function is cached by a decorator over several lines.",
    """
    import functools

    @functools.lru_cache(
        maxsize=None,
    )
    def rate():
        return load()
    """,
)
_kept(
    "a_cache_under_another_name",
    "A cached function is called by another name that it was given.",
    """
    from functools import cache

    @cache
    def rate():
        return load()

    vat = rate
    """,
    "from shop.state import vat as of\n\n\ndef tax(net):\n    return net * of() // 100\n",
)
_kept(
    "a_global_that_is_set_when_somebody_asks",
    "The first who asks for it makes the value.",
    """
    _rate = None

    def rate():
        global _rate
        if _rate is None:
            _rate = load()
        return _rate
    """,
)
_kept(
    "a_table_that_is_filled",
    "Values are put into a table of the module, by their keys.",
    """
    _RATES: dict[str, int] = {}

    def rate(country="de"):
        if country not in _RATES:
            _RATES[country] = load()
        return _RATES[country]
    """,
)
_kept(
    "a_table_with_defaults",
    "The same by setdefault.",
    """
    _RATES = dict()

    def rate(country="de"):
        found = _RATES.get(country)
        return found if found else _RATES.setdefault(country, load())
    """,
)
_kept(
    "a_single_object_of_a_class",
    "A class keeps its only object.",
    """
    class Rates:
        _instance = None

        def __init__(self):
            self.rate = load()

        @classmethod
        def get(cls):
            if cls._instance is None:
                cls._instance = cls()
            return cls._instance

    def rate():
        return Rates.get().rate
    """,
)
_kept(
    "an_object_of_the_module_that_keeps",
    "An object that the module makes loads what it has when somebody asks first.",
    """
    class Rates:
        def __init__(self):
            self._rate = None

        def rate(self):
            if self._rate is None:
                self._rate = load()
            return self._rate

    RATES = Rates()

    def rate():
        return RATES.rate()
    """,
)
_CACHED = code("""
    import functools

    from shop.load import load

    @functools.cache
    def rate():
        return load()
    """)
_change(
    "kept_by_unchanged_code",
    "What an earlier test left in a cache did not come from changed code.",
    {
        "shop/load.py": _LOAD + "\n\ndef title():\n    return 20\n",
        "shop/state.py": _CACHED,
        "shop/net.py": BASE["shop/net.py"].replace(
            "fetch():\n", "fetch():\n    from shop.state import rate\n\n    assert rate()\n"
        ),
        "tests/test_a.py": _FIRST,
        "tests/test_b.py": "from shop.load import title\n\n\ndef test_b():\n    assert title()\n",
    },
    {"shop/load.py": swap("def title():\n    return 20", "def title():\n    return 7")},
    flaky_test="test_net.py::test_net",
)
_change(
    "kept_for_others",
    "An earlier test filled a cache by changed code; this one does not read it.",
    {"shop/load.py": _LOAD, "shop/state.py": _CACHED, "tests/test_a.py": _FIRST},
    {"shop/load.py": swap("return 20", "return 7")},
    flaky_test="test_net.py::test_net",
)
