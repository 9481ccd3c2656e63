"""Plugins that run failing tests again: each attempt is an attempt."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from flakefighters.model import Outcome
from tests.e2e.project import Project
from tests.requirements import need_module

SHAKY = """
    import pathlib
    import pytest
    {head}

    def times(name):
        path = pathlib.Path(name)
        path.write_text(path.read_text() + "x" if path.exists() else "x")
        return len(path.read_text())

    {mark}
    def test_shaky(): assert times("shaky") == 3
    {mark}
    def test_broken(): assert 0
    {mark}
    def test_fine(): pass

    @pytest.fixture
    def shaky_setup(): assert times("setup") == 2
    {mark}
    def test_setup(shaky_setup): pass
    """


def attempts(project: Project, name: str) -> list[tuple[int, Outcome, int]]:
    return [
        (one.attempt, one.outcome, len(one.failures))
        for one in project.attempts(f"test_it.py::{name}")
    ]


@pytest.mark.parametrize("more", [(), ("-n2",)], ids=["plain", "xdist"])
def test_rerunfailures(project: Project, more: Sequence[str]) -> None:
    need_module("pytest_rerunfailures")
    plugins = ["rerunfailures"]
    if more:
        need_module("xdist")
        plugins.append("xdist")
    project.test(SHAKY.format(head="", mark=""))
    ended = project.pytest("--reruns=2", "--color=no", *more, plugins=plugins, expect=1)
    failed, passed = Outcome.FAILED, Outcome.PASSED
    assert attempts(project, "test_shaky") == [(1, failed, 1), (2, failed, 1), (3, passed, 0)]
    assert attempts(project, "test_broken") == [(1, failed, 1), (2, failed, 1), (3, failed, 1)]
    assert attempts(project, "test_setup") == [(1, Outcome.ERROR, 1), (2, passed, 0)]
    assert attempts(project, "test_fine") == []
    found = project.outcomes()
    assert found["test_it.py::test_shaky"] is Outcome.MIXED
    assert found["test_it.py::test_broken"] is Outcome.FAILED
    assert found["test_it.py::test_setup"] is Outcome.MIXED
    # A rerun that disagrees proves nondeterminism.
    said = {rest.partition(" - ")[0]: label for label, rest in ended.verdicts}
    assert said["test_it.py::test_shaky"] == "FLAKY"
    assert said["test_it.py::test_broken"] == "UNDECIDED"


@pytest.mark.parametrize("more", [(), ("-n2",)], ids=["plain", "xdist"])
def test_flaky(project: Project, more: Sequence[str]) -> None:
    need_module("flaky")
    plugins = ["flaky"]
    if more:
        need_module("xdist")
        plugins.append("xdist")
    project.test(SHAKY.format(head="from flaky import flaky", mark="@flaky(max_runs=3)"))
    bare = project.pytest("--no-flaky-report", *more, plugins=plugins, on=False)
    for name in ("shaky", "setup"):
        (project.root / name).unlink(missing_ok=True)
    project.pytest("--no-flaky-report", *more, plugins=plugins, expect=bare.code)
    assert project.outcomes()["test_it.py::test_shaky"] is Outcome.MIXED
    assert [one for _, one, _ in attempts(project, "test_shaky")][-1] is Outcome.PASSED
    assert sum(count for _, _, count in attempts(project, "test_shaky")) == 2
    assert project.outcomes()["test_it.py::test_broken"] is Outcome.FAILED
    assert project.outcomes()["test_it.py::test_fine"] is Outcome.PASSED


SUBTESTS = """
    import unittest
    import pathlib

    def times(name):
        path = pathlib.Path(name)
        path.write_text(path.read_text() + "x" if path.exists() else "x")
        return len(path.read_text())

    def test_fails(subtests):
        for number in range(2):
            with subtests.test(number=number):
                assert number

    def test_shaky(subtests):
        with subtests.test("one"):
            assert times("shaky") == 2

    def test_fine(subtests):
        with subtests.test("one"): pass

    class TestIt(unittest.TestCase):
        def test_fails(self):
            for number in range(2):
                with self.subTest(number=number): self.assertTrue(number)

        def test_fine(self):
            with self.subTest("one"): pass
    """


@pytest.mark.parametrize("reruns", [False, True], ids=["plain", "reruns"])
def test_subtests(project: Project, reruns: bool) -> None:
    """pytest-rerunfailures logs an attempt's setup after its subtests."""
    need_module("_pytest.subtests")
    need_module("pytest_rerunfailures")
    project.test(SUBTESTS)
    plugins = ["rerunfailures"] if reruns else []
    ended = project.pytest(*(["--reruns=1"] if reruns else []), plugins=plugins, expect=1)
    found = {name.removeprefix("test_it.py::"): one for name, one in project.outcomes().items()}
    passed, failed = Outcome.PASSED, Outcome.FAILED
    assert found == {
        "test_fails": failed,
        "test_shaky": Outcome.MIXED if reruns else failed,
        "test_fine": passed,
        "TestIt::test_fails": failed,
        "TestIt::test_fine": passed,
    }
    for name in ("test_fine", "TestIt::test_fine"):
        assert attempts(project, name) == []
    twice = [(1, failed, 1), (2, failed, 1)] if reruns else [(1, failed, 1)]
    assert attempts(project, "test_fails") == twice
    # The subtests of unittest do not fail the report by which pytest-rerunfailures goes.
    assert attempts(project, "TestIt::test_fails") == [(1, failed, 1)]
    said = {rest.partition(" - ")[0]: label for label, rest in ended.verdicts}
    assert said["test_it.py::test_fails"] != "FLAKY"
    assert said["test_it.py::TestIt::test_fails"] != "FLAKY"
    assert (said["test_it.py::test_shaky"] == "FLAKY") is reruns


