"""However a run ends, what was known of it is kept, and marked for what it is."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from flakefighters.model import Completeness, Outcome, Phase
from tests.e2e.project import Project, outcomes

COMPLETE, PARTIAL, INTERRUPTED = Completeness


def letters(project: Project) -> str:
    return project.run().outcomes


def wait_for(path: Path, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not path.exists():
        assert time.monotonic() < end, f"no {path.name}"
        time.sleep(0.02)


def test_first_failure(project: Project) -> None:
    project.test("def test_a(): pass\ndef test_b(): assert 0\ndef test_c(): pass\n")
    ended = project.pytest("-x", "--color=no", expect=1)
    assert letters(project) == ".F-"
    assert project.run().head.completeness is PARTIAL
    assert len(ended.verdicts) == 1
    project.pytest("--maxfail=2", expect=1)
    assert letters(project) == ".F."
    assert project.run().head.completeness is COMPLETE


@pytest.mark.parametrize(
    ("stop", "code"),
    [("pytest.exit('enough', returncode=7)", 7), ("raise KeyboardInterrupt", 2)],
    ids=["exit", "ctrl-c"],
)
def test_told_to_stop(project: Project, stop: str, code: int) -> None:
    project.test(f"import pytest\ndef test_a(): pass\ndef test_b(): {stop}\ndef test_c(): pass\n")
    ended = project.pytest(expect=code)
    run = project.run()
    assert run.outcomes == ".?-"
    assert run.head.completeness is (PARTIAL if code == 7 else INTERRUPTED)
    (cut,) = run.executions
    assert cut.reason == "the run ended during this test"
    assert "saved to local" in ended.closing
    assert project.spool == []


def test_a_real_signal(project: Project) -> None:
    project.test(
        """
        import time, pathlib
        def test_a(): assert 0
        def test_b():
            pathlib.Path("started").touch()
            time.sleep(60)
        """
    )
    process = project.start("--color=no")
    wait_for(project.root / "started")
    process.send_signal(signal.SIGINT)
    ended = project.finish(process, expect=2)
    assert letters(project) == "F?"
    assert project.run().head.completeness is INTERRUPTED
    assert [label for label, _ in ended.verdicts] == ["UNDECIDED"]


def test_collection_errors(project: Project) -> None:
    project.write(
        {"test_bad.py": "import nothing_of_that_name\n", "test_it.py": "def test_a(): pass\n"}
    )
    ended = project.pytest(expect=2)
    run = project.run()
    assert dict(zip(run.suite, run.outcomes, strict=True)) == {
        "test_bad.py": "E",
        "test_it.py::test_a": "-",
    }
    assert run.head.completeness is PARTIAL
    assert run.head.context["collection_errors"] == ["test_bad.py"]
    assert run.head.context["exit_status"] == 2
    (error,) = run.executions
    assert (error.nodeid, error.outcome) == ("test_bad.py", Outcome.ERROR)
    (failure,) = error.failures
    assert (failure.phase, failure.facts["collection"]) == (Phase.SETUP, True)
    assert "nothing_of_that_name" in failure.signature
    (verdict,) = ended.verdicts
    assert verdict[1].startswith("test_bad.py - in collection: ")
    project.pytest("--continue-on-collection-errors", expect=1)
    run = project.run()
    assert sorted(run.outcomes) == [".", "E"]
    assert run.head.completeness is PARTIAL
    # Nothing but errors is a run as well.
    project.pytest("test_bad.py", expect=2)
    run = project.run()
    assert (list(run.suite), run.head.completeness) == (["test_bad.py"], PARTIAL)
    assert len(project.runs()) == 3
    assert "in collection" in project.flakefighters("show", run.head.id).stdout
    # Mended, it is gone from the suite.
    project.write({"test_bad.py": "def test_b(): pass\n"})
    project.pytest(expect=0)
    assert list(project.run().suite) == ["test_bad.py::test_b", "test_it.py::test_a"]
    assert project.run().head.context["exit_status"] == 0


def test_killed(project: Project) -> None:
    """Nothing can be done at the time; the next start saves the run."""
    project.test(
        """
        import os, pathlib, signal
        def test_a(): assert 0
        def test_b(): pass
        def test_c(): assert os.environ.get("GO") or how()
        def test_d(): pass
        def how():
            if os.environ["HOW"] == "exit":
                os._exit(3)
            os.kill(os.getpid(), signal.SIGKILL)
        """
    )
    project.pytest(env={"HOW": "exit"}, expect=3)
    project.pytest(env={"HOW": "kill"}, expect=-9)
    project.pytest("-k", "test_a or test_c", env={"HOW": "kill"}, expect=-9)
    assert len(project.spool) == 1, "the last one; those before were saved by the next start"
    assert project.spool[0].stat().st_mode & 0o777 == 0o600
    assert len(project.runs()) == 2
    project.pytest("-q", env={"GO": "1"}, expect=1)
    assert project.spool == []
    whole, part, killed, left = project.runs()
    assert whole.outcomes == "F..."
    for run in (killed, left):
        assert outcomes(run) == {
            "test_it.py::test_a": Outcome.FAILED,
            "test_it.py::test_b": Outcome.PASSED,
            "test_it.py::test_c": Outcome.UNFINISHED,
            "test_it.py::test_d": Outcome.NOT_RUN,
        }
        assert run.head.completeness is INTERRUPTED
        assert run.executions[0].failures[0].exception == "AssertionError"
        assert run.durations[3:6] != [0, 0, 0] or run.durations[0:3] != [0, 0, 0]
    assert part.outcomes == "F?"
    assert part.head.selection == {"-k": "test_a or test_c", "deselected": 2}


def test_the_command_shows_a_killed_run(project: Project) -> None:
    project.test("import os\ndef test_a(): pass\ndef test_b(): os._exit(0)\n")
    project.pytest(expect=0)
    done = project.flakefighters("runs", "--json")
    assert done.returncode == 0, done.stderr
    assert '"interrupted"' in done.stdout


def test_a_live_run_is_left_alone(project: Project) -> None:
    """Two runs at once: neither takes the other's journal for a dead one's."""
    project.test(
        """
        import os, pathlib, time
        def test_a():
            pathlib.Path("started").touch()
            while os.environ.get("WAIT") and not pathlib.Path("go").exists():
                time.sleep(0.02)
        """
    )
    waiting = project.start(env={"WAIT": "1"})
    wait_for(project.root / "started")
    project.pytest(expect=0)
    assert len(project.spool) == 1
    (project.root / "go").touch()
    project.finish(waiting, expect=0)
    assert [run.outcomes for run in project.runs()] == [".", "."]
    assert {run.head.completeness for run in project.runs()} == {COMPLETE}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_internal_error_of_another_plugin(project: Project) -> None:
    """pytest itself falls (exit code 3): the run is kept."""
    project.write(
        {"conftest.py": "def pytest_runtest_logfinish(nodeid):\n    if 'b' in nodeid[-1]: 1 / 0\n"}
    )
    project.test("def test_a(): pass\ndef test_b(): pass\ndef test_c(): pass\n")
    project.pytest(expect=3)
    assert letters(project) == "..-"
    assert project.run().head.completeness is PARTIAL
