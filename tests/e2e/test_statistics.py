"""Marks, statistics and flakefighters of other packages, in a run."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from flakefighters.model import Confidence
from tests.e2e.project import Project, code
from tests.requirements import need_module

ROOT = Path(__file__).parents[2]
NODEID = "test_it.py::test_moody"
SEEDED = """
    import os
    import random

    def test_moody():
        random.random()
        assert not os.path.exists({path!r})
    """
RANDOMLY = ["randomly"]
OWN = """
    from flakefighters import Confidence, Label, Verdict

    class Own:
        name = "own"
        version = 1
        needs = frozenset()
        def judge(self, case):
            {judge}
    """
DIST = "own-1.0.dist-info"


@pytest.fixture
def down(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """While it is there, the test fails."""
    return tmp_path_factory.mktemp("world") / "down"


@pytest.fixture
def seeded(project: Project, down: Path) -> Project:
    """A test that draws numbers: each run has a seed of its own, and leaves a doubt."""
    need_module("pytest_randomly")
    project.write({"test_it.py": code(SEEDED).replace("{path!r}", repr(str(down)))})
    project.pytest(plugins=RANDOMLY, expect=0)
    return project


def fails(project: Project, down: Path, *args: str) -> tuple[str, str]:
    """The label and the reason of the failure."""
    down.touch()
    ended = project.pytest("--color=no", *args, plugins=RANDOMLY, expect=1)
    [(label, line)] = ended.verdicts
    assert line.startswith(f"{NODEID} - "), ended.out
    return label, line.removeprefix(f"{NODEID} - ")


def test_a_mark_decides_what_is_in_doubt(seeded: Project, down: Path) -> None:
    label, reason = fails(seeded, down)
    assert (label, reason.partition(" (")[0]) == ("UNDECIDED", "the random seed is new")
    assert seeded.flakefighters("mark", NODEID, "flaky").returncode == 0
    label, reason = fails(seeded, down)
    assert label == "FLAKY"
    assert reason.startswith("is marked flaky by ")
    assert "; the random seed is new (randomly=" in reason
    # What was said at the time is said again.
    again = seeded.flakefighters("explain", NODEID, "--recheck", "--json")
    [one] = json.loads(again.stdout)["rechecks"]
    assert [one[name]["label"] for name in ("before", "as_then", "now")] == ["flaky"] * 3
    assert one["as_then"] == one["before"]
    # It proves nothing.
    assert seeded.pytest("--flakefighters-suppress", plugins=RANDOMLY).code == 1


def test_a_mark_contests_what_was_seen(seeded: Project, down: Path) -> None:
    assert seeded.flakefighters("mark", NODEID, "flaky").returncode == 0
    changed = code(SEEDED).replace("{path!r}", repr(str(down))).replace("random()", "randint(1, 2)")
    seeded.write({"test_it.py": changed})
    label, reason = fails(seeded, down)
    assert label == "GENUINE"
    assert ", though it is marked flaky by " in reason


# -- other packages ----------------------------------------------------------------------------


def install(project: Project, judge: str) -> None:
    """Make a flakefighter known, as pip would."""
    away = project.home / "site"  # not part of what is tested
    project.write({"own.py": code(OWN).replace("{judge}", judge)}, away)
    points = "[flakefighters]\nown = own:Own\n"
    named = "Metadata-Version: 2.1\nName: own\nVersion: 1.0\n"
    project.write({f"{DIST}/entry_points.txt": points, f"{DIST}/METADATA": named}, away)
    project.env["PYTHONPATH"] = os.pathsep.join([str(away), str(ROOT)])


SAYS = """
            return Verdict(label=Label.FLAKY, fighter="own", version=1,
                           confidence=Confidence.PROVED, reason="rained", evidence={"mm": 3})
"""


def test_a_flakefighter_of_another_package(seeded: Project, down: Path) -> None:
    install(seeded, SAYS.strip())
    label, reason = fails(seeded, down, "--flakefighters-verdicts")
    assert (label, reason.partition(" (")[0]) == ("FLAKY", "rained; the random seed is new")
    with seeded.history() as history:
        [own] = [one for one in history.verdicts([seeded.run().head.id]) if one.fighter == "own"]
    assert (own.confidence, own.evidence) == (Confidence.FAIR, {"mm": 3})
    off = {"FLAKEFIGHTERS_FIGHTERS__OWN__ENABLED": "no"}
    ended = seeded.pytest(plugins=RANDOMLY, env=off, expect=1)
    assert [one for one, _ in ended.verdicts] == ["UNDECIDED"]


@pytest.mark.parametrize(
    ("judge", "why"),
    [
        ("raise RuntimeError('no rain')", "it raised RuntimeError: no rain"),
        ("import sys; sys.exit(5)", "it raised SystemExit: 5"),
        ("return 'flaky'", "judge() gave str instead of a verdict or None"),
    ],
)
def test_one_that_does_not_work(seeded: Project, down: Path, judge: str, why: str) -> None:
    install(seeded, judge)
    down.touch()
    ended = seeded.pytest("--color=no", plugins=RANDOMLY, expect=1)
    assert [one for one, _ in ended.verdicts] == ["UNDECIDED"]
    assert f"flakefighter own of own 1.0 is left out: {why}" in ended.warnings
    assert "1 undecided; run" in ended.closing


def test_settings_are_shown_and_checked(seeded: Project, down: Path) -> None:
    seeded.write(
        {
            "pyproject.toml": """
                [tool.flakefighters.fighters.markd]
                enabled = false
                [tool.flakefighters.fighters.marked]
                enabled = false
                volume = 11
                """
        }
    )
    shown = seeded.flakefighters("config", "--json")
    settings = {one["name"]: one for one in json.loads(shown.stdout)["settings"]}
    assert settings["fighters.marked.enabled"]["value"] == "false"
    assert settings["fighters.marked.enabled"]["origin"] == "pyproject.toml:4"
    assert settings["fighters.persistent.enabled"]["value"] == "true"
    assert "there is no flakefighter markd (pyproject.toml:2); did you mean marked?" in shown.stderr
    assert "flakefighter marked has no setting volume (set in pyproject.toml:5)" in shown.stderr
    assert "11" not in shown.stdout + shown.stderr
    assert seeded.flakefighters("mark", NODEID, "flaky").returncode == 0
    assert fails(seeded, down)[0] == "UNDECIDED"


def test_an_unknown_name_on_the_command_line(seeded: Project, down: Path) -> None:
    ended = seeded.pytest("--flakefighters-fighters=own", plugins=RANDOMLY, expect=4)
    assert "unknown flakefighter 'own'" in ended.err + ended.out
    install(seeded, SAYS.strip())
    assert fails(seeded, down, "--flakefighters-fighters=own") == ("FLAKY", "rained")
