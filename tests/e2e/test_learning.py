"""Earlier failures whose label is known tell of a failure like them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from flakefighters.model import Verdict
from tests.e2e.project import Project, code

LEARNED = ("traceback", "similarity")
FLAKY = """
    import os
    from shop import total

    def test_pay():
        if os.path.exists({path!r}):
            os.remove({path!r})
            assert total() == {then}
        assert total() == 99

    def test_other():
        pass
    """
SHOP = """
    def total():
        return {total}

    def check(total):
        if total < 0:
            raise ValueError(f"no such total: {{total}}")
    """


@pytest.fixture
def down(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("world") / "down"


def said(project: Project) -> dict[str, Verdict]:
    """What was said in the newest run of the last attempt that failed, by flakefighter."""
    with project.history() as history:
        verdicts = history.verdicts([project.run().head.id])
    last = max(one.attempt for one in verdicts)
    return {one.fighter: one for one in verdicts if one.attempt == last}


def tail(project: Project) -> str:
    return project.run().head.id[-4:]


@pytest.mark.parametrize("workers", [(), ("-n", "2")])
def test_a_failure_like_one_that_was_proved_flaky(
    project: Project, down: Path, workers: tuple[str, ...]
) -> None:
    project.write({"shop.py": code(SHOP).format(total=99)})
    project.test(FLAKY.format(path=str(down), then=100))
    plugins = ("-p", "xdist") if workers else ()
    down.touch()
    project.pytest("--flakefighters-reruns=1", *plugins, *workers, expect=0)
    proof = tail(project)
    project.pytest(*plugins, *workers, expect=0)
    # What the test runs is changed, and it fails as it did then, in another style of traceback.
    project.write({"shop.py": code(SHOP).format(total="98 + 1")})
    down.touch()
    ended = project.pytest(
        "--tb=short", "--flakefighters-verdicts", "--color=no", *plugins, *workers, expect=1
    )
    found = said(project)
    for name in LEARNED:
        assert (found[name].label, found[name].confidence) == ("flaky", "fair")
    reason = f"failed alike in 1 earlier run, then flaky (last: run {proof})"
    assert found["traceback"].reason == reason
    assert reason in "\n".join(ended.ours)
    assert found["joint"].label == "genuine"  # it touched a change
    assert "cosine" in project.flakefighters("explain", "test_pay", "--json").stdout

    # Other operands are another failure, though the signature is the same.
    project.write({"shop.py": code(SHOP).format(total=90)})
    down.touch()
    project.pytest("--color=no", *plugins, *workers, expect=1)
    assert not said(project).keys() & set(LEARNED)


BROKEN = """
    from shop import check

    def test_{name}():
        check({total})
    """


def test_a_failure_that_a_change_ended_was_genuine(project: Project) -> None:
    def run(total: int, *tests: str) -> None:
        shop = code(SHOP).format(total=99)
        project.write({"shop.py": shop.replace("total < 0", f"total < {total}")})
        for name in tests:
            project.write({f"test_{name}.py": code(BROKEN).format(name=name, total=-1)})
        project.pytest("--color=no", expect=1 if total == 0 else 0)

    run(-9, "one")
    run(0)
    assert said(project)["joint"].label == "genuine"
    assert not said(project).keys() & set(LEARNED)
    broken = tail(project)
    run(-8)
    # It comes again, in another test as well.
    project.write({"README": "so that the state is another one"})
    run(0, "two")
    with project.history() as history:
        verdicts = history.verdicts([project.run().head.id])
    found = [one for one in verdicts if one.fighter in LEARNED]
    assert {(one.fighter, one.nodeid, one.label) for one in found} == {
        (name, "test_one.py::test_one", "genuine") for name in LEARNED
    }
    assert f"failed alike in 1 earlier run, then genuine (last: run {broken})" in {
        one.reason for one in found
    }


LOADED = """
    import sys

    def pytest_unconfigure():
        print("loaded:", sorted(name for name in sys.modules if name in {names!r}))
    """


def test_nothing_of_it_is_loaded_where_nothing_fails(project: Project, down: Path) -> None:
    project.ready = False
    names = ["flakefighters.history.lessons", "flakefighters.measures.tfidf"]
    project.write({"shop.py": code(SHOP).format(total=99)})
    project.write({"conftest.py": code(LOADED).format(names=names)})
    project.test(FLAKY.format(path=str(down), then=100))
    for _ in range(2):
        assert "loaded: []" in project.pytest("-s", expect=0).out
    down.touch()
    assert f"loaded: {names}" in project.pytest("-s", expect=1).out


def test_marks_teach_as_well(project: Project, down: Path) -> None:
    project.write({"shop.py": code(SHOP).format(total=99)})
    project.test(FLAKY.format(path=str(down), then=100))

    def fails() -> dict[str, Any]:
        down.touch()
        project.pytest("--color=no", expect=1)
        return dict(said(project))

    assert not fails().keys() & set(LEARNED)
    project.flakefighters("mark", "test_it.py::test_pay", "flaky")
    found = fails()["traceback"]
    assert found.label == "flaky"
    assert found.evidence["known_by"] == {"mark": 1}
