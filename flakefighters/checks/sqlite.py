"""The steps for a history in a SQLite file."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from flakefighters.checks.results import Budget, Check, failed, ok, skipped_all
from flakefighters.errors import FlakefightersError
from flakefighters.history import History, open_history
from flakefighters.history.sqlite import check_file
from flakefighters.model import Target
from flakefighters.state.checkout import Checkout
from flakefighters.state.git import Git
from flakefighters.words import count

__all__ = ["STEPS", "look"]

STEPS: Final = ("file", "git", "opens", "integrity", "version")


def look(target: Target, checkout: Checkout, budget: Budget) -> Iterator[Check]:
    """All of them, in order."""
    assert target.path is not None
    path, name = target.path, target.display
    try:
        there = check_file(path, name)
    except FlakefightersError as error:
        yield failed("file", error.message, error.remedy)
        yield from skipped_all(STEPS[1:], "the file cannot be used")
        return
    yield _file(target, path, there)
    yield _git(path, name, checkout)
    if not there:
        yield from skipped_all(STEPS[2:], "there is no file yet")
        return
    try:
        with open_history(target, create=False, deadline=budget.left(5.0)) as history:
            runs = len(history.run_ids())
            yield ok("opens", f"it is a history of ours ({count(runs, 'run')})")
            yield _integrity(history, budget)
            yield ok("version", f"schema {history.schema_version}, SQLite {sqlite3.sqlite_version}")
    except FlakefightersError as error:
        yield failed("opens", error.message, error.remedy)
        yield from skipped_all(STEPS[3:], "the history does not open")


def _file(target: Target, path: Path, there: bool) -> Check:
    name = target.display
    if not there:
        if target.read_only:
            return failed("file", f"{name} does not exist", "run `flakefighters clone`, or copy it")
        folder = path.parent
        if not folder.is_dir():
            return failed("file", f"the folder of {name} does not exist", f"make {folder}")
        if not os.access(folder, os.W_OK | os.X_OK):
            return failed("file", f"the folder of {name} cannot be written", "check its rights")
        return ok("file", f"{name} does not exist yet; the first run makes it")
    if not os.access(path, os.R_OK):
        return failed("file", f"{name} cannot be read", "check its rights")
    # SQLite keeps its log beside the file.
    if not target.read_only and not (os.access(path, os.W_OK) and os.access(path.parent, os.W_OK)):
        return failed(
            "file",
            f"{name} or its folder cannot be written",
            "check the rights, or set read_only = true",
        )
    return ok("file", f"{name}, {path.stat().st_size:,} bytes")


def _git(path: Path, name: str, checkout: Checkout) -> Check:
    inside = checkout.relative(path)
    if not checkout.has_git or inside is None:
        return ok("git", f"{name} is in no repository")
    if checkout.is_tracked(path):
        return failed(
            "git",
            f"{name} is tracked: anybody who may commit could change it",
            f"git rm --cached {path.name}, and let git ignore it (`flakefighters init`)",
        )
    seen = Git(checkout.base).ask("ls-files", "--others", "--exclude-standard", "--", inside)
    advice = "let git ignore it, see `flakefighters init`" if seen.output else None
    return ok("git", f"{name} is not tracked", advice)


def _integrity(history: History, budget: Budget) -> Check:
    """SQLite's own quick look at every page, as far as there is time."""
    connection = history.database.connection  # type: ignore[attr-defined]
    end = time.monotonic() + budget.left(20.0)
    connection.set_progress_handler(lambda: time.monotonic() > end, 10_000)
    try:
        said = [str(row[0]) for row in connection.execute("PRAGMA quick_check(3)")]
    except sqlite3.OperationalError as error:
        if "interrupted" not in str(error):
            said = [str(error)]
        else:
            return skipped_all(("integrity",), "it would take too long")[0]
    except sqlite3.DatabaseError as error:
        said = [str(error)]
    finally:
        connection.set_progress_handler(None, 0)
    if said == ["ok"]:
        return ok("integrity", "every page is sound")
    first = said[0].splitlines()[-1] if said else "no answer"
    return failed(
        "integrity",
        f"the file is damaged: {first}",
        "move it away (keep it, `sqlite3 FILE .recover` may save its runs), then run pytest again "
        "or `flakefighters clone`",
    )
