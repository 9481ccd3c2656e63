"""What CI services show of a run: annotations, summaries; and nothing of it elsewhere."""

from __future__ import annotations

import html
import re
import stat
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.e2e.project import Project
from tests.profiles.ci_environments import (
    AZURE,
    BUILDKITE,
    GITEA,
    GITHUB_PUSH,
    GITLAB_BRANCH,
    TEAMCITY,
)
from tests.requirements import need_module

HERE = {"FLAKEFIGHTERS_PROFILE": "local"}
GITHUB = GITHUB_PUSH | HERE
SUITE = """
    import helpers
    import pytest

    def test_pass(): pass

    def test_bad():
        helpers.check(1)

    @pytest.fixture
    def broken():
        raise OSError("no")

    def test_setup(broken): pass

    @pytest.mark.parametrize("text", ["##vso[task.x]y", "::error::z", "a%0A::error::b"])
    def test_text(text): assert text == "", "::warning::" + text
    """
COMMAND = re.compile(r"^(::|##(?:vso|teamcity)\[).*", re.MULTILINE)


def commands(text: str) -> list[str]:
    return [found[0] for found in COMMAND.finditer(text)]


@pytest.fixture
def shop(project: Project) -> Project:
    project.init(project.root.parent)
    project.write(
        {
            "pytest.ini": "[pytest]\n",
            "sub/helpers.py": "def check(n):\n    assert n == 2\n",
            "sub/test_it.py": SUITE,
        }
    )
    return project


@pytest.mark.parametrize("more", [(), ("-n2",)], ids=["plain", "xdist"])
def test_github(shop: Project, more: Sequence[str], tmp_path: Path) -> None:
    if more:
        need_module("xdist")
    page = tmp_path / "summary.md"
    page.write_text("before\n")
    env = GITHUB | {"GITHUB_STEP_SUMMARY": str(page)}
    plugins = ["xdist"] if more else []
    ended = shop.pytest("-q", *more, env=env, plugins=plugins, expect=1)
    found = commands(ended.out)
    assert len(found) == 5
    places = {line.partition(",title")[0] for line in found}
    # From the repository's root, at the test's own line, also where a helper raised.
    assert "::warning file=project/sub/test_it.py,line=7" in places
    assert "::warning file=project/sub/test_it.py,line=16" in places
    assert not any(line.startswith(("::error::z", "::warning::")) for line in found)
    assert not re.search(r"(?m)^.*##\[|^.+##vso\[", "\n".join(ended.ours))
    # Ours are all within our section, and pytest's last line is the last.
    assert ended.out.rstrip().splitlines()[-1].startswith(("5 failed", "4 failed"))
    text = page.read_text("utf-8")
    assert text.startswith("before\n### flakefighters: 5 undecided\n")
    assert "<code>sub/test_it.py::test_bad</code>" in html.unescape(text)
    assert "in setup" in text
    assert text.count("<details>") == 5


def test_a_run_without_failures_is_one_line(project: Project, tmp_path: Path) -> None:
    project.test("def test_a(): pass\n")
    page = tmp_path / "summary.md"
    env = GITHUB | {"GITHUB_STEP_SUMMARY": str(page)}
    for _ in range(2):
        ended = project.pytest(env=env, expect=0)
        assert commands(ended.out) == []
    lines = page.read_text("utf-8").split("\n\n")
    assert len(lines) == 3
    assert re.fullmatch(r"flakefighters: no failures \(1 test, run <code>\w{4}</code>\)", lines[0])


def test_switched_off(shop: Project, tmp_path: Path) -> None:
    page = tmp_path / "summary.md"
    env = GITHUB | {"GITHUB_STEP_SUMMARY": str(page)}
    ended = shop.pytest("--flakefighters-ci=off", env=env, expect=1)
    assert commands(ended.out) == []
    assert not page.exists()
    assert shop.pytest("--flakefighters-ci=yes", env=env).code == 4
    for other in (GITLAB_BRANCH, GITEA, {"CI": "1"}, {"CI": "false", "GITHUB_ACTIONS": "true"}):
        ended = shop.pytest(env=other | HERE | {"GITHUB_STEP_SUMMARY": str(page)}, expect=1)
        assert commands(ended.out) == []
        assert not page.exists()


