"""Projects that are named on the command line: folders of git checkouts."""

from __future__ import annotations

import io
import shutil
import subprocess
import tarfile
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks.overhead.branches import git, make_branches, make_steps

__all__ = ["Project", "copy"]

#: A test file is small, but a test file, if it has so many tests.
_FEW_TESTS = 3


@dataclass(frozen=True, slots=True)
class Project:
    """A copy of a checkout, ready to run, with the branches that rows ask for."""

    name: str
    folder: Path
    #: What goes in front of ``sys.path``.
    python_path: str
    #: The small test file, relative to the folder.
    small: str
    #: Files that differ from ``base``, by branch.
    changed: dict[str, int]


def copy(named: str, into: Path) -> Project:
    """The HEAD of ``FOLDER`` or ``FOLDER:TEST_FILE`` as a repository of our own in ``into``.

    The checkout itself is only read.  SystemExit if it is none, or has no test file.
    """
    path, _, small = named.partition(":")
    origin = Path(path).resolve()
    if not (origin / ".git").exists():
        raise SystemExit(f"{path} is no git checkout")
    folder = into / origin.name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    archive = subprocess.run(
        ["git", "-C", str(origin), "archive", "HEAD"], check=True, stdout=subprocess.PIPE
    )
    with tarfile.open(fileobj=io.BytesIO(archive.stdout)) as packed:
        packed.extractall(folder, filter="data")
    make_branches(folder)
    make_steps(folder)
    small = small or _small_test_file(folder)
    if not (folder / small).is_file():
        raise SystemExit(f"{path} has no file {small}")
    branches = git(folder, "for-each-ref", "--format=%(refname:short)", "refs/heads").split()
    changed = {
        branch: len(git(folder, "diff", "--name-only", "base", branch).splitlines())
        for branch in branches
    }
    source = folder / "src" if (folder / "src").is_dir() else folder
    return Project(origin.name, folder, str(source), small, changed)


def _small_test_file(folder: Path) -> str:
    files = sorted(folder.rglob("test_*.py"), key=lambda path: (path.stat().st_size, str(path)))
    for path in files:
        if path.read_text("utf-8", "replace").count("def test_") >= _FEW_TESTS:
            return path.relative_to(folder).as_posix()
    raise SystemExit(
        f"{folder.name} has no test_*.py with {_FEW_TESTS} tests: name one after a colon"
    )
