"""Functions that may notice a changed file without opening it by its name."""

from __future__ import annotations

import textwrap

import pytest

from flakefighters.model import Change, ChangeKind
from flakefighters.reach.lookers import Lookers
from flakefighters.reach.project import Sources


def of(text: str, kind: ChangeKind, path: str, how: str) -> set[str]:
    """The names of the functions of a module that may notice a change, "" for its body."""
    texts = {"shop/tax.py": textwrap.dedent(text).encode()}
    found = Lookers(Sources(texts, texts.get)).of(Change(kind=kind, path=path, how=how))
    return {name.partition(" ")[0] for _, name in found}


@pytest.mark.parametrize(
    ("text", "path", "how"),
    [
        ('(HERE / f"{name}.txt").exists()', "shop/fr.txt", "added"),
        ('(HERE / f"{name}.txt").exists()', "shop/fr.txt", "removed"),
        ('os.listdir(os.path.join("shop", "data"))', "shop/data/fr", "added"),
        ('(HERE / f"{name}.txt").stat().st_size', "shop/fr.txt", "changed"),
        ('(HERE / "fr.txt").exists()', "shop/fr.txt", "added"),
        ('os.path.exists("data/%s.txt" % name)', "shop/fr.txt", "added"),
        ('os.path.exists("data/fr.txt")', "shop/fr.txt", "removed"),
        ('os.path.getsize(name + ".txt")', "shop/fr.txt", "changed"),
        ('list(HERE.glob("*.py"))', "shop/fr.py", "added"),
        ("list(pkgutil.iter_modules(plugins.__path__))", "shop/plugins/fr.py", "added"),
        ('HERE.joinpath("plugins").iterdir()', "shop/plugins/fr.py", "removed"),
        ('[one.read_text() for one in HERE.glob("*.py")]', "shop/fr.py", "changed"),
    ],
)
def test_it_may_notice(text: str, path: str, how: str) -> None:
    kind = ChangeKind.FILE if path.endswith(".py") else ChangeKind.DATA
    assert of(f"def f(name):\n    return {text}\n", kind, path, how) == {"f"}
    assert of(f"FOUND = {text}\n", kind, path, how) == {""}


@pytest.mark.parametrize(
    ("text", "path", "how"),
    [
        ('(HERE / f"{name}.txt").exists()', "shop/fr.csv", "added"),
        ('(HERE / f"{name}.txt").exists()', "shop/fr.txt", "changed"),
        ('(HERE / f"{name}.txt").read_text()', "shop/fr.txt", "added"),
        ('os.listdir("data")', "shop/other/fr", "added"),
        ('list(HERE.glob("*.py"))', "shop/fr.py", "changed"),
        ('(tmp_path / f"{name}.txt").exists()', "shop/fr.txt", "added"),
        ("HERE.exists()", "shop/tax.py", "removed"),
        ('(HERE / "fr.txt").exists()', "shop/de.txt", "added"),
    ],
)
def test_it_does_not_notice(text: str, path: str, how: str) -> None:
    kind = ChangeKind.FILE if path.endswith(".py") else ChangeKind.DATA
    assert of(f"def f(name):\n    return {text}\n", kind, path, how) == set()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("inspect.getsource(shop.net)", {"f"}),
        ("open(shop.net.__file__)", {"f"}),
        ("open(shop.other.__file__)", set()),
        ("Path(__file__).parent / 'net'", set()),
    ],
)
def test_the_text_of_a_module(text: str, expected: set[str]) -> None:
    text = f"def f(name):\n    return {text}\n"
    assert of(text, ChangeKind.FILE, "shop/net.py", "changed") == expected


def of_texts(text: str, before: str, after: str) -> set[str]:
    """The names of the functions that may notice other texts of shop/net.py."""
    texts = {"shop/tax.py": textwrap.dedent(text).encode()}
    found = Lookers(Sources(texts, texts.get)).of_texts(
        "shop/net.py", before.encode(), after.encode()
    )
    return {name.partition(" ")[0] for _, name in found}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[one.__doc__ for one in all]", {"f"}),
        ("inspect.getdoc(all[0])", {"f"}),
        ("self.__doc__", set()),
        ("print()\n    g.__doc__ = all.__doc__", set()),
    ],
)
def test_docstrings_of_variables(text: str, expected: set[str]) -> None:
    text = f"def f(self, all):\n    return {text}\n"
    assert of_texts(text, '"""A."""\n', '"""B."""\n') == expected
    assert of_texts(text, '"""A."""\n', '"""A."""\nX = 1\n') == set()
    assert of_texts(f"@f\ndef g(): pass\n{text}", '"""A."""\n', '"""B."""\n') == set()


@pytest.mark.parametrize(
    ("before", "expected"),
    [
        ("", {"f"}),
        ("import shop.heavy\n", set()),
        ("from shop import heavy\n", set()),
        ("from shop import (\n    light,\n    heavy,\n)\n", set()),
        ("from shop.heavy import H\n", set()),
    ],
)
def test_modules_that_are_imported_or_not(before: str, expected: set[str]) -> None:
    text = "def f():\n    assert 'shop.heavy' not in sys.modules\ndef g():\n    return 'shop'\n"
    assert of_texts(text, before, "import shop.heavy\n") == expected


def test_a_docstring_of_a_module_does_not_look_at_all_that_it_has() -> None:
    text = '"""Tells what exists().\n\n\n\n"""\n\nENDING = ".txt"\n'
    assert of(text, ChangeKind.DATA, "shop/fr.txt", "added") == set()