def test_without_a_summary_of_pytests(shop: Project, tmp_path: Path) -> None:
    """The log stays as short as asked; the step's page tells of the verdicts."""
    page = tmp_path / "summary.md"
    env = GITHUB | {"GITHUB_STEP_SUMMARY": str(page)}
    ended = shop.pytest("--no-summary", env=env, expect=1)
    assert commands(ended.out + ended.err) == []
    assert "test_bad" in page.read_text("utf-8")


def test_a_summary_that_cannot_be_written(shop: Project, tmp_path: Path) -> None:
    for path, why in ((tmp_path, "Is a directory"), (tmp_path / "no" / "x", "No such file")):
        env = GITHUB | {"GITHUB_STEP_SUMMARY": str(path)}
        ended = shop.pytest(env=env, expect=1)
        (warning,) = ended.warnings
        assert warning.startswith("cannot write the summary for GitHub Actions: " + why)
        assert len(commands(ended.out)) == 5
    full = tmp_path / "full.md"
    full.write_bytes(b"x" * (1024 * 1024 - 4096))
    ended = shop.pytest(env=GITHUB | {"GITHUB_STEP_SUMMARY": str(full)}, expect=1)
    assert ended.warnings == ["the summary of this step is full"]
    assert full.stat().st_size == 1024 * 1024 - 4096


def test_azure(shop: Project, tmp_path: Path) -> None:
    env = AZURE | HERE | {"AGENT_TEMPDIRECTORY": str(tmp_path)}
    found = commands(shop.pytest("-qq", env=env, expect=1).out)
    (page,) = tmp_path.glob("flakefighters-*.md")
    assert found[-1] == f"##vso[task.uploadsummary]{page}"
    assert len(found) == 6
    where = "type=warning;sourcepath=project/sub/test_it.py;linenumber=7"
    assert any(line.startswith(f"##vso[task.logissue {where}]") for line in found)
    assert "test_bad" in page.read_text("utf-8")


def test_teamcity(shop: Project) -> None:
    found = commands(shop.pytest(env=TEAMCITY | HERE, expect=1).out)
    assert len(found) == 5
    assert all(line.endswith("' status='WARNING']") for line in found)


@pytest.mark.parametrize("sleep", [0, 60], ids=["", "hangs"])
def test_buildkite(shop: Project, tmp_path: Path, sleep: int) -> None:
    folder = tmp_path / "bin"
    folder.mkdir()
    agent = folder / "buildkite-agent"
    agent.write_text(
        f'#!/bin/sh\necho "$@" > "{tmp_path}/args"\ncat > "{tmp_path}/page"\nexec sleep {sleep}\n'
    )
    agent.chmod(agent.stat().st_mode | stat.S_IXUSR)
    env = BUILDKITE | HERE
    path = shop.environment()["PATH"]
    assert shop.pytest(env=env, expect=1).warnings == []  # no agent is at hand
    ended = shop.pytest(env=env | {"PATH": f"{folder}:{path}"}, expect=1)
    assert commands(ended.out) == []
    assert "annotate --style warning --context flakefighters-" in (tmp_path / "args").read_text()
    assert "test_bad" in (tmp_path / "page").read_text("utf-8")
    hung = ["cannot write the summary for Buildkite: no answer within 10 s"] if sleep else []
    assert ended.warnings == hung


def test_nothing_is_imported_elsewhere(project: Project) -> None:
    project.ready = False
    project.test(
        """
        import sys

        def test_a():
            assert not [one for one in sys.modules if one.startswith("flakefighters.session.ci_")]
            assert not [one for one in sys.modules if one.startswith("flakefighters.reports.ci_")]
        """
    )
    project.pytest(expect=0)
