"""The command line finds the anchor that pytest gives to the plugin."""

from __future__ import annotations

import inspect
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from _pytest.config import findpaths

from flakefighters.state.anchor import Anchor, locate
from tests.state.repositories import Repo

INI = "[tool.pytest.ini_options]\naddopts = ''\n"
EMPTY_TABLE = "[tool.pytest.ini_options]\n"
NATIVE = "[tool.pytest]\naddopts = []\n"
OTHER = "[tool.other]\nx = 1\n"

#: name: files, folder to start in, arguments
LAYOUTS: dict[str, tuple[dict[str, str], str, list[str]]] = {
    "nothing": ({}, "tests", []),
    "pyproject above": ({"pyproject.toml": INI}, "tests/unit", []),
    "pyproject with an empty table": ({"pyproject.toml": EMPTY_TABLE}, "tests", []),
    "pyproject without us": ({"pyproject.toml": OTHER}, "tests", []),
    "native table": ({"pyproject.toml": NATIVE}, "tests", []),
    "bare pyproject near, ini far": (
        {"tests/pyproject.toml": OTHER, "pytest.ini": ""},
        "tests",
        [],
    ),
    "two bare pyprojects": ({"tests/pyproject.toml": OTHER, "pyproject.toml": OTHER}, "tests", []),
    "empty pytest.ini": ({"pytest.ini": "", "pyproject.toml": INI}, ".", []),
    "hidden ini": ({".pytest.ini": "", "pyproject.toml": INI}, "tests", []),
    "pytest.toml": ({"pytest.toml": "", "pytest.ini": ""}, "tests", []),
    "hidden pytest.toml": ({".pytest.toml": "", "tox.ini": "[pytest]\n"}, "tests", []),
    "tox with us": ({"tox.ini": "[tox]\n[pytest]\naddopts=\n"}, "tests", []),
    "tox without us": ({"tox.ini": "[tox]\nenvlist=py\n", "setup.cfg": "[tool:pytest]\n"}, ".", []),
    "setup.cfg without us": ({"setup.cfg": "[metadata]\nname=x\n"}, "tests", []),
    "setup.py": ({"setup.py": ""}, "tests/unit", []),
    "setup.py near, bare pyproject far": (
        {"tests/setup.py": "", "pyproject.toml": OTHER},
        "tests",
        [],
    ),
    "ini near wins": ({"tests/pytest.ini": "", "pyproject.toml": INI}, "tests/unit", []),
    "argument leads away": ({"tests/pytest.ini": "", "pyproject.toml": INI}, ".", ["tests/unit"]),
    "argument is a test": (
        {"tests/pytest.ini": ""},
        ".",
        ["-q", "tests/unit/test_a.py::test_a[x::y]"],
    ),
    "common ancestor": ({"tests/unit/pytest.ini": ""}, ".", ["tests/unit", "tests/more"]),
    "only one argument has it": ({"tests/more/pytest.ini": ""}, ".", ["tests/unit", "tests/more"]),
    "absent argument": ({"pytest.ini": ""}, "tests", ["nowhere.py", "--x=y"]),
    "ancestor of the start": ({}, "tests/unit", ["../more"]),
}


def by_pytest(start: Path, args: list[str], monkeypatch: pytest.MonkeyPatch) -> Anchor:
    monkeypatch.chdir(start)
    given: dict[str, Any] = {
        "inifile": None,
        "override_ini": None,
        "args": args,
        "rootdir_cmd_arg": None,
        "invocation_dir": start,
    }
    known = inspect.signature(findpaths.determine_setup).parameters
    setup = findpaths.determine_setup(**{key: given[key] for key in given if key in known})
    return Anchor.from_inipath(setup[1], setup[0])


@pytest.mark.parametrize("git", [False, True])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_as_pytest_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, layout: str, git: bool
) -> None:
    files, start, args = LAYOUTS[layout]
    repo = Repo(tmp_path / "project", init=git)
    for name in ("tests/unit/test_a.py", "tests/more/test_b.py"):
        repo.put(name, "")
    for name, text in files.items():
        repo.put(name, text)
    folder = repo.path / start
    expected = by_pytest(folder, args, monkeypatch)
    assert locate(folder, args) == expected
    if git and expected.inipath is None:
        assert expected.path == repo.path


def test_as_a_real_run_does(repo: Repo) -> None:
    repo.put("tests/pyproject.toml", INI)
    repo.put(
        "tests/conftest.py",
        "def pytest_report_header(config):\n"
        "    return f'found {config.inipath} {config.rootpath}'\n",
    )
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--co", "tests/test_tax.py"],
        cwd=repo.path,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
    )
    line = next(line for line in done.stdout.splitlines() if line.startswith("found "))
    _, inipath, rootdir = line.split(" ")
    anchor = Anchor.from_inipath(Path(inipath), Path(rootdir))
    assert anchor.path == repo.path / "tests"
    assert locate(repo.path, ["tests/test_tax.py"]) == anchor


def test_no_configuration_on_purpose(repo: Repo) -> None:
    found = Anchor.from_inipath(Path(os.devnull), repo.path / "tests")
    assert found == Anchor(path=repo.path)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("pyproject.toml", b"[tool.pytest.ini_options"),
        ("pyproject.toml", b"\xff"),
        ("pyproject.toml", b"tool = 3"),
        ("pyproject.toml", b"[tool]\npytest = 3"),
        ("tox.ini", b"\xff[pytest]"),
        ("setup.cfg", b"[tool:pytest"),
    ],
)
def test_broken_files_are_survived(tmp_path: Path, name: str, text: bytes) -> None:
    (tmp_path / name).write_bytes(text)
    assert locate(tmp_path, ["\0", "a" * 5000]).path == tmp_path
