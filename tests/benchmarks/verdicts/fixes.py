"""Bug fixes of the project itself, reversed: what fails then is genuine."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

from tests.benchmarks.verdicts.genuine import failures, is_test
from tests.benchmarks.verdicts.suite import Suite, git

__all__ = ["reversed_fixes"]

_FIX = re.compile(r"\b(fix|bug|regression|crash|wrong|incorrect|handle)", re.IGNORECASE)


def reversed_fixes(
    suite: Suite, commit: str, most: int, done: Callable[[str], bool]
) -> Iterator[dict[str, Any]]:
    """Yield a record for each of the newest fixes that changed code and tests.

    The tests pass at the fix. Then its code is taken back, and its tests stay.
    """
    number = 0
    log = git(suite.place, "log", "--no-merges", "--format=%H %s", suite.resolve(commit))
    for line in log.splitlines()[:4000]:
        fix, _, subject = line.partition(" ")
        if not _FIX.search(subject):
            continue
        names = git(suite.place, "diff", "--name-only", "--no-renames", f"{fix}^", fix)
        paths = [path for path in names.splitlines() if path.endswith(".py")]
        code = [path for path in paths if not is_test(path) and path != "setup.py"]
        if not code or len(code) == len(paths):
            continue
        if number >= most:
            return
        number += 1
        key = f"genuine fix {fix[:10]}"
        if not done(key):
            record = {"key": key, "half": "genuine", "commit": fix, "operator": "reversed fix"}
            yield record | _reverse(suite, fix, code)


def _reverse(suite: Suite, fix: str, code: list[str]) -> dict[str, Any]:
    told: dict[str, Any] = {"path": code[0], "line": 0, "diff": [], "failures": None}
    suite.check_out(fix)
    recorded = suite.run(ours=True)
    kept = suite.keep_history() if recorded else None
    if recorded is None or kept is None:
        return told
    suite.check_out(fix)
    difference = git(suite.place, "diff", "--no-renames", "--binary", fix, f"{fix}^", "--", *code)
    subprocess.run(["git", "apply"], cwd=suite.place, input=difference, text=True, check=True)
    git(suite.place, "add", "-A")
    suite.commit("Take a fix back")
    suite.put_history(kept)
    outcome = suite.run(ours=True)
    if outcome is not None:
        told["failures"] = failures({"": outcome}, recorded.passed(), recorded.failed())
        print(f"{suite.name} fix {fix[:7]}: {len(told['failures'])} fail", file=sys.stderr)
    return told
