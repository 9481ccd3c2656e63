"""Attempts, fixtures and what lies between, through a real pytest run on this interpreter."""

from __future__ import annotations

import sys
from typing import Any

import pytest

SHOP = """
    RATE = 2

    def tax(x):
        return x * RATE

    def discount(x):
        return x - 1

    def untouched(x):
        return x
"""


def test_the_way_of_this_interpreter(project: Any) -> None:
    project.changed("shop.py", SHOP, "tax")
    project.write("test_a.py", "import shop\ndef test_a(): assert shop.tax(1) == 2\n")
    outcome = project.run()
    assert outcome.ways == {"lines" if sys.version_info >= (3, 12) else "probes"}
    assert outcome.touched("test_a").to_json()["units"] == [["shop.py", "tax"]]
    assert outcome.ambient.imported == {"shop.py"}
    assert outcome.touched("test_a").unknown is None


def test_each_test_has_its_own(project: Any) -> None:
    project.changed("shop.py", SHOP, "tax", "discount", "untouched")
    project.write(
        "test_a.py",
        """
        import shop
        def test_none(): pass
        def test_tax(): shop.tax(1)
        def test_both():
            shop.tax(1)
            shop.discount(1)
        def test_none_again(): pass
        def test_tax_again(): shop.tax(1)
        """,
    )
    outcome = project.run()
    assert outcome.units("test_none") == set()
    assert outcome.units("test_tax") == {"tax"}
    assert outcome.units("test_both") == {"tax", "discount"}
    assert outcome.units("test_none_again") == set()
    assert outcome.units("test_tax_again") == {"tax"}


def test_phases_add_up(project: Any) -> None:
    project.changed("shop.py", SHOP, "tax", "discount", "untouched")
    project.write(
        "test_a.py",
        """
        import pytest, shop

        @pytest.fixture
        def fixed():
            shop.tax(1)
            yield
            shop.untouched(1)

        def test_a(fixed): shop.discount(1)
        """,
    )
    (reports,) = project.run().tests.values()
    assert [len(report.get("units", ())) for report in reports] == [1, 2, 3]


WIDE = """
    import pytest, shop

    @pytest.fixture(scope="{scope}")
    def inner():
        shop.tax(1)

    @pytest.fixture(scope="{scope}")
    def outer({inner}):
        {ask}
        shop.discount(1)

    class TestIt:
        def test_first(self, {first}): pass
        def test_second(self, outer): pass
        def test_without(self): pass
        def test_by_name(self, request): request.getfixturevalue("outer")
"""


def test_wide_fixture_counts_for_all_its_users(project: Any) -> None:
    project.changed("shop.py", SHOP, "tax", "discount")
    ways = {
        "argument": ("inner", "", "outer"),
        "name": ("request", "request.getfixturevalue('inner')", "outer"),
        "name_of_one_that_was_there": (
            "request",
            "request.getfixturevalue('inner')",
            "inner, outer",
        ),
    }
    files = []
    for scope in ("class", "module", "session"):
        for way, (inner, ask, first) in ways.items():
            files.append(f"test_{scope}_{way}.py")
            text = WIDE.format(scope=scope, inner=inner, ask=ask, first=first)
            project.write(files[-1], text)
    outcome = project.run(expect=(0,))
    for file in files:
        for test in ("test_first", "test_second", "test_by_name"):
            assert outcome.units(f"{file}::TestIt::{test}") == {"tax", "discount"}, (file, test)
        assert outcome.units(f"{file}::TestIt::test_without") == set()


def test_wide_fixture_counts_what_its_test_ran_before(project: Any) -> None:
    project.changed("shop.py", SHOP, "tax")
    project.write(
        "test_a.py",
        """
        import pytest, shop

        @pytest.fixture(scope="session")
        def wide(): shop.tax(1)

        def test_first(request):
            shop.tax(1)
            request.getfixturevalue("wide")
        def test_second(wide): pass
        """,
    )
    assert project.run().units("test_second") == {"tax"}


def test_the_test_itself_is_no_part_of_the_fixture_it_asks_for(project: Any) -> None:
    project.changed(
        "test_a.py",
        """
        import pytest

        @pytest.fixture(scope="session")
        def wide(): pass

        def test_first(request): request.getfixturevalue("wide")
        def test_second(wide): pass
        """,
        "test_first",
        "wide",
    )
    assert project.run().units("test_second") == {"wide"}


