"""Which earlier runs hold the nearest pass of each test: asked once, at the start of a session."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from flakefighters.history.content import to_json
from flakefighters.history.database import Database
from flakefighters.history.read import Suites
from flakefighters.model import Completeness, Outcome, RunHead

__all__ = ["baselines"]

_OUTCOMES: Final = "SELECT id, suite, outcomes FROM {s}run WHERE id IN {hash:runs}"


def baselines(database: Database, suites: Suites, runs: Sequence[RunHead]) -> list[RunHead]:
    """Those of ``runs`` (best evidence first) that hold some test's first pass.

    Stops at the first whole run after which no test is left without one.
    """
    if not runs:
        return []
    known = {
        name: (suite, outcomes)
        for name, suite, outcomes in database.query(
            _OUTCOMES, runs=to_json([run.id for run in runs])
        )
    }
    suites.fetch(suite for suite, _ in known.values())
    passed: set[int] = set()
    met: set[int] = set()
    found: list[RunHead] = []
    for run in runs:
        if run.id not in known:
            continue
        suite, outcomes = known[run.id]
        members = suites.members(suite)
        mark = Outcome.PASSED.value
        if outcomes == mark:  # one character speaks for all members
            here = set(members)
        elif len(outcomes) == 1 and len(members) != 1:
            here = set()
        else:
            here = {test for test, how in zip(members, outcomes, strict=False) if how == mark}
        if not here <= passed:
            found.append(run)
            passed |= here
        met.update(members)
        whole = run.completeness is Completeness.COMPLETE and not run.selection
        if whole and met <= passed:
            break
    return found
