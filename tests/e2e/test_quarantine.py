"""Tests in quarantine, and marks, in a run: told of by default, acted on if asked."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from flakefighters.history import open_history
from flakefighters.history.events import add as add_events
from flakefighters.ids import uuid7
from flakefighters.model import Target
from flakefighters.model.decisions import MARK, QUARANTINE, Event, signature_target
from tests.e2e.project import Ended, Project, code
from tests.requirements import need_module

ENFORCE = "--flakefighters-quarantine=enforce"
PROVED = "exit code 0: the only failure is flaky, proved"
MOODY = """
    import os
    import pytest

    def test_moody():
        assert not os.path.exists({path!r})

    def test_other():
        pass
    """


@pytest.fixture
def down(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """While it is there, the test fails."""
    return tmp_path_factory.mktemp("world") / "down"


@pytest.fixture
def moody(project: Project, down: Path) -> Project:
    """A project whose tests passed once."""
    project.write({"test_it.py": code(MOODY).replace("{path!r}", repr(str(down)))})
    project.pytest(expect=0)
    return project


def decide(project: Project, kind: str, target: str, state: str, **value: str) -> None:
    """As a person would by the command, at any time."""
    identity = project.run().head.project
    said = {"state": state, **value}
    event = Event(uuid7(), identity, kind, target, said, "Ada \x1b[31mRed", 1)
    with open_history(Target(backend="sqlite", path=project.database)) as history:
        assert add_events(history.database, project.run().project, [event]) == 1


def fail(project: Project, down: Path, *args: str, workers: Sequence[str] = ()) -> Ended:
    down.touch()
    return project.pytest("--color=no", *args, *workers, plugins=["xdist"] if workers else [])


def test_it_is_told_and_the_exit_code_stays(moody: Project, down: Path) -> None:
    done = moody.flakefighters(
        "quarantine", "add", "test_it.py::test_moody", "--until", "2999-01-31", "--reason", "slow"
    )
    assert done.returncode == 0, done.stderr
    ended = fail(moody, down)
    assert ended.code == 1
    assert "exit code" not in ended.closing
    assert "    quarantined until 2999-01-31 by " in ended.out
    assert ": slow\n" in ended.out
    ended = fail(moody, down, "--flakefighters-quarantine=off")
    assert (ended.code, "quarantined" in ended.out) == (1, False)


@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["alone", "xdist"])
def test_enforced(moody: Project, down: Path, workers: Sequence[str]) -> None:
    if workers:
        need_module("xdist")
        moody.pytest(*workers, plugins=["xdist"], expect=0)  # the plugin is part of the state
    ended = fail(moody, down, ENFORCE, workers=workers)
    assert ended.code == 1
    assert ended.closing.endswith("exit code stays 1: 1 flaky, not quarantined")
    decide(moody, QUARANTINE, "test_it.py::test_moody", "on")
    ended = fail(moody, down, ENFORCE, workers=workers)
    assert ended.code == 0
    assert ended.closing.endswith(PROVED)
    assert "by Ada" in ended.out
    assert "\x1b" not in ended.out
    assert len(moody.run().executions) == 1, "it is recorded as ever"


@pytest.mark.parametrize(
    ("events", "sentence", "told"),
    [
        ([("on", {"until": "2020-01-31"})], "1 flaky, not quarantined", "expired after 2020-01-31"),
        ([("on", {}), ("off", {})], "1 flaky, not quarantined", ""),
    ],
    ids=["expired", "two at once"],
)
def test_what_is_not_in_force(
    moody: Project,
    down: Path,
    events: list[tuple[str, dict[str, str]]],
    sentence: str,
    told: str,
) -> None:
    for state, value in events:
        decide(moody, QUARANTINE, "test_it.py::test_moody", state, **value)
    ended = fail(moody, down, ENFORCE)
    assert ended.code == 1
    assert ended.closing.endswith(sentence)
    assert told in ended.out
    assert "    quarantined" not in ended.out


def test_genuine_failures_always_fail(moody: Project, down: Path) -> None:
    moody.init()
    moody.commit()
    moody.pytest(expect=0)
    decide(moody, QUARANTINE, "test_it.py::test_moody", "on")
    decide(moody, MARK, "test_it.py::test_moody", "flaky")
    moody.env["FLAKEFIGHTERS_PROFILES__LOCAL__QUARANTINE_UNDECIDED"] = "pass"
    moody.test("def test_moody():\n    assert 0\n")
    ended = fail(moody, down, ENFORCE)
    assert ended.code == 1
    assert [label for label, _ in ended.verdicts] == ["GENUINE"], "a mark overrules nothing"
    assert ended.closing.endswith("exit code stays 1: 1 genuine")


@pytest.mark.parametrize(("setting", "expected"), [(None, 1), ("fail", 1), ("pass", 0)])
def test_undecided_failures_do_as_the_setting_says(
    project: Project, setting: str | None, expected: int
) -> None:
    project.test("def test_new():\n    assert 0\n\ndef test_other():\n    pass\n")
    first = project.pytest("--color=no", expect=1)
    assert [label for label, _ in first.verdicts] == ["UNDECIDED"]
    decide(project, QUARANTINE, "test_it.py::test_new", "on")
    decide(project, MARK, "test_it.py::test_new", "flaky")  # which proves nothing
    if setting is not None:
        project.env["FLAKEFIGHTERS_PROFILES__LOCAL__QUARANTINE_UNDECIDED"] = setting
    ended = project.pytest("--color=no", ENFORCE, expect=expected)
    told = (
        "0: the only failure is quarantined and not genuine" if not expected else "1: 1 undecided"
    )
    assert ended.closing.endswith(told)


def test_marks_stand_beside_the_verdict(moody: Project, down: Path) -> None:
    decide(moody, MARK, "test_it.py::test_moody", "fixed", reason="yesterday")
    ended = fail(moody, down)
    assert [label for label, _ in ended.verdicts] == ["FLAKY"]
    assert "    marked fixed by Ada" in ended.out
    assert "yesterday" in ended.out


def test_what_is_marked_as_genuine_is_never_left_out(moody: Project, down: Path) -> None:
    fail(moody, down)
    run = moody.run()
    (failure,) = run.executions[0].failures
    decide(moody, MARK, signature_target(failure.signature), "genuine", reason="the disk")
    ended = fail(moody, down, "--flakefighters-suppress")
    assert ended.code == 1
    assert ended.closing.endswith("exit code stays 1: 1 marked genuine")
    assert [label for label, _ in ended.verdicts] == ["FLAKY"], "which is no proof"
    assert "    marked genuine by Ada" in ended.out


def test_a_function_with_all_of_its_parameters(project: Project, down: Path) -> None:
    project.write(
        {
            "test_it.py": code(
                """
                import os
                import pytest

                @pytest.mark.parametrize("n", [1, 2])
                def test_moody(n):
                    assert not os.path.exists({path!r})
                """
            ).replace("{path!r}", repr(str(down)))
        }
    )
    project.pytest(expect=0)
    decide(project, QUARANTINE, "test_it.py::test_moody", "on")
    ended = fail(project, down, ENFORCE)
    assert ended.code == 0
    assert ended.closing.endswith("exit code 0: all 2 failures are flaky, proved")


def test_a_foreign_file_decides_nothing(moody: Project, down: Path) -> None:
    decide(moody, QUARANTINE, "test_it.py::test_moody", "on")
    moody.database.rename(moody.root / "flakefighters.db.foreign")
    moody.pytest(expect=0)
    moody.write(
        {
            "profiles.toml": """
            [profiles.team]
            url = "sqlite:///flakefighters.db.foreign"
            read_only = true
            """
        }
    )
    moody.pytest("--flakefighters-profile=team", expect=0)
    ended = fail(moody, down, ENFORCE, "--flakefighters-profile=team")
    assert ended.code == 1
    assert "quarantined until" not in ended.out
    assert "quarantined without" not in ended.out


def test_a_polluted_process_knows_them(project: Project, down: Path) -> None:
    text = code(MOODY).replace("{path!r}", repr(str(down)))
    project.write({"test_it.py": text + "    import time\n    time.time = lambda: 1.0\n"})
    project.pytest(expect=0)
    decide(project, QUARANTINE, "test_it.py::test_moody", "on", until="2999-01-31")
    ended = fail(project, down, ENFORCE)
    assert ended.code == 0
    assert "quarantined until 2999-01-31" in ended.out


def test_nothing_is_imported_for_it_if_nothing_fails(project: Project) -> None:
    project.ready = False
    project.test(
        """
        import sys

        def test_modules():
            assert not [name for name in sys.modules if "decisions" in name or "events" in name]
        """
    )
    project.pytest(expect=0)
    assert os.path.lexists(project.database)
