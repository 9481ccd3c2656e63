"""A tag becomes a release only if all agrees; the workflows that make it are what they claim."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.requirements import need_module
from tests.test_actions import GITHUB, read

ROOT = GITHUB.parent
WORKFLOWS = {name: GITHUB / "workflows" / f"{name}.yml" for name in ("docs", "release", "tests")}
SCHEMAS = {
    "dependabot": [GITHUB / "dependabot.yml"],
    "github-issue-forms": sorted(GITHUB.glob("ISSUE_TEMPLATE/*.yml")),
    "github-workflows": list(WORKFLOWS.values()),
}


def _script() -> Any:
    spec = importlib.util.spec_from_file_location("release", ROOT / ".ci" / "release.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["release"] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


release = _script()

# -- the script --------------------------------------------------------------------------------

CHANGELOG = """# Changes

## Unreleased

## 0.2.0 - 2027-01-31

### Reports

- New: [a page](docs/report.md#grid), [the web](https://example.org), [below](#old).

## 0.1.0 - 2026-12-01

- The first version.
"""


def repository(folder: Path, changelog: str = CHANGELOG, package: str = "0.2.0") -> Path:
    (folder / "flakefighters").mkdir()
    (folder / "flakefighters" / "__init__.py").write_text(f'__version__ = "{package}"\n')
    (folder / "pyproject.toml").write_text('[project]\nversion = "0.2.0"\n')
    (folder / "CHANGELOG.md").write_text(changelog)
    return folder


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("", "", None),
        ("## Unreleased\n\n", "", None),
        ("## 0.2.0", "## 0.2.1", "no section 0.2.0"),
        (" - 2027-01-31", " (not yet released)", "must end in ' - YYYY-MM-DD'"),
        ("## Unreleased\n", "## Unreleased\n\n- More.\n", "lines under Unreleased"),
        ("## 0.1.0", "## 0.2.0 - 2027-01-31\n\n## 0.1.0", "is empty"),
    ],
)
def test_a_changelog_in_order(old: str, new: str, reason: str | None, tmp_path: Path) -> None:
    root = repository(tmp_path, CHANGELOG.replace(old, new))
    reasons = list(release.reasons_against("v0.2.0", root))
    assert bool(reasons) is (reason is not None)
    assert reason is None or reason in reasons[0]


def test_versions_that_disagree(tmp_path: Path) -> None:
    root = repository(tmp_path, package="0.1.0")
    [reason] = release.reasons_against("v0.2.0", root)
    assert reason == "the tag is v0.2.0, and flakefighters/__init__.py has version 0.1.0"
    assert len(list(release.reasons_against("0.2.0", root))) == 2  # a tag begins with v
    assert "CHANGELOG.md has no section 0.3.0" in list(release.reasons_against("v0.3.0", root))


def test_the_notes_are_the_section_with_whole_links(tmp_path: Path) -> None:
    root = repository(tmp_path)
    page = "https://git.example.org/blob/v0.2.0/docs/report.md#grid"
    told = release.notes("v0.2.0", "https://git.example.org/blob/v0.2.0", root)
    assert told == (
        f"### Reports\n\n- New: [a page]({page}), [the web](https://example.org), [below](#old)."
    )
    assert "](docs/report.md#grid)" in release.notes("v0.2.0", "", root)


def test_the_changelog_is_well_formed() -> None:
    known = release.sections((ROOT / "CHANGELOG.md").read_text("utf-8"))
    assert known[0].title == "Unreleased"
    versions = known[1:]
    # Only the newest version may be on its way.
    assert all(one.date for one in versions[1:]), [one.title for one in versions]
    assert versions[0].date or versions[0].title.endswith(" (not yet released)")
    dated = [one for one in versions if one.date]
    assert all(one.date >= other.date for one, other in pairwise(dated))
    numbers = [tuple(map(int, one.version.split("."))) for one in versions]
    assert all(len(one) == 3 for one in numbers)
    assert all(one > other for one, other in pairwise(numbers))
    for one in known:
        parts = re.split(r"^### (.+)\n", one.text, flags=re.MULTILINE)
        headings, texts = parts[1::2], parts[2::2]
        assert len(set(headings)) == len(headings), f"{one.title}: a heading comes twice"
        assert all("\n- " in f"\n{text}" for text in texts), f"{one.title}: nothing under a heading"


# -- the workflows -----------------------------------------------------------------------------


def jobs(name: str) -> dict[str, Any]:
    found: dict[str, Any] = read(WORKFLOWS[name])["jobs"]
    return found


def steps(job: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield from job.get("steps", ())


@pytest.mark.parametrize("schema", sorted(SCHEMAS))
def test_they_match_the_published_schemas(schema: str) -> None:
    """SchemaStore's, as check-jsonschema brings them; nothing is fetched."""
    need_module("check_jsonschema")
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", f"vendor.{schema}"]
    paths = [str(path) for path in SCHEMAS[schema]]
    assert paths
    done = subprocess.run([*command, *paths], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_actions_are_pinned_by_commit() -> None:
    for path in WORKFLOWS.values():
        for used in re.findall(r"uses: (.*)", path.read_text("utf-8")):
            ours = used == "./.github/workflows/tests.yml"
            assert ours or re.fullmatch(r"[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", used), used


def test_who_may_write_runs_nothing_of_ours() -> None:
    assert read(WORKFLOWS["tests"])["permissions"] == {"contents": "read"}
    assert read(WORKFLOWS["release"])["permissions"] == {}
    writers = {}
    for name, job in jobs("release").items():
        rights = job["permissions"]
        if rights != {"contents": "read"}:
            writers[name] = set(rights)
            scripts = [step["run"] for step in steps(job) if "run" in step]
            assert all(script.startswith("gh release create ") for script in scripts)
            assert all("checkout" not in step.get("uses", "") for step in steps(job))
    assert writers == {
        "attest": {"attestations", "id-token"},
        "github": {"contents"},
        "pypi": {"id-token"},
    }


def test_the_order_of_a_release() -> None:
    known = jobs("release")
    needs = {name: job.get("needs") for name, job in known.items()}
    assert needs == {
        "tests": None,
        "build": None,
        "attest": ["tests", "build"],
        "github": "attest",
        "pypi": "github",
    }
    # A maintainer switches it on.
    assert known["pypi"]["if"] == "vars.PUBLISH_TO_PYPI == 'true'"
    assert known["pypi"]["environment"] == "pypi"


def test_nothing_is_interpolated_into_a_shell() -> None:
    for name in WORKFLOWS:
        for job in jobs(name).values():
            for step in steps(job):
                script = step.get("run", "")
                assert "${{" not in script
                subprocess.run(["bash", "-n"], input=script, text=True, check=True)


def test_every_supported_python_is_tested() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    classified = re.findall(r"Python :: (3\.\d+)", "\n".join(project["classifiers"]))
    assert jobs("tests")["suite"]["strategy"]["matrix"]["python"] == classified
    tasks = (ROOT / ".justfile").read_text("utf-8")
    assert re.findall(r'\(test-on "(.*?)"\)', tasks) == classified
