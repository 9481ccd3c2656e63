"""A flaky test is known by its history: pytest in a child process, the history it leaves."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.e2e.project import Ended, Project

FILES = {
    "shop.py": "def price(): return 1\n",
    "test_shop.py": """
        import os
        import shop

        def test_shaky():
            shop.price()
            assert not os.path.exists(os.environ["FAILS"]), "the service is away"

        def test_steady():
            assert True
        """,
}


@pytest.fixture
def project(tmp_path: Path) -> Project:
    made = Project(tmp_path)
    made.write(FILES)
    made.init()
    made.env["FAILS"] = str(tmp_path / "fails")
    return made


def run(project: Project, options: tuple[str, ...], *, fails: bool) -> Ended:
    """Run the tests with the service there or away."""
    switch = Path(project.env["FAILS"])
    switch.unlink(missing_ok=True)
    if fails:
        switch.touch()
    plugins = ("xdist",) if "-n" in options else ()
    return project.pytest("-q", *options, plugins=plugins, expect=1 if fails else 0)


@pytest.mark.parametrize("more", [(), ("-n", "2")], ids=["alone", "xdist"])
def test_a_test_that_failed_by_chance_before(project: Project, more: tuple[str, ...]) -> None:
    for at in range(3):
        project.write({"shop.py": f"def price(): return {at}\n"})
        project.commit()
        for fails in (False, True, False):
            run(project, more, fails=fails)
    # A state of its own: nothing has passed on it.
    project.write({"shop.py": "def price(): return 9\n"})
    ended = run(project, ("--flakefighters-verdicts", *more), fails=True)
    assert "flip_rate" in ended.out
    assert (
        "failed in 3 of 9 comparable executions without a change being the cause (30%, 10 to 55%)"
        in ended.out
    )
    # It touched a change, which weighs more.
    assert [label for label, _ in ended.verdicts] == ["GENUINE"]

    (shaky, steady) = json.loads(project.flakefighters("tests", "--json").stdout)
    assert (shaky["chance_failures"], shaky["executions"]) == (3, 9)
    assert shaky["low"] < shaky["rate"] < shaky["high"]
    assert steady["rate"] < 0.01
    explained = project.flakefighters("explain", "test_shaky").stdout
    assert "fails by chance in 30% of executions (10 to 55%)" in explained
    again = project.flakefighters("explain", "test_shaky", "--recheck").stdout
    assert "GENUINE" in again


def test_a_genuine_row_is_no_chance(project: Project) -> None:
    for at in range(3):
        project.write({"shop.py": f"def price(): return {at}\n"})
        project.commit()
        for _ in range(2):
            run(project, (), fails=at == 1)
    (shaky, _) = json.loads(project.flakefighters("tests", "--json").stdout)
    assert shaky["failures"] == 2
    assert (shaky["chance_failures"], shaky["executions"]) == (0, 4)
    assert "by chance" not in project.flakefighters("explain", "test_shaky").stdout
