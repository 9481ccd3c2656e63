"""Where code keeps what it computed, and who reads it, by the text of the files."""

from __future__ import annotations

import textwrap

import pytest

from flakefighters.reach.keepers import Keeper, keepers
from flakefighters.reach.project import Sources

LAZY = """class Rates:
    def __init__(self):
        self._rate = None
    def rate(self):
        if self._rate is None:
            self._rate = load()
        return self._rate
"""


def of(**files: str) -> list[Keeper]:
    """The keepers of some modules of a package."""
    texts = {f"shop/{name}.py": textwrap.dedent(text).encode() for name, text in files.items()}
    return keepers(Sources(texts, texts.get))


def reading(found: Keeper) -> set[tuple[str, str]]:
    """Which functions read it: module and name."""
    assert found.readers is not None
    return {
        (one.unit[0].rpartition("/")[2].removesuffix(".py"), one.unit[1].partition(" ")[0])
        for one in found.readers
    }


@pytest.mark.parametrize(
    ("text", "name", "lines"),
    [
        ("@cache\ndef rate():\n    return 1\n", "rate", [(2, 3)]),
        ("@functools.lru_cache(\n    maxsize=1,\n)\ndef rate():\n    return 1\n", "rate", [(4, 5)]),
        ("@cached(cache={})\n@other\nasync def rate():\n    pass\n", "rate", [(3, 4)]),
        ("class A:\n    @cache\n    def rate(self):\n        pass\n", "rate", [(3, 4)]),
        ("R = None\ndef f():\n    global R\n    if not R:\n        R = g()\n", "R", [(5, 5)]),
        ("def f():\n    global R, S\n    S, R = g()\n", "R", [(3, 3)]),
        ("T = {}\ndef f(k):\n    T[k] = g(\n        k\n    )\n", "T", [(3, 3)]),
        ("T: list[int] = []\ndef f(k):\n    T.append(k)\n", "T", [(3, 3)]),
        ("T = WeakValueDictionary()\ndef f(k):\n    x = T[k] = g()\n", "T", [(3, 3)]),
        ("class A:\n    def f(cls):\n        cls._one = cls()\n", "_one", [(3, 3)]),
        ("class A:\n    def f(cls):\n        A._one = A()\n", "_one", [(3, 3)]),
        (f"{LAZY}\nRATES = Rates()\n", "_rate", [(6, 6)]),
        (f"{LAZY}\n@fixture(scope='module')\ndef rates():\n    yield Rates()\n", "_rate", [(6, 6)]),
        (
            "class A:\n    @cached_property\n    def f(self):\n        pass\na: A = shop.A(1)\n",
            "f",
            [(3, 4)],
        ),
        (
            "class A:\n def f(self):\n  if not hasattr(self, 'x'):\n   self.x = 1\nA_ = A()\n",
            "x",
            [(4, 4)],
        ),
        (
            "class A:\n  def f(self, k):\n    if k not in self.x:\n      self.x[k] = 1\nA_ = A()\n",
            "x",
            [(4, 4)],
        ),
        ("_local = local()\ndef f():\n    _local.rate = load()\n", "rate", [(3, 3)]),
        ("def f():\n    f.value = load()\n", "value", [(2, 2)]),
        ("class A:\n    _c = {}\n    def f(self, k):\n        self._c[k] = g()\n", "_c", [(4, 4)]),
        ("V = ContextVar('v')\ndef f():\n    V.set(load())\n", "V", [(3, 3)]),
        ("def f(k, _c={}):\n    _c[k] = g()\n", "_c", [(2, 2)]),
        ("def f(\n    k,\n    _c: dict = {},\n):\n    _c[k] = g()\n", "_c", [(5, 5)]),
        (
            "def once(f):\n    r = []\n    def inner():\n        r.append(f())\n    return inner\n",
            "r",
            [(4, 4)],
        ),
        (
            "def f(g):\n  r = None\n  def h():\n    nonlocal r\n    r = g()\n  return h\n",
            "r",
            [(5, 5)],
        ),
        (
            "class A:\n def f(s):\n  self.__dict__ = S\n  if 'x' not in vars(self):\n   self.x=1\n",
            "x",
            [(5, 5)],
        ),
        (
            "class A(Enum):\n  def f(self):\n    if not hasattr(self, 'x'):\n      self.x = 1\n",
            "x",
            [(4, 4)],
        ),
    ],
)
def test_it_keeps(text: str, name: str, lines: list[tuple[int, int]]) -> None:
    assert any(
        one.unit[1].endswith(f" keeps {name}") and [place[1:] for place in one.places] == lines
        for one in of(state=text)
    )


@pytest.mark.parametrize(
    "text",
    [
        "@cached_property\ndef rate(self):\n    return 1\n",
        "R = 1\ndef f():\n    R = 2\n",
        "T = {}\nT[1] = 2\ndef f(k):\n    return T[k] == 2\n",
        "def f(self):\n    self._one = 1\n",
        "T = {}\ndef f():\n    return T.get(1)\n",
        "broken (\n",
        "def f(k, c={}):\n    return c[k]\n",
        "def f():\n    r = []\n    def inner():\n        r.append(1)\n    inner()\n    return r\n",
        f"{LAZY}\ndef rates():\n    return Rates()\n",
        f"{LAZY}\n@fixture(scope='function')\ndef rates():\n    return Rates()\n",
        "class A:\n    def f(self):\n        self.x = 1\na = A()\n",
    ],
)
def test_it_keeps_nothing(text: str) -> None:
    assert not [one for one in of(state=text) if one.places]


def test_its_readers() -> None:
    (found,) = of(
        state="""
            @cache
            def rate(
                country,
            ):
                return load()

            vat = rate

            def tax():
                # rate
                def inner():
                    return rate("de")
                return inner
            """,
        use="from shop.state import rate as of\n\ndef total():\n    return of('de')\n",
        alias="from shop import state\n\ndef f():\n    return state.vat()\n",
        other="def rate(): pass\n\ndef g():\n    return rate()\n",
    )
    assert reading(found) == {
        *(("state", "rate"), ("state", "inner"), ("use", "total"), ("alias", "f")),
    }


def test_too_many_readers_are_not_told() -> None:
    use = "".join(f"def f{at}():\n    return rate()\n" for at in range(70))
    (found,) = of(state=f"@cache\ndef rate():\n    return 1\n{use}")
    assert found.readers is None
