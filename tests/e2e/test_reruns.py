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
