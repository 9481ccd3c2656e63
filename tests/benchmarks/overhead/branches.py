"""States of a project: git branches with changes of known sizes."""

from __future__ import annotations

import ast
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

__all__ = [
    "EDIT",
    "SIZES",
    "STEPS",
    "commit_all",
    "edit_functions",
    "git",
    "make_branches",
    "make_steps",
    "remove",
    "show",
    "sources",
]

#: The branch with these changes, and the share of files and of their functions that differ.
SIZES = {"last": (3, 4), "fifty": (2, 3), "all": (1, 1)}
_LAST_FILES = 2

#: The branch on which one source file differs; :func:`show` puts it there without a commit.
EDIT = "edit"
#: Three commits in a row, each with a changed source file more.
STEPS = ("step-1", "step-2", "step-3")

#: Folders whose Python files are no part of what tests run.
_ASIDE = {"docs", "bench", "benchmarks", "examples", "scripts", "tools"}
_TESTS = {"test", "tests", "testing"}

_IGNORED = "__pycache__/ *.pyc .pytest_cache/ .hypothesis/ .coverage* .testmondata* "
_IGNORED += "flakefighters.db* .flakefighters/"


def commit_all(folder: Path, message: str) -> None:
    """Commit everything in ``folder``, which becomes a repository if it is none."""
    if not (folder / ".git").exists():
        git(folder, "init", "-q", "-b", "base")
        (folder / ".git" / "info" / "exclude").write_text("\n".join(_IGNORED.split()) + "\n")
    git(folder, "add", "-A", "-f", "--", ".", ":!**/__pycache__")
    git(folder, "commit", "-q", "-m", message)


def git(folder: Path, *arguments: str) -> str:
    """Run git in ``folder``, and return what it printed."""
    who = ["-c", "user.name=Bench", "-c", "user.email=bench@example.org", "-c", "gc.auto=0"]
    done = subprocess.run(
        ["git", *who, *arguments], cwd=folder, capture_output=True, text=True, check=True
    )
    return done.stdout


def make_branches(folder: Path) -> None:
    """Commit ``folder`` as it is on ``base``, and each size of change on a branch of its name."""
    shutil.rmtree(folder / ".git", ignore_errors=True)
    commit_all(folder, "As released")
    files = [
        path
        for path in sorted(folder.rglob("*.py"))
        if not _ASIDE & set(path.relative_to(folder).parts)
    ]
    for size, (every, part) in SIZES.items():
        git(folder, "checkout", "-q", "-f", "-b", size, "base")
        edited = 0
        for number, path in enumerate(files):
            if number % every == 0 and (size != "last" or edited < _LAST_FILES):
                edited += edit_functions(path, part, at_most=2 if size == "last" else None)
        # As many commits as the name says; what counts is how far the state is from the baseline.
        for _ in range(49 if size == "fifty" else 0):
            git(folder, "commit", "-q", "--allow-empty", "-m", "Nothing")
        commit_all(folder, f"Change: {size}")
    git(folder, "checkout", "-q", "-f", "base")


def sources(folder: Path) -> list[Path]:
    """Python files that are neither tests nor aside, the largest first."""
    found = []
    for path in sorted(folder.rglob("*.py")):
        parts = {part.lower() for part in path.relative_to(folder).parts}
        stem = path.stem
        if parts & (_ASIDE | _TESTS) or any(part.startswith(".") for part in parts):
            continue
        if not stem.startswith("test_") and stem not in ("conftest", "setup", "noxfile"):
            found.append(path)
    return sorted(found, key=lambda path: -path.stat().st_size)


def make_steps(folder: Path) -> None:
    """Add the branches :data:`EDIT` and :data:`STEPS` to what :func:`make_branches` made."""
    files = iter(sources(folder))

    def change() -> None:
        # Not every file has a function that can be edited.
        next((path for path in files if edit_functions(path, 4, at_most=2)), None)

    git(folder, "checkout", "-q", "-f", "-b", EDIT, "base")
    change()
    commit_all(folder, "An edit")
    git(folder, "checkout", "-q", "-f", "base")
    for step in STEPS:
        git(folder, "checkout", "-q", "-f", "-b", step)
        change()
        git(folder, "commit", "-q", "--allow-empty", "-a", "-m", f"Change: {step}")
    git(folder, "checkout", "-q", "-f", "base")


def show(folder: Path, branch: str) -> None:
    """Put a branch into the work tree; :data:`EDIT` as edits of ``base`` that are not committed."""
    git(folder, "checkout", "-q", "-f", "base" if branch == EDIT else branch)
    if branch == EDIT:
        git(folder, "checkout", "-q", EDIT, "--", ".")
        git(folder, "reset", "-q")


def edit_functions(path: Path, part: int, at_most: int | None = None) -> bool:
    """Give every ``part``-th function a first statement that does nothing; False: there is none."""
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


def remove(folder: Path, patterns: Sequence[str]) -> None:
    """Delete what matches in ``folder``."""
    for pattern in patterns:
        for path in folder.glob(pattern):
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()
