"""Who asked for a module before there was one."""

from __future__ import annotations

import pytest

from flakefighters.reach.importers import seekers

PATH = "src/shop/fast.py"


@pytest.mark.parametrize(
    "text",
    [
        "try:\n    from shop import fast\nexcept ImportError:\n    fast = None\n",
        "import fast\n",
        "from shop import (\n    slow,\n    fast,  # faster\n)\n",
        "FOUND = find_spec('shop.fast')\n",
        "FOUND = importlib.import_module('fast')\n",
        "for one in pkgutil.iter_modules(shop.__path__): pass\n",
    ],
)
def test_it_did(text: str) -> None:
    assert seekers(PATH, {"shop/tax.py": text.encode()}) == {"shop/tax.py"}


@pytest.mark.parametrize(
    "text",
    ["from shop import slow  # not fast\n", "fast = 1\n", "NAME = 'fast'\n", "import faster\n"],
)
def test_it_did_not(text: str) -> None:
    assert not seekers(PATH, {"shop/tax.py": text.encode()})


def test_a_folder_becomes_a_package() -> None:
    texts = {"tests/test_tax.py": b"", "shop/tax.py": b""}
    assert seekers("tests/__init__.py", texts) == {"tests/test_tax.py"}
