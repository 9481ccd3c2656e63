"""The words of doctests."""

from __future__ import annotations

import pytest

from flakefighters.source.doctests import words_of

SOURCE = b'''"""The module: one."""

class Shop:
    """The class: two."""

    def total(self):
        """The method: three."""

def total():
    """The function: four."""

if True:
    def hidden():
        """Below: five."""

def by_name(x):
    """getattr(x, name)"""

def star():
    """from shop import *"""

def bare(): ...
'''


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("shop.tax", "one"),
        ("tax", "one"),
        ("shop.tax.Shop", "two"),
        ("shop.tax.Shop.total", "three"),
        ("shop.tax.total", "four"),
        ("shop.tax.hidden", "five"),
        ("shop.tax.by_name", None),
        ("shop.tax.star", None),
        ("shop.tax.bare", None),
        ("shop.tax.__test__.more", None),
    ],
)
def test_docstrings(name: str, word: str | None) -> None:
    words = words_of("src/shop/tax.py", name, SOURCE)
    assert words is None if word is None else words is not None and word in words


def test_a_package() -> None:
    words = words_of("src/shop/__init__.py", "shop", SOURCE)
    assert words is not None
    assert "one" in words


def test_texts() -> None:
    assert words_of("README.rst", "README.rst", b">>> tax(net)\n") == frozenset({"tax", "net"})
    assert words_of("README.rst", "README.rst", b">>> eval('x')\n") is None


def test_what_is_no_python() -> None:
    assert words_of("shop/tax.py", "shop.tax", b"def (:\n") is None
