"""Under pytest-xdist only the controller records, and the exit code is what it was."""

from __future__ import annotations

import pytest

from flakefighters.model import Completeness, Outcome
from tests.e2e.project import Project, outcomes
from tests.requirements import need_module

SUITE = """
    import os
    import pytest

    @pytest.fixture
    def bad():
        raise OSError("no")

    def test_pass(): pass
    def test_fail(): assert 1 == 2
    def test_error(bad): pass
    def test_skip(): pytest.skip("because")
    @pytest.mark.xfail(reason="known")
    def test_xfail(): assert 0
    def test_slow(): pass

    def test_worker_knows_no_history():
        assert not any("flakefighters" in name and "://" in value
                       for name, value in os.environ.items())
    """
#: What a run leaves behind: ours and pytest's.
FILES = [
    ".flakefighters/.gitignore",
    ".flakefighters/project",
    ".pytest_cache/.gitignore",
    ".pytest_cache/CACHEDIR.TAG",
    ".pytest_cache/README.md",
    ".pytest_cache/v/cache/lastfailed",
    ".pytest_cache/v/cache/nodeids",
    "flakefighters.db",
    "test_it.py",
]
EXPECTED = {
    "test_pass": ".",
    "test_fail": "F",
    "test_error": "E",
    "test_skip": "s",
    "test_xfail": "x",
    "test_slow": ".",
    "test_worker_knows_no_history": ".",
}


@pytest.fixture(autouse=True)
def _xdist() -> None:
    need_module("xdist")


def named(project: Project) -> dict[str, str]:
    found = outcomes(project.run())
    return {nodeid.partition("::")[2].partition("@")[0]: one.value for nodeid, one in found.items()}


@pytest.mark.parametrize("dist", ["load", "worksteal", "loadgroup", "loadfile"])
def test_distributions(project: Project, dist: str) -> None:
    project.test(SUITE)
    ended = project.pytest("-n", "2", f"--dist={dist}", "--color=no", plugins=["xdist"], expect=1)
    assert [name for name in project.files() if not name.endswith("/stepwise")] == FILES
    assert named(project) == EXPECTED
    run = project.run()
    assert len(project.runs()) == 1, "workers record nothing"
    assert run.head.completeness is Completeness.COMPLETE
    assert {one.worker for one in run.executions} <= {"gw0", "gw1"}
    (failed,) = [one for one in run.executions if one.nodeid.endswith("::test_fail")]
    assert failed.failures[0].exception == "AssertionError"
    assert len(ended.verdicts) == 2


def test_each(project: Project) -> None:
    """The same test in two workers: two attempts."""
    project.test(
        """
        import os
        def test_pass(): pass
        def test_one(): assert os.environ["PYTEST_XDIST_WORKER"] == "gw0"
        """
    )
    project.pytest("--dist=each", "--tx=2*popen", plugins=["xdist"], expect=1)
    run = project.run()
    assert [one.worker for one in run.executions if one.failures] == ["gw1"]
    assert sorted(one.attempt for one in run.executions if "test_one" in one.nodeid) == [1, 2]
    assert outcomes(run)["test_it.py::test_pass"] is Outcome.PASSED


def test_groups_have_the_names_of_a_plain_run(project: Project) -> None:
    """loadgroup appends "@group" to node ids; the history of a test must not split."""
    project.test(
        """
        import pytest
        @pytest.mark.xdist_group("db")
        def test_a(): assert 0
        def test_b(): pass
        """
    )
    project.pytest("-n2", "--dist=loadgroup", plugins=["xdist"], expect=1)
    project.pytest(plugins=["xdist"], expect=1)
    spread, plain = project.runs()[1], project.runs()[0]
    assert sorted(spread.suite) == sorted(plain.suite)
    assert spread.executions[0].nodeid == plain.executions[0].nodeid


def test_a_crashed_worker(project: Project) -> None:
    project.test(
        """
        import os
        def test_a(): pass
        def test_crash(): os._exit(1)
        def test_c(): pass
        def test_d(): pass
        """
    )
    ended = project.pytest("-n2", "--color=no", plugins=["xdist"], expect=1)
    run = project.run()
    found = outcomes(run)
    assert found["test_it.py::test_crash"] is Outcome.FAILED
    assert sorted(run.outcomes) == [".", ".", ".", "F"]
    (crash,) = run.executions
    assert crash.reason == "the process that ran it died"
    assert crash.failures[0].exception is None
    assert len(ended.verdicts) == 1


def test_collection_error_and_no_worker(project: Project) -> None:
    project.write(
        {"test_bad.py": "import nothing_of_that_name\n", "test_it.py": "def test_a(): pass\n"}
    )
    bare = project.pytest("-n2", plugins=["xdist"], on=False)
    project.pytest("-n2", plugins=["xdist"], expect=bare.code)
    assert project.run().head.context["collection_errors"] == ["test_bad.py"]
    (error,) = project.run().executions
    assert (error.nodeid, error.outcome) == ("test_bad.py", Outcome.ERROR)
    (project.root / "test_bad.py").unlink()
    project.pytest("-n0", plugins=["xdist"], expect=0)
    assert project.run().outcomes == "."
    project.pytest(
        "-n2", "--maxfail=1", "-p", "no:flakefighters", plugins=["xdist"], on=False, expect=0
    )
    assert len(project.runs()) == 2


def test_stopped_at_the_first_failure_is_not_interrupted(project: Project) -> None:
    project.test("""
        import time
        def test_bad(): assert 0
        def test_b(): time.sleep(0.5)
        def test_c(): time.sleep(0.5)
        def test_d(): time.sleep(0.5)
        """)
    project.pytest("-x", "-n2", plugins=["xdist"], expect=2)
    assert project.run().head.completeness is Completeness.PARTIAL


def test_subtests_have_the_names_that_pytest_gives_them(project: Project) -> None:
    need_module("_pytest.subtests")
    project.test("""
        def test_sub(subtests):
            with subtests.test("one", number=1, text="1"):
                assert 0
        """)
    names = []
    for more in ([], ["-n1"]):
        project.pytest(*more, plugins=["xdist"], expect=1)
        (execution,) = project.run().executions
        names.append([failure.subtest for failure in execution.failures])
    assert names == [["[one] (number=1, text='1')"]] * 2


def test_a_crash_is_told_from_a_failure(project: Project) -> None:
    project.test("""
        import os
        def test_crash(): os._exit(1)
        """)
    project.pytest("-n1", plugins=["xdist"], expect=1)
    (execution,) = project.run().executions
    assert execution.failures[0].facts["limit"] == "crash"


def test_workers_are_told_no_url(project: Project) -> None:
    project.test("""
        def test_it(request):
            config = request.config
            known = [config.workerinput, config.invocation_params.args, vars(config.option)]
            assert "hunter2" not in repr(known)
        """)
    for option in ("--database-url=", "--flakefighters-database-url="):
        said = project.pytest("-n1", f"{option}sqlite:///hunter2.db", plugins=["xdist"], expect=0)
        assert "saved to" in said.closing