@pytest.mark.parametrize("how", ["(wide)", "(request)"])
def test_failed_wide_fixture_raised_from_its_cache(project: Any, how: str) -> None:
    project.changed("shop.py", SHOP, "tax")
    ask = "pass" if how == "(wide)" else "request.getfixturevalue('wide')"
    project.write(
        "test_a.py",
        f"""
        import pytest, shop

        @pytest.fixture(scope="session")
        def wide():
            shop.tax(1)
            raise ValueError("no")

        def test_first(wide): pass
        def test_second{how}: {ask}
        def test_other(): assert 0
        """,
    )
    outcome = project.run()
    assert outcome.units("test_first") == {"tax"}
    assert outcome.units("test_second") == {"tax"}
    assert outcome.units("test_other") == set()


def test_wide_fixture_made_anew_for_each_parameter(project: Any) -> None:
    project.changed("shop.py", SHOP, "tax", "discount")
    project.write(
        "test_a.py",
        """
        import pytest, shop

        @pytest.fixture(scope="module", params=["tax", "discount"])
        def wide(request): getattr(shop, request.param)(1)

        def test_a(wide): pass
        def test_b(wide): pass
        """,
    )
    outcome = project.run()
    for test in ("test_a", "test_b"):
        for unit in ("tax", "discount"):
            assert outcome.units(f"{test}[{unit}]") == {unit}


def test_setup_functions_and_unittest(project: Any) -> None:
    project.changed("shop.py", SHOP, "tax", "discount")
    project.write(
        "test_a.py",
        """
        import unittest, shop

        def setup_module(): shop.tax(1)

        class TestIt(unittest.TestCase):
            @classmethod
            def setUpClass(cls): shop.discount(1)
            def test_first(self): pass
            def test_second(self): pass

        def test_function(): pass
        """,
    )
    outcome = project.run()
    assert outcome.units("test_first") == outcome.units("test_second") == {"tax", "discount"}
    assert outcome.units("test_function") == {"tax"}


def test_lazy_import_is_told_apart_and_known_later(project: Any) -> None:
    project.changed("shop.py", SHOP, "tax", lines=[2])
    project.write(
        "test_a.py",
        """
        def test_first():
            import shop
        def test_second():
            import shop
        """,
    )
    outcome = project.run()
    assert outcome.touched("test_first").imported == {"shop.py"}
    assert outcome.units("test_first") == {2}
    assert outcome.touched("test_second").imported == frozenset()
    assert outcome.ambient.imported == {"shop.py"}


def test_hooks_outside_of_tests_are_ambient(project: Any) -> None:
    project.changed(
        "conftest.py",
        """
        def pytest_collection_modifyitems(items): helper()
        def helper(): pass
        def never(): pass
        """,
        "pytest_collection_modifyitems",
        "helper",
        "never",
    )
    project.write("test_a.py", "def test_a(): pass\n")
    outcome = project.run()
    assert {unit for _, unit in outcome.ambient.units} == {
        "pytest_collection_modifyitems",
        "helper",
    }
    assert "conftest.py" in outcome.ambient.imported
    assert outcome.units("test_a") == set()


def test_hooks_around_a_test_count_for_it(project: Any) -> None:
    project.changed(
        "conftest.py",
        """
        import pytest
        @pytest.hookimpl(wrapper=True)
        def pytest_runtest_protocol(item):
            if item.name == "test_b": return (yield from helper())
            return (yield)
        def helper(): return (yield)
        """,
        "helper",
    )
    project.write("test_a.py", "def test_a(): pass\ndef test_b(): pass\n")
    outcome = project.run(expect=(0,))
    assert outcome.units("test_a") == set()
    assert outcome.units("test_b") == {"helper"}


def test_reruns_are_attempts(project: Any) -> None:
    project.changed("shop.py", SHOP, "tax", "discount")
    project.write(
        "test_a.py",
        """
        import shop
        tries = []
        def test_a():
            (shop.discount if tries else shop.tax)(1)
            tries.append(1)
            assert len(tries) > 1
        """,
    )
    outcome = project.run("-p", "rerunfailures", "--reruns=1", expect=(0,))
    assert outcome.units("test_a", 0) == {"tax"}
    assert outcome.units("test_a", 1) == {"discount"}


def test_under_xdist(project: Any) -> None:
    pytest.importorskip("xdist")
    project.changed("shop.py", SHOP, "tax")
    project.write(
        "test_a.py",
        """
        import pytest, shop
        @pytest.mark.parametrize("n", range(6))
        def test_a(n): n % 2 and shop.tax(1)
        """,
    )
    outcome = project.run("-p", "xdist", "-n", "2")
    for n in range(6):
        assert outcome.units(f"test_a[{n}]") == ({"tax"} if n % 2 else set())


