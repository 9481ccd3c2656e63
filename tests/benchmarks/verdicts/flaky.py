"""The flaky half: real commits are replayed, and tests that would pass fail for no reason."""

from __future__ import annotations

import random
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tests.benchmarks.verdicts.account import (
    SETTINGS,
    Changed,
    changed_units,
    other_settings,
    ran_at_import,
    tests_running,
)
from tests.benchmarks.verdicts.histories import Past, kinds_for, ways, ways_of
from tests.benchmarks.verdicts.suite import Outcome, Suite, git, trials_of

__all__ = ["flaky_half"]

_ERRORS = ("ConnectionError", "TimeoutError", "AssertionError", "OSError")
#: What the probe knows besides.
KINDS = (
    *("clock", "seed", "race", "order", "port", "file", "outage", "service", "zone", "wait"),
    *("network", "disk"),
)
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
    past: Past | None = None,
    confirm: bool = False,
) -> Iterator[dict[str, Any]]:
    """Yield a record for each of the newest commits before ``commit`` that changed Python code.

    The test's last pass is recorded ``apart`` commits of the main line before each.  With
    ``kinds`` tests are flaky in the ways that people know, and not by an error alone; with a
    ``past`` as well, and they have failed before.
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
        if past is not None:
            key += f" {past.runs} {past.place}"
        if done(key):
            continue
        told = {"key": key, "half": "flaky", "commit": child, "parent": parent, "apart": apart}
        chance = random.Random(key)
        if past is None:
            yield told | _replay(suite, parent, child, paths, chance, KINDS if kinds else _ERRORS)
        else:
            before = line[at + apart : at + apart + past.states][::-1]
            commits = before if past.place == "earlier" else [child]
            replay = _Replay(past, commits, confirm=confirm)
            yield told | _replay(suite, parent, child, paths, chance, (), replay)


@dataclass(frozen=True, slots=True)
class _Replay:
    """A past, and on which commits it was, the oldest first."""

    past: Past
    commits: Sequence[str]
    confirm: bool


def _replay(
    suite: Suite,
    parent: str,
    child: str,
    paths: list[str],
    chance: random.Random,
    ways_to_fail: Sequence[str],
    replay: _Replay | None = None,
) -> dict[str, Any]:
    suite.check_out(parent)
    recorded = suite.run(ours=replay is None)
    kept = suite.keep_history() if replay is None else None
    suite.check_out(child)
    measured = suite.contexts()
    if recorded is None or measured is None or (replay is None and kept is None):
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
    inject = (
        {one: ways_to_fail[at % len(ways_to_fail)] for at, one in enumerate(chosen)}
        if (replay is None)
        else kinds_for(chosen, chance)
    )
    if replay is not None:
        clean = replay.past.place == "earlier"
        kept = replay.past.play(suite, replay.commits, inject, chance, clean=clean)
    asked = ways(replay.past, confirm=replay.confirm) if replay is not None else {"": ()}
    outcomes: dict[str, Outcome] = {}
    for way, more in asked.items():
        suite.check_out(child)
        outcome = None
        if kept is not None:
            suite.put_history(kept)
            outcome = suite.run(ours=True, inject=inject, more=more)
        if outcome is None:
            return {"failures": None}
        outcomes[way] = outcome
    print(f"{suite.name} {child[:7]}: {len(chosen)} of {len(able)}", file=sys.stderr)
    return {
        "tests": len(able),
        "changed_functions": sum(len(one.functions) for one in changes.values()),
        "at_import": at_import[:10],
        "other_settings": other_settings(*setups),
        "failures": [
            _failure(one, inject[one], one in running, outcomes) for one in sorted(inject)
        ],
    }


def _failure(
    nodeid: str, error: str, runs_change: bool, outcomes: Mapping[str, Outcome]
) -> dict[str, Any]:
    outcome = outcomes[""]
    verdict = outcome.label(nodeid)
    evidence = verdict["evidence"]
    record = {
        "nodeid": nodeid,
        "error": error,
        "runs_change": runs_change,
        "label": verdict["label"],
        "confidence": verdict["confidence"],
        "by": evidence.get("by"),
        **trials_of(verdict),
        "reason": verdict["reason"],
        "said": outcome.said.get(nodeid, {}),
        **ways_of({way: one for way, one in outcomes.items() if way}, nodeid),
    }
    if verdict["label"] != "flaky":
        record["touched"] = evidence.get("touched", [])[:4]
        record["doubts"] = evidence.get("doubts", [])[:4]
    return record
