"""The sdist and the wheel: their content, the same each time; and they work once installed."""

from __future__ import annotations

import configparser
import email
import io
import json
import os
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.requirements import lack, need_module, need_program

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
NAME = f"flakefighters-{PROJECT['version']}"
DOCS = f"{NAME}.data/data/share/doc/flakefighters/"
INFO = f"{NAME}.dist-info/"
EPOCH = "1700000000"  # 2023-11-14


def run(
    *command: str, cwd: Path | None = None, check: bool = True
) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "TMPDIR")}
    env = kept | {"SOURCE_DATE_EPOCH": EPOCH, "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        command, cwd=cwd, env=env, capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0 or not check, done.stdout + done.stderr
    return done


@dataclass(frozen=True)
class Packages:
    """Both packages, as ``python -m build`` makes them: the wheel is built from the sdist."""

    folder: Path

    @property
    def sdist(self) -> Path:
        return self.folder / f"{NAME}.tar.gz"

    @property
    def wheel(self) -> Path:
        return self.folder / f"{NAME}-py3-none-any.whl"


def build(folder: Path, *options: str, source: Path = ROOT) -> Packages:
    for name in ("build", "hatchling"):
        need_module(name)
    run(sys.executable, "-m", "build", "--no-isolation", "-o", str(folder), *options, str(source))
    return Packages(folder)


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Packages:
    return build(tmp_path_factory.mktemp("dist"))


def sources() -> set[str]:
    """Every file of the checkout that git does not ignore."""
    command = ("ls-files", "-z", "--cached", "--others", "--exclude-standard")
    done = run(need_program("git"), *command, cwd=ROOT, check=False)
    if done.returncode:
        pytest.skip("not a checkout of git's")
    return {name for name in done.stdout.split("\0") if name and (ROOT / name).is_file()}


def below(folder: str, names: set[str]) -> set[str]:
    """The files of a folder, by their paths in it."""
    return {name.removeprefix(folder) for name in names if name.startswith(folder)}


def test_the_sdist_holds_the_checkout(packages: Packages) -> None:
    with tarfile.open(packages.sdist) as archive:
        members = archive.getmembers()
    names = {one.name for one in members if not one.isdir()}
    assert all(one.isfile() for one in members)
    assert below(f"{NAME}/", names) == sources() | {"PKG-INFO"}
    assert len(below(f"{NAME}/", names)) == len(names)


def test_the_wheel_holds_the_package_and_its_documentation(packages: Packages) -> None:
    with zipfile.ZipFile(packages.wheel) as archive:
        names = set(archive.namelist())
        read = {one: archive.read(one).decode() for one in names if one.startswith(INFO)}
        assert {one.date_time[:3] for one in archive.infolist()} == {(2023, 11, 14)}
    assert {name.partition("/")[0] for name in names} == {
        "flakefighters",
        *(folder.partition("/")[0] for folder in (DOCS, INFO)),
    }
    about = {"METADATA", "RECORD", "WHEEL", "entry_points.txt", "licenses/LICENSE"}
    assert below(INFO, names) == about
    assert below("flakefighters/", names) == below("flakefighters/", sources())
    assert below(DOCS, names) == below("docs/", sources())
    assert len(names) == sum(len(below(one, names)) for one in ("flakefighters/", DOCS, INFO))
    needed = {"py.typed", "reports/html/page.html", "history/ddl/sqlite-1.sql"}
    assert needed <= below("flakefighters/", names)

    metadata = email.message_from_string(read[f"{INFO}METADATA"])
    assert metadata["Name"] == "flakefighters"
    assert metadata["License-Expression"] == "MIT"
    points = configparser.ConfigParser()
    points.read_file(io.StringIO(read[f"{INFO}entry_points.txt"]))
    assert {one: dict(points[one]) for one in points.sections()} == {
        "console_scripts": PROJECT["scripts"],
        **PROJECT["entry-points"],
    }


def test_the_index_would_take_them(packages: Packages) -> None:
    need_module("twine")
    paths = map(str, (packages.sdist, packages.wheel))
    run(sys.executable, "-m", "twine", "check", "--strict", *paths)


def test_a_wheel_comes_out_the_same_without_the_sdist(packages: Packages, tmp_path: Path) -> None:
    again = build(tmp_path, "--wheel")
    assert again.wheel.read_bytes() == packages.wheel.read_bytes()


def test_the_wheel_and_the_example_work_where_nothing_else_is(
    packages: Packages, tmp_path: Path
) -> None:
    """Both packages as pip installs them, in an environment of their own."""
    scripts = tmp_path / "env" / ("Scripts" if sys.platform == "win32" else "bin")
    python = str(scripts / "python")
    build(tmp_path, "--wheel", source=ROOT / "docs" / "example-flakefighter")
    [example] = tmp_path.glob("*.whl")
    run(sys.executable, "-m", "venv", "--without-pip", str(tmp_path / "env"))
    pip = (sys.executable, "-m", "pip", "--python", python)
    wheels = (str(packages.wheel), str(example))
    done = run(*pip, "install", "-q", "--no-compile", *wheels, check=False)
    if "No matching distribution" in done.stderr or "Connection" in done.stderr:
        lack("package index")
    assert done.returncode == 0, done.stderr
    assert "No broken requirements" in run(*pip, "check").stdout
    shown = run(str(scripts / "flakefighters"), "--version").stdout
    assert PROJECT["version"] in shown

    project = tmp_path / "project"
    project.mkdir()
    (project / "pyproject.toml").write_text(
        '[tool.flakefighters.fighters.outages]\nservices = ["db.example.org"]\n'
    )
    test = "import os\ndef test_db():\n    if os.path.exists('down'):\n"
    test += "        raise ConnectionError('db.example.org')\n"
    (project / "test_it.py").write_text(test)
    alone = (python, "-m", "pytest", "--flakefighters-fighters=outages")
    assert run(*alone, cwd=project).returncode == 0
    (project / "down").touch()
    done = run(*alone, cwd=project, check=False)
    assert done.returncode == 1
    why = "could not reach db.example.org, which is often away"
    assert f"FLAKY test_it.py::test_db - {why}" in done.stdout
    own = (python, "-m", "flakefighters")
    settings = {
        one["name"]: one
        for one in json.loads(run(*own, "config", "--json", cwd=project).stdout)["settings"]
    }
    assert settings["fighters.outages.services"]["origin"] == "pyproject.toml:2"

    run(*own, "report", "-o", "report.html", cwd=project)
    assert "often away" in (project / "report.html").read_text("utf-8")
    unknown = run(*own, "show", "0000", cwd=project, check=False)
    page = tmp_path / "env" / "share" / "doc" / "flakefighters" / "messages.md"
    assert str(page) in unknown.stderr
    assert page.read_text("utf-8") == (ROOT / "docs" / "messages.md").read_text("utf-8")
