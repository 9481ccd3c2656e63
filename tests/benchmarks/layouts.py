"""Ways in which a project's code gets before its tests."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

__all__ = ["LAYOUTS", "environment", "install", "link", "python_path"]

#: ``path``: in front of ``sys.path``; ``installed``: ``pip install .``; ``editable``: with ``-e``.
LAYOUTS = ("path", "installed", "editable")

_SITES = "import site, sys; print(*site.getsitepackages(), sep='\\n')"


def environment(python: str, folder: Path) -> str:
    """Make a virtual environment in ``folder`` that has all that ``python`` has; its Python."""
    inside = str(folder / "bin" / "python")
    if not folder.exists():
        subprocess.run([python, "-m", "venv", "--without-pip", str(folder)], check=True)
        Path(_sites(inside)[0], "zzz_beside.pth").write_text(link(python), "utf-8")
    return inside


def link(python: str) -> str:
    """The text of a ``.pth`` file that adds all that ``python`` has."""
    return "".join(f"import site; site.addsitedir({site!r})\n" for site in _sites(python))


def install(python: str, project: Path, layout: str) -> None:
    """Install the project, and nothing that it needs, for ``python``."""
    how = ["-e"] if layout == "editable" else []
    command = [python, "-m", "pip", "install", "-q", "--no-deps", "--no-build-isolation"]
    command += ["--disable-pip-version-check", "--force-reinstall", *how, "."]
    # For a checkout without the tags that versions are made from.
    environ = {"SETUPTOOLS_SCM_PRETEND_VERSION": "1.0", **os.environ}
    done = subprocess.run(command, cwd=project, env=environ, capture_output=True, check=False)
    if done.returncode:
        raise SystemExit(f"{project.name} cannot be installed:\n{done.stderr.decode()[-2000:]}")


def python_path(project: Path, layout: str) -> list[str]:
    """What PYTHONPATH holds for the project."""
    source = project / "src"
    return [str(source if source.is_dir() else project)] if layout == "path" else []


def _sites(python: str) -> list[str]:
    done = subprocess.run([python, "-c", _SITES], capture_output=True, text=True, check=True)
    return done.stdout.split()
