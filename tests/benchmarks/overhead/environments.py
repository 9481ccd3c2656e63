"""Virtual environments, made once and kept in the work folder."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks.overhead.tools import OURS, PYTEST, ROOT, Tool

__all__ = ["Place", "find_python", "folder_size", "prepare"]


@dataclass(frozen=True, slots=True)
class Place:
    """A tool's environment."""

    tool: Tool
    python: Path
    #: Bytes that the tool and its dependencies add to pytest's, bytecode included.
    size: int


def find_python(asked: str) -> Path:
    """The interpreter for ``3.13`` or a path; ``SystemExit`` if there is none."""
    if asked == "{}.{}".format(*sys.version_info):
        return Path(sys.executable)
    if "/" in asked:
        return Path(asked)
    found = shutil.which(f"python{asked}")
    candidates = [Path(found)] if found else []
    candidates += sorted(Path.home().glob(f".pyenv/versions/{asked}.*/bin/python"))
    for python in candidates:
        told = subprocess.run(
            [python, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"],
            capture_output=True,
            text=True,
            check=False,
        )
        if told.stdout.strip() == asked:  # a pyenv shim may exist and refuse
            return python
    raise SystemExit(f"no Python {asked} found; give a path")


def prepare(tool: Tool, python: Path, folder: Path, beside: Sequence[str] = ()) -> Place:
    """Make the environment of ``tool`` in ``folder`` unless it is there and up to date.

    ``beside`` are requirements that every tool's environment has.
    """
    wanted = _fingerprint(tool, python, beside)
    done, venv = folder / f"{tool.name}.done", folder / tool.name
    inside = venv / "bin" / "python"
    if done.exists():
        known, _, bytes_ = done.read_text().partition(" ")
        if known == wanted:
            return Place(tool, inside, int(bytes_))
    print(f"  making the environment of {tool.title}", file=sys.stderr)
    shutil.rmtree(venv, ignore_errors=True)
    subprocess.run([python, "-m", "venv", venv], check=True)
    _pip(inside, PYTEST, *beside)
    before = folder_size(venv)
    if tool.requirements:
        _pip(inside, PYTEST, *beside, *tool.requirements)
    size = folder_size(venv) - before
    done.write_text(f"{wanted} {size}")
    return Place(tool, inside, size)


def _pip(python: Path, *arguments: str) -> None:
    subprocess.run(
        [python, "-m", "pip", "install", "-q", "--disable-pip-version-check", *arguments],
        check=True,
        stderr=subprocess.DEVNULL,
    )


def folder_size(folder: Path) -> int:
    """The sum of the sizes of all files below ``folder``, in bytes."""
    return sum(path.lstat().st_size for path in folder.rglob("*") if not path.is_dir())


def _fingerprint(tool: Tool, python: Path, beside: Sequence[str]) -> str:
    asked = (str(python), PYTEST, tool.requirements, tuple(beside))
    digest = hashlib.sha256(repr(asked).encode())
    if tool.name == OURS.name:
        for path in sorted([ROOT / "pyproject.toml", *(ROOT / "flakefighters").rglob("*.py")]):
            digest.update(path.read_bytes())
    return digest.hexdigest()[:16]
