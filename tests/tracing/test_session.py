"""Attempts, fixtures and what lies between, through a real pytest run on this interpreter."""

from __future__ import annotations

from typing import Any

import pytest

from tests.tracing.conftest import NEW

functions = pytest.mark.skipif(not NEW, reason="Python 3.11 sees no functions")

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
    project.changed("shop.py", SHOP)
    project.write("test_a.py", "import shop\ndef test_a(): assert shop.tax(1) == 2\n")
    outcome = project.run()
    assert outcome.ways == {"functions" if NEW else "imports"}
    trace = outcome.trace("test_a")
    found = {("shop.py", "tax", 4), ("test_a.py", "test_a", 2)}
    assert trace.ran == (found if NEW else set())
    assert trace.before(outcome.process.loaded) == {
        ("shop.py", "import"),
        ("test_a.py", "pytest"),
    }
    assert trace.unknown == ()
    assert "_pytest.python" in outcome.process.modules
    assert "shop" not in outcome.process.modules


@functions
def test_each_test_has_its_own(project: Any) -> None:
    project.write("shop.py", SHOP)
    project.files = {"anything.py"}
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
    assert outcome.ran("test_none") == set()
    assert outcome.ran("test_tax") == {"tax"}
    assert outcome.ran("test_both") == {"tax", "discount"}
    assert outcome.ran("test_none_again") == set()
    assert outcome.ran("test_tax_again") == {"tax"}
    first, second, last = map(outcome.trace, ("test_none", "test_tax", "test_tax_again"))
    assert (first.first, second.first) == (True, False)
    assert {code.name for code in last.before(last.process.earlier)} == {
        *("test_none", "test_tax", "test_both", "test_none_again", "tax", "discount"),
    }
    assert first.before(first.process.earlier) == frozenset()


@functions
def test_phases_add_up(project: Any) -> None:
    project.changed("shop.py", SHOP)
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
    shops = [sum(code.path == "shop.py" for code in trace.ran) for _, trace in reports]
    assert shops == [1, 2, 3]


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


@functions
def test_wide_fixture_counts_for_all_its_users(project: Any) -> None:
    project.changed("shop.py", SHOP)
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
            assert outcome.ran(f"{file}::TestIt::{test}") == {"tax", "discount"}, (file, test)
        assert outcome.ran(f"{file}::TestIt::test_without") == set()


@functions
def test_wide_fixture_counts_what_its_test_ran_before(project: Any) -> None:
    project.changed("shop.py", SHOP)
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
    outcome = project.run()
    assert outcome.ran("test_second") == {"tax"}
    # The test itself is no part of the fixture that it asks for.
    assert outcome.ran("test_second", file="test_a.py") == {"wide", "test_second"}


@functions
@pytest.mark.parametrize("how", ["(wide)", "(request)"])
def test_failed_wide_fixture_raised_from_its_cache(project: Any, how: str) -> None:
    project.changed("shop.py", SHOP)
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
    assert outcome.ran("test_first") == {"tax"}
    assert outcome.ran("test_second") == {"tax"}
    assert outcome.ran("test_other") == set()


@functions
def test_wide_fixture_made_anew_for_each_parameter(project: Any) -> None:
    project.changed("shop.py", SHOP)
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
            assert outcome.ran(f"{test}[{unit}]") == {unit}


@functions
def test_setup_functions_and_unittest(project: Any) -> None:
    project.changed("shop.py", SHOP)
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
    assert outcome.ran("test_first") == outcome.ran("test_second") == {"tax", "discount"}
    assert outcome.ran("test_function") == {"tax"}


def test_an_import_within_a_test(project: Any) -> None:
    project.changed("shop.py", SHOP)
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
    first, second = outcome.trace("test_first"), outcome.trace("test_second")
    assert first.imported == {"shop.py"}
    assert second.imported == frozenset()
    assert ("shop.py", "import") in second.before(outcome.process.loaded)


@functions
def test_hooks_outside_of_tests(project: Any) -> None:
    project.write(
        "conftest.py",
        """
        def pytest_collection_modifyitems(items): helper()
        def helper(): pass
        def never(): pass
        def at_import(): pass
        at_import()
        """,
    )
    project.changed("shop.py", SHOP)
    project.write("test_a.py", "import shop\nPRICE = shop.tax(1)\ndef test_a(): pass\n")
    outcome = project.run()
    assert {code.name for code in outcome.process.between} == {
        "pytest_collection_modifyitems",
        "helper",
    }
    assert {(path, code.name) for path, code in outcome.process.at_import} == {
        ("conftest.py", "at_import"),
        ("test_a.py", "tax"),
    }
    assert outcome.ran("test_a") == set()