def test_retry(project: Project) -> None:
    """Attempts within one setup and teardown."""
    need_module("pytest_retry")
    project.test("""
        import pathlib
        import pytest

        @pytest.fixture
        def bad_end():
            yield
            raise OSError("no")

        def test_shaky():
            path = pathlib.Path("shaky")
            seen = path.exists()
            path.touch()
            assert seen

        def test_broken(): assert 0
        def test_fine(): pass
        """)
    ended = project.pytest("--retries=2", plugins=["pytest_retry.retry_plugin"], expect=1)
    failed, passed = Outcome.FAILED, Outcome.PASSED
    assert attempts(project, "test_shaky") == [(1, failed, 1), (2, passed, 0)]
    assert attempts(project, "test_broken") == [(1, failed, 1), (2, failed, 1)]
    assert attempts(project, "test_fine") == []
    assert project.outcomes()["test_it.py::test_shaky"] is Outcome.MIXED
    said = {rest.partition(" - ")[0]: label for label, rest in ended.verdicts}
    assert said == {"test_it.py::test_shaky": "FLAKY", "test_it.py::test_broken": "UNDECIDED"}


def test_passing_attempts_that_are_called_reruns(project: Project) -> None:
    """What looks for flaky tests runs new ones several times, and logs the attempts as reruns."""
    project.write(
        {
            "conftest.py": """
                from _pytest.runner import runtestprotocol

                def pytest_runtest_protocol(item, nextitem):
                    item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
                    for number in range(3):
                        if number:
                            item._initrequest()
                        for report in runtestprotocol(item, nextitem=nextitem, log=False):
                            if report.when == "call" and number:
                                report.outcome = "rerun"
                            item.ihook.pytest_runtest_logreport(report=report)
                    item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
                    return True

                def pytest_report_teststatus(report):
                    if report.outcome == "rerun":
                        return "rerun", "R", ("RERUN", {"yellow": True})
                """,
            "test_it.py": """
                import pathlib

                def test_passes(): pass

                def test_shaky():
                    path = pathlib.Path("shaky")
                    path.write_text(path.read_text() + "x" if path.exists() else "x")
                    assert len(path.read_text()) != 2
                """,
        }
    )
    ended = project.pytest(expect=0)
    passed = Outcome.PASSED
    assert [one for _, one, _ in attempts(project, "test_passes")] == [passed] * 3
    assert project.outcomes()["test_it.py::test_passes"] is passed
    assert attempts(project, "test_shaky") == [
        (1, passed, 0),
        (2, Outcome.FAILED, 1),
        (3, passed, 0),
    ]
    assert [label for label, _ in ended.verdicts] == ["FLAKY"]
