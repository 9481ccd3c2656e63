"""Test suites of public projects, as their sdists hold them, in a git repository of our making."""

from __future__ import annotations

import ast
import shutil
import subprocess
import sys
import tarfile
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks.overhead.environments import install_into

__all__ = [
    "SIZES",
    "SUITES",
    "Checkout",
    "Suite",
    "checkout",
    "commit_all",
    "make_branches",
    "remove",
]


@dataclass(frozen=True, slots=True)
class Suite:
    """A project at a version, where its code is, and what its tests import besides."""

    name: str
    version: str
    source: str
    #: Wheels that give the project's metadata and its tests' dependencies.
    needs: tuple[str, ...]
    #: What makes two runs do the same; its settings stay as they are.
    arguments: tuple[str, ...] = ()


SUITES = {
    suite.name: suite
    for suite in (
        Suite("sqlparse", "0.5.3", ".", ()),
        Suite("jinja2", "3.1.6", "src", ("jinja2==3.1.6", "markupsafe==3.0.3", "trio==0.31.0")),
        Suite(
            "attrs",
            "25.3.0",
            "src",
            ("attrs==25.3.0", "hypothesis==6.150.0", "cloudpickle==3.1.1", "pympler==1.1"),
            ("--hypothesis-seed=0",),
        ),
        Suite("click", "8.5.1", "src", ("click==8.5.1",)),
    )
}

#: The branch with these changes, and the share of files and of their functions that differ.
SIZES = {"last": (3, 4), "fifty": (2, 3), "all": (1, 1)}
_LAST_FILES = 2


@dataclass(frozen=True, slots=True)
class Checkout:
    """A suite, ready to run: the branches ``base``, ``last``, ``fifty`` and ``all`` exist."""

    suite: Suite
    folder: Path
    #: What goes in front of ``sys.path``: the project's code, then its dependencies.
    python_path: str
    #: Changed files by branch.
    changed: dict[str, int]

    def switch(self, branch: str) -> None:
        """Check a branch out."""
        _git(self.folder, "checkout", "-q", "-f", branch)


def checkout(suite: Suite, python: Path, folder: Path) -> Checkout:
    """Download, unpack, and commit a suite with its synthetic changes, unless it is there."""
    place, wheels = folder / suite.name, folder / "wheels" / suite.name
    install_into(wheels, python, suite.needs)
    done = folder / f"{suite.name}-{suite.version}.done"
    if not done.exists():
        print(f"  fetching {suite.name} {suite.version}", file=sys.stderr)
        _unpack(suite, python, folder / "sdists", place)
        make_branches(place)
        done.touch()
    changed = {
        size: len(_git(place, "diff", "--name-only", "base", size).splitlines()) for size in SIZES
    }
    path = str((place / suite.source).resolve())
    if suite.needs:
        path += f":{wheels}"
    return Checkout(suite, place, path, changed)


def _unpack(suite: Suite, python: Path, sdists: Path, place: Path) -> None:
    pip = [str(python), "-m", "pip", "download", "-q", "--disable-pip-version-check"]
    exact = f"{suite.name}=={suite.version}"
    subprocess.run(
        [*pip, "--no-deps", "--no-binary", suite.name, "-d", str(sdists), exact],
        check=True,
        stderr=subprocess.DEVNULL,
    )
    shutil.rmtree(place, ignore_errors=True)
    with tarfile.open(sdists / f"{suite.name}-{suite.version}.tar.gz") as archive:
        archive.extractall(sdists, filter="data")
    (sdists / f"{suite.name}-{suite.version}").rename(place)


# -- git -------------------------------------------------------------------------------------

_IGNORED = "__pycache__/ *.pyc .pytest_cache/ .hypothesis/ .coverage* .testmondata* "
_IGNORED += "flakefighters.db* .flakefighters/"


def commit_all(folder: Path, message: str) -> None:
    """Commit everything in ``folder``, which becomes a repository if it is none."""
    if not (folder / ".git").exists():
        _git(folder, "init", "-q", "-b", "base")
        (folder / ".git" / "info" / "exclude").write_text("\n".join(_IGNORED.split()) + "\n")
    _git(folder, "add", "-A", "-f", "--", ".", ":!**/__pycache__")
    _git(folder, "commit", "-q", "-m", message)


def _git(folder: Path, *arguments: str) -> str:
    who = ["-c", "user.name=Bench", "-c", "user.email=bench@example.org", "-c", "gc.auto=0"]
    done = subprocess.run(
        ["git", *who, *arguments], cwd=folder, capture_output=True, text=True, check=True
    )
    return done.stdout


def make_branches(folder: Path) -> None:
    """Commit ``folder`` as it is on ``base``, and each size of change on a branch of its name."""
    shutil.rmtree(folder / ".git", ignore_errors=True)
    commit_all(folder, "As released")
    aside = {"docs", "bench", "examples"}
    files = [
        path
        for path in sorted(folder.rglob("*.py"))
        if not aside & set(path.relative_to(folder).parts)
    ]
    for size, (every, part) in SIZES.items():
        _git(folder, "checkout", "-q", "-f", "-b", size, "base")
        edited = 0
        for number, path in enumerate(files):
            if number % every == 0 and (size != "last" or edited < _LAST_FILES):
                edited += _edit(path, part, at_most=2 if size == "last" else None)
        # As many commits as the name says; what counts is how far the state is from the baseline.
        for _ in range(49 if size == "fifty" else 0):
            _git(folder, "commit", "-q", "--allow-empty", "-m", "Nothing")
        commit_all(folder, f"Change: {size}")
    _git(folder, "checkout", "-q", "-f", "base")


def _edit(path: Path, part: int, at_most: int | None) -> bool:
    """Give every ``part``-th function a first statement that does nothing."""
    text = path.read_text("utf-8")
    lines = text.splitlines(keepends=True)
    spots = []
    for node in ast.walk(ast.parse(text)):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        body = node.body[1:] if ast.get_docstring(node, clean=False) is not None else node.body
        if not body or getattr(body[0], "decorator_list", None):
            continue  # a decorator stands above the line that is told
        if body[0].lineno > max(node.lineno, _last_line(node.args)):
            spots.append((body[0].lineno, body[0].col_offset))
    chosen = sorted(spots)[::part][:at_most]
    for line, column in reversed(chosen):
        lines.insert(line - 1, " " * column + "pass\n")
    changed = "".join(lines)
    if not chosen or not _compiles(changed):
        return False
    path.write_text(changed, "utf-8")
    return True


def _last_line(arguments: ast.arguments) -> int:
    return max((node.lineno for node in ast.walk(arguments) if hasattr(node, "lineno")), default=0)


def _compiles(text: str) -> bool:
    try:
        compile(text, "<edited>", "exec", dont_inherit=True)
    except SyntaxError:
        return False
    return True


def remove(folder: Path, patterns: tuple[str, ...]) -> None:
    """Delete what matches in ``folder``."""
    for pattern in patterns:
        for path in folder.glob(pattern):
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()