def test_off_and_nothing_changed(project: Any) -> None:
    project.write("test_a.py", "def test_a(): pass\n")
    outcome = project.run()
    assert outcome.ways == {"imports"}
    assert outcome.touched("test_a").to_json() == {}
    project.changed("shop.py", SHOP, "tax")
    outcome = project.run(mode="off")
    assert "--flakefighters-trace=off" in (outcome.touched("test_a").unknown or "")


def test_everything_names_functions_of_the_project(project: Any) -> None:
    project.everything = True
    project.write("shop.py", SHOP)
    project.write(
        "test_a.py",
        """
        import pytest, shop
        def test_a(): shop.tax(1)
        @pytest.mark.parametrize("n", range(9))
        def test_b(n): shop.discount(1)
        """,
    )
    outcome = project.run()
    if sys.version_info < (3, 12):
        assert "3.11" in (outcome.touched("test_a").unknown or "")
        return
    assert outcome.touched("test_a").units == {("shop.py", "tax"), ("test_a.py", "test_a")}
    for n in range(9):
        expected = {("shop.py", "discount"), ("test_a.py", "test_b")}
        assert outcome.touched(f"test_b[{n}]").units == expected


def test_large_diff_counts_functions(project: Any) -> None:
    source = "def f(x):\n    if x:\n        return 1\n    return 2\n"
    path = str(project.path / "shop.py")
    project.changed("shop.py", source)
    from flakefighters.tracing import FileWatch, UnitSpan

    project.files[path] = FileWatch((UnitSpan("f", 3, 3),))
    project.write("test_a.py", "import shop\ndef test_a(): shop.f(0)\ndef test_b(): shop.f(1)\n")
    outcome = project.run()
    assert outcome.units("test_a") == set()
    assert outcome.units("test_b") == {"f"}
    outcome = project.run(mode="functions")
    assert outcome.units("test_a") == outcome.units("test_b") == {"f"}


def test_imports_of_files_with_tests_are_kept_apart(project: Any) -> None:
    project.changed("shop.py", SHOP, "tax", "discount", "untouched")
    project.write("conftest.py", "import shop\nshop.untouched(1)\n")
    project.write("prices.py", "import shop\nPRICE = shop.tax(1)\n")
    project.write("test_a.py", "import prices\ndef test_a(): pass\n")
    project.write("test_b.py", "import prices, shop\nshop.discount(1)\ndef test_b(): pass\n")
    project.write("test_c.py", "import prices, shop\ndef test_c(): pass\n")
    ambient = project.run().ambient
    assert ambient.units == set()
    assert {(file, units) for file, _, units in ambient.imports if units} == {
        ("conftest.py", frozenset({("shop.py", "untouched")})),
        ("prices.py", frozenset({("shop.py", "tax")})),
        ("test_b.py", frozenset({("shop.py", "discount")})),
    }
    assert all(modules == {file} for file, modules, units in ambient.imports if units)


def test_what_runs_in_several_imports_counts_for_each(project: Any) -> None:
    project.changed("shop.py", SHOP, "tax")
    project.write("prices.py", "import shop\nPRICE = shop.tax(1)\n")
    project.write("test_a.py", "import prices, shop\nshop.tax(2)\ndef test_a(): shop.tax(3)\n")
    project.write("test_b.py", "import shop\nshop.tax(2)\ndef test_b(): pass\n")
    outcome = project.run()
    assert {file for file, _, units in outcome.ambient.imports if units} == {
        *("prices.py", "test_a.py", "test_b.py"),
    }
    assert outcome.units("test_a") == {"tax"}
    assert outcome.units("test_b") == set()


def test_a_class_does_not_run_the_methods_that_it_has(project: Any) -> None:
    source = "class Shop:\n    def tax(self):\n        return 1\n"
    project.changed("shop.py", source, "Shop.tax")
    project.write("test_a.py", "import shop\ndef test_a(): shop.Shop()\n")
    outcome = project.run()
    assert not outcome.ambient.units
    assert not any(units for _, _, units in outcome.ambient.imports)


def test_an_import_that_fails_shows_nothing_of_ours(project: Any) -> None:
    project.changed("shop.py", "def tax(x):\n    return x\n\nraise KeyError('vat')\n", "tax")
    project.write("prices.py", "import shop\n")
    project.write("test_a.py", "import prices\ndef test_a(): pass\n")
    project.changed("test_b.py", "import nothing\ndef test_b(): pass\n", "test_b")
    text = project.run(expect=(2,)).stdout
    assert "KeyError: 'vat'" in text
    assert "No module named 'nothing'" in text
    assert "tracing" not in text
    assert "importlib" not in text.replace("importlib/__init__.py", "")
