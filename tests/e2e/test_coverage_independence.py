"""What each test ran reaches the flakefighter that asks for it, and nobody else pays for it."""

from __future__ import annotations

import json
import sys
from typing import Any

import pytest

from tests.e2e.project import Ended, Project
from tests.requirements import need_module

NEW = sys.version_info >= (3, 12)
functions = pytest.mark.skipif(not NEW, reason="Python 3.11 sees no functions")
ASKED = "--flakefighters-fighters=coverage_independence"

SHOP = {
    "pytest.ini": "[pytest]\npythonpath = .\n",
    "conftest.py": "",
    "shop/__init__.py": "",
    "shop/tax.py": """
        import os

        def vat(net):
            return net * rate()

        def rate():
            return 2

        def total(net):
            return net + fee(net)

        def fee(net):
            return 1 if os.environ.get("FEE") is None else 5

        def discount(net):
            return 0 if net < 100 else tenth(net)

        def tenth(net):
            return net // 10
        """,
    "tests/test_vat.py": """
        import os
        import pytest
        from shop import tax

        def test_one(): assert tax.vat(1) == 2
        def test_two(): assert tax.vat(2) == 4
        def test_three(): assert tax.vat(3) == 6
        def test_four(): assert tax.vat(4) == 8
        @pytest.mark.parametrize("net", [1, 2])
        def test_now(net):
            assert tax.vat(net) == 2 * net
            assert net != 2 or "DOWN" not in os.environ
        """,
    "tests/test_total.py": """
        from shop import tax

        def test_one(): assert tax.total(1) == 2
        def test_two(): assert tax.total(2) == 3
        def test_three(): assert tax.total(3) == 4
        def test_four(): assert tax.total(4) == 5
        """,
}


@pytest.fixture
def shop(project: Project) -> Project:
    """Tests of three functions; DOWN fails one test of vat(), FEE all of total()."""
    project.write(SHOP)
    return project


def said(ended: Ended) -> dict[str, tuple[str, dict[str, Any]]]:
    """Label and evidence of what the flakefighter says, by the failing test."""
    found = {}
    test = ""
    for line in ended.ours:
        if line.startswith(("FLAKY ", "GENUINE ", "UNDECIDED ")):
            test = line.split(" ", 2)[1]
        elif line.startswith("    coverage_independence: "):
            label = line.split()[1]
            found[test] = (label, json.loads(line[line.index(" {") :]))
    return found


WAYS = [pytest.param((), id="plain"), pytest.param(("-n", "2"), id="xdist")]


@functions
@pytest.mark.parametrize("way", WAYS)
def test_alone_among_those_that_pass(shop: Project, way: tuple[str, ...]) -> None:
    need_module("xdist")
    plugins = ["xdist"] if way else []
    ended = shop.pytest(
        ASKED, "--flakefighters-verdicts", *way, plugins=plugins, env={"DOWN": "1"}, expect=1
    )
    ((test, (label, evidence)),) = said(ended).items()
    assert test == "tests/test_vat.py::test_now[2]"
    assert label == "flaky"
    assert (evidence["passing"], evidence["failing"], evidence["functions"]) == (4, 0, 2)
    assert "tests/test_vat.py::test_one" in evidence["alike"]
    assert ended.warnings == []


@functions
@pytest.mark.parametrize("way", WAYS)
def test_all_that_run_it_fail(shop: Project, way: tuple[str, ...]) -> None:
    need_module("xdist")
    plugins = ["xdist"] if way else []
    ended = shop.pytest(
        ASKED, "--flakefighters-verdicts", *way, plugins=plugins, env={"FEE": "1"}, expect=1
    )
    found = said(ended)
    assert len(found) == 4
    assert {label for label, _ in found.values()} == {"genuine"}
    assert {one["failing"] for _, one in found.values()} == {3}


@functions
def test_what_a_wide_fixture_ran_counts_for_all_that_use_it(shop: Project) -> None:
    shop.write(
        {
            "tests/conftest.py": """
                import pytest
                from shop import tax

                @pytest.fixture(scope="session")
                def price():
                    return tax.vat(tax.total(1))
                """,
            "tests/test_price.py": """
                import os

                def test_one(price): assert price == 4
                def test_two(price): assert price == 4
                def test_three(price): assert price == 4
                def test_four(price): assert "DOWN" not in os.environ
                """,
        }
    )
    ended = shop.pytest(
        ASKED, "--flakefighters-verdicts", env={"DOWN": "1"}, plugins=["xdist"], expect=1
    )
    label, evidence = said(ended)["tests/test_price.py::test_four"]
    # The fixture itself, vat() and rate(), total() and fee().
    assert (label, evidence["functions"], evidence["passing"]) == ("flaky", 5, 3)


