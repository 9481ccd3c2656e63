"""Where and how a suite is started, as people do it."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks.layouts import environment, install, link, python_path

__all__ = ["SETUPS", "Prepared", "prepare"]

#: ``path``: in the checkout, which is in front of ``sys.path``.  ``installed``: in the checkout
#: after ``pip install .``.  ``tox``: the same, by tox.  ``github``: in a new clone of depth 1 after
#: ``pip install .``, with GitHub's variables.
SETUPS = ("path", "installed", "tox", "github")

_HISTORY = "flakefighters.db"
_TOX = """\
[tox]
env_list = tests
[testenv]
package = skip
base_python = {python}
pass_env = *
set_env =
  PYTHONPATH = {probe}
commands_pre =
  python -c "import shutil; shutil.copy(r'{link}', r'{{env_site_packages_dir}}')"
  python -m pip install -q --no-deps --no-build-isolation --force-reinstall .
commands = python -m pytest {{posargs}}
"""
_GITHUB = {
    "CI": "true",
    "GITHUB_ACTIONS": "true",
    "GITHUB_REPOSITORY": "acme/project",
    "GITHUB_WORKFLOW": "tests",
    "GITHUB_JOB": "tests",
    "GITHUB_REF": "refs/heads/main",
    "GITHUB_EVENT_NAME": "push",
    "GITHUB_RUN_ATTEMPT": "1",
}


@dataclass(frozen=True, slots=True)
class Prepared:
    """A folder that is ready, and what starts pytest there."""

    folder: Path
    command: Sequence[str]
    variables: Mapping[str, str]

    def finish(self, checkout: Path) -> None:
        """Take the history back to the checkout, from where it was copied."""
        if self.folder != checkout and (self.folder / _HISTORY).exists():
            shutil.copyfile(self.folder / _HISTORY, checkout / _HISTORY)


def prepare(setup: str, checkout: Path, python: str, probe: Path) -> Prepared:
    """Make ready what is checked out; all that is needed besides lies beside the checkout."""
    beside = checkout.parent / f"{checkout.name}.{setup}"
    pytest = ("-m", "pytest")
    if setup == "path":
        paths = [*python_path(checkout, "path"), str(probe)]
        return Prepared(checkout, (python, *pytest), {"PYTHONPATH": os.pathsep.join(paths)})
    if setup == "tox":
        beside.mkdir(exist_ok=True)
        (beside / "beside.pth").write_text(link(python), "utf-8")
        told = _TOX.format(python=python, probe=probe, link=beside / "beside.pth")
        (beside / "tox.ini").write_text(told, "utf-8")
        places = (f"-c{beside / 'tox.ini'}", f"--root={checkout}", f"--workdir={beside}")
        return Prepared(checkout, (python, "-m", "tox", "run", "-q", *places, "--"), {})
    inside = environment(python, checkout.parent / f"{checkout.name}.env")
    variables = {"PYTHONPATH": str(probe)}
    folder = checkout
    if setup == "github":
        folder, variables = beside, variables | _GITHUB
        shutil.rmtree(folder, ignore_errors=True)
        source, quiet = f"file://{checkout}", ("-c", "advice.detachedHead=false", "clone", "-q")
        subprocess.run(["git", *quiet, "--depth=1", source, str(folder)], check=True)
        variables["GITHUB_RUN_ID"] = str(folder.stat().st_mtime_ns)
        if (checkout / _HISTORY).exists():
            shutil.copyfile(checkout / _HISTORY, folder / _HISTORY)
    install(inside, folder, "installed")
    return Prepared(folder, (inside, *pytest), variables)
