"""The workflow and the action that other repositories use are what GitHub reads, and safe."""

from __future__ import annotations

import importlib
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.requirements import need_module

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
    assert len(scripts) == 3
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
