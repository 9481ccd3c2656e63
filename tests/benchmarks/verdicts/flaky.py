"""The flaky half: real commits are replayed, and tests that would pass fail for no reason."""

from __future__ import annotations

import random
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from tests.benchmarks.verdicts.account import (
    SETTINGS,
    Changed,
    changed_units,
    other_settings,
    ran_at_import,
    tests_running,
)
from tests.benchmarks.verdicts.suite import Suite, git, trials_of

__all__ = ["flaky_half"]

_ERRORS = ("ConnectionError", "TimeoutError", "AssertionError", "OSError")
#: What the probe knows besides.
KINDS = ("clock", "seed", "race", "order", "port", "file", "outage", "service")
#: So many tests of a run fail that it is not yet "many at once".
_MOST = 24


def flaky_half(
    suite: Suite,
    commit: str,
    pairs: int,
    seed: int,
    apart: int,
    done: Callable[[str], bool],
    *,
    kinds: bool = False,
) -> Iterator[dict[str, Any]]:
    """Yield a record for each of the newest commits before ``commit`` that changed Python code.

    The test's last pass is recorded ``apart`` commits of the main line before each.  With
    ``kinds`` tests are flaky in the ways that people know, and not by an error alone.
    """
    line = git(
        suite.place, "rev-list", "--first-parent", "-n", "4000", suite.resolve(commit)
    ).split()
    number = 0
    for at in range(len(line) - apart):
        child, parent = line[at], line[at + apart]
        names = git(suite.place, "diff", "--name-only", "--no-renames", parent, child)
        paths = [path for path in names.splitlines() if path.endswith(".py")]
        if not paths:
            continue
        if number >= pairs:
            return
        number += 1
        key = f"flaky {child[:10]} {apart} {seed}{' kinds' if kinds else ''}"
        if done(key):
            continue
        yield {"key": key, "half": "flaky", "commit": child, "parent": parent, "apart": apart} | (
            _replay(suite, parent, child, paths, random.Random(key), KINDS if kinds else _ERRORS)
        )


def _replay(
    suite: Suite,
    parent: str,
    child: str,
    paths: list[str],
    chance: random.Random,
    ways: Sequence[str],
) -> dict[str, Any]:
    suite.check_out(parent)
    recorded = suite.run(ours=True)
    if recorded is None:
        return {"failures": None}
    kept = suite.keep_history()
    if kept is None:
        return {"failures": None}
    suite.check_out(child)
    measured = suite.contexts()
    if measured is None:
        return {"failures": None}
    would_pass, contexts = measured
    changes: dict[str, Changed] = {}
    for path in paths:
        try:
            versions = suite.source_of(parent, path), suite.source_of(child, path)
            changes[path] = changed_units(*versions)
        except SyntaxError:  # a file for another Python
            continue
    running = tests_running(changes, contexts)
    at_import = ran_at_import(changes, contexts)
    setups = [{name: suite.source_of(one, name) for name in SETTINGS} for one in (parent, child)]
    able = sorted(recorded.passed() & would_pass.passed())
    chosen = chance.sample(able, min(_MOST, len(able) // 3))
    inject = {nodeid: ways[place % len(ways)] for place, nodeid in enumerate(chosen)}
    suite.check_out(child)
    suite.put_history(kept)
    outcome = suite.run(ours=True, inject=inject)
    if outcome is None:
        return {"failures": None}
    print(f"{suite.name} {child[:7]}: {len(chosen)} of {len(able)}", file=sys.stderr)
    failures = []
    for nodeid in sorted(inject):
        verdict = outcome.label(nodeid)
        evidence = verdict["evidence"]
        record = {
            "nodeid": nodeid,
            "error": inject[nodeid],
            "runs_change": nodeid in running,
            "label": verdict["label"],
            "confidence": verdict["confidence"],
            "by": evidence.get("by"),
            **trials_of(verdict),
            "reason": verdict["reason"],
        }
        if verdict["label"] != "flaky":
            record["touched"] = evidence.get("touched", [])[:4]
            record["doubts"] = evidence.get("doubts", [])[:4]
        failures.append(record)
    return {
        "tests": len(able),
        "changed_functions": sum(len(one.functions) for one in changes.values()),
        "at_import": at_import[:10],
        "other_settings": other_settings(*setups),
        "failures": failures,
    }
