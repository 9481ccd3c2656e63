"""A later pass proves an earlier failure flaky; many failures of one cause share a line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.e2e.project import Project

MOODY = """
    import os

    def test_moody():
        assert not os.path.exists({path!r})

    def test_other():
        pass
    """


def command(project: Project, *arguments: str) -> Any:
    """What a command prints as JSON, or as text without ``--json``."""
    environ = {"PATH": os.environ["PATH"], "HOME": str(project.root / "home"), "LANG": "C.UTF-8"}
    environ["PYTHONPATH"] = str(Path(__file__).resolve().parents[2])
    done = subprocess.run(
        [sys.executable, "-m", "flakefighters", *arguments],
        cwd=project.root,
        env=environ,
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout) if "--json" in arguments else done.stdout


def test_the_run_that_proves_it_says_so(project: Project, tmp_path_factory: Any) -> None:
    down = tmp_path_factory.mktemp("world") / "down"
    project.test(MOODY.format(path=str(down)))
    down.touch()
    first = project.pytest("--color=no", expect=1)
    assert [label for label, _ in first.verdicts] == ["UNDECIDED"]
    failed = project.run().head.id[-4:]
    down.unlink()
    second = project.pytest("--color=no", expect=0)
    ((label, text),) = second.verdicts
    assert label == "FLAKY"
    assert text.startswith(f"test_it.py::test_moody - failed in run {failed} (")
    assert text.endswith(" on this state, passes now (was: undecided)")
    assert second.closing.startswith("no failures; run ")
    assert project.pytest("--color=no", expect=0).verdicts == []  # said once

    runs = command(project, "runs", "--json")
    assert [run["verdicts"] for run in runs] == [{}, {}, {"flaky": 1}]
    (moody,) = [one for one in command(project, "tests", "--json") if "moody" in one["nodeid"]]
    counted = [moody[key] for key in ("failures", "flaky", "genuine", "undecided", "unjudged")]
    assert counted == [1, 1, 0, 0, 0]
    whole = command(project, "show", failed, "--json")
    assert whole["labels"] == {"flaky": 1}
    standing = [one for one in whole["verdicts"] if one["stands"]]
    assert [(one["label"], one["confidence"]) for one in standing] == [("flaky", "proved")]
    assert "(was: undecided)" in command(project, "show", failed)
    explained = command(project, "explain", "test_moody")
    assert "flaky - passed on the same state in run" in explained
    assert explained.count("(was: undecided)") == 1


def test_quiet_runs_stay_quiet(project: Project, tmp_path_factory: Any) -> None:
    down = tmp_path_factory.mktemp("world") / "down"
    project.test(MOODY.format(path=str(down)))
    down.touch()
    project.pytest("-qq", expect=1)
    down.unlink()
    assert project.pytest("-qq", expect=0).ours == []


def test_one_cause_of_many_failures(project: Project) -> None:
    project.test(
        """
        import pytest

        @pytest.mark.parametrize("n", range(40))
        def test_n(n):
            assert False
        """
    )
    ended = project.pytest("--color=no", "--tb=no", expect=1)
    ((label, text),) = ended.verdicts
    assert label == "UNDECIDED"
    assert text.startswith("test_it.py::test_n[0] and 39 more - many at once")
    assert "-v lists all 40 failures" in ended.ours
    assert len(project.pytest("-v", "--color=no", "--tb=no", expect=1).verdicts) == 40
