"""The commands ``confirm`` and ``bisect``, on real repositories and real runs."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from flakefighters.model import standing
from tests.e2e.project import Project

SHOP = {
    "conftest.py": "",
    "shop/__init__.py": "",
    "shop/tax.py": "def tax(net):\n    return net * 2\n",
    "tests/test_tax.py": """
        from shop.tax import tax

        def test_beside():
            assert tax

        def test_tax():
            assert tax(2) == 4
        """,
}
BROKEN = "def tax(net):\n    return net * 3\n"


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A shop on whose first commit everything passes."""
    found = Project(tmp_path)
    found.init()
    found.commit(SHOP)
    found.pytest("-q", expect=0)
    return found


def said(project: Project, *args: str, expect: int = 0) -> Any:
    done = project.flakefighters(*args, "--json")
    assert done.returncode == expect, done.stdout + done.stderr
    return json.loads(done.stdout)


def test_the_newest_run(project: Project) -> None:
    project.commit({"shop/tax.py": BROKEN})
    project.pytest("-q", expect=1)
    assert project.flakefighters("confirm").stderr.count("no failure to put on trial") == 1
    done = project.flakefighters("confirm", "--all")
    assert done.returncode == 0, done.stderr
    how = "ran tax() in shop/tax.py" if sys.version_info >= (3, 12) else "imports shop/tax.py"
    assert done.stdout.startswith(f"GENUINE tests/test_tax.py::test_tax - {how}")
    assert "and fails here [proved]" in done.stdout
    assert "1 of 1 failure proved; saved to local" in done.stderr
    head = project.run().head
    with project.history() as history:
        (found,) = standing(history.verdicts([head.id])).values()
    assert found.evidence["by"] == "trial"
    explained = project.flakefighters("explain", "test_tax").stdout
    assert "alone: failed alike" in explained
    assert "tried by " in explained
    assert "passed (tests/test_tax.py::test_beside passed)" in explained
    again = project.flakefighters("confirm", "--all")
    assert "no failure to put on trial" in again.stderr


def test_a_test_by_name_in_a_run_that_is_not_checked_out(project: Project) -> None:
    project.commit({"shop/tax.py": BROKEN})
    project.pytest("-q", expect=1)
    project.commit({"README": "more\n"})
    (found,) = said(project, "confirm", "tests/test_tax.py::test_tax")["verdicts"]
    assert (found["label"], found["confidence"]) == ("genuine", "proved")


def test_a_pass_elsewhere_proves_nothing(project: Project) -> None:
    """The failure needs a time zone, or a variable, that only its run had."""
    project.commit(
        {
            "tests/test_place.py": """
            import os
            import time

            def test_zone():
                assert time.tzname[0] == "UTC"

            def test_variable():
                assert os.environ.get("SHOP_MODE") != "strict"
            """
        }
    )
    project.env["TZ"] = "UTC"
    project.pytest("-q", expect=0)
    for test, env, differs in (
        ("test_zone", {"TZ": "EST5"}, "the time zone is another one now"),
        ("test_variable", {"SHOP_MODE": "strict"}, "$SHOP_MODE has another value now"),
    ):
        project.pytest("-q", "tests/test_place.py", env=env, expect=1)
        (found,) = said(project, "confirm", f"tests/test_place.py::{test}")["verdicts"]
        assert found["confidence"] != "proved"
        assert f"it passed, but {differs}" in found["reason"]


def test_a_state_that_is_not_here(project: Project) -> None:
    project.write({"shop/tax.py": BROKEN})
    project.pytest("-q", expect=1)
    project.commit({"shop/tax.py": SHOP["shop/tax.py"], "README": "more\n"})
    done = project.flakefighters("confirm", "--all")
    assert done.returncode == 2
    assert "tested another state than the one that is checked out" in done.stderr


def test_a_run_of_another_machine_proves_no_pass(project: Project) -> None:
    shaky = """
        import os

        def test_beside():
            pass

        def test_shaky():
            assert not os.path.exists(os.environ["PLACE"])
        """
    place = project.home / "trouble"
    project.env["PLACE"] = str(place)
    project.commit({"tests/test_shaky.py": shaky})
    place.write_text("")
    ci = {"CI": "true", "GITHUB_ACTIONS": "true", "FLAKEFIGHTERS_CI_PROFILE": "local"}
    project.pytest("-q", env=ci, expect=1)
    place.unlink()
    (found,) = said(project, "confirm", "--all")["verdicts"]
    assert found["confidence"] != "proved"
    assert "it passed, but the run was in CI" in found["reason"]


@pytest.mark.parametrize(
    ("args", "code", "text"),
    [
        (["confirm", "test_nobody"], 1, "no test 'test_nobody'"),
        (["confirm", "test_ta"], 1, "did you mean"),
        (["confirm", "ffff"], 1, "no run ffff"),
        (["bisect", "test_nobody"], 1, "no test 'test_nobody'"),
        (["bisect", "test_tax"], 1, "no failure of test_tax"),
        (["confirm", "--times", "0"], 2, "--times"),
    ],
)
def test_what_is_not_there(project: Project, args: list[str], code: int, text: str) -> None:
    done = project.flakefighters(*args)
    assert done.returncode == code, done.stderr
    assert text in done.stderr


def test_pytest_that_does_not_start(project: Project) -> None:
    project.commit({"shop/tax.py": BROKEN})
    project.pytest("-q", expect=1)
    project.write({"pytest.ini": "[pytest]\naddopts = --no-such-option\n"})
    done = project.flakefighters("confirm", "--all", "--rootdir", str(project.root))
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


def test_bisect(project: Project) -> None:
    for number in range(3):
        project.commit({"README": f"{number}\n"})
    project.commit({"shop/tax.py": "def tax(:\n"})
    broke = project.commit({"shop/tax.py": BROKEN})
    for number in range(3, 6):
        project.commit({"README": f"{number}\n"})
    project.pytest("-q", expect=1)
    # The commit before it cannot be collected, so either of them may be the one.
    done = said(project, "bisect", "test_tax")
    assert broke in done["candidates"]
    assert len(done["candidates"]) == 2
    fixed = project.flakefighters("bisect", "test_tax", "--good", f"{broke}~2")
    assert "broken by one of 2 commits" in fixed.stdout


def test_bisect_names_the_commit_and_keeps_it(project: Project) -> None:
    project.commit({"README": "0\n"})
    broke = project.commit({"shop/tax.py": BROKEN})
    project.commit({"README": "1\n"})
    project.pytest("-q", expect=1)
    listed = sorted((project.root / ".git").rglob("*"))
    done = project.flakefighters("bisect", "tests/test_tax.py::test_tax")
    assert done.stdout.startswith(
        f"tests/test_tax.py::test_tax: broken by {broke[:7]} work, Ada, 1 commit ago"
    )
    assert sorted((project.root / ".git").rglob("*")) == listed
    assert project.git("status", "--porcelain") == ""
    with project.history() as history:
        (found,) = standing(history.verdicts([project.run().head.id])).values()
    assert (found.label, found.confidence) == ("genuine", "proved")
    assert found.reason.startswith(f"broken by {broke[:7]}")


def test_bisect_without_a_known_pass(tmp_path: Path) -> None:
    project = Project(tmp_path)
    project.init()
    project.commit({**SHOP, "shop/tax.py": BROKEN})
    project.pytest("-q", expect=1)
    done = project.flakefighters("bisect", "test_tax")
    assert done.returncode == 1
    assert "--good" in done.stderr