@functions
def test_hooks_around_a_test_count_for_it(project: Any) -> None:
    project.write(
        "conftest.py",
        """
        import pytest
        @pytest.hookimpl(wrapper=True)
        def pytest_runtest_protocol(item):
            if item.name == "test_b": return (yield from helper())
            return (yield)
        def helper(): return (yield)
        """,
    )
    project.files = {"conftest.py"}
    project.write("test_a.py", "def test_a(): pass\ndef test_b(): pass\n")
    outcome = project.run(expect=(0,))
    assert "helper" not in outcome.ran("test_a", file="conftest.py")
    assert "helper" in outcome.ran("test_b", file="conftest.py")


@functions
def test_what_starts_often_at_import_is_not_told_by_module(project: Any) -> None:
    project.changed("shop.py", SHOP)
    project.write("prices.py", "import shop\nfor _ in range(9): shop.tax(1)\n")
    project.write("test_a.py", "import prices, shop\nfor _ in range(99): shop.discount(1)\n")
    project.write("test_b.py", "def test_b(): pass\n")
    process = project.run().process
    assert {(path, code.name) for path, code in process.at_import} == {
        ("prices.py", "tax"),
        ("test_a.py", "discount"),
    }
    assert {code.name for code in process.between} == {"discount"}


@functions
def test_callers_of_functions_in_changed_files(project: Any) -> None:
    project.changed("shop.py", SHOP)
    project.write("prices.py", "import shop\ndef price(): return (lambda: shop.tax(1))()\n")
    project.write("test_a.py", "import prices\ndef test_a(): prices.price()\n")
    process = project.run().process
    assert {(code.name, by.name) for code, by in process.callers} == {
        ("tax", name) for name in ("price", "price.<locals>.<lambda>", "test_a")
    }


@functions
def test_reruns_are_attempts(project: Any) -> None:
    project.changed("shop.py", SHOP)
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
    assert outcome.ran("test_a", 0) == {"tax"}
    assert outcome.ran("test_a", 1) == {"discount"}
    again = outcome.trace("test_a", 1)
    assert not again.first
    assert "tax" in {code.name for code in again.before(again.process.earlier)}


@functions
def test_under_xdist(project: Any) -> None:
    pytest.importorskip("xdist")
    project.changed("shop.py", SHOP)
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
        assert outcome.ran(f"test_a[{n}]") == ({"tax"} if n % 2 else set())


def test_nothing_changed(project: Any) -> None:
    project.write("test_a.py", "def test_a(): pass\n")
    assert project.run().trace("test_a").unknown == ()


def test_facts_are_never_told_without_end(project: Any) -> None:
    project.changed("shop.py", SHOP)
    project.write(
        "test_a.py",
        """
        import pytest, shop
        from flakefighters.tracing import session
        session._MOST_REPORTS = 20
        @pytest.mark.parametrize("n", range(22))
        def test_a(n): assert shop.tax(1) == 3
        """,
    )
    outcome = project.run(everything=False)
    if NEW:
        assert outcome.ran("test_a[0]") == outcome.ran("test_a[19]") == {"tax"}
    assert outcome.trace("test_a[19]").unknown == ()
    assert "too many" in outcome.trace("test_a[21]").unknown[0]


def test_a_forked_child_tells_nothing(project: Any) -> None:
    project.changed("shop.py", SHOP)
    project.write("test_a.py", "import shop\ndef test_a(): shop.tax(1)\n")
    outcome = project.run("-p", "pytest_forked", "--forked", "-W", "ignore")
    assert outcome.tests == {} or outcome.trace("test_a").unknown


def test_trouble_of_ours_is_one_line(project: Any) -> None:
    """Whatever a test replaces: its run goes on, and what is not known is said."""
    project.changed("shop.py", SHOP)
    project.write(
        "test_a.py",
        """
        import trace_door
        def refuse(*args): raise RuntimeError("odd world")
        def test_a(): trace_door.session._functions.collect = refuse
        def test_b(): assert 0
        """,
    )
    outcome = project.run("-rA", expect=(1,))
    assert "1 failed, 1 passed" in outcome.stdout
    assert outcome.stdout.count("odd world") == 1
    assert "odd world" in outcome.trace("test_b").unknown[0]


def test_an_import_that_fails_shows_nothing_of_ours(project: Any) -> None:
    project.changed("shop.py", "def tax(x):\n    return x\n\nraise KeyError('vat')\n")
    project.write("prices.py", "import shop\n")
    project.write("test_a.py", "import prices\ndef test_a(): pass\n")
    project.changed("test_b.py", "import nothing\ndef test_b(): pass\n")
    text = project.run(expect=(2,)).stdout
    assert "KeyError: 'vat'" in text
    assert "No module named 'nothing'" in text
    assert "tracing" not in text
    assert "importlib" not in text.replace("importlib/__init__.py", "")
