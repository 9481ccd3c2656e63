"""A later pass proves an earlier failure flaky; many failures of one cause share a line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any
from unittest.mock import ANY

import pytest

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


def test_what_was_called_flaky_is_proved_without_a_word(
    project: Project, tmp_path_factory: Any
) -> None:
    down = tmp_path_factory.mktemp("world") / "down"
    project.test(MOODY.format(path=str(down)))
    project.pytest(expect=0)
    project.write({"README": "so that the state is another one"})
    down.touch()
    (said,) = project.pytest("--color=no", expect=1).verdicts
    assert said == ("FLAKY", ANY)
    failed = project.run().head.id[-4:]
    down.unlink()
    assert project.pytest("--color=no", expect=0).verdicts == []
    standing = [
        one for one in command(project, "show", failed, "--json")["verdicts"] if one["stands"]
    ]
    assert [(one["label"], one["confidence"]) for one in standing] == [("flaky", "proved")]


@pytest.mark.parametrize("mode", [None, "other"])
@pytest.mark.parametrize("by", ["pytest", "runs", "push"])
def test_a_run_that_is_delivered_later_proves_as_much(
    project: Project, tmp_path_factory: pytest.TempPathFactory, by: str, mode: str | None
) -> None:
    down = tmp_path_factory.mktemp("world") / "down"
    project.test(MOODY.format(path=str(down)))
    down.touch()
    project.pytest(expect=1)
    down.unlink()
    kept = project.database.rename(down.parent / "kept.db")  # no file more in the state
    project.database.mkdir()  # it cannot be used
    project.pytest(expect=0, env={} if mode is None else {"MODE": mode})
    (waiting,) = project.spool
    project.database.rmdir()
    kept.rename(project.database)
    if by == "pytest":
        said = project.pytest("-k", "other", "--color=no", expect=0).verdicts
        texts = [text for label, text in said if label == "FLAKY"]
        end = f" on the same state, passed in run {waiting.stem[-4:]} (was: undecided)"
        assert [text.endswith(end) for text in texts] == ([True] if mode is None else [])
    elif by == "push":
        assert (
            project.flakefighters(
                "push", "--to", f"sqlite:///{project.database}", "--spool", str(waiting.parent)
            ).returncode
            == 0
        )
    runs = command(project, "runs", "--json")
    assert runs[-1]["verdicts"] == ({"flaky": 1} if mode is None else {"undecided": 1})


@pytest.mark.parametrize(
    ("test", "first", "second"),
    [
        ("def test_it():\n    open('rates.txt').close()\n", "UNDECIDED", None),
        (MOODY, "FLAKY", "FLAKY"),
    ],
    ids=["a file that is sought there", "anything else"],
)
def test_where_it_was_started_proves_nothing(
    project: Project, tmp_path: Path, test: str, first: str, second: str | None
) -> None:
    """Nor does a later pass, of what fails in the folder below for lack of a file."""
    down = tmp_path / "down"
    project.test(test.format(path=str(down)))
    project.write({"rates.txt": "20", "below/note.txt": "", "pytest.ini": "[pytest]\n"})
    project.pytest("--color=no", expect=0)
    down.touch()
    ended = project.pytest("--color=no", "..", cwd=project.root / "below", expect=1)
    assert [label for label, _ in ended.verdicts] == [first]
    down.unlink()
    project.pytest("--color=no", expect=0)
    ((run, *_),) = [[one for one in command(project, "runs", "--json") if one["verdicts"]]]
    assert run["verdicts"] == {(second or "UNDECIDED").lower(): 1}


@pytest.mark.parametrize("before", ["20", None, "7"], ids=["there", "never there", "another"])
def test_a_file_that_git_ignores_proves_nothing(project: Project, before: str | None) -> None:
    """It is put right, and the test passes on the same state."""
    project.test("def test_it():\n    assert open('rates.txt').read() == '20'\n")
    project.write({".gitignore": "rates.txt\nflakefighters.db*\n.flakefighters/\n"})
    project.git("init", "-q")
    rates = project.root / "rates.txt"
    if before is not None:
        rates.write_text("20")
        project.pytest(expect=0)
        rates.unlink() if before == "20" else rates.write_text(before)
    ended = project.pytest("--color=no", expect=1)
    assert [label for label, _ in ended.verdicts] == ["UNDECIDED"]
    rates.write_text("20")
    assert project.pytest("--color=no", expect=0).verdicts == []


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


def test_parameters_that_are_new_in_each_run(project: Project) -> None:
    """The function has passed with others: what it ran of what changed since is to blame."""
    project.init()
    files = {
        "mod.py": "def f():\n    return 1\n",
        "test_it.py": """
            import random

            import pytest

            from mod import f

            @pytest.mark.parametrize("n", [random.random()])
            def test_f(n):
                assert f() == 1

            @pytest.mark.parametrize("n", [random.random()])
            def test_moody(n, pytestconfig):
                assert not pytestconfig.rootpath.with_name("down").exists()
            """,
    }
    project.commit(files)
    project.pytest("--color=no", expect=0)
    project.root.with_name("down").touch()
    project.commit({"mod.py": "def f():\n    return 2\n"})
    project.commit({"other.py": ""})
    ended = project.pytest("--color=no", expect=1)
    told = {label: text.partition(" - ")[2] for label, text in ended.verdicts}
    if sys.version_info < (3, 12):  # which functions ran is not known there
        assert "FLAKY" not in told
        return
    assert told["GENUINE"].startswith("ran f() in mod.py, changed in ")
    assert told["GENUINE"].endswith("'work' since it passed with other parameters")
    assert told["UNDECIDED"].startswith("passed with other parameters only (")