@functions
def test_what_no_other_test_ran_is_no_proof(shop: Project) -> None:
    shop.write(
        {
            "tests/test_discount.py": """
                from shop import tax

                def test_one(): assert tax.discount(1) == 0
                def test_two(): assert tax.discount(2) == 0
                def test_three(): assert tax.discount(3) == 0
                def test_much(): assert tax.discount(200) == 0
                """,
        }
    )
    ended = shop.pytest(ASKED, "--flakefighters-verdicts", "tests/test_discount.py", expect=1)
    assert said(ended) == {}
    assert ended.warnings == []


@functions
def test_the_last_attempt_counts_and_a_mixed_test_is_no_witness(shop: Project) -> None:
    shop.write(
        {
            "tests/test_again.py": """
                import os
                from shop import tax

                tries = []
                def test_again():
                    tries.append(1)
                    assert tax.vat(1) == 2
                    assert len(tries) > 1
                """,
        }
    )
    ended = shop.pytest(
        ASKED,
        "--flakefighters-verdicts",
        "--flakefighters-reruns=1",
        env={"DOWN": "1"},
        expect=1,
    )
    found = said(ended)
    assert set(found) == {"tests/test_vat.py::test_now[2]"}
    assert found["tests/test_vat.py::test_now[2]"][1]["passing"] == 4


@functions
def test_a_worker_that_dies_takes_only_its_own_test_along(shop: Project) -> None:
    need_module("xdist")
    shop.write({"tests/test_crash.py": "import os\ndef test_crash(): os._exit(3)\n"})
    ended = shop.pytest(
        ASKED, "--flakefighters-verdicts", "-n", "2", plugins=["xdist"], env={"DOWN": "1"}, expect=1
    )
    found = said(ended)
    assert set(found) == {"tests/test_vat.py::test_now[2]"}
    assert found["tests/test_vat.py::test_now[2]"][0] == "flaky"


@functions
@pytest.mark.parametrize("way", WAYS)
def test_other_plugins_see_nothing_of_it(shop: Project, way: tuple[str, ...]) -> None:
    need_module("xdist")
    shop.write(
        {
            "conftest.py": """
                def pytest_runtest_logreport(report):
                    worker = hasattr(report, "node")
                    if worker or "PYTEST_XDIST_WORKER" not in __import__("os").environ:
                        assert not hasattr(report, "_flakefighters_ran"), vars(report)
                """,
        }
    )
    shop.pytest(ASKED, *way, plugins=["xdist"] if way else [], expect=0)


@functions
def test_a_process_that_the_tests_spoiled(shop: Project) -> None:
    """The end comes in a clean process, which is told what the tests ran."""
    need_module("freezegun")
    shop.write(
        {
            "tests/test_zz.py": """
                import freezegun

                def test_frozen(): freezegun.freeze_time("2001-01-01").start()
                """,
        }
    )
    ended = shop.pytest(ASKED, "--flakefighters-verdicts", env={"DOWN": "1"}, expect=1)
    assert said(ended)["tests/test_vat.py::test_now[2]"][0] == "flaky"


@pytest.mark.parametrize("way", WAYS)
def test_where_it_cannot_be_known_one_line_says_so(shop: Project, way: tuple[str, ...]) -> None:
    need_module("xdist")
    more = ["--flakefighters-trace=off"] if NEW else []
    plugins = ["xdist"] if way else []
    ended = shop.pytest(ASKED, *more, *way, plugins=plugins, env={"DOWN": "1"}, expect=1)
    why = "--flakefighters-trace=off" if NEW else "Python 3.11 does not tell which functions run"
    (line,) = ended.warnings
    assert line.startswith(f"coverage_independence has nothing to go by: {why}")
    assert [label for label, _ in ended.verdicts] == ["UNDECIDED"]
    assert shop.pytest(ASKED, *more, *way, plugins=plugins, expect=0).warnings == []


LOADED = """
    import os
    import sys

    def test_loaded():
        ours = sorted(name for name in sys.modules if name.startswith("flakefighters."))
        path = os.path.join(os.environ["HOME"], "loaded.txt")
        open(path, "w").write("\\n".join(ours))
    """


def test_nobody_pays_who_did_not_ask(project: Project) -> None:
    project.ready = False
    project.test(LOADED)
    for arguments in ((), ("--flakefighters-fighters=rerun,touched_change",)):
        project.pytest(*arguments, expect=0)
        loaded = (project.home / "loaded.txt").read_text().split()
        assert "flakefighters.session.each_test" not in loaded
        assert "flakefighters.tracing.functions" not in loaded
    project.pytest(ASKED, expect=0)
    loaded = (project.home / "loaded.txt").read_text().split()
    assert "flakefighters.session.each_test" in loaded
    assert ("flakefighters.tracing.functions" in loaded) == NEW
