"""Runs whose tests leave another time, or other odd things, behind."""

from __future__ import annotations

import time

from flakefighters.model import Outcome
from tests.e2e.project import Project
from tests.requirements import need_module


def test_a_run_ends_after_it_has_started_whatever_the_clock_says(project: Project) -> None:
    need_module("time_machine")
    project.write(
        {
            "conftest.py": """
                import time_machine
                time_machine.travel("2001-02-03 04:05:06+00:00", tick=False).start()
                """,
            "test_it.py": "def test_a(): pass\n",
        }
    )
    project.pytest(expect=0)
    head = project.run().head
    assert head.ended is not None
    assert 0 <= head.ended - head.started < 600_000_000
    assert abs(time.time() - head.ended / 1_000_000) < 600
    # The pass is one, for a run that travels as well.
    project.test("def test_a(): assert 0\n")
    ended = project.pytest(expect=1)
    assert "never passed" not in ended.verdicts[0][1]


def test_odd_modules_and_durations(project: Project) -> None:
    project.test("""
        import sys

        sys.modules[None] = sys.modules[("a", 1)] = sys

        def test_a(): pass
        def test_b(): assert 0
        """)
    project.write(
        {
            "conftest.py": """
                import pytest

                @pytest.hookimpl(wrapper=True, tryfirst=True)
                def pytest_runtest_makereport(item, call):
                    report = yield
                    odd = {"setup": float("inf"), "call": float("nan")}
                    report.duration = odd.get(call.when, -1)
                    return report
                """
        }
    )
    ended = project.pytest("-p", "no:terminal", expect=1)
    assert ended.warnings == []
    assert project.outcomes()["test_it.py::test_a"] is Outcome.PASSED
    assert project.outcomes()["test_it.py::test_b"] is Outcome.FAILED
    assert set(project.run().durations) == {0}
