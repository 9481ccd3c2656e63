"""The workflow and the action that other repositories use are what GitHub reads, and safe."""

from __future__ import annotations

import html
import importlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.requirements import need_installed, need_module, need_program

GITHUB = Path(__file__).parents[1] / ".github"
FILES = {
    "github-workflows": GITHUB / "workflows" / "flakefighters.yml",
    "github-actions": GITHUB / "actions" / "flakefighters" / "action.yml",
}


def read(path: Path) -> dict[str, Any]:
    need_module("ruamel.yaml")
    found: dict[str, Any] = importlib.import_module("ruamel.yaml").YAML(typ="safe").load(path)
    return found


def steps() -> Iterator[dict[str, Any]]:
    yield from read(FILES["github-workflows"])["jobs"]["test"]["steps"]
    yield from read(FILES["github-actions"])["runs"]["steps"]


@pytest.mark.parametrize("schema", sorted(FILES))
def test_they_match_the_published_schemas(schema: str) -> None:
    """SchemaStore's, as check-jsonschema brings them; nothing is fetched."""
    need_module("check_jsonschema")
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", f"vendor.{schema}"]
    done = subprocess.run(
        [*command, str(FILES[schema])], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_nothing_is_interpolated_into_a_shell() -> None:
    scripts = [step["run"] for step in steps() if "run" in step]
    assert len(scripts) == 4
    for script in scripts:
        assert "${{" not in script
        done = subprocess.run(["bash", "-n"], input=script, text=True, check=False)
        assert done.returncode == 0


def test_actions_are_pinned_and_rights_are_few() -> None:
    for step in steps():
        uses = step.get("uses", "./")
        assert uses.startswith("./") or re.fullmatch(r"actions/[a-z/-]+@v\d+", uses), uses
    assert read(FILES["github-workflows"])["permissions"] == {"contents": "read"}


def test_every_input_is_described() -> None:
    action = read(FILES["github-actions"])
    workflow = read(FILES["github-workflows"])
    call = workflow["on"]["workflow_call"]
    docs = (GITHUB.parent / "docs" / "ci.md").read_text("utf-8")
    for name, known in {**action["inputs"], **call["inputs"], **call["secrets"]}.items():
        assert known["description"], name
        assert f"`{name}`" in docs, name


# -- what its scripts do -----------------------------------------------------------------------

#: Knows the comments in one file, and notes what it is asked.
GH = """#!/bin/sh
echo "$@" >> "$RUNNER_TEMP/asked"
case "$*" in
  *--paginate*) cat "$RUNNER_TEMP/earlier" ;;
  *PATCH*) ;;
  "pr comment"*) cat "$RUNNER_TEMP/flakefighters-comment.md" ;;
esac
"""


def test_a_run_gives_a_page_and_one_comment(tmp_path: Path) -> None:
    need_installed()
    need_program("bash")
    runner, folder = tmp_path / "runner", tmp_path / "shop"
    for made in (runner / "bin", folder):
        made.mkdir(parents=True)
    for name, text in (("gh", GH), ("python", f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')):
        (runner / "bin" / name).write_text(text)
        (runner / "bin" / name).chmod(0o755)
    (runner / "earlier").touch()
    (folder / "test_it.py").write_text("def test_bad():\n    assert 0, '@all'\n")
    kept = {name: os.environ[name] for name in ("PATH", "TMPDIR") if name in os.environ}
    places = (str(runner / "bin"), str(Path(sys.executable).parent), kept["PATH"])
    env = kept | {
        "PATH": os.pathsep.join(places),
        "PYTHONPATH": str(GITHUB.parent),
        "RUNNER_TEMP": str(runner),
        "GITHUB_OUTPUT": str(runner / "output"),
        "ARGUMENTS": "-q -p no:randomly -k 'bad or good'",
        "REPORT": str(runner / "flakefighters.json"),
        "MARK": "<!-- flakefighters: a of b / c -->",
        "NUMBER": "7",
        "REPOSITORY": "acme/shop",
        "FLAKEFIGHTERS_PROFILE": "local",
    }
    scripts = [one["run"] for one in read(FILES["github-actions"])["runs"]["steps"] if "run" in one]

    def run() -> tuple[list[int], str]:
        (runner / "asked").unlink(missing_ok=True)
        command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c"]
        done = [
            subprocess.run([*command, one], cwd=folder, env=env, capture_output=True, text=True)
            for one in scripts
        ]
        asked = runner / "asked"
        return [one.returncode for one in done], asked.read_text() if asked.exists() else ""

    codes, asked = run()
    assert codes == [1, 0, 0]  # pytest's own, and nothing else fails
    assert "pr comment 7 --repo acme/shop" in asked
    comment = (runner / "flakefighters-comment.md").read_text()
    assert comment.startswith("<!-- flakefighters: a of b / c -->\n### flakefighters: 1 ")
    assert "test_it.py::test_bad" in html.unescape(comment)
    name = json.loads((runner / "flakefighters.json").read_text())["run"]["id"]
    assert name in (runner / "flakefighters.html").read_text()

    (folder / "test_it.py").write_text("def test_good(): pass\n")
    codes, asked = run()
    assert (codes, "pr comment" in asked) == ([0, 0, 0], False)  # nothing failed, nothing is said

    (runner / "earlier").write_text("11\n12\n")
    codes, asked = run()
    assert codes == [0, 0, 0]
    assert "--method PATCH repos/acme/shop/issues/comments/12" in asked
    assert "nothing failed" in (runner / "flakefighters-comment.md").read_text()
